package clip

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn"
)

// Axes: B batch, T tokens (at most max_position_embeddings), D width, E embedding.

// TextEmbeds is transformers' get_text_features: ids int32 [B,T], as a Tokenizer returns them, → text embeddings [B,E],
// not normalised (see Scaled). Weights are in scope; the result has their dtype.
func TextEmbeds(scope *model.Scope, cfg Config, ids *Node) *Node {
	ids.AssertRank(2)
	tr, g := cfg.textTransformer(), ids.Graph()
	batch, tokens := ids.Shape().Dim(0), ids.Shape().Dim(1)

	words := nn.Weight(scope, g, TokenEmbedding, cfg.Text.VocabSize, tr.width)
	places := nn.Weight(scope, g, "text_model.embeddings.position_embedding.weight", cfg.Text.MaxPositionEmbeddings,
		tr.width)
	x := Gather(words, ExpandAxes(ids, -1))
	x = Add(x, ExpandLeftToRank(Slice(places, AxisRange(0, tokens)), 3))
	x.AssertDims(batch, tokens, tr.width)

	// A token sees itself and those before it.
	at := Iota(g, shapes.Make(dtypes.Int32, 1, tokens, tokens), 2)
	end := endOfText(cfg, ids)
	pooled := tr.encode(scope, x, pooling{
		pick: func(x *Node) *Node { return pickToken(x, end) },
		all:  LessOrEqual(at, Iota(g, at.Shape(), 1)),
		one: LessOrEqual(Iota(g, shapes.Make(dtypes.Int32, batch, 1, tokens), 2),
			BroadcastToDims(Reshape(end, batch, 1, 1), batch, 1, tokens)),
	})
	pooled = tr.norm(scope, Reshape(pooled, batch, tr.width), "text_model.final_layer_norm")
	return nn.MatMulT(pooled, nn.Weight(scope, g, "text_projection.weight", cfg.ProjectionDim, tr.width))
}

// endOfText returns the place of the first end token in each text: ids [B,T] → [B,1]; the last place in a text without
// one. In configurations with the legacy eos_token_id the end token is the largest id of the text.
func endOfText(cfg Config, ids *Node) *Node {
	g, tokens := ids.Graph(), ids.Shape().Dim(1)
	end := Const(g, [][]int32{{int32(cfg.Text.EOSTokenID)}})
	if cfg.Text.EOSTokenID == legacyEOS {
		end = ReduceAndKeep(ids, ReduceMax, 1)
	}
	isEnd := Equal(ids, BroadcastToShape(end, ids.Shape()))
	return ReduceAndKeep(Where(isEnd, Iota(g, ids.Shape(), 1), Scalar(g, ids.DType(), tokens-1)), ReduceMin, 1)
}

// pickToken takes one token of each text: x [B,T,D] at place int32 [B,1] → [B,1,D].
func pickToken(x, place *Node) *Node {
	batch, tokens := x.Shape().Dim(0), x.Shape().Dim(1)
	picked := OneHot(Reshape(place, batch), tokens, x.DType()) // [B,T]
	return ExpandAxes(nn.Contract(picked, []int{1}, []int{0}, x, []int{1}, []int{0}), 1)
}
