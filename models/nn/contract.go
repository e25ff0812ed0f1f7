package nn

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Product is graph.DotGeneral with a result of the type out. It contracts lhsContracting with rhsContracting pairwise,
// keeps the batch axes pairwise, and returns [batch axes…, other axes of lhs…, other axes of rhs…]. Sums of products in
// bfloat16 are in float32.
//
// The accumulator's type is left to XLA, which sums in float32 itself: given it, GoMLX (v0.28.2) differentiates
// bfloat16 in float32, at half the speed on a CPU. Contracted axes must ascend in both operands: GoMLX (v0.28.2)
// derives a gradient with permuted axes for others.
func Product(lhs *graph.Node, lhsContracting, lhsBatch []int, rhs *graph.Node, rhsContracting, rhsBatch []int,
	out dtypes.DType) *graph.Node {
	if !slices.IsSorted(lhsContracting) || !slices.IsSorted(rhsContracting) {
		exceptions.Panicf("contracted axes %v and %v do not ascend: transpose an operand", lhsContracting, rhsContracting)
	}
	return graph.Dot(lhs, rhs).WithAccumulatorDType(dtypes.InvalidDType).WithOutputDType(out).
		General(lhsContracting, lhsBatch, rhsContracting, rhsBatch)
}

// Contract is Product in the type of lhs.
func Contract(lhs *graph.Node, lhsContracting, lhsBatch []int, rhs *graph.Node, rhsContracting,
	rhsBatch []int) *graph.Node {
	return Product(lhs, lhsContracting, lhsBatch, rhs, rhsContracting, rhsBatch, lhs.DType())
}
