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

// winogradPays tells whether winograd is the faster way to convolve size × size places from in to out channels, as measured:
// with few channels it moves more than it saves.
func winogradPays(size, in, out int) bool {
	return size >= 16 && size%tileOutputs == 0 && min(in, out) >= 64
}

// WinogradBuffers counts the values that winograd works on beside a layer's: those of all kernels, and those of the largest
// layer's inputs and products for each picture.
func (c Config) WinogradBuffers() (kernels, picture int) {
	for size, channels := range c.Channels {
		if size > c.Size || !winogradPays(size, channels, channels) {
			continue
		}
		kernels += tileInputs * tileInputs * channels * channels
		tiles := size * size / (tileOutputs * tileOutputs)
		picture = max(picture, tileInputs*tileInputs*tiles*2*channels)
	}
	return kernels, picture
}

// winograd convolves x [B,H,H,in] with kernel [3,3,in,out], zero padded to the same size, a multiple of 4. In float32 it errs
// some 5 times as much as a plain sum of products does, in bfloat16 the transforms would lose most digits.
func winograd(x, kernel *Node) *Node {
	b, h, in, out := x.Shape().Dim(0), x.Shape().Dim(1), kernel.Shape().Dim(2), kernel.Shape().Dim(3)
	n := h / tileOutputs

	taps, points := 9, tileInputs*tileInputs
	u := DotGeneral(ConstAs(kernel, kronecker(tileOfKernel)), []int{1}, nil, Reshape(kernel, taps, in, out), []int{0}, nil) // [36,in,out]

	x = pad(x, [2]int{1, 1}, [2]int{1, 1})
	v := Stack(combine(tileOfInputs, tileElements(x, 2, n)), 0) // [6 columns,B,H+2,n,in]
	v = Stack(combine(tileOfInputs, tileElements(v, 2, n)), 0)  // [6 rows,6 columns,B,n,n,in]

	m := DotGeneral(Reshape(v, points, b*n*n, in), []int{2}, []int{0}, u, []int{1}, []int{0}) // [36,B·n·n,out]

	y := DotGeneral(ConstAs(m, kronecker(outputsOfTile)), []int{1}, nil, m, []int{0}, nil) // [16,B·n·n,out]
	y = Reshape(y, tileOutputs, tileOutputs, b, n, n, out)                                 // [4 rows,4 columns,B,n,n,out]
	return Reshape(TransposeAllAxes(y, 2, 3, 0, 4, 1, 5), b, h, h, out)
}

// tileElements returns the first, second … sixth element of each of the n tiles along an axis.
func tileElements(x *Node, axis, n int) []*Node {
	tiles := make([]*Node, tileInputs)
	for i := range tiles {
		tiles[i] = SliceAxis(x, axis, AxisRange(i, i+tileOutputs*(n-1)+1).Stride(tileOutputs))
	}
	return tiles
}

// kronecker is the product of a transform with itself, which does both axes at once.
func kronecker(m [][]float64) [][]float64 {
	rows, columns := len(m), len(m[0])
	product := make([][]float64, rows*rows)
	for i := range product {
		product[i] = make([]float64, columns*columns)
		for j := range product[i] {
			product[i][j] = m[i/rows][j/columns] * m[i%rows][j%columns]
		}
	}
	return product
}
