package mapper

import (
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn"
)

// buildBaseline is the plain network that the paper compares with: linear layers, each followed by a PReLU, the last
// one too. [B,E] → [B,Z].
func buildBaseline(scope *model.Scope, cfg Config, x *Node) *Node {
	for i := range cfg.Layers {
		_, out := cfg.baselineWidths(i)
		x = nn.PReLU(scope, nn.Linear(scope, x, baselineLinear(i), out), baselinePReLU(i))
	}
	return x
}
