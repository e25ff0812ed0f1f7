package mapper

import (
	. "github.com/gomlx/gomlx/pkg/core/graph" //nolint:staticcheck // graph code reads as formulas
	"github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/gomlx/pkg/ml/layers"

	"illustrator/models/nn"
)

// Axes: B batch, E image embedding, D hidden units (Config.Width), Z latent.

// Build predicts StyleGAN2 latents [B,Z] from CLIP image embeddings [B,E], normalised and scaled as in training. The
// weights are the variables of ctx's scope, named as in Shapes. In training (ctx.IsTraining) BatchNorm normalises by
// the batch and follows it with its running statistics, and dropout draws from ctx's random state.
func Build(ctx *context.Context, cfg Config, imageEmbeds *Node) *Node {
	batch := imageEmbeds.Shape().Dim(0)
	imageEmbeds.AssertDims(batch, cfg.EmbedDim)
	build := buildDense
	if cfg.Arch == Baseline {
		build = buildBaseline
	}
	z := build(ctx, cfg, imageEmbeds)
	z.AssertDims(batch, cfg.ZDim)
	return z
}

// buildDense is the paper's mapper: two linear layers, residual dense blocks, two linear layers.
func buildDense(ctx *context.Context, cfg Config, imageEmbeds *Node) *Node {
	x := nn.Linear(ctx, imageEmbeds, "head.0", cfg.Width)
	x = nn.Linear(ctx, x, "head.1", cfg.Width) // [B,D]
	for b := range cfg.Blocks {
		x = Add(x, layers.DropoutStatic(ctx, denseBlock(ctx, cfg, b, x), cfg.Dropout))
	}
	x = nn.Linear(ctx, x, "tail.0", cfg.Width)
	return nn.Linear(ctx, x, "tail.1", cfg.ZDim) // [B,Z]
}

// denseBlock maps x [B,D] to [B,D] by layers that each read x and the outputs of all layers before.
func denseBlock(ctx *context.Context, cfg Config, b int, x *Node) *Node {
	features := []*Node{x}
	for l := range cfg.Layers {
		name := layerName(b, l)
		y := nn.Linear(ctx, Concatenate(features, 1), name+".0", cfg.Width)
		y = nn.PReLU(ctx, nn.BatchNorm1d(ctx, y, name+".1"), name+".2")
		y = nn.Linear(ctx, y, name+".3", cfg.Width)
		y = nn.PReLU(ctx, nn.BatchNorm1d(ctx, y, name+".4"), name+".5")
		features = append(features, y)
	}
	return features[cfg.Layers]
}
