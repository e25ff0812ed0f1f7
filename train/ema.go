package train

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:staticcheck // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/mapper"
	"illustrator/models/nn"
	"illustrator/models/pipeline"
)

// averageScope holds the moving average of the mapper's weights, under the mapper's own names.
const averageScope = "average"

// follow moves the averages of the mapper's weights towards the values that the step at hand gives them:
// average ← decay·average + (1-decay)·weight. Running statistics are copied.
func follow(scope *model.Scope, g *Graph, cfg mapper.Config, decay float64) {
	live, average := scope.At(pipeline.MapperScope), scope.At(averageScope)
	for _, name := range cfg.Names() {
		weight := live.GetVariable(name).NodeValue(g)
		v := average.GetVariable(name)
		if mapper.IsBuffer(name) {
			v.SetNodeValue(weight)
			continue
		}
		v.SetNodeValue(Add(MulScalar(v.NodeValue(g), decay), MulScalar(weight, 1-decay)))
	}
}

// loadAverage begins the averages of the mapper with its fresh weights.
func loadAverage(store *model.Store, fresh *checkpoints.Weights) error {
	return nn.Load(store.Scope(averageScope), fresh, dtypes.Float32, false)
}
