package stylegan2

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
)

// trainedTiny has layers of each kind.
var trainedTiny = Config{ModelType: ModelType, Size: 16, StyleDim: 6, NMLP: 2, LRMLP: 0.01,
	Channels: map[int]int{4: 5, 8: 4, 16: 3}, ColorOrder: RGB}

// TestTrainedEqualsFrozen draws the same pictures from the two forms of the same weights, in float32: sums in another
// order differ by less than 1e-5 of pictures of order 1.
func TestTrainedEqualsFrozen(t *testing.T) {
	weights := Init(trainedTiny, 1)
	for _, name := range []string{"conv1.noise.weight", "convs.1.activate.bias", "to_rgbs.0.bias"} {
		for i := range weights.Tensors[name].Data { // 0 in fresh weights
			weights.Tensors[name].Data[i] = 62
		}
	}
	z := make([]float32, 3*trainedTiny.StyleDim)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range z {
		z[i] = float32(rng.NormFloat64())
	}
	draw := func(trained bool) []float32 {
		store, cfg := model.NewStore(), trainedTiny
		load := Load
		if cfg.Trained = trained; trained {
			load = LoadTrained
		}
		if err := load(store.RootScope(), cfg, weights, dtypes.Float32); err != nil {
			t.Fatal(err)
		}
		return nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
			return []*Node{Build(scope, cfg, in[0], Noise{Mode: NoiseConst})}
		}, tensors.FromFlatDataAndDimensions(z, 3, trainedTiny.StyleDim))[0]
	}
	if d := nntest.MaxAbs(t, draw(true), draw(false)); d > 1e-5 {
		t.Errorf("pictures differ by %g", d)
	}
}

// TestTrainedGradients compares the gradient of all weights with finite differences in float64.
func TestTrainedGradients(t *testing.T) {
	cfg, store := trainedTiny, model.NewStore()
	cfg.Trained = true
	if err := LoadTrained(store.RootScope(), cfg, Init(cfg, 2), dtypes.Float64); err != nil {
		t.Fatal(err)
	}
	z := []float64{1, -2, .5, .3, -.7, 1.1, .2, .4, -1, .6, -.1, .9}
	nntest.CheckWeightGradients(t, store, func(scope *model.Scope, g *Graph) *Node {
		return Build(scope, cfg, Const(g, tensors.FromFlatDataAndDimensions(z, 2, 6)), Noise{Mode: NoiseConst})
	}, 1e-6, 1e-5)
}

// TestFileForm takes weights through training's form and back: to 1e-6 of their size, for the mapping network's scales
// are multiplied in and divided out.
func TestFileForm(t *testing.T) {
	weights, store := Init(trainedTiny, 5), model.NewStore()
	if err := LoadTrained(store.RootScope(), trainedTiny, weights, dtypes.Float32); err != nil {
		t.Fatal(err)
	}
	trained, err := nn.Weights(store.RootScope(), trainedTiny.Shapes())
	if err != nil {
		t.Fatal(err)
	}
	back, err := FileForm(trainedTiny, trained)
	if err != nil {
		t.Fatal(err)
	}
	for name, tensor := range weights.Tensors {
		want, _ := tensor.Float32s()
		got, _ := back.Tensors[name].Float32s()
		size := 1.0
		if IsMapping(name) {
			size = 100
		}
		if d := nntest.MaxAbs(t, got, want); d > 1e-6*size*5 {
			t.Errorf("%s differs by %g", name, d)
		}
	}
}
