package stylegan2

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas

	"illustrator/models/nn"
)

// Axes: B batch, H height and width, C channels, n tiles along a side, p products of a tile along a side.

// tiling is a way to convolve with a 3×3 kernel in fewer products, tile by tile (Winograd 1980; Lavin and Gray 2016).
// Along each axis it multiplies sums of a tile's inputs pairwise with sums of the kernel's taps,
// and sums the products to the outputs.
type tiling struct {
	step    int         // from one tile to the next, in inputs
	inputs  [][]float64 // [p, inputs of a tile]
	kernel  [][]float64 // [p, 3]
	outputs [][]float64 // [outputs of a tile, p]
	adjoint bool        // from the kernel's outputs to its inputs
}

// pay tells whether tiles are the faster way to make size × size outputs with a kernel [3,3,in,out], as measured on
// CPUs: with few channels they move more than they save.
func (t tiling) pay(size int, kernel *Node) bool {
	return nn.OnHost(kernel.Graph()) && t.paysOnHost(size, min(kernel.Shape().Dim(2), kernel.Shape().Dim(3)))
}

func (t tiling) paysOnHost(size, channels int) bool {
	return size >= 16 && size%len(t.outputs) == 0 && channels >= 64
}

// TileBuffers counts the values that convolution by tiles works on beside a layer's: those of all kernels, and those of
// the largest layer's inputs and products for each picture.
func (c Config) TileBuffers() (kernels, picture int) {
	t := plainTiles
	for size, channels := range c.Channels {
		if size > c.Size || !t.paysOnHost(size, channels) {
			continue
		}
		products := len(t.inputs) * len(t.inputs)
		kernels += products * channels * channels
		tiles := size * size / (len(t.outputs) * len(t.outputs))
		picture = max(picture, products*tiles*2*channels)
	}
	return kernels, picture
}

var (
	plainTiles   = winograd(2. / 3)
	adjointTiles = plainTiles.gradient()
	// downTiles are a convolution of stride 2: four outputs in 25 products in place of 36. Taps 0 and 2, which meet the
	// even inputs, are F(2, 2) with the points ±1 and ∞. Tap 1 meets the odd ones.
	downTiles = tiling{
		step:    4,
		inputs:  [][]float64{{1, 0, 1, 0, 0}, {-1, 0, 1, 0, 0}, {-1, 0, 0, 0, 1}, {0, 1, 0, 0, 0}, {0, 0, 0, 1, 0}},
		kernel:  [][]float64{{.5, 0, .5}, {-.5, 0, .5}, {0, 0, 1}, {0, 1, 0}, {0, 1, 0}},
		outputs: [][]float64{{1, 1, 0, 1, 0}, {1, -1, 1, 0, 1}},
		adjoint: true,
	}
)

// winograd is F(4×4, 3×3): 16 outputs in 36 products in place of 144. Its sums evaluate polynomials at 0, ±p, ±1/p and
// ∞. With p = 2/3 rounding does less than half the harm that it does with the usual points 0, ±1, ±2 and ∞.
func winograd(p float64) tiling {
	q := 1 / p
	p2, q2, d := p*p, q*q, 2*(q*q-p*p)
	return tiling{
		step: 4,
		inputs: [][]float64{
			{1, 0, -p2 - q2, 0, 1, 0},
			{0, -q, -q2, p, 1, 0},
			{0, q, -q2, -p, 1, 0},
			{0, -p, -p2, q, 1, 0},
			{0, p, -p2, -q, 1, 0},
			{0, 1, 0, -p2 - q2, 0, 1},
		},
		kernel: [][]float64{
			{1, 0, 0},
			{-q2 / d, -q / d, -1 / d},
			{-q2 / d, q / d, -1 / d},
			{p2 / d, p / d, 1 / d},
			{p2 / d, -p / d, 1 / d},
			{0, 0, 1},
		},
		outputs: [][]float64{
			{1, 1, 1, 1, 1, 0},
			{0, p, -p, q, -q, 0},
			{0, p2, p2, q2, q2, 0},
			{0, p * p2, -p * p2, q * q2, -q * q2, 1},
		},
	}
}

// gradient makes the gradient of what t makes, both with a zero around their input: the same with the taps in reverse.
func (t tiling) gradient() tiling {
	t.adjoint, t.kernel = !t.adjoint, slices.Clone(t.kernel)
	for i, row := range t.kernel {
		t.kernel[i] = slices.Clone(row)
		slices.Reverse(t.kernel[i])
	}
	return t
}

// convolve makes as many tiles as there are in x [B,H,H,in], with kernel [3,3,in,out], to [B,n·outputs,n·outputs,out],
// and if it is the adjoint from out to in channels. Products are of the kernel's type, sums of that of x.
func (t tiling) convolve(x, kernel *Node) *Node {
	b, h, in, out := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(3), kernel.Shape().Dim(3)
	n, products, outputs := (h-len(t.inputs[0]))/t.step+1, len(t.inputs), len(t.outputs)
	inAxis := 1 // of sums of taps
	if t.adjoint {
		inAxis, out = 2, kernel.Shape().Dim(2)
	}

	taps := make([]*Node, 9)
	for i := range taps {
		taps[i] = ConvertDType(Squeeze(Slice(kernel, AxisElem(i/3), AxisElem(i%3)), 0, 1), x.DType())
	}
	u := ConvertDType(combine(kronecker(t.kernel), taps, 0), kernel.DType()) // [p·p,in,out] or [p·p,out,in]

	v := combine(t.inputs, t.elements(x, 2, n), 2) // [B,H,p columns,n,in]
	// Rows are stacked: if they were one sum, XLA would compute all columns again for each.
	rows := make([]*Node, products)
	for i, weights := range t.inputs {
		row := weightedSum(weights, t.elements(v, 1, n))
		rows[i] = ConvertDType(TransposeAllAxes(row, 2, 0, 1, 3, 4), kernel.DType())
	}
	v = Stack(rows, 0) // [p rows,p columns,B,n,n,in]

	m := nn.Product(Reshape(v, products*products, b*n*n, in), []int{2}, []int{0}, u, []int{inAxis}, []int{0}, x.DType())

	y := DotGeneral(ConstAs(m, kronecker(t.outputs)), []int{1}, nil, m, []int{0}, nil)
	y = Reshape(y, outputs, outputs, b, n, n, out) // [rows,columns,B,n,n,out]
	return Reshape(TransposeAllAxes(y, 2, 3, 0, 4, 1, 5), b, n*outputs, n*outputs, out)
}

// elements returns the first, second … inputs of each of the n tiles along an axis.
func (t tiling) elements(x *Node, axis, n int) []*Node {
	elements := make([]*Node, len(t.inputs[0]))
	for i := range elements {
		elements[i] = SliceAxis(x, axis, AxisRange(i, i+t.step*(n-1)+1).Stride(t.step))
	}
	return elements
}

// combine is the product of a matrix with a column of nodes, its rows along a new axis.
// One pass over memory makes all rows.
func combine(matrix [][]float64, column []*Node, axis int) *Node {
	alongAxis := slices.Repeat([]int{1}, column[0].Rank()+1)
	alongAxis[axis] = len(matrix)
	terms := make([]*Node, len(column))
	for j, x := range column {
		weights := make([]float64, len(matrix))
		for i, row := range matrix {
			weights[i] = row[j]
		}
		terms[j] = Mul(Reshape(ConstAs(x, weights), alongAxis...), InsertAxes(x, axis))
	}
	return sum(terms)
}

// weightedSum is a sum of nodes times weights, many of them 0 or 1.
func weightedSum(weights []float64, column []*Node) *Node {
	var terms []*Node
	for j, weight := range weights {
		switch weight {
		case 0:
		case 1:
			terms = append(terms, column[j])
		default:
			terms = append(terms, MulScalar(column[j], weight))
		}
	}
	return sum(terms)
}

func sum(terms []*Node) *Node {
	total := terms[0]
	for _, term := range terms[1:] {
		total = Add(total, term)
	}
	return total
}

// kronecker is the product of a matrix with itself, which does both axes at once.
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
