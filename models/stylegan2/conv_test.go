package stylegan2

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
	"illustrator/models/xla"
)

// TestUpConv compares with the definition, written as loops: x[m]·kernel[a] is added to 2m+a, and output n of the
// filter is the sum of fir[t]·(what is at n+t-1).
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
	worst := nntest.Run(t, model.NewStore(), func(_ *model.Scope, inputs []*graph.Node) []*graph.Node {
		y := up(inputs[0])
		y.AssertDims(1, 2*h, 2*h, out)
		expected := graph.Const(y.Graph(), tensors.FromFlatDataAndDimensions(want, 1, 2*h, 2*h, out))
		return []*graph.Node{graph.ConvertDType(graph.ReduceAllMax(graph.Abs(graph.Sub(y, expected))), dtypes.Float32)}
	}, xs)
	if !(worst[0][0] < 1e-12) { // float64, sums of some 40 products
		t.Errorf("differs from the definition by %g", worst[0][0])
	}
	// The function is linear in x, so that central differences are exact up to rounding.
	nntest.CheckGradient(t, model.NewStore(), func(_ *model.Scope, x *graph.Node) *graph.Node { return up(x) }, xs, 1e-2,
		1e-9)
}

// TestUpConvOfDevices compares the graphs of a device and of the host, forward and backward, in float64. A CPU whose
// memory is not the host's stands for the device.
func TestUpConvOfDevices(t *testing.T) {
	if nntest.BackendName() != "xla:cpu" {
		t.Skip("compares graphs on a CPU")
	}
	device, err := xla.Open("xla:cpu,noshared_buffers")
	if err != nil {
		t.Fatal(err)
	}
	defer device.Finalize()
	results := func(backend compute.Backend) []float64 {
		outputs, err := graph.CallOnceN(backend, func(x, kernel *graph.Node) []*graph.Node {
			if nn.OnHost(x.Graph()) == (backend == device) {
				t.Error("the graph is not that of the backend")
			}
			y := upConv(x, kernel)
			gradient := graph.Gradient(graph.ReduceAllSum(graph.Square(y)), x)[0]
			return []*graph.Node{graph.Reshape(y, -1), graph.Reshape(gradient, -1)}
		}, normal(dtypes.Float64, 2, 5, 5, 3), normal(dtypes.Float64, 3, 3, 3, 4))
		if err != nil {
			t.Fatal(err)
		}
		return append(tensors.MustCopyFlatData[float64](outputs[0]), tensors.MustCopyFlatData[float64](outputs[1])...)
	}
	host, other := results(nntest.Backend(t)), results(device)
	for i, want := range host {
		if !(math.Abs(other[i]-want) <= 1e-10*max(1, math.Abs(want))) { // sums of some hundred products
			t.Fatalf("value %d is %g on a device, %g on the host", i, other[i], want)
		}
	}
}

// normal is a tensor of N(0,1), other numbers for other dimensions.
func normal(dtype dtypes.DType, dims ...int) *tensors.Tensor {
	size, seed := 1, uint64(0)
	for _, d := range dims {
		size, seed = size*d, 31*seed+uint64(d)
	}
	rng, values := rand.New(rand.NewPCG(seed, 0)), make([]float64, size)
	for i := range values {
		values[i] = rng.NormFloat64()
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

// The least convolution that is done by tiles, with a second tile along each axis.
const tiledSize, tiledIn, tiledOut = 16, 64, 65

// TestTiles compares with XLA's convolution: in float64 to see that it is the same function, in float32 to see what
// rounding does. Outputs have a standard deviation of 24, and the most that they were measured to
// differ by in float32 is 1.8e-4.
func TestTiles(t *testing.T) {
	if !plainTiles.paysOnHost(tiledSize, tiledIn) || !downTiles.paysOnHost(tiledSize, tiledIn) {
		t.Fatal("this size is convolved without tiles")
	}
	for _, c := range []struct {
		dtype     dtypes.DType
		tolerance float32
	}{{dtypes.Float64, 1e-12}, {dtypes.Float32, 6e-4}} {
		worst := nntest.Run(t, model.NewStore(), func(_ *model.Scope, inputs []*graph.Node) []*graph.Node {
			x, v, kernel := inputs[0], inputs[1], inputs[2]
			transposed := graph.TransposeAllAxes(kernel, 0, 1, 3, 2)
			differences := []*graph.Node{
				graph.Sub(conv3x3(x, kernel), graph.Convolve(x, kernel).PadSame().Done()),
				graph.Sub(stridedConv(v, kernel), graph.Convolve(v, transposed).NoPadding().Strides(2).Done()),
			}
			for i, d := range differences {
				differences[i] = graph.ConvertDType(graph.ReduceAllMax(graph.Abs(d)), dtypes.Float32)
			}
			return differences
		}, normal(c.dtype, 2, tiledSize, tiledSize, tiledIn), normal(c.dtype, 2, 2*tiledSize+1, 2*tiledSize+1, tiledOut),
			normal(c.dtype, 3, 3, tiledIn, tiledOut))
		for i, of := range []string{"conv3x3", "stridedConv"} {
			if !(worst[i][0] < c.tolerance) {
				t.Errorf("%s: %s differs from the convolution by %g", c.dtype, of, worst[i][0])
			}
		}
	}
	// Linear again.
	kernel := normal(dtypes.Float64, 3, 3, tiledIn, tiledOut)
	for _, conv := range []func(x, kernel *graph.Node) *graph.Node{conv3x3, upConv} {
		nntest.CheckGradient(t, model.NewStore(), func(_ *model.Scope, x *graph.Node) *graph.Node {
			return conv(x, graph.Const(x.Graph(), kernel))
		}, normal(dtypes.Float64, 1, tiledSize, tiledSize, tiledIn), 1e-2, 1e-9)
	}
}

// TestNarrowKernels compares convolutions with a kernel in bfloat16, and their gradients, with those of the same kernel
// widened. Both factors are rounded to 8 significant bits, by some 2⁻⁹ each, and sums of products make up to five times
// as much of that: measured are 1.1 % of the length for conv3x3, and for upConv 0.16 % and, with tiles, 0.30 %.
func TestNarrowKernels(t *testing.T) {
	for _, c := range []struct {
		name             string
		conv             func(x, kernel *graph.Node) *graph.Node
		size             int
		output, gradient float64
	}{{"conv3x3", conv3x3, tiledSize, 0.015, 0.015}, {"upConv", upConv, 2 * tiledSize, 0.004, 0.006}} {
		got := nntest.Run(t, model.NewStore(), func(_ *model.Scope, inputs []*graph.Node) []*graph.Node {
			x, v, kernel := inputs[0], inputs[1], graph.ConvertDType(inputs[2], dtypes.BFloat16)
			var outputs []*graph.Node
			for _, kernel := range []*graph.Node{kernel, nn.Widen(kernel)} {
				y := c.conv(x, kernel)
				gradient := graph.Gradient(graph.ReduceAllSum(graph.Mul(y, v)), x)[0]
				outputs = append(outputs, y, gradient)
			}
			return outputs
		}, normal(dtypes.Float32, 2, tiledSize, tiledSize, tiledIn), normal(dtypes.Float32, 2, c.size, c.size, tiledOut),
			normal(dtypes.Float32, 3, 3, tiledIn, tiledOut))
		for i, limit := range []float64{c.output, c.gradient} {
			narrow, wide := got[i], got[i+2]
			var size, difference float64
			for j := range wide {
				size += float64(wide[j]) * float64(wide[j])
				difference += float64(narrow[j]-wide[j]) * float64(narrow[j]-wide[j])
			}
			if r := math.Sqrt(difference / size); !(r > 0 && r < limit) {
				t.Errorf("%s, %s: differs by %g of its length", c.name, []string{"output", "gradient"}[i], r)
			}
		}
	}
}
