package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/train"
)

func tinyCase(t *testing.T) Case {
	dir := t.TempDir()
	if _, err := pipelinetest.Write(dir, 1); err != nil {
		t.Fatal(err)
	}
	locations := pipeline.Locations{Generator: filepath.Join(dir, "generator"), CLIP: filepath.Join(dir, "clip")}
	open := func(backend compute.Backend, _ pipeline.Precision) (*pipeline.Networks, error) {
		return pipeline.Open(backend, locations)
	}
	return Case{Name: "tiny", Repeat: 3, Open: open, Batch: 4,
		Losses:    losses.Weights{L1: 0.3, Semantic: 1, Regularization: 0.3},
		Mapper:    mapper.Config{Arch: mapper.Dense, Width: 8, Blocks: 1, Layers: 2, Dropout: 0.1},
		Optimizer: train.Optimizer{Name: train.Adam, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Accumulate: 1}}
}

func TestServe(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles sampling and training")
	}
	backend := nntest.Backend(t)
	for i, task := range []Task{Training, Training, Sampling, Pairs, Checkpoint, Resume} {
		t.Setenv("TMPDIR", t.TempDir())
		c := tinyCase(t)
		if c.Task = task; i == 1 {
			c.Precision = pipeline.BFloat16
		}
		var out bytes.Buffer
		if err := Serve(t.Context(), c, backend, strings.NewReader("step\nstep\n"), &out); err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(&out)
		var work Work
		if err := decoder.Decode(&work); err != nil {
			t.Fatal(err)
		}
		if work.Task != task || work.Mapper.EmbedDim != pipelinetest.EmbedDim || work.Mapper.ZDim != pipelinetest.ZDim ||
			work.Batch != 4 || work.VisionParameters == 0 {
			t.Errorf("work is %+v", work)
		}
		for i := range 2 {
			var a answer
			if err := decoder.Decode(&a); err != nil || !(a.Seconds > 0) {
				t.Errorf("task %v: answer %d: %+v, %v", task, i, a, err)
			}
		}
		if decoder.More() {
			t.Errorf("%s: more answers than questions", task)
		}
	}
}

// worker1 answers with the seconds 1, 2, 3, …; each of its lines is the shell's.
const worker1 = `echo '{}'; n=0; while read line; do n=$((n+1)); echo "{\"seconds\": $n}"; done`

func shell(t *testing.T, script string) []string {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("sh is missing")
	}
	return []string{sh, "-c", script}
}

func TestMeasure(t *testing.T) {
	r, err := Measure(t.Context(), Case{Name: "c", About: "about c", Batch: 8}, shell(t, worker1), 3)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rounds) != 3 || r.FirstStepSeconds != 1 || r.StepSeconds != 4 ||
		r.SamplesPerSecond != 2 || r.Engine != Engine {
		t.Errorf("result %+v", r)
	}
	if m := Median([]float64{4, 1, 3, 2}); m != 2.5 {
		t.Errorf("median of an even number is %g", m)
	}
}

func TestMeasureSaysWhyAWorkerEnded(t *testing.T) {
	for name, script := range map[string]string{
		"at once":     `echo no memory left >&2; exit 1`,
		"in a step":   `echo '{}'; read line; echo no memory left >&2; exit 1`,
		"wrong words": `echo no memory left >&2; echo hello; sleep 1`,
	} {
		_, err := Measure(t.Context(), Case{}, shell(t, script), 1)
		if err == nil || !strings.Contains(err.Error(), "no memory left") {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	m, err := Begin(ctx, Result{}, shell(t, worker1), nil, new(any))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Stop()
	stopped := errors.New("stopped")
	cancel(stopped)
	for err == nil {
		err = m.Round()
	}
	if !errors.Is(err, stopped) {
		t.Errorf("cancelled: %v", err)
	}
}
