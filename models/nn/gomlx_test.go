package nn

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	layers "github.com/gomlx/gomlx/ml/layers/norm"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"illustrator/models/nn/nntest"
)

// gradientError returns how far GoMLX's gradient of f at x is from a central difference along a random direction,
// relative to the larger of the two, and what GoMLX panics about where it derives none.
func gradientError(t *testing.T, f func(x *Node) *Node, x *tensors.Tensor) (relative float64, panicked error) {
	t.Helper()
	exec := model.MustNewExec(nntest.Backend(t), model.NewStore(), func(_ *model.Scope, x *Node) []*Node {
		y := f(x)
		y = ReduceAllSum(Mul(y, Sin(ConvertDType(IotaFull(x.Graph(), y.Shape()), y.DType()))))
		return []*Node{y, Gradient(y, x)[0]}
	})
	defer exec.Finalize()
	values, rng := tensors.MustCopyFlatData[float64](x), rand.New(rand.NewPCG(1, 0))
	direction, moved := make([]float64, len(values)), make([]float64, len(values))
	for i := range direction {
		direction[i] = rng.NormFloat64()
	}
	at := func(step float64) (value, slope float64) {
		for i := range values {
			moved[i] = values[i] + step*direction[i]
		}
		out, err := exec.Call(tensors.FromFlatDataAndDimensions(moved, x.Shape().Dimensions...))
		if err != nil {
			panicked = err
			return 0, 0
		}
		for i, g := range tensors.MustCopyFlatData[float64](out[1]) {
			slope += g * direction[i]
		}
		return tensors.ToScalar[float64](out[0]), slope
	}
	_, slope := at(0)
	if panicked != nil {
		return 0, panicked
	}
	const step = 1e-5
	high, _ := at(step)
	low, _ := at(-step)
	numeric := (high - low) / (2 * step)
	return math.Abs(slope-numeric) / max(math.Abs(slope), math.Abs(numeric)), nil
}

// The defects of GoMLX that code here works around, as docs/gomlx.md lists them. A case that fails names a defect that
// the GoMLX in go.mod no longer has: its workaround can be removed.
func TestGoMLXDefects(t *testing.T) {
	conv := func(kernel int, configure func(*ConvolutionBuilder) *ConvolutionBuilder) func(x *Node) *Node {
		return func(x *Node) *Node {
			k := Sin(IotaFull(x.Graph(), shapes.Make(x.DType(), kernel, kernel, 3, 4)))
			return configure(Convolve(x, k)).Done()
		}
	}
	plain := func(c *ConvolutionBuilder) *ConvolutionBuilder { return c }
	image, positive := normals(1, 2, 6, 6, 3), tensors.FromFlatDataAndDimensions([]float64{0.5, 1.5, 2, 3}, 4)
	for name, c := range map[string]struct {
		x       *tensors.Tensor
		f       func(x *Node) *Node
		derives bool // a gradient, which is wrong
	}{
		"convolution with an even kernel": {image, conv(2, plain), true},
		"convolution with input dilation": {image, conv(3, func(c *ConvolutionBuilder) *ConvolutionBuilder {
			return c.InputDilationPerAxis(2, 2)
		}), false},
		"product of permuted axes": {normals(1, 3, 3), func(x *Node) *Node {
			return DotGeneral(x, []int{0, 1}, nil, Const(x.Graph(), normals(2, 3, 3, 2)), []int{1, 0}, nil)
		}, true},
		"BatchNorm": {normals(1, 5, 3), func(x *Node) *Node {
			store := model.GetStore(x)
			store.SetTraining(x.Graph(), true)
			return layers.BatchNorm(store.RootScope(), x, -1).UseBackendInference(false).Done()
		}, true},
		"Rsqrt": {positive, Rsqrt, false},
		"Expm1": {positive, Expm1, false},
		"Clip": {positive,
			func(x *Node) *Node { return Clip(x, Scalar(x.Graph(), x.DType(), 1), Scalar(x.Graph(), x.DType(), 2)) }, false},
		"Pad": {positive, func(x *Node) *Node { return Pad(x, ScalarZero(x.Graph(), x.DType()), PadAxis{Start: 1}) },
			false},
		"Reverse": {positive, func(x *Node) *Node { return Reverse(x, 0) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			relative, panicked := gradientError(t, c.f, c.x)
			switch {
			case panicked != nil && !strings.Contains(panicked.Error(), "radient"):
				t.Errorf("fails for another reason: %v", panicked)
			case !c.derives && panicked == nil:
				t.Errorf("has a gradient, which differs from finite differences by %g", relative)
			case c.derives && panicked != nil:
				t.Errorf("has no gradient: %v", panicked)
			case c.derives && relative < 1e-3:
				t.Errorf("has the right gradient, up to %g", relative)
			}
		})
	}
	if relative, err := gradientError(t, conv(3, plain), image); err != nil || relative > 1e-7 {
		t.Errorf("an odd kernel's gradient differs by %g, %v", relative, err)
	}
}

// Product refuses axes that do not ascend, whose gradient GoMLX permutes.
func TestProductAxesAscend(t *testing.T) {
	g := NewGraph(nntest.Backend(t), "product")
	x := Const(g, [][]float32{{1, 2}, {3, 4}})
	if err := exceptions.TryCatch[error](func() {
		Product(x, []int{0, 1}, nil, x, []int{1, 0}, nil,
			dtypes.Float32)
	}); err == nil {
		t.Error("no error")
	}
}
