package runs

import (
	"fmt"
	"os"
	"path/filepath"

	"illustrator/configs"
	"illustrator/draw"
	"illustrator/models/pipeline"
	"illustrator/train"
)

// NewModel returns a domain's model, whose mapper may be loaded later.
func NewModel(d *configs.Domain, n *pipeline.Networks) draw.Model {
	return draw.Model{Name: d.Name, Domain: d.Name, Alpha: d.Alpha, Networks: n}
}

// OpenModel loads the mapper in a folder, else the best of a run, else the domain's own; and unless noProjection is set the prompts
// of the run, else the domain's. run and mapper may be "".
func OpenModel(d *configs.Domain, n *pipeline.Networks, run, mapper string, noProjection bool) (draw.Model, error) {
	m := NewModel(d, n)
	folder := train.Folder(run)
	switch {
	case mapper != "":
	case run != "":
		if mapper = folder.BestMapper(); !there(mapper) {
			return m, unfinished(run, mapper)
		}
	default:
		if mapper = d.MapperLocation(); mapper == "" {
			return m, &Error{Code: NoMapper, Text: fmt.Sprintf("domain %s has no mapper of its own", d.Name)}
		}
	}
	if err := n.LoadMapper(mapper); err != nil || noProjection {
		return m, err
	}
	open := d.OpenPrompts
	if run != "" {
		if path := folder.Prompts(); !there(path) {
			return m, unfinished(run, path)
		}
		open = func(n *pipeline.Networks) (pipeline.PromptFile, error) { return ReadPrompts(folder, n) }
	}
	prompts, err := open(n)
	m.Prompts = prompts.Prompts
	return m, err
}

// DomainOf returns the domain that a run is of.
func DomainOf(run string) (string, error) {
	config := train.Folder(run).Config()
	if !there(config) {
		return "", unfinished(run, config)
	}
	r, err := configs.OpenRun(config, nil)
	return r.Domain, err
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func unfinished(run, path string) error {
	return &Error{Code: Unfinished, Text: fmt.Sprintf("run %q: there is no %s", run, filepath.Base(path))}
}
