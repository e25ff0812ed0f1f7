package stylegan2

import (
	. "github.com/gomlx/gomlx/pkg/core/graph" //nolint:staticcheck // graph code reads as formulas
)

// Axes: B batch, H height and width, C channels, n tiles along a side.

// Winograd's convolution F(4×4, 3×3) (Lavin and Gray 2016): 4×4 outputs of a 3×3 kernel from a tile of 6×6 inputs take 36
// products in place of 144. Its three transforms, of inputs, kernel and outputs, evaluate polynomials at 0, ±1, ±2 and ∞.
const (
	tileOutputs = 4
	tileInputs  = 6
)

var (
	tileOfInputs = [][]float64{
		{4, 0, -5, 0, 1, 0},
		{0, -4, -4, 1, 1, 0},
		{0, 4, -4, -1, 1, 0},
		{0, -2, -1, 2, 1, 0},
		{0, 2, -1, -2, 1, 0},
		{0, 4, 0, -5, 0, 1},
	}
	tileOfKernel = [][]float64{
		{1. / 4, 0, 0},
		{-1. / 6, -1. / 6, -1. / 6},
		{-1. / 6, 1. / 6, -1. / 6},
		{1. / 24, 1. / 12, 1. / 6},
		{1. / 24, -1. / 12, 1. / 6},
		{0, 0, 1},
	}
	outputsOfTile = [][]float64{
		{1, 1, 1, 1, 1, 0},
		{0, 1, -1, 2, -2, 0},
		{0, 1, 1, 4, 4, 0},
		{0, 1, -1, 8, -8, 1},
	}
)

// winogradPays tells whether winograd is the faster way to convolve x [B,H,H,in] with kernel [3,3,in,out], as measured: with
// few channels it moves more than it saves.
func winogradPays(x, kernel *Node) bool {
	h, narrowest := x.Shape().Dim(1), min(kernel.Shape().Dim(2), kernel.Shape().Dim(3))
	return h >= 16 && h%tileOutputs == 0 && narrowest >= 64
}

// winograd convolves x [B,H,H,in] with kernel [3,3,in,out], zero padded to the same size, a multiple of 4. In float32 it errs
// some 5 times as much as a plain sum of products does, in bfloat16 the transforms would lose most digits.
func winograd(x, kernel *Node) *Node {
	b, h, in, out := x.Shape().Dim(0), x.Shape().Dim(1), kernel.Shape().Dim(2), kernel.Shape().Dim(3)
	n := h / tileOutputs

	u := DotGeneral(ConstAs(kernel, tileOfKernel), []int{1}, nil, kernel, []int{0}, nil) // [6 rows,3,in,out]
	u = DotGeneral(ConstAs(kernel, tileOfKernel), []int{1}, nil, u, []int{1}, nil)       // [6 columns,6 rows,in,out]

	x = pad(x, [2]int{1, 1}, [2]int{1, 1})
	v := Stack(combine(tileOfInputs, tileElements(x, 1, n)), 0) // [6 rows,B,n,H+2,in]
	v = Stack(combine(tileOfInputs, tileElements(v, 3, n)), 0)  // [6 columns,6 rows,B,n,n,in]

	points := tileInputs * tileInputs
	m := DotGeneral(Reshape(v, points, b*n*n, in), []int{2}, []int{0}, Reshape(u, points, in, out), []int{1}, []int{0})

	m = Reshape(m, tileInputs, tileInputs, b, n, n, out)
	y := Stack(combine(outputsOfTile, elements(m, 0)), 4) // [6 rows,B,n,n,4,out]
	y = Stack(combine(outputsOfTile, elements(y, 0)), 2)  // [B,n,4,n,4,out]
	return Reshape(y, b, h, h, out)
}

// tileElements returns the first, second … sixth element of each of the n tiles along an axis.
func tileElements(x *Node, axis, n int) []*Node {
	tiles := make([]*Node, tileInputs)
	for i := range tiles {
		tiles[i] = SliceAxis(x, axis, AxisRange(i, i+tileOutputs*(n-1)+1).Stride(tileOutputs))
	}
	return tiles
}

// elements returns the parts of x along an axis, without the axis.
func elements(x *Node, axis int) []*Node {
	parts := make([]*Node, x.Shape().Dim(axis))
	for i := range parts {
		parts[i] = Squeeze(SliceAxis(x, axis, AxisElem(i)), axis)
	}
	return parts
}
