package stylegan2

import (
	"github.com/gomlx/gomlx/backends"
	. "github.com/gomlx/gomlx/pkg/core/graph" //nolint:staticcheck // graph code reads as formulas

	"illustrator/models/nn"
)

// Axes: B batch, H height and width, C channels.
//
// x and what becomes of it are in at least float32 here, whatever the kernel's type. Kernels have no gradient.

// conv3x3 convolves x [B,H,H,in] with kernel [3,3,in,out], zero padded to the same size.
//
// On a CPU it computes in at least float32: XLA has no convolution in bfloat16 there and would widen its operands each time.
func conv3x3(x, kernel *Node) *Node {
	if !nn.OnHost(x.Graph()) {
		return nn.Widen(Convolve(ConvertDType(x, kernel.DType()), kernel).PadSame().Done())
	}
	kernel = nn.Widen(kernel)
	if !winogradPays(x.Shape().Dim(1), kernel.Shape().Dim(2), kernel.Shape().Dim(3)) {
		return Convolve(x, kernel).PadSame().Done()
	}
	return nn.WithGradient(x,
		func(x *Node) *Node { return winograd(x, kernel) },
		func(v *Node) *Node { return winograd(v, adjoint(kernel)) })
}

// adjoint is the kernel [3,3,out,in] with which a convolution is the gradient of that with kernel [3,3,in,out].
func adjoint(kernel *Node) *Node {
	return TransposeAllAxes(Reverse(kernel, 0, 1), 0, 1, 3, 2)
}

// upConv doubles the resolution: a transposed convolution of stride 2, as torch.conv_transpose2d's, with kernel
// [3,3,in,out], then the filter [1,3,3,1]/4 along both axes: x [B,H,H,in] → [B,2H,2H,out].
//
// XLA's CPU compiler has no fast transposed convolution, and to GoMLX the gradient of one is not known: hence products of
// matrices, in the kernel's type, and a gradient of its own.
func upConv(x, kernel *Node) *Node {
	return nn.WithGradient(x,
		func(x *Node) *Node { return blur(transposedConv(x, kernel), 1, 0) },
		// The filter is symmetric, so it is its own transpose. The transposed convolution's is the convolution.
		func(v *Node) *Node { return stridedConv(blur(v, 2, 2), kernel) })
}

// transposedConv adds x[m]·kernel[a] to output 2m+a, along both axes: x [B,H,H,in] → [B,2H+2,2H+2,out], of which the last
// row and column are zero. All taps are one product. Even outputs 2m get x[m] through tap 0 and x[m-1] through tap 2, odd
// outputs 2m+1 get x[m] through tap 1.
func transposedConv(x, kernel *Node) *Node {
	b, h, in, out := x.Shape().Dim(0), x.Shape().Dim(1), kernel.Shape().Dim(2), kernel.Shape().Dim(3)
	taps := Reshape(TransposeAllAxes(kernel, 2, 0, 1, 3), in, 9*out)
	products := MatMul(Reshape(ConvertDType(x, kernel.DType()), b*h*h, in), taps)
	products = Reshape(nn.Widen(products), b, h, h, 3, 3, out)
	tap := func(i, j int) *Node { // [B,H+1,H+1,out], that of tap 2 one further on
		p := Squeeze(Slice(products, AxisRange(), AxisRange(), AxisRange(), AxisElem(i), AxisElem(j)), 3, 4)
		return pad(p, [2]int{i / 2, 1 - i/2}, [2]int{j / 2, 1 - j/2})
	}
	even := Stack([]*Node{Add(Add(tap(0, 0), tap(2, 0)), Add(tap(0, 2), tap(2, 2))), Add(tap(0, 1), tap(2, 1))}, 3)
	odd := Stack([]*Node{Add(tap(1, 0), tap(1, 2)), tap(1, 1)}, 3)
	return Reshape(Stack([]*Node{even, odd}, 2), b, 2*h+2, 2*h+2, out)
}

// stridedConv convolves v [B,2H+1,2H+1,out] at every second place, from out channels to in: [B,H,H,in].
func stridedConv(v, kernel *Node) *Node {
	if kernel.DType() == v.DType() {
		axes := ConvolveAxesConfig{
			InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
			KernelSpatial: []int{0, 1}, KernelInputChannels: 3, KernelOutputChannels: 2,
			OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
		}
		return Convolve(v, kernel).NoPadding().Strides(2).AxesConfig(axes).Done()
	}
	// A narrow product is worth the copies that make it one.
	b, h, in, out := v.Shape().Dim(0), v.Shape().Dim(1)/2, kernel.Shape().Dim(2), kernel.Shape().Dim(3)
	narrow := ConvertDType(v, kernel.DType())
	var taps []*Node
	for i := range 3 {
		for j := range 3 {
			taps = append(taps, Slice(narrow, AxisRange(), AxisRange(i, i+2*h-1).Stride(2), AxisRange(j, j+2*h-1).Stride(2)))
		}
	}
	matrix := Reshape(TransposeAllAxes(kernel, 0, 1, 3, 2), 9*out, in)
	return Reshape(Dot(Reshape(Concatenate(taps, 3), b*h*h, 9*out), matrix).WithOutputDType(v.DType()).Product(), b, h, h, in)
}

// blur pads x [B,H,H,C] with zeros before and after along both axes and applies the filter [1,3,3,1]/4 to them, which
// takes 3 off the size.
func blur(x *Node, before, after int) *Node {
	x = pad(x, [2]int{before, after}, [2]int{before, after})
	for _, axis := range []int{2, 1} {
		size := x.Shape().Dim(axis) - len(fir) + 1
		column := make([]*Node, len(fir))
		for tap := range fir {
			column[tap] = SliceAxis(x, axis, AxisRange(tap, tap+size))
		}
		x = combine([][]float64{fir[:]}, column)[0]
	}
	return x
}

// pad adds zeros before and after the rows and the columns of x [B,H,H,C]. GoMLX knows no gradient of it.
func pad(x *Node, rows, columns [2]int) *Node {
	return Pad(x, ScalarZero(x.Graph(), x.DType()), backends.PadAxis{},
		backends.PadAxis{Start: rows[0], End: rows[1]}, backends.PadAxis{Start: columns[0], End: columns[1]}, backends.PadAxis{})
}

// combine is the product of a matrix of constants, most of them 0 or ±1, with a column of nodes.
func combine(matrix [][]float64, column []*Node) []*Node {
	sums := make([]*Node, len(matrix))
	for i, row := range matrix {
		for j, weight := range row {
			if weight == 0 {
				continue
			}
			term := column[j]
			if weight != 1 {
				term = MulScalar(term, weight)
			}
			if sums[i] == nil {
				sums[i] = term
			} else {
				sums[i] = Add(sums[i], term)
			}
		}
	}
	return sums
}
