package classifier

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

var twoAttributes = Config{ModelType: ModelType, ImageSize: 16, Attributes: []Attribute{
	{Name: "shape", Values: []string{"disc", "square", "cross"}}, {Name: "wall", Values: []string{"white", "black"}},
}}

// Equal logits have entropy log 3 and log 2; a value that is not visible does not count, but the mean is over both
// pictures.
func TestCrossEntropy(t *testing.T) {
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*Node) []*Node {
		return []*Node{CrossEntropy(twoAttributes, in[0], in[1])}
	}, make2D(2, 5), [][]int32{{0, 1}, {2, -1}})
	if want := math.Log(3) + math.Log(2)/2; math.Abs(float64(out[0][0])-want) > 1e-6 {
		t.Errorf("cross-entropy is %g, want %g", out[0][0], want)
	}
}

func make2D(rows, columns int) [][]float32 {
	m := make([][]float32, rows)
	for i := range m {
		m[i] = make([]float32, columns)
	}
	return m
}

// TestTrainingGradients compares the gradients of pictures and of all weights in training with finite differences in
// float64: they pass through the statistics of the batch.
func TestTrainingGradients(t *testing.T) {
	cfg, store := twoAttributes, model.NewStore()
	if err := nn.Load(store.RootScope(), Init(cfg, 3), dtypes.Float64, true); err != nil {
		t.Fatal(err)
	}
	const batch = 3
	values := make([]float64, batch*3*cfg.ImageSize*cfg.ImageSize)
	for i := range values {
		values[i] = 0.9 * math.Sin(float64(i*i%97))
	}
	for v := range store.IterVariables() {
		v.SetTrainable(!isRunning(v.Name()))
	}
	images := store.VariableWithValue("images", tensors.FromFlatDataAndDimensions(values, batch, 3, cfg.ImageSize,
		cfg.ImageSize))
	nntest.CheckWeightGradients(t, store, func(scope *model.Scope, g *Graph) *Node {
		scope.Store().SetTraining(g, true)
		return CrossEntropy(cfg, Build(scope, cfg, images.NodeValue(g)), Const(g, [][]int32{{0, 1}, {2, -1}, {1, 0}}))
	}, 1e-7, 1e-4)
}
