package nn

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn/nntest"
)

func normals(seed uint64, dims ...int) *tensors.Tensor {
	rng, n := rand.New(rand.NewPCG(seed, 0)), 1
	for _, d := range dims {
		n *= d
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = rng.NormFloat64()
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// Each case is one way to lay out operands: axes before, between and after, several contracted.
func TestContract(t *testing.T) {
	for name, c := range map[string]struct {
		lhs, rhs                         []int
		lhsContracting, lhsBatch         []int
		rhsContracting, rhsBatch, output []int
	}{
		"linear": {lhs: []int{3, 4}, rhs: []int{5, 4}, lhsContracting: []int{1}, rhsContracting: []int{1},
			output: []int{3, 5}},
		"sequence": {lhs: []int{2, 3, 4}, rhs: []int{5, 4}, lhsContracting: []int{2}, rhsContracting: []int{1},
			output: []int{2, 3, 5}},
		"attention": {lhs: []int{2, 3, 4, 5}, rhs: []int{2, 6, 4, 5}, lhsContracting: []int{3}, lhsBatch: []int{0, 2},
			rhsContracting: []int{3}, rhsBatch: []int{0, 2}, output: []int{2, 4, 3, 6}},
		"several": {lhs: []int{3, 2, 4, 5}, rhs: []int{3, 6, 5, 2}, lhsContracting: []int{0, 3}, lhsBatch: []int{1},
			rhsContracting: []int{0, 2}, rhsBatch: []int{3},
			output: []int{2, 4, 6}},
		"inner": {lhs: []int{3, 4}, rhs: []int{3, 4}, lhsContracting: []int{0, 1}, rhsContracting: []int{0, 1}, output: nil},
	} {
		t.Run(name, func(t *testing.T) {
			contract := func(l, r *graph.Node) *graph.Node {
				y := Contract(l, c.lhsContracting, c.lhsBatch, r, c.rhsContracting, c.rhsBatch)
				y.AssertDims(c.output...)
				return y
			}
			l, r := normals(1, c.lhs...), normals(2, c.rhs...)
			worst := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*graph.Node) []*graph.Node {
				want := graph.DotGeneral(in[0], c.lhsContracting, c.lhsBatch, in[1], c.rhsContracting, c.rhsBatch)
				return []*graph.Node{graph.ConvertDType(graph.ReduceAllMax(graph.Abs(graph.Sub(contract(in[0], in[1]), want))),
					dtypes.Float32)}
			}, l, r)
			if worst[0][0] != 0 {
				t.Errorf("differs from DotGeneral by %g", worst[0][0])
			}
			// The product is linear in each operand, so that central differences are exact up to rounding.
			nntest.CheckGradient(t, model.NewStore(), func(_ *model.Scope, x *graph.Node) *graph.Node {
				return contract(x, graph.Const(x.Graph(), r))
			}, l, 1e-2, 1e-9)
			nntest.CheckGradient(t, model.NewStore(), func(_ *model.Scope, x *graph.Node) *graph.Node {
				return contract(graph.Const(x.Graph(), l), x)
			}, r, 1e-2, 1e-9)
			// Both operands depend on x, by a square.
			if len(c.output) == 2 {
				nntest.CheckGradient(t, model.NewStore(), func(_ *model.Scope, x *graph.Node) *graph.Node {
					return contract(x, graph.Sin(graph.Concatenate([]*graph.Node{x, graph.Slice(x, graph.AxisRange(0, 2))}, 0)))
				}, l, 1e-4, 1e-6)
			}
		})
	}
}

// Two gradients of one product in one graph keep their own adjoints.
func TestContractTwoGradients(t *testing.T) {
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		x, w := in[0], in[1]
		y := Contract(x, []int{1}, nil, w, []int{1}, nil)
		once, twice := graph.ReduceAllSum(y), graph.ReduceAllSum(graph.MulScalar(y, 2))
		return []*graph.Node{graph.Gradient(once, x)[0], graph.Gradient(twice, x)[0]}
	}, [][]float32{{1, 2}}, [][]float32{{3, 4}, {5, 6}})
	want := [][]float32{{8, 10}, {16, 20}}
	for i := range want {
		if d := nntest.MaxAbs(t, out[i], want[i]); d != 0 {
			t.Errorf("gradient %d is %v, want %v", i, out[i], want[i])
		}
	}
}

// TestProductSumsInFloat32 adds up 4096 ones in bfloat16, which would end at 256 if sums were in bfloat16.
func TestProductSumsInFloat32(t *testing.T) {
	ones := make([]float32, 4096)
	for i := range ones {
		ones[i] = 1
	}
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		x := graph.ConvertDType(in[0], dtypes.BFloat16)
		var products []*graph.Node
		for _, out := range []dtypes.DType{dtypes.Float32, dtypes.BFloat16} {
			products = append(products, Widen(Product(x, []int{1}, nil, x, []int{1}, nil, out)))
		}
		return products
	}, [][]float32{ones})
	for _, product := range out {
		if product[0] != 4096 {
			t.Errorf("the product is %g, not 4096", product[0])
		}
	}
}
