package train

import (
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	. "github.com/gomlx/gomlx/pkg/core/graph" //nolint:staticcheck // graph code reads as formulas
	"github.com/gomlx/gomlx/pkg/ml/context"

	"illustrator/checkpoints"
	"illustrator/models/mapper"
	"illustrator/models/nn"
	"illustrator/models/pipeline"
)

// averageScope holds the moving average of the mapper's weights, under the mapper's own names.
const averageScope = "average"

// follow moves the averages of the mapper's weights towards the values that the step at hand gives them:
// average ← decay·average + (1-decay)·weight. Running statistics are copied.
func follow(ctx *context.Context, g *Graph, cfg mapper.Config, decay float64) {
	live, average := ctx.In(pipeline.MapperScope), ctx.In(averageScope)
	for _, name := range cfg.Names() {
		weight := live.GetVariableByScopeAndName(live.Scope(), name).ValueGraph(g)
		v := average.GetVariableByScopeAndName(average.Scope(), name)
		if mapper.IsBuffer(name) {
			v.SetValueGraph(weight)
			continue
		}
		v.SetValueGraph(Add(MulScalar(v.ValueGraph(g), decay), MulScalar(weight, 1-decay)))
	}
}

// loadAverage begins the averages of the mapper with its fresh weights.
func loadAverage(ctx *context.Context, fresh *checkpoints.Weights) error {
	return nn.Load(ctx.In(averageScope), fresh, dtypes.Float32, false)
}
