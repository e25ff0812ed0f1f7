package train

import (
	"encoding/json"
	"fmt"
	"os"

	"illustrator/losses"
)

// line is one line of metrics.jsonl: the losses of a training step, or of a validation after it.
type line struct {
	Step         int           `json:"step"`
	Stage        string        `json:"stage"`
	Validation   bool          `json:"validation,omitempty"`
	LearningRate *float64      `json:"learning_rate,omitempty"`
	Losses       losses.Values `json:"losses"`
}

// metricsFile is metrics.jsonl, the record that tables and plots are made from.
type metricsFile struct{ f *os.File }

func createMetrics(path string) (*metricsFile, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &metricsFile{f}, nil
}

func (m *metricsFile) Write(l line) error {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("write %s: %w", m.f.Name(), err)
	}
	_, err = m.f.Write(append(text, '\n'))
	return err
}

func (m *metricsFile) Close() error { return m.f.Close() }
