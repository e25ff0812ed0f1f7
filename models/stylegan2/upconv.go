package stylegan2

import (
	. "github.com/gomlx/gomlx/pkg/core/graph" //nolint:staticcheck // graph code reads as formulas

	"illustrator/models/nn"
)

// Axes: B batch, H height and width, C channels.

// upConv doubles the resolution: a transposed convolution of stride 2, as torch.conv_transpose2d's, with kernel
// [3,3,in,out], then the filter [1,3,3,1]/4 along both axes: x [B,H,H,in] → [B,2H,2H,out].
//
// XLA's CPU compiler has no fast transposed convolution, and to GoMLX the gradient of one is not known: hence the phases
// below, and a gradient of its own. Of the kernel there is none.
func upConv(x, kernel *Node) *Node {
	return nn.WithGradient(x,
		func(x *Node) *Node { return blur(transposedConv(x, kernel), 1, 0) },
		func(v *Node) *Node {
			// The filter is symmetric, so it is its own transpose. The transposed convolution's is the convolution.
			return Convolve(blur(v, 2, 2), kernel).NoPadding().Strides(2).AxesConfig(swapChannels()).Done()
		})
}

// swapChannels has a kernel [3,3,in,out] lead from out channels to in.
func swapChannels() ConvolveAxesConfig {
	return ConvolveAxesConfig{
		InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
		KernelSpatial: []int{0, 1}, KernelInputChannels: 3, KernelOutputChannels: 2,
		OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
	}
}

// transposedConv adds x[m]·kernel[a] to output 2m+a, along both axes: x [B,H,H,in] → [B,2H+2,2H+2,out], of which the last
// row and column are zero. Even outputs 2m get x[m] through tap 0 and x[m-1] through tap 2, odd outputs 2m+1 get x[m]
// through tap 1: four convolutions at the lower resolution, with the nine taps among them.
func transposedConv(x, kernel *Node) *Node {
	b, h, out := x.Shape().Dim(0), x.Shape().Dim(1), kernel.Shape().Dim(3)
	rows := make([]*Node, 2)
	for py := range rows {
		columns := make([]*Node, 2)
		for px := range columns {
			taps := phaseTaps(phaseTaps(kernel, 0, py), 1, px)
			columns[px] = Convolve(x, taps).PaddingPerDim([][2]int{{1 - py, 1}, {1 - px, 1}}).Done()
			columns[px].AssertDims(b, h+1, h+1, out)
		}
		rows[py] = Stack(columns, 3) // [B,H+1,H+1,2,out]
	}
	return Reshape(Stack(rows, 2), b, 2*h+2, 2*h+2, out)
}

// phaseTaps are the kernel's taps along an axis that reach the even (0) or the odd (1) outputs, the last first.
func phaseTaps(kernel *Node, axis, phase int) *Node {
	if phase == 1 {
		return SliceAxis(kernel, axis, AxisElem(1))
	}
	return Concatenate([]*Node{SliceAxis(kernel, axis, AxisElem(2)), SliceAxis(kernel, axis, AxisElem(0))}, axis)
}

// blur pads x [B,H,H,C] with zeros before and after along both axes and applies the filter [1,3,3,1]/4 to them, which
// takes 3 off the size.
func blur(x *Node, before, after int) *Node {
	for _, axis := range []int{2, 1} {
		size := x.Shape().Dim(axis) + before + after - len(fir) + 1
		padded := padAxis(x, axis, before, after)
		var sum *Node
		for tap, weight := range fir {
			term := MulScalar(SliceAxis(padded, axis, AxisRange(tap, tap+size)), weight)
			if sum == nil {
				sum = term
			} else {
				sum = Add(sum, term)
			}
		}
		x = sum
	}
	return x
}

// padAxis adds zeros along an axis.
func padAxis(x *Node, axis, before, after int) *Node {
	zeros := func(n int) *Node {
		shape := x.Shape().Clone()
		shape.Dimensions[axis] = n
		return Zeros(x.Graph(), shape)
	}
	parts := []*Node{zeros(before), x}
	if after > 0 {
		parts = append(parts, zeros(after))
	}
	return Concatenate(parts, axis)
}
