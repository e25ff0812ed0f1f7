package nn

import (
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// BatchNormEpsilon and batchNormMomentum are the defaults of torch.nn.BatchNorm1d, which every published mapper was
// trained with.
const (
	BatchNormEpsilon  = 1e-5
	batchNormMomentum = 0.1
)

// BatchNorm1d is torch.nn.BatchNorm1d over x [B,C] (Ioffe and Szegedy 2015): each unit is shifted and scaled to mean 0
// and variance 1, then scaled by name+".weight" [C] and shifted by name+".bias" [C].
//
// In training (scope.IsTraining) mean and variance are those of the batch, with gradients through both, and
// name+".running_mean" and name+".running_var" [C] move a tenth of the way towards the batch's mean and unbiased
// variance. The variance that normalises is the biased one: these are PyTorch's rules, which GoMLX's layer does not
// follow. Otherwise the running statistics are used and left alone. A training batch of one has no variance: it panics.
func BatchNorm1d(scope *model.Scope, x *Node, name string) *Node {
	g := x.Graph()
	batch, units := x.Shape().Dim(0), x.Shape().Dim(1)
	weight, bias := Weight(scope, g, name+".weight", units), Weight(scope, g, name+".bias", units)
	mean, variance := Weight(scope, g, name+".running_mean", units), Weight(scope, g, name+".running_var", units)
	if scope.IsTraining(g) {
		if batch < 2 {
			exceptions.Panicf("batch normalization %q in training needs a batch of at least 2, got %d", name, batch)
		}
		runningMean, runningVar := mean, variance
		mean = ReduceMean(x, 0)
		variance = ReduceMean(Square(Sub(x, ExpandDims(mean, 0))), 0)
		unbiased := MulScalar(variance, float64(batch)/float64(batch-1))
		setWeight(scope, name+".running_mean", blend(runningMean, mean, batchNormMomentum))
		setWeight(scope, name+".running_var", blend(runningVar, unbiased, batchNormMomentum))
	}
	scale := Div(weight, Sqrt(AddScalar(variance, BatchNormEpsilon)))
	return Add(Mul(Sub(x, ExpandDims(mean, 0)), ExpandDims(scale, 0)), ExpandDims(bias, 0))
}

// BatchNorm2d is torch.nn.BatchNorm2d: BatchNorm1d over all pixels of x [B,C,H,W], with FrozenBatchNorm2d's graph
// outside of training.
func BatchNorm2d(scope *model.Scope, x *Node, name string) *Node {
	if !scope.IsTraining(x.Graph()) {
		return FrozenBatchNorm2d(scope, x, name, BatchNormEpsilon)
	}
	size := x.Shape().Dimensions
	pixels := Reshape(TransposeAllAxes(x, 0, 2, 3, 1), -1, size[1])
	pixels = BatchNorm1d(scope, pixels, name)
	return TransposeAllAxes(Reshape(pixels, size[0], size[2], size[3], size[1]), 0, 3, 1, 2)
}

// blend moves a the given share of the way to b. No gradient flows: it follows training and is not part of it.
func blend(a, b *Node, share float64) *Node {
	return Add(MulScalar(a, 1-share), MulScalar(StopGradient(b), share))
}

// setWeight replaces the weight called name after the graph has run.
func setWeight(scope *model.Scope, name string, value *Node) {
	scope.GetVariable(name).SetNodeValue(value)
}
