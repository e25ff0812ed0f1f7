package convert

import (
	"encoding/json"
	"errors"
	"fmt"

	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/models/classifier"
)

// loadClassifier reads the state dict of an attribute classifier. What its logits mean stands in the file attributes.
func (s *source) loadClassifier(attributes string) (*network, error) {
	cfg, err := readAttributes(attributes)
	if err != nil {
		return nil, err
	}
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("read attributes %q: %w", attributes, err)
	}
	w, err := s.weights()
	if err != nil {
		return nil, err
	}
	n := &network{config: cfg, weights: w, dropped: dropCounters(w)}
	if err := w.Check(cfg.Shapes()); err != nil {
		return nil, err
	}
	n.describe = fmt.Sprintf("%d×%d pixels, %d attributes with %d values",
		cfg.ImageSize, cfg.ImageSize, len(cfg.Attributes), cfg.NumValues())
	return n, nil
}

func readAttributes(path string) (classifier.Config, error) {
	cfg := classifier.Config{ModelType: classifier.ModelType}
	if path == "" {
		return cfg, fault.WithCode(fault.Usage(errors.New("the weights do not say what their logits mean"),
			`name a JSON file with "size" and "attributes", a list of {"name", "values"}`), NoAttributes)
	}
	data, err := files.ReadFile(path, maxTextFile)
	if err != nil {
		return cfg, fault.Hint(fmt.Errorf("read attributes: %w", err), `name a JSON file with "size" and "attributes"`)
	}
	var domain struct {
		Size       int                    `json:"size"`
		Attributes []classifier.Attribute `json:"attributes"`
	}
	if err := json.Unmarshal(data, &domain); err != nil {
		return cfg, fault.Hint(fmt.Errorf("read attributes %q: %w", path, err),
			`the file must be JSON with "size" and "attributes", a list of {"name", "values"}`)
	}
	cfg.ImageSize, cfg.Attributes = domain.Size, domain.Attributes
	return cfg, nil
}
