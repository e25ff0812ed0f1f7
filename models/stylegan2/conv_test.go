package stylegan2

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"github.com/gomlx/gomlx/pkg/ml/context"

	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
)

// TestUpConv compares with the definition, written as loops: x[m]·kernel[a] is added to 2m+a, and output n of the filter
// is the sum of fir[t]·(what is at n+t-1).
func TestUpConv(t *testing.T) {
	const h, in, out = 3, 2, 3
	rng := rand.New(rand.NewPCG(1, 0))
	random := func(n int) []float64 {
		values := make([]float64, n)
		for i := range values {
			values[i] = rng.NormFloat64()
		}
		return values
	}
	x, kernel := random(h*h*in), random(9*in*out)
	var spread [2*h + 1][2*h + 1][out]float64
	for m := range h * h {
		for a := range 9 {
			for i := range in {
				for o := range out {
					spread[2*(m/h)+a/3][2*(m%h)+a%3][o] += x[m*in+i] * kernel[(a*in+i)*out+o]
				}
			}
		}
	}
	want := make([]float64, 4*h*h*out)
	for n := range 4 * h * h {
		for s := range 16 {
			y, x := n/(2*h)+s/4-1, n%(2*h)+s%4-1
			if y < 0 || y > 2*h || x < 0 || x > 2*h {
				continue
			}
			for o := range out {
				want[n*out+o] += fir[s/4] * fir[s%4] * spread[y][x][o]
			}
		}
	}
	xs := tensors.FromFlatDataAndDimensions(x, 1, h, h, in)
	up := func(x *graph.Node) *graph.Node {
		return upConv(x, graph.Const(x.Graph(), tensors.FromFlatDataAndDimensions(kernel, 3, 3, in, out)))
	}
	worst := nntest.Run(t, context.New(), func(_ *context.Context, inputs []*graph.Node) []*graph.Node {
		y := up(inputs[0])
		y.AssertDims(1, 2*h, 2*h, out)
		expected := graph.Const(y.Graph(), tensors.FromFlatDataAndDimensions(want, 1, 2*h, 2*h, out))
		return []*graph.Node{graph.ConvertDType(graph.ReduceAllMax(graph.Abs(graph.Sub(y, expected))), dtypes.Float32)}
	}, xs)
	if !(worst[0][0] < 1e-12) { // float64, sums of some 40 products
		t.Errorf("differs from the definition by %g", worst[0][0])
	}
	// The function is linear in x, so that central differences are exact up to rounding.
	nntest.CheckGradient(t, context.New(), func(_ *context.Context, x *graph.Node) *graph.Node { return up(x) }, xs, 1e-2, 1e-9)
}

// smooth is a tensor of numbers in [-1, 1] that look alike nowhere.
func smooth(dtype dtypes.DType, dims ...int) *tensors.Tensor {
	values := make([]float64, 1)
	for _, d := range dims {
		values = make([]float64, len(values)*d)
	}
	for i := range values {
		values[i] = math.Sin(1 + 7*float64(i)*math.Phi)
	}
	wide := tensors.FromFlatDataAndDimensions(values, dims...)
	if dtype == dtypes.Float64 {
		return wide
	}
	narrow := make([]float32, len(values))
	for i, v := range values {
		narrow[i] = float32(v)
	}
	return tensors.FromFlatDataAndDimensions(narrow, dims...)
}

// TestWinograd compares with XLA's convolution: in float64 to see that it is the same function, in float32 to see what
// rounding does. The largest output is about 20; plain sums in float32 err by 1e-5.
func TestWinograd(t *testing.T) {
	const h, in, out = 16, 64, 65
	if !winogradPays(h, in, out) {
		t.Fatal("this size is convolved without it")
	}
	for _, c := range []struct {
		dtype     dtypes.DType
		tolerance float32
	}{{dtypes.Float64, 1e-12}, {dtypes.Float32, 2e-4}} {
		kernel := smooth(c.dtype, 3, 3, in, out)
		worst := nntest.Run(t, context.New(), func(_ *context.Context, inputs []*graph.Node) []*graph.Node {
			x, kernel := inputs[0], inputs[1]
			plain := graph.Convolve(x, kernel).PadSame().Done()
			return []*graph.Node{graph.ConvertDType(graph.ReduceAllMax(graph.Abs(graph.Sub(conv3x3(x, kernel), plain))), dtypes.Float32)}
		}, smooth(c.dtype, 2, h, h, in), kernel)
		if !(worst[0][0] < c.tolerance) {
			t.Errorf("%s: differs from the convolution by %g", c.dtype, worst[0][0])
		}
	}
	// Linear again. The size is the least that pays, with a second tile along each axis.
	kernel := smooth(dtypes.Float64, 3, 3, in, out)
	nntest.CheckGradient(t, context.New(), func(_ *context.Context, x *graph.Node) *graph.Node {
		return conv3x3(x, graph.Const(x.Graph(), kernel))
	}, smooth(dtypes.Float64, 1, h, h, in), 1e-2, 1e-9)
}

// TestNarrowKernels compares up-convolution with a kernel in bfloat16, and its gradient, with the same kernel widened. Both
// factors and the products are rounded to 8 significant bits: by some 2⁻⁹ each, of terms that partly cancel.
func TestNarrowKernels(t *testing.T) {
	const h, in, out = 4, 8, 6
	got := nntest.Run(t, context.New(), func(_ *context.Context, inputs []*graph.Node) []*graph.Node {
		x, kernel := inputs[0], graph.ConvertDType(inputs[1], dtypes.BFloat16)
		var outputs []*graph.Node
		for _, kernel := range []*graph.Node{kernel, nn.Widen(kernel)} {
			y := upConv(x, kernel)
			gradient := graph.Gradient(graph.ReduceAllSum(graph.Mul(y, inputs[2])), x)[0]
			outputs = append(outputs, y, gradient)
		}
		return outputs
	}, smooth(dtypes.Float32, 2, h, h, in), smooth(dtypes.Float32, 3, 3, in, out), smooth(dtypes.Float32, 2, 2*h, 2*h, out))
	for i, what := range []string{"output", "gradient"} {
		narrow, wide := got[i], got[i+2]
		var size, difference float64
		for j := range wide {
			size += float64(wide[j]) * float64(wide[j])
			difference += float64(narrow[j]-wide[j]) * float64(narrow[j]-wide[j])
		}
		if r := math.Sqrt(difference / size); !(r > 0 && r < 0.02) {
			t.Errorf("%s: differs by %g of its length", what, r)
		}
	}
}
