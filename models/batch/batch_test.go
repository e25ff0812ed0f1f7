package batch

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn/nntest"
)

// Seven rows in batches of three: the last batch is filled up, and what filled it does not come out. The graph is built
// for one shape.
func TestRun(t *testing.T) {
	r, built := NewRunner(nntest.Backend(t)), 0
	build := func(_ *model.Scope, x, keys, scale, shift *graph.Node) []*graph.Node {
		built++
		x.AssertDims(3, 2)
		sum := graph.Add(graph.Mul(x, scale), shift)
		return []*graph.Node{sum, graph.ConvertDType(keys, x.DType())}
	}
	values, keys := make([]float32, 14), make([]uint64, 7)
	var want []float32
	for i := range values {
		values[i], keys[i/2] = float32(i), uint64(i/2)
		want = append(want, 10*float32(i)+float32(1+i%2))
	}
	for range 2 {
		out, err := Run(t.Context(), r, "sum", build, 3, Rows(values, 2), Rows(keys), Scalar(10), Vector([]float32{1, 2}))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(out[0], want) || !slices.Equal(out[1], []float32{0, 1, 2, 3, 4, 5, 6}) {
			t.Errorf("got %v", out)
		}
	}
	if built != 1 {
		t.Errorf("the graph was built %d times", built)
	}
}

// Of given shapes, the largest is used that the rows fill by three quarters: again and again where there are more.
func TestRunInGivenShapes(t *testing.T) {
	r := NewRunner(nntest.Backend(t))
	r.Shapes = []int{1, 4}
	var built []int
	build := func(_ *model.Scope, x *graph.Node) *graph.Node {
		built = append(built, x.Shape().Dim(0))
		return graph.AddScalar(x, 1)
	}
	for _, n := range []int{1, 3, 11, 2, 6, 1} {
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(i)
		}
		out, err := Run(t.Context(), r, "next", build, 32, Rows(values))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range out[0] {
			if v != float32(i+1) {
				t.Errorf("of %d rows: %v", n, out[0])
				break
			}
		}
		if len(out[0]) != n {
			t.Errorf("%d rows of %d", len(out[0]), n)
		}
	}
	r.Shapes = []int{20} // above the batch
	if out, err := Run(t.Context(), r, "next", build, 8, Rows(make([]float32, 9))); err != nil || len(out[0]) != 9 {
		t.Errorf("%v, %v", out, err)
	}
	if !slices.Equal(built, []int{1, 4, 8}) {
		t.Errorf("programs were built for %v rows", built)
	}
}

func TestRunMistakes(t *testing.T) {
	r := NewRunner(nntest.Backend(t))
	build := func(_ *model.Scope, a, b *graph.Node) *graph.Node { return graph.Add(a, b) }
	row := make([]float32, 6)
	for want, inputs := range map[string][]Input{
		"5 values are not rows of [2]": {Rows(row[:5], 2), Rows(row, 2)},
		"the inputs have 3 and 2 rows": {Rows(row, 2), Rows(row[:4], 2)},
		"nothing to do":                {Rows(row[:0], 2), Rows(row, 2)},
	} {
		if _, err := Run(t.Context(), r, "sum", build, 2, inputs...); err == nil ||
			!strings.Contains(err.Error(), "sum: "+want) {
			t.Errorf("%s: got %v", want, err)
		}
	}
	stop := errors.New("stop")
	stopped, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if _, err := Run(stopped, r, "sum", build, 2, Rows(row, 2), Rows(row, 2)); !errors.Is(err, stop) {
		t.Errorf("a cancelled context: %v", err)
	}
}
