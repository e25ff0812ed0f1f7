package lpips

// Axes: B batch, C channels, H height, W width.

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn"
)

// Mean and deviation of the pictures that the networks were trained on, for values in [-1,1] (the reference's
// ScalingLayer).
var (
	shift = [3]float64{-.030, -.088, -.188}
	scale = [3]float64{.458, .448, .450}
)

// lengthEpsilon keeps the length of a pixel's features from zero (the reference's normalize_tensor).
const lengthEpsilon = 1e-10

// Build gives the distance of each pair of pictures: a and b [B,3,H,W] in [-1,1] → [B]. Zero means the same.
func Build(scope *model.Scope, cfg Config, a, b *Node) *Node {
	a.AssertDims(-1, 3, -1, -1)
	b.AssertDims(a.Shape().Dimensions...)
	batch := a.Shape().Dim(0)
	x := normalize(Concatenate([]*Node{a, b}, 0))
	var distance *Node
	compared := 0
	for _, l := range layers[cfg.Net] {
		if x = l.apply(scope, cfg, x); !l.compared {
			continue
		}
		weight := nn.Weight(scope, x.Graph(), linearName(compared), 1, x.Shape().Dim(1), 1, 1)
		compared++
		unit := unitLength(x)
		difference := Square(Sub(Slice(unit, AxisRange(0, batch)), Slice(unit, AxisRange(batch))))
		// The 1×1 convolution to one channel, and the mean over pixels.
		d := ReduceSum(Mul(ReduceMean(difference, 2, 3), Reshape(weight, 1, -1)), 1)
		if distance == nil {
			distance = d
		} else {
			distance = Add(distance, d)
		}
	}
	distance.AssertDims(batch)
	return distance
}

// Load checks the weights w against cfg and puts them into scope, frozen.
func Load(scope *model.Scope, cfg Config, w *checkpoints.Weights, dtype dtypes.DType) error {
	if err := w.Check(cfg.Shapes()); err != nil {
		return err
	}
	return nn.Load(scope, w, dtype, false)
}

func normalize(x *Node) *Node {
	channel := func(v [3]float64) *Node { return Reshape(ConstAsDType(x.Graph(), x.DType(), v[:]), 1, 3, 1, 1) }
	return Div(Sub(x, channel(shift)), channel(scale))
}

func (l layer) apply(scope *model.Scope, cfg Config, x *Node) *Node {
	if l.pool > 0 {
		x = nn.MaxPool2d(x, l.pool, 2, 0)
	}
	out, in := l.width*cfg.Channels, x.Shape().Dim(1)
	kernel := nn.Weight(scope, x.Graph(), l.name()+".weight", out, in, l.kernel, l.kernel)
	bias := nn.Weight(scope, x.Graph(), l.name()+".bias", out)
	x = nn.Conv2d(x, kernel, l.stride, [2]int{l.padding, l.padding})
	return nn.ReLU(Add(x, Reshape(bias, 1, out, 1, 1)))
}

// unitLength divides the features of each pixel by their length.
func unitLength(x *Node) *Node {
	return Div(x, AddScalar(Sqrt(ReduceAndKeep(Square(x), ReduceSum, 1)), lengthEpsilon))
}
