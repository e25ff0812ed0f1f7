package mapper

import (
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/layers"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn"
)

// Axes: B batch, E image embedding, D hidden units (Config.Width), Z latent.

// Build predicts StyleGAN2 latents [B,Z] from CLIP image embeddings [B,E], normalised and scaled as in training. The
// weights are the variables of scope, named as in Shapes. In training (scope.IsTraining) BatchNorm normalises by
// the batch and follows it with its running statistics, and dropout draws from the store's random state.
func Build(scope *model.Scope, cfg Config, imageEmbeds *Node) *Node {
	batch := imageEmbeds.Shape().Dim(0)
	imageEmbeds.AssertDims(batch, cfg.EmbedDim)
	build := buildDense
	switch cfg.Arch {
	case Baseline:
		build = buildBaseline
	case Prior:
		build = buildPrior
	}
	z := build(scope, cfg, imageEmbeds)
	z.AssertDims(batch, cfg.ZDim)
	return z
}

// buildDense is the paper's mapper: two linear layers, residual dense blocks, two linear layers.
func buildDense(scope *model.Scope, cfg Config, imageEmbeds *Node) *Node {
	x := nn.Linear(scope, imageEmbeds, "head.0", cfg.Width)
	x = nn.Linear(scope, x, "head.1", cfg.Width) // [B,D]
	for b := range cfg.Blocks {
		x = Add(x, layers.DropoutStatic(scope, denseBlock(scope, cfg, b, x), cfg.Dropout))
	}
	x = nn.Linear(scope, x, "tail.0", cfg.Width)
	return nn.Linear(scope, x, "tail.1", cfg.ZDim) // [B,Z]
}

// denseBlock maps x [B,D] to [B,D] by layers that each read x and the outputs of all layers before.
func denseBlock(scope *model.Scope, cfg Config, b int, x *Node) *Node {
	features := []*Node{x}
	for l := range cfg.Layers {
		name := layerName(b, l)
		y := nn.Linear(scope, Concatenate(features, 1), name+".0", cfg.Width)
		y = nn.PReLU(scope, nn.BatchNorm1d(scope, y, name+".1"), name+".2")
		y = nn.Linear(scope, y, name+".3", cfg.Width)
		y = nn.PReLU(scope, nn.BatchNorm1d(scope, y, name+".4"), name+".5")
		features = append(features, y)
	}
	return features[cfg.Layers]
}
