package nn

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn/nntest"
)

// The average at an edge leaves the padding out, and zeros that pad never win the maximum: all values are negative.
func TestPoolsAtEdges(t *testing.T) {
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		return []*graph.Node{AvgPool2d(in[0], 3, 1), MaxPool2d(in[0], 3, 1, 1), MaxPool2d(in[0], 2, 2, 0)}
	}, [][][][]float32{{{{-1, -2, -3}, {-4, -5, -6}}}})
	// torch.nn.functional.avg_pool2d(x, 3, 1, 1, count_include_pad=False), max_pool2d(x, 3, 1, 1), max_pool2d(x, 2, 2)
	for i, want := range [][]float32{{-3, -3.5, -4, -3, -3.5, -4}, {-1, -1, -2, -1, -1, -2}, {-1}} {
		if d := nntest.MaxAbs(t, out[i], want); d > 1e-6 {
			t.Errorf("pool %d is %v, want %v", i, out[i], want)
		}
	}
}

// Padding and kernel differ by axis: one row of zeros above and below, none at the sides.
func TestConv2dPadsByAxis(t *testing.T) {
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		return []*graph.Node{Conv2d(in[0], in[1], 1, [2]int{1, 0})}
	}, [][][][]float32{{{{1, 2}, {3, 4}}}}, [][][][]float32{{{{1}, {10}, {100}}}})[0]
	if d := nntest.MaxAbs(t, out, []float32{310, 420, 31, 42}); d != 0 {
		t.Errorf("got %v", out)
	}
}
