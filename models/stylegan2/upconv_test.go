package stylegan2

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"github.com/gomlx/gomlx/pkg/ml/context"

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
