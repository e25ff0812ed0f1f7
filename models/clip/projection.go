package clip

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas

	"illustrator/models/nn"
)

// Axes: B batch, E embedding.

// Scaled normalises embeddings e [B,E] to the length √E, the scale of every embedding outside of CLIP itself (official
// release): their elements are then of the order of 1. A zero vector stays zero and its gradient finite. The norm is
// taken in at least float32.
func Scaled(e *Node) *Node {
	e.AssertRank(2)
	dtype, wide := e.DType(), nn.Widen(e)
	// torch.nn.functional.normalize divides by max(‖e‖, 1e-12). The square root's gradient at 0 would be infinite.
	norm := Sqrt(MaxScalar(ReduceAndKeep(Square(wide), ReduceSum, -1), 1e-24))
	scaled := Div(MulScalar(wide, math.Sqrt(float64(e.Shape().Dim(1)))), norm)
	return ConvertDType(scaled, dtype)
}

// Project is the prompt projection (eq. 3; eq. 2 for α = 1; eq. 11 with a picture's own embeddings as prompts): the
// image prompt plus alpha times the text's difference from the text prompt, then Scaled again as in the official
// release. cte [B,E] and the prompts [1,E] or [B,E] are Scaled embeddings; alpha is a scalar, or [B] with one value a
// text.
func Project(cte, textPrompt, imagePrompt, alpha *Node) *Node {
	cte.AssertRank(2)
	textPrompt.AssertRank(2)
	imagePrompt.AssertRank(2)
	if alpha.Rank() == 1 {
		alpha = ExpandAxes(alpha, -1)
	}
	return Scaled(Add(imagePrompt, Mul(alpha, Sub(cte, textPrompt))))
}
