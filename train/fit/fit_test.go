package fit_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/internal/fault"
	"illustrator/models/nn/nntest"
	"illustrator/train"
	"illustrator/train/fit"
)

// line fits y = 3x - 1 by two numbers.
func line(t *testing.T, folder string, steps int) *fit.Fit {
	t.Helper()
	store := model.NewStore()
	if _, err := store.RootScope().At("line").CreateVariable("weights", tensors.FromValue([]float32{0, 0})); err != nil {
		t.Fatal(err)
	}
	optimizer := train.Optimizer{Name: train.Adam, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, Accumulate: 1}
	return &fit.Fit{
		Backend: nntest.Backend(t), Store: store, Folder: folder,
		Schedule: train.Schedule{Kind: train.Constant, Steps: steps, LearningRate: 0.1},
		Batch: func(at int) ([]any, error) {
			return []any{[]float32{float32(at % 3), -1, float32(at % 5)}}, nil
		},
		Step: func(scope *model.Scope, rate *Node, in []*Node) []*Node {
			weights := scope.At("line").GetVariable("weights").NodeValue(rate.Graph())
			by := func(i int) *Node { return Slice(weights, AxisElem(i)) }
			y := AddScalar(MulScalar(in[0], 3), -1)
			loss := ReduceAllMean(Square(Sub(Add(Mul(in[0], by(0)), by(1)), y)))
			optimizer.Update(scope, loss, rate, false)
			return []*Node{loss}
		},
		Measures: []string{"loss"}, CheckpointEvery: 10, LogEvery: 7,
	}
}

func weights(t *testing.T, f *fit.Fit) []float32 {
	t.Helper()
	return tensors.MustCopyFlatData[float32](f.Store.RootScope().At("line").GetVariable("weights").MustValue())
}

// An interrupted training, whose newest checkpoint is damaged besides, ends with the bits of an undisturbed one.
func TestResume(t *testing.T) {
	const steps = 60
	whole := line(t, t.TempDir(), steps)
	if err := whole.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w := weights(t, whole); math.Abs(float64(w[0])-3) > 0.5 || math.Abs(float64(w[1])+1) > 0.5 {
		t.Errorf("weights are %v, want about 3 and -1", w)
	}
	parts := line(t, t.TempDir(), steps)
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	parts.Progress = func(step int, _ []float64) {
		if step == 24 {
			cancel(stop)
		}
	}
	if err := parts.Run(ctx); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	damaged := filepath.Join(parts.Folder, "checkpoints", "000024", "model.safetensors")
	if err := os.WriteFile(damaged, []byte("damaged"), 0o666); err != nil {
		t.Fatal(err)
	}
	again := line(t, parts.Folder, steps)
	if err := again.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"metrics.jsonl", "checkpoints/000060/model.safetensors",
		"checkpoints/000060/config.json"} {
		a, errA := os.ReadFile(filepath.Join(whole.Folder, name))
		b, errB := os.ReadFile(filepath.Join(parts.Folder, name))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %v %v", name, errA, errB)
		}
	}
	if variables, err := fit.Finished(parts.Folder, steps); err != nil || variables.Tensors["line/weights"].Data == nil {
		t.Errorf("finished: %v, %v", variables, err)
	}
	if variables, err := fit.Finished(parts.Folder, steps+1); err != nil || variables != nil {
		t.Errorf("a longer training is finished: %v, %v", variables, err)
	}
}

// Errors say what is wrong, and nothing is written over.
func TestErrors(t *testing.T) {
	folder := t.TempDir()
	if err := line(t, folder, 10).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := line(t, folder, 20).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "a training of 10 steps") ||
		!strings.Contains(fault.HintOf(err), folder) {
		t.Errorf("another length: %v", err)
	}
	broken := line(t, t.TempDir(), 10)
	broken.Batch = func(at int) ([]any, error) {
		if at == 3 {
			return []any{[]float32{float32(math.Inf(1)), 0, 0}}, nil
		}
		return []any{[]float32{1, 2, 3}}, nil
	}
	if err := broken.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "step 4: loss is") {
		t.Errorf("a batch that is not finite: %v", err)
	}
	missing := errors.New("no picture")
	broken.Batch = func(int) ([]any, error) { return nil, missing }
	if err := broken.Run(t.Context()); !errors.Is(err, missing) || !strings.Contains(err.Error(), "batch of step") {
		t.Errorf("a batch that cannot be read: %v", err)
	}
}
