package nn

import (
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"
)

// PReLU is torch.nn.PReLU with one slope a for all units (He et al. 2015), the weight name+".weight" [1]:
// x where x > 0, a·x elsewhere. x has any shape. At 0 the gradient to x is a, as in PyTorch.
func PReLU(scope *model.Scope, x *Node, name string) *Node {
	slope := Reshape(Weight(scope, x.Graph(), name+".weight", 1))
	return Where(GreaterThan(x, ScalarZero(x.Graph(), x.DType())), x, Mul(slope, x))
}
