package nn

import (
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn/nntest"
)

func layerNormWeights(t *testing.T, dtype dtypes.DType) *model.Store {
	t.Helper()
	store := model.NewStore()
	if err := Load(store.RootScope(), &checkpoints.Weights{Tensors: map[string]checkpoints.Tensor{
		"norm.weight": checkpoints.Float32Tensor([]float32{1, -2, 0.5}, 3),
		"norm.bias":   checkpoints.Float32Tensor([]float32{0, 1, -1}, 3),
	}}, dtype, false); err != nil {
		t.Fatal(err)
	}
	return store
}

func TestLayerNorm(t *testing.T) {
	// torch.nn.functional.layer_norm(x, (3,), weight, bias, eps=0.5)
	x := [][]float32{{1, 2, 6}, {-1, -1, -1}, {100, 101, 102}}
	want := []float32{-0.87988269, 1.87988269, -0.34008801, 0, 1, -1, -0.92581999, 1, -0.53709000}
	for _, test := range []struct {
		dtype     dtypes.DType
		tolerance float64
	}{{dtypes.Float32, 2e-6}, {dtypes.BFloat16, 1e-2}} {
		got := nntest.Run(t, layerNormWeights(t, test.dtype), func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			y := LayerNorm(scope, graph.ConvertDType(in[0], test.dtype), "norm", 0.5)
			if y.DType() != test.dtype {
				t.Errorf("the result of %s is %s", test.dtype, y.DType())
			}
			return []*graph.Node{graph.ConvertDType(y, dtypes.Float32)}
		}, x)[0]
		if d := nntest.MaxAbs(t, got, want); d > test.tolerance {
			t.Errorf("%s: got %v, want %v", test.dtype, got, want)
		}
	}
}

func TestLayerNormGradient(t *testing.T) {
	x := tensors.FromFlatDataAndDimensions([]float64{0.3, 1.2, -2, 1, 1, 1.5, 9, -3, 0.2, 4, 4.1, 4.2}, 2, 2, 3)
	nntest.CheckGradient(t, layerNormWeights(t, dtypes.Float64), func(scope *model.Scope, x *graph.Node) *graph.Node {
		return LayerNorm(scope, x, "norm", 1e-5)
	}, x, 1e-6, 1e-6)
}
