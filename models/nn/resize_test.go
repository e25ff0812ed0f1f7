package nn

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn/nntest"
)

// Goldens of torch are in package clip, beside the preprocessing that needs them.

func TestAreaResizeByHand(t *testing.T) {
	resize := func(height, width int) func(*model.Scope, []*graph.Node) []*graph.Node {
		return func(_ *model.Scope, in []*graph.Node) []*graph.Node {
			return []*graph.Node{AreaResize(in[0], height, width)}
		}
	}
	x := [][][][]float32{{{{1, 2, 6}, {3, 4, 8}}}}
	for _, test := range []struct {
		height, width int
		want          []float32
	}{
		{2, 3, []float32{1, 2, 6, 3, 4, 8}},
		{1, 1, []float32{4}},
		{2, 2, []float32{4. / 3, 14. / 3, 10. / 3, 20. / 3}},
		{1, 6, []float32{2, 2, 3, 3, 7, 7}},
	} {
		got := nntest.Run(t, model.NewStore(), resize(test.height, test.width), x)[0]
		if d := nntest.MaxAbs(t, got, test.want); d > 1e-6 {
			t.Errorf("%d × %d: got %v, want %v", test.height, test.width, got, test.want)
		}
	}
}

func TestAreaResizeGradient(t *testing.T) {
	values := make([]float64, 2*3*10*6)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range values {
		values[i] = rng.NormFloat64()
	}
	x := tensors.FromFlatDataAndDimensions(values, 2, 3, 10, 6)
	nntest.CheckGradient(t, model.NewStore(), func(_ *model.Scope, x *graph.Node) *graph.Node {
		return AreaResize(x, 4, 9)
	}, x, 1e-3, 1e-9)
}
