package train

import (
	"errors"
	"math"
	"strings"
	"testing"

	"illustrator/models/mapper"
	"illustrator/models/pipeline"
)

// A loss that is not finite stops the training, names loss and step, and leaves the checkpoint before it.
func TestStopOnNaN(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a training")
	}
	domain, folder := tinyDomain(t), t.TempDir()
	training := begin(t, domain, folder, oneStage())
	training.Pairs = made{rows: 50, broken: rowOfStep(t, 5)}
	state, err := training.Run(t.Context())
	var bad *NonFiniteError
	if !errors.As(err, &bad) || !strings.HasPrefix(err.Error(), "step 5: loss l1 is ") ||
		!strings.HasSuffix(bad.Checkpoint, "000004") {
		t.Fatalf("%+v, %v", state, err)
	}
	if steps, err := training.Folder.Checkpoints(); err != nil || steps[0] != 4 {
		t.Errorf("checkpoints %v, %v", steps, err)
	}
}

// With on_nan: skip such a step changes nothing and the training continues, up to the limit.
func TestSkipNaN(t *testing.T) {
	if testing.Short() {
		t.Skip("starts several trainings; run without -short")
	}
	config := l1Only()
	config.OnNaN, config.NaNLimit = SkipNaN, 5
	training := begin(t, tinyDomain(t), t.TempDir(), config)
	training.Pairs = made{rows: 50, broken: rowOfStep(t, 3)}
	state, err := training.Run(t.Context())
	if err != nil || state.Skipped != stepsWith(rowOfStep(t, 3)) || state.Step != 12 {
		t.Fatalf("%+v, %v", state, err)
	}
	for _, scope := range []string{pipeline.MapperScope, averageScope} {
		weights, err := mapper.Weights(training.Networks.Store.Scope(scope), training.Mapper)
		if err != nil {
			t.Fatal(err)
		}
		for name, tensor := range weights.Tensors {
			values, _ := tensor.Float32s()
			for _, v := range values {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					t.Fatalf("%s: %s holds %g", scope, name, v)
				}
			}
		}
	}
	config = oneStage()
	config.OnNaN, config.NaNLimit = SkipNaN, 0
	training = begin(t, tinyDomain(t), t.TempDir(), config)
	training.Pairs = made{rows: 50, broken: rowOfStep(t, 3)}
	if _, err := training.Run(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "step 3: ") {
		t.Errorf("beyond the limit: %v", err)
	}
}

// stepsWith is the number of steps of the tests' training that see a row.
func stepsWith(row int) (n int) {
	order := NewOrder(7, 50-6)
	for step := range 12 {
		for i := range 8 {
			if order.At(8*step+i) == row {
				n++
				break
			}
		}
	}
	return n
}

// rowOfStep is a row that the tests' training first sees in step step, counted from 1.
func rowOfStep(t *testing.T, step int) int {
	t.Helper()
	order, seen := NewOrder(7, 50-6), map[int]bool{}
	for place := range (step - 1) * 8 {
		seen[order.At(place)] = true
	}
	for place := (step - 1) * 8; place < min(step*8, 50-6); place++ {
		if row := order.At(place); !seen[row] && row > 0 {
			return row
		}
	}
	t.Fatalf("step %d sees no row for the first time", step)
	return 0
}
