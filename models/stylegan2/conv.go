package stylegan2

import (
	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas

	"illustrator/models/nn"
)

// Axes: B batch, H height and width, C channels.
//
// x and what becomes of it are in at least float32 here, whatever the kernel's type. Kernels have no gradient.

// conv3x3 convolves x [B,H,H,in] with kernel [3,3,in,out], zero padded to the same size.
func conv3x3(x, kernel *Node) *Node {
	if !plainTiles.pay(x.Shape().Dim(1), kernel) {
		return nn.Widen(convolve(x, kernel).PadSame().Done())
	}
	around := [2]int{1, 1}
	return nn.WithGradient(x,
		func(x *Node) *Node { return plainTiles.convolve(pad(x, around, around), kernel) },
		func(v *Node) *Node { return adjointTiles.convolve(pad(v, around, around), kernel) })
}

// convolve is XLA's own convolution, in the kernel's type but on a CPU, where XLA has none in bfloat16.
func convolve(x, kernel *Node) *ConvolutionBuilder {
	if nn.OnHost(x.Graph()) {
		return Convolve(x, nn.Widen(kernel))
	}
	return Convolve(ConvertDType(x, kernel.DType()), kernel)
}

// upConv doubles the resolution: a transposed convolution of stride 2, as torch.conv_transpose2d's, with kernel
// [3,3,in,out], then the filter [1,3,3,1]/4 along both axes: x [B,H,H,in] → [B,2H,2H,out].
//
// GoMLX has no gradient of a transposed convolution, hence a gradient of its own. XLA's CPU compiler has no fast one,
// hence a product of matrices there.
func upConv(x, kernel *Node) *Node {
	return nn.WithGradient(x,
		func(x *Node) *Node {
			if nn.OnHost(x.Graph()) {
				return blur(transposedConv(x, kernel), 1, 0)
			}
			return blur(dilatedConv(x, kernel), 1, 1)
		},
		// The filter is symmetric, so it is its own transpose. The transposed convolution's is the convolution.
		func(v *Node) *Node { return stridedConv(blur(v, 2, 2), kernel) })
}

// dilatedConv is transposedConv without the zeros of the last row and column, as a convolution of x with zeros between
// its rows and columns: cuDNN computes it as the gradient of a convolution of stride 2, which skips the zeros.
// x [B,H,H,in] → [B,2H+1,2H+1,out].
func dilatedConv(x, kernel *Node) *Node {
	around := [2]int{2, 2}
	conv := convolve(x, Reverse(kernel, 0, 1)).PaddingPerDim([][2]int{around, around}).InputDilationPerAxis(2, 2)
	return nn.Widen(conv.Done())
}

// transposedConv adds x[m]·kernel[a] to output 2m+a, along both axes: x [B,H,H,in] → [B,2H+2,2H+2,out], of which the
// last row and column are zero. All taps are one product. Even outputs 2m get x[m] through tap 0 and x[m-1] through tap
// 2, odd outputs 2m+1 get x[m] through tap 1.
func transposedConv(x, kernel *Node) *Node {
	b, h, in, out := x.Shape().Dim(0), x.Shape().Dim(1), kernel.Shape().Dim(2), kernel.Shape().Dim(3)
	taps := Reshape(TransposeAllAxes(kernel, 2, 0, 1, 3), in, 9*out)
	products := nn.Product(Reshape(ConvertDType(x, kernel.DType()), b*h*h, in), []int{1}, nil, taps,
		[]int{0}, nil, x.DType())
	products = Reshape(products, b, h, h, 3, 3, out)
	tap := func(i, j int) *Node { // [B,H+1,H+1,out], that of tap 2 one further on
		p := Squeeze(Slice(products, AxisRange(), AxisRange(), AxisRange(), AxisElem(i), AxisElem(j)), 3, 4)
		return pad(p, [2]int{i / 2, 1 - i/2}, [2]int{j / 2, 1 - j/2})
	}
	return interleave(tap)
}

// interleave adds the products of the nine taps [B,H+1,H+1,out] to the outputs of a transposed convolution:
// [B,2H+2,2H+2,out].
func interleave(tap func(i, j int) *Node) *Node {
	even := Stack([]*Node{Add(Add(tap(0, 0), tap(2, 0)), Add(tap(0, 2), tap(2, 2))), Add(tap(0, 1), tap(2, 1))}, 3)
	odd := Stack([]*Node{Add(tap(1, 0), tap(1, 2)), tap(1, 1)}, 3)
	both := Stack([]*Node{even, odd}, 2)
	size := both.Shape().Dimensions
	return Reshape(both, size[0], 2*size[1], 2*size[1], size[5])
}

// stridedConv convolves v [B,2H+1,2H+1,out] at every second place, from out channels to in: [B,H,H,in].
func stridedConv(v, kernel *Node) *Node {
	if downTiles.pay(v.Shape().Dim(1)/2, kernel) {
		return downTiles.convolve(v, kernel)
	}
	return nn.Widen(convolve(v, TransposeAllAxes(kernel, 0, 1, 3, 2)).NoPadding().Strides(2).Done())
}

// blur pads x [B,H,H,C] with zeros before and after along both axes and applies the filter [1,3,3,1]/4 to them, which
// takes 3 off the size.
func blur(x *Node, before, after int) *Node {
	zeros := [2]int{before, after}
	x = pad(x, zeros, zeros)
	for _, axis := range []int{2, 1} {
		size := x.Shape().Dim(axis) - len(fir) + 1
		column := make([]*Node, len(fir))
		for tap := range fir {
			column[tap] = SliceAxis(x, axis, AxisRange(tap, tap+size))
		}
		x = weightedSum(fir[:], column)
	}
	return x
}

// pad adds zeros before and after the rows and the columns of x [B,H,H,C]. GoMLX knows no gradient of it.
func pad(x *Node, rows, columns [2]int) *Node {
	return Pad(x, ScalarZero(x.Graph(), x.DType()), compute.PadAxis{},
		compute.PadAxis{Start: rows[0], End: rows[1]}, compute.PadAxis{Start: columns[0], End: columns[1]}, compute.PadAxis{})
}
