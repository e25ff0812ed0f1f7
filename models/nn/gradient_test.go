package nn

import (
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn/nntest"
)

// TestWithGradient takes a gradient that is not the true one, to see that it alone is used, of a function that changes
// the shape, twice in a row and beside another path from the same x.
func TestWithGradient(t *testing.T) {
	double := func(x *graph.Node) *graph.Node {
		return WithGradient(x,
			func(x *graph.Node) *graph.Node { return graph.Concatenate([]*graph.Node{x, x}, 1) },
			func(v *graph.Node) *graph.Node {
				return graph.MulScalar(graph.Slice(v, graph.AxisRange(), graph.AxisRange(0, v.Shape().Dim(1)/2)), 10)
			})
	}
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		x := graph.ConvertDType(in[0], dtypes.Float32)
		y := double(double(x)) // [2,12]
		weights := graph.Iota(x.Graph(), y.Shape(), 1)
		loss := graph.Add(graph.ReduceAllSum(graph.Mul(y, weights)), graph.ReduceAllSum(graph.Square(x)))
		return []*graph.Node{y, graph.Gradient(loss, x)[0]}
	}, tensors.FromValue([][]float64{{1, 2, 3}, {4, 5, 6}}))
	for i, got := range out[0] {
		if want := float32(i%3 + 1 + 3*(i/12)); got != want {
			t.Errorf("value %d is %g, expected %g", i, got, want)
		}
	}
	for i, got := range out[1] {
		if want := float32(100*(i%3) + 2*(i+1)); got != want { // 10·10 times the first weights, and the square's 2x
			t.Errorf("gradient %d is %g, expected %g", i, got, want)
		}
	}
}
