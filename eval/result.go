package eval

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"illustrator/eval/metrics"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
)

// Files of a finished evaluation.
const (
	resultFile  = "eval.json"    // the fields of Result, and what the command adds
	SamplesFile = "samples.json" // Result.Samples
)

// Result holds an evaluation's figures.
type Result struct {
	Pictures int              `json:"pictures"`
	Metrics  []metrics.Metric `json:"metrics"`
	Refused  []Refused        `json:"refused,omitempty"`
	Skipped  []Skipped        `json:"skipped,omitempty"`
	// SkippedReference are pictures of the reference that could not be read.
	SkippedReference []Skipped        `json:"skipped_reference,omitempty"`
	Latents          *metrics.Latents `json:"z,omitempty"`
	// Samples are the values of those metrics that are means over pictures or texts, by the metric's name, for
	// metrics.Compare and metrics.Mean. Text is the place in Request.Texts. TorchMetrics' score has the values of its mean
	// before it cuts.
	Samples map[string][]metrics.Sample `json:"-"`
}

// Metric returns the metric of that name, or false.
func (r *Result) Metric(name string) (metrics.Metric, bool) {
	for _, m := range r.Metrics {
		if m.Name == name {
			return m, true
		}
	}
	return metrics.Metric{}, false
}

// Refused is a metric that could not be measured, and why.
type Refused struct {
	Metric string `json:"metric"`
	Reason string `json:"reason"`
}

// Skipped is a picture that could not be judged, and why.
type Skipped struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// Write writes the figures as eval.json. The samples are written by Evaluate.
func (r *Result) Write(folder string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return files.WriteFile(filepath.Join(folder, resultFile), append(text, '\n'), 0o666)
}

// ReadResult reads the result of a finished evaluation from its folder: eval.json, as Write or the command wrote it,
// and the samples. Without an eval.json the error is fs.ErrNotExist.
func ReadResult(folder string) (*Result, error) {
	r := &Result{}
	if err := readJSON(filepath.Join(folder, resultFile), r); err != nil {
		return nil, err
	}
	var columns map[string]sampleColumns
	path := filepath.Join(folder, SamplesFile)
	if err := readJSON(path, &columns); err != nil {
		return nil, err
	}
	r.Samples = make(map[string][]metrics.Sample, len(columns))
	for name, c := range columns {
		if len(c.Seed) != len(c.Text) || len(c.Value) != len(c.Text) {
			return nil, damagedResult(path, fmt.Errorf("%s has %d texts, %d seeds and %d values", name, len(c.Text), len(c.Seed),
				len(c.Value)))
		}
		samples := make([]metrics.Sample, len(c.Text))
		for i := range samples {
			samples[i] = metrics.Sample{Text: c.Text[i], Seed: c.Seed[i], Value: c.Value[i]}
		}
		r.Samples[name] = samples
	}
	return r, nil
}

// maxResult bounds the bytes of a file in an evaluation's folder.
const maxResult = 1 << 30

func readJSON(path string, to any) error {
	raw, err := files.ReadFile(path, maxResult)
	if err != nil {
		return err
	}
	if err := jsonfile.Explain(json.Unmarshal(raw, to)); err != nil {
		return damagedResult(path, err)
	}
	return nil
}

func damagedResult(path string, err error) error {
	return fault.Hint(fmt.Errorf("%s: %w", path, err), "the file is damaged: evaluate again, or remove it")
}

// sampleColumns are the samples of a metric in the form of samples.json.
type sampleColumns struct {
	Text  []int     `json:"text"`
	Seed  []uint64  `json:"seed"`
	Value []float64 `json:"value"`
}

func (r *Result) writeSamples(folder string) error {
	columns := make(map[string]sampleColumns, len(r.Samples))
	for name, samples := range r.Samples {
		var c sampleColumns
		for _, s := range samples {
			c.Text, c.Seed, c.Value = append(c.Text, s.Text), append(c.Seed, s.Seed), append(c.Value, s.Value)
		}
		columns[name] = c
	}
	text, err := json.Marshal(columns)
	if err != nil {
		return err
	}
	return files.WriteFile(filepath.Join(folder, SamplesFile), text, 0o666)
}
