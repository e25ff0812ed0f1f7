package illustrator_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"illustrator"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline/pipelinetest"
)

const tinyRun = `domain: %s
pairs: {rows: 48}
mapper: {width: 16, blocks: 1, layers: 2}
train:
  batch: 8
  validation: {every: 2, rows: 16}
  stages:
    - name: only
      losses: {l1: 1}
      schedule: {kind: constant, steps: 2, learning_rate: 1e-3}
`

// A program trains a mapper on a domain of its own, reads its pairs, and draws with it; a second call returns at once.
func TestTrain(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles networks")
	}
	nntest.Backend(t) // or skips
	dir := t.TempDir()
	domain, err := pipelinetest.Write(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "run.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, tinyRun, domain), 0o666); err != nil {
		t.Fatal(err)
	}
	stages := map[string]bool{}
	training := illustrator.Training{
		Config: config, Folder: filepath.Join(dir, "run"),
		Progress: func(stage string, _, _ int) { stages[stage] = true },
	}
	for range 2 {
		if err := illustrator.Train(t.Context(), training); err != nil {
			t.Fatal(err)
		}
	}
	pairs, err := illustrator.OpenPairs(filepath.Join(training.Folder, "pairs"))
	if err != nil {
		t.Fatal(err)
	}
	defer pairs.Close()
	if pairs.Len() != 48 || len(stages) < 2 {
		t.Errorf("%d pairs, stages %v", pairs.Len(), stages)
	}
	d, err := illustrator.Open(domain, illustrator.Options{Run: training.Folder})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for p, err := range d.Draw(t.Context(), illustrator.Spec{Seeds: []uint64{3}}, "a toy") {
		if err != nil {
			t.Fatal(err)
		}
		if p.Record.Seed != 3 || p.Bounds().Dx() != d.Size() || d.Name() != "tiny" {
			t.Errorf("%+v of %s", p.Record, d.Name())
		}
	}
}
