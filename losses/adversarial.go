package losses

import (
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
)

// GeneratorLoss is the non-saturating loss (Goodfellow et al. 2014): the mean of softplus(-D) of the generator's
// pictures, whose logits are fake [B].
func GeneratorLoss(fake *Node) *Node { return ReduceAllMean(softplus(Neg(wide(fake)))) }

// DiscriminatorLoss is the cross-entropy of logits [B] of the generator's pictures and of real ones.
func DiscriminatorLoss(fake, real *Node) *Node {
	return Add(ReduceAllMean(softplus(wide(fake))), ReduceAllMean(softplus(Neg(wide(real)))))
}

// softplus is log(1 + exp(x)) without overflow.
func softplus(x *Node) *Node { return Add(MaxScalar(x, 0), Log1P(Exp(Neg(Abs(x))))) }

// r1Step is the root mean square of the steps that R1 takes in values of pictures of [-1,1].
const r1Step = 1e-3

// R1 is the mean of ‖∇D(x)‖² over real pictures x [B,…] (Mescheder et al. 2018; times γ/2 it is StyleGAN2's
// penalty), with a gradient that needs no second derivative: half the gradient of ‖g‖², g = ∇D(x), with respect to
// the weights is that of the derivative of D along g, taken as the central difference of D(x + h g) and D(x - h g)
// with g held fixed. discriminate gives the logits [B].
func R1(discriminate func(x *Node) *Node, x *Node) *Node {
	batch := float64(x.Shape().Dim(0))
	g := StopGradient(Gradient(ReduceAllSum(discriminate(x)), x)[0])
	penalty := DivScalar(ReduceAllSum(Square(g)), batch)
	h := StopGradient(Div(Scalar(x.Graph(), x.DType(), r1Step), Sqrt(AddScalar(ReduceAllMean(Square(g)), 1e-20))))
	along := Div(ReduceAllSum(Sub(discriminate(Add(x, Mul(g, h))), discriminate(Sub(x, Mul(g, h))))), MulScalar(h, batch))
	// The value is the penalty, the gradient that of twice the derivative along g.
	return Add(penalty, Sub(along, StopGradient(along)))
}
