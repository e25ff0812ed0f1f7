package nn

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"
)

// LayerNorm is torch.nn.LayerNorm over the last axis: x [...,I] with the weights name+".weight" [I] and name+".bias"
// [I]. Mean and variance (divided by I) are taken in at least float32. The result has the dtype of x.
func LayerNorm(scope *model.Scope, x *Node, name string, eps float64) *Node {
	g, dtype, width := x.Graph(), x.DType(), x.Shape().Dim(-1)
	x = Widen(x)
	centered := Sub(x, ReduceAndKeep(x, ReduceMean, -1))
	variance := ReduceAndKeep(Square(centered), ReduceMean, -1)
	// Reciprocal of Sqrt, for Rsqrt has no gradient.
	y := Mul(centered, Reciprocal(Sqrt(AddScalar(variance, eps))))
	weight := ConvertDType(Weight(scope, g, name+".weight", width), x.DType())
	bias := ConvertDType(Weight(scope, g, name+".bias", width), x.DType())
	y = Add(Mul(y, ExpandLeftToRank(weight, y.Rank())), ExpandLeftToRank(bias, y.Rank()))
	return ConvertDType(y, dtype)
}

// Widen converts the 16-bit types to float32 and leaves the others: sums and exponentials need more than their 8 or 11
// bits.
func Widen(x *Node) *Node {
	if x.DType() == dtypes.BFloat16 || x.DType() == dtypes.Float16 {
		return ConvertDType(x, dtypes.Float32)
	}
	return x
}
