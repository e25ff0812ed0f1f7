package clip

import (
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn"
)

// Axes: B batch, S side of the picture in pixels, P side of a patch, N patches (S/P)², T tokens 1+N, D width, E
// embedding.

// ImageEmbeds is transformers' get_image_features: pixelValues [B,3,S,S], as Preprocess returns them, → image
// embeddings [B,E], not normalised (see Scaled). Weights are in scope; the result has their dtype.
func ImageEmbeds(scope *model.Scope, cfg Config, pixelValues *Node) *Node {
	tr, g, batch := cfg.visionTransformer(), pixelValues.Graph(), pixelValues.Shape().Dim(0)
	const embeddings = "vision_model.embeddings."

	patches := patchEmbeds(scope, cfg, pixelValues)
	class := BroadcastToDims(Reshape(nn.Weight(scope, g, embeddings+"class_embedding", tr.width), 1, 1, tr.width), batch,
		1, tr.width)
	x := Concatenate([]*Node{class, patches}, 1)
	tokens := x.Shape().Dim(1)
	x = Add(x, ExpandLeftToRank(nn.Weight(scope, g, embeddings+"position_embedding.weight", tokens, tr.width), 3))
	x = tr.norm(scope, x, "vision_model.pre_layrnorm")

	pooled := tr.encode(scope, x, pooling{pick: func(x *Node) *Node { return Slice(x, AxisRange(), AxisElem(0)) }})
	pooled = tr.norm(scope, Reshape(pooled, batch, tr.width), "vision_model.post_layernorm")
	return nn.MatMulT(pooled, nn.Weight(scope, g, "visual_projection.weight", cfg.ProjectionDim, tr.width))
}

// patchEmbeds is the patch convolution as one matrix product, whose gradient is right: pictures [B,3,S,S] → [B,N,D].
func patchEmbeds(scope *model.Scope, cfg Config, pixelValues *Node) *Node {
	v, batch := cfg.Vision, pixelValues.Shape().Dim(0)
	pixelValues.AssertDims(batch, v.NumChannels, v.ImageSize, v.ImageSize)
	side, p := v.ImageSize/v.PatchSize, v.PatchSize

	weight := nn.Weight(scope, pixelValues.Graph(), "vision_model.embeddings.patch_embedding.weight", v.HiddenSize,
		v.NumChannels, p, p)
	x := ConvertDType(pixelValues, weight.DType())
	x = Reshape(x, batch, v.NumChannels, side, p, side, p)
	x = TransposeAllDims(x, 0, 2, 4, 1, 3, 5)
	x = Reshape(x, batch, side*side, v.NumChannels*p*p)
	return nn.MatMulT(x, Reshape(weight, v.HiddenSize, v.NumChannels*p*p))
}
