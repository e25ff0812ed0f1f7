package docs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// A benchRecord is a case in bench.json, which `make bench` writes.
type benchRecord struct {
	Command  string        `json:"command"`
	Date     string        `json:"date"`
	Commit   string        `json:"commit"`
	Machine  string        `json:"machine"`
	Versions string        `json:"versions"`
	Rounds   int           `json:"rounds"`
	Results  []benchResult `json:"results"`
}

type benchResult struct {
	About            string    `json:"about"`
	Engine           string    `json:"engine"`
	Batch            int       `json:"batch"`
	StepSeconds      float64   `json:"step_seconds"`
	Rounds           []float64 `json:"rounds"`
	SamplesPerSecond float64   `json:"samples_per_second"`
	FirstStepSeconds float64   `json:"first_step_seconds"`
	PeakBytes        uint64    `json:"peak_bytes"`
	Speedup          float64   `json:"speedup"`
	NoRatio          string    `json:"no_ratio"`
}

// cells are a result's figures by name, those that it has.
func (r benchResult) cells() map[string]string {
	cells := map[string]string{"seconds": fmt.Sprintf("%.3g s", r.StepSeconds),
		"samples": fmt.Sprintf("%.3g", r.SamplesPerSecond), "first": fmt.Sprintf("%.2g s", r.FirstStepSeconds)}
	if r.PeakBytes > 0 {
		cells["memory"] = fmt.Sprintf("%.1f GiB", float64(r.PeakBytes)/(1<<30))
	}
	if r.Speedup > 0 {
		cells["ratio"] = fmt.Sprintf("%.2f ×", r.Speedup)
	}
	return cells
}

// fill sets a measurement's conditions, table and figures from the cases of bench.json that it names. Figures are named
// CASE.ENGINE.CELL: full-step-2.pytorch-eager-float32.ratio.
func (m *measurement) fill(records map[string]benchRecord) error {
	m.Figures = map[string]string{}
	m.Table = &struct {
		Columns []string   `json:"columns"`
		Rows    [][]string `json:"rows"`
	}{Columns: []string{"work", "batch", "engine", "a step", "samples/s", "first step", "peak memory", "ratio"}}
	for _, name := range m.Bench {
		of, ok := records[name]
		if !ok {
			return fmt.Errorf("bench.json has no case %q", name)
		}
		for _, r := range of.Results {
			if len(r.Rounds) < of.Rounds {
				return fmt.Errorf("bench.json: %s was stopped after %d of %d rounds", name, len(r.Rounds), of.Rounds)
			}
			if r.NoRatio != "" {
				return fmt.Errorf("bench.json: %s, %s has no ratio: %s", name, r.Engine, r.NoRatio)
			}
			cells, engine := r.cells(), strings.ReplaceAll(strings.ToLower(r.Engine), " ", "-")
			for cell, text := range cells {
				m.Figures[name+"."+engine+"."+cell] = text
			}
			m.Table.Rows = append(m.Table.Rows, []string{r.About, fmt.Sprint(r.Batch), r.Engine, cells["seconds"],
				cells["samples"], cells["first"], cells["memory"], cells["ratio"]})
		}
		m.Command, m.Date, m.Commit, m.Machine, m.Versions = of.Command, of.Date, of.Commit, of.Machine, of.Versions
	}
	return nil
}

func readBench(t *testing.T, path string) (records map[string]benchRecord) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &records)
	}
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// A measurement of cases takes its figures from the file, and refuses what the file forbids.
func TestFiguresOfBench(t *testing.T) {
	records := readBench(t, "testdata/bench.json")
	m := measurement{Bench: []string{"lorelei-step-32"}}
	if err := m.fill(records); err != nil {
		t.Fatal(err)
	}
	all := map[string]measurement{"speed": m}
	for key, want := range map[string]string{
		"speed.lorelei-step-32.illustrator.seconds":           "0.256 s",
		"speed.lorelei-step-32.pytorch-compile-float32.ratio": "1.27 ×",
		"speed.2.8": "1.27 ×",
	} {
		if got, err := figure(all, key); err != nil || got != want {
			t.Errorf("%s is %q, want %q; %v", key, got, want, err)
		}
	}
	if m.Date != "2026-11-26" || !strings.HasPrefix(m.render(), "| work | batch |") {
		t.Errorf("%+v", m)
	}
	for name, want := range map[string]string{
		"no-case": "no case", "noisy-2": "rounds of illustrator spread by 85 %", "stopped-2": "after 2 of 5 rounds",
	} {
		m := measurement{Bench: []string{name}}
		if err := m.fill(records); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
