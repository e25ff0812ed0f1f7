package clip

import (
	"math"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
)

// TestWeightGradients compares the gradients of all weights of both towers, by which a CLIP is trained, with finite
// differences in float64.
func TestWeightGradients(t *testing.T) {
	cfg := Config{ModelType: ModelType, ProjectionDim: 6,
		Text: TextConfig{HiddenSize: 8, IntermediateSize: 12, NumHiddenLayers: 2, NumAttentionHeads: 2, VocabSize: 12,
			EOSTokenID: 11, MaxPositionEmbeddings: 6, HiddenAct: "quick_gelu", LayerNormEps: 1e-5},
		Vision: VisionConfig{HiddenSize: 8, IntermediateSize: 12, NumHiddenLayers: 2, NumAttentionHeads: 2, NumChannels: 3,
			ImageSize: 8, PatchSize: 4, HiddenAct: "quick_gelu", LayerNormEps: 1e-5},
	}
	store := model.NewStore()
	if err := nn.Load(store.RootScope(), Init(cfg, 3), dtypes.Float64, true); err != nil {
		t.Fatal(err)
	}
	pixels := make([]float64, 2*3*8*8)
	for i := range pixels {
		pixels[i] = math.Sin(float64(i * i % 97))
	}
	ids := [][]int32{{10, 1, 2, 3, 11, 11}, {10, 7, 11, 11, 11, 11}}
	nntest.CheckWeightGradients(t, store, func(scope *model.Scope, g *Graph) *Node {
		pictures := Const(g, tensors.FromFlatDataAndDimensions(pixels, 2, 3, 8, 8))
		return Concatenate([]*Node{ImageEmbeds(scope, cfg, pictures), TextEmbeds(scope, cfg, Const(g, ids))}, 0)
	}, 1e-6, 1e-5)
}
