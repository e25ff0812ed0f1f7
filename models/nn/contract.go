package nn

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// Product is graph.DotGeneral with a result of the type out. Sums of products in bfloat16 are in float32.
//
// To say so to GoMLX, as graph.DotGeneral does, would have it add zeros to an operand on a CPU, a pass over all weights in each
// product. XLA sums in float32 of itself.
func Product(lhs *graph.Node, lhsContracting, lhsBatch []int, rhs *graph.Node, rhsContracting, rhsBatch []int, out dtypes.DType) *graph.Node {
	return graph.Dot(lhs, rhs).WithAccumulatorDType(dtypes.InvalidDType).WithOutputDType(out).
		General(lhsContracting, lhsBatch, rhsContracting, rhsBatch)
}

// Contract is Product, in the type of lhs, with a fast gradient: it contracts lhsContracting with rhsContracting pairwise, keeps
// the batch axes pairwise, and returns [batch axes…, other axes of lhs…, other axes of rhs…].
//
// GoMLX differentiates a dot product into a broadcast, a multiplication and a sum, which XLA's CPU compiler does not
// turn back into a dot product: some 30 times slower than the forward pass. Here both gradients are dot products.
func Contract(lhs *graph.Node, lhsContracting, lhsBatch []int, rhs *graph.Node, rhsContracting, rhsBatch []int) *graph.Node {
	lhsContracting, rhs, rhsContracting = ascending(lhsContracting, rhs, rhsContracting)
	l := dotSide{lhs, lhsContracting, lhsBatch, otherAxes(lhs.Rank(), lhsContracting, lhsBatch)}
	r := dotSide{rhs, rhsContracting, rhsBatch, otherAxes(rhs.Rank(), rhsContracting, rhsBatch)}
	batch := len(lhsBatch)
	lhsInOutput, rhsInOutput := sequence(batch, len(l.others)), sequence(batch+len(l.others), len(r.others))

	// A custom gradient in GoMLX has one operand. The output's keeps the adjoint; the operands' use it in place of what
	// GoMLX derives, which is left unused and compiled away. The output's always comes first: gradients run backwards.
	var adjoint *graph.Node
	lhs = graph.IdentityWithCustomGradient(lhs, func(_, _ *graph.Node) *graph.Node {
		return l.gradient(adjoint, rhsInOutput, r)
	})
	rhs = graph.IdentityWithCustomGradient(rhs, func(_, _ *graph.Node) *graph.Node {
		return r.gradient(adjoint, lhsInOutput, l)
	})
	output := Product(lhs, lhsContracting, lhsBatch, rhs, rhsContracting, rhsBatch, lhs.DType())
	return graph.IdentityWithCustomGradient(output, func(_, v *graph.Node) *graph.Node {
		adjoint = v
		return v
	})
}

// dotSide is one operand of a dot product and what becomes of its axes.
type dotSide struct {
	x                          *graph.Node
	contracting, batch, others []int
}

// gradient returns the gradient with respect to s.x from that of the output: the adjoint contracted with the other
// operand over the axes that only the other has.
func (s dotSide) gradient(adjoint *graph.Node, otherInOutput []int, other dotSide) *graph.Node {
	y := Product(adjoint, otherInOutput, sequence(0, len(s.batch)), other.x, other.others, other.batch, adjoint.DType())
	axes := slices.Concat(s.batch, s.others, s.contracting)
	toInput := make([]int, len(axes))
	for i, axis := range axes {
		toInput[axis] = i
	}
	if slices.IsSorted(toInput) {
		return y
	}
	return graph.TransposeAllAxes(y, toInput...)
}

// ascending returns the same contraction with its axes in ascending order in both operands, for which the axes of rhs may have
// to be transposed. GoMLX (v0.28.2) derives a gradient with the wrong axes otherwise.
func ascending(lhsAxes []int, rhs *graph.Node, rhsAxes []int) ([]int, *graph.Node, []int) {
	lhsSorted, paired := slices.Sorted(slices.Values(lhsAxes)), make([]int, len(rhsAxes))
	for i, axis := range lhsAxes {
		paired[slices.Index(lhsSorted, axis)] = rhsAxes[i]
	}
	if slices.IsSorted(paired) {
		return lhsSorted, rhs, paired
	}
	rhsSorted, permutation := slices.Sorted(slices.Values(paired)), sequence(0, rhs.Rank())
	for i, axis := range rhsSorted {
		permutation[axis] = paired[i]
	}
	return lhsSorted, graph.TransposeAllAxes(rhs, permutation...), rhsSorted
}

// otherAxes returns the axes of 0…rank-1 that are neither contracted nor batch axes.
func otherAxes(rank int, contracting, batch []int) []int {
	return slices.DeleteFunc(sequence(0, rank), func(axis int) bool {
		return slices.Contains(contracting, axis) || slices.Contains(batch, axis)
	})
}

// sequence returns n integers from start on.
func sequence(start, n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = start + i
	}
	return s
}
