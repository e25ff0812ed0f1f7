package train

import (
	"bufio"
	"encoding/json"
	"fmt"

	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
	"illustrator/losses"
)

// Line is one line of metrics.jsonl: a training step's losses, or a validation after it. It holds no time: equal
// trainings give equal bytes.
type Line struct {
	Step  int    `json:"step"` // counted from 1
	Stage string `json:"stage"`
	// Of a training step:
	LearningRate *float64       `json:"learning_rate,omitempty"`
	GradNorm     *float64       `json:"grad_norm,omitempty"` // before clipping, where it is computed
	Losses       *losses.Values `json:"losses,omitempty"`
	Skipped      bool           `json:"skipped,omitempty"` // for its losses were not finite
	// Of a validation:
	Validation *Measures `json:"validation,omitempty"`
}

// number is one number of a line under the name that plots give it.
type number struct {
	Tag   string
	Value float64
}

// numbers lists the numbers of a line: "train/…" of a training step, "validation/…" of a validation.
func (l Line) numbers() (all []number) {
	add := func(tag string, value *float64) {
		if value != nil {
			all = append(all, number{tag, *value})
		}
	}
	each := func(prefix string, v losses.Values) {
		for _, l := range append([]losses.Loss{losses.Total}, losses.All...) {
			value := l.Value(v)
			add(prefix+l.Name, &value)
		}
	}
	add("train/learning_rate", l.LearningRate)
	add("train/grad_norm", l.GradNorm)
	if l.Losses != nil {
		each("train/", *l.Losses)
	}
	if m := l.Validation; m != nil {
		each("validation/", m.Losses)
		each("validation/fixed_noise/", m.FixedNoise)
		add("validation/cosine", m.Cosine)
		add("validation/z_cosine", &m.ZCosine)
		add("validation/z_mean", &m.ZMean)
		add("validation/z_std", &m.ZStd)
	}
	return all
}

// ReadMetrics reads metrics.jsonl. A last line that is not whole, as a running or killed training may leave, is left
// out.
func ReadMetrics(path string) ([]Line, error) {
	f, _, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []Line
	for r := bufio.NewReader(f); ; {
		text, err := r.ReadBytes('\n')
		if err != nil { // the end, perhaps within a line
			return lines, nil
		}
		var l Line
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, fault.Hint(fmt.Errorf("read %s: line %d: %w", path, len(lines)+1, jsonfile.Explain(err)),
				"the file was changed: the run's checkpoints are not harmed by that")
		}
		lines = append(lines, l)
	}
}
