package train

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/mapper"
	"illustrator/models/nn"
	"illustrator/models/pipeline"
)

// averageScope holds the moving average of the mapper's weights, under the mapper's own names.
const averageScope = "average"

// follow moves the averages of the mapper's weights towards the values that the step at hand gives them.
func follow(scope *model.Scope, g *Graph, cfg mapper.Config, decay float64) {
	Follow(scope.At(pipeline.MapperScope), scope.At(averageScope), g, cfg.Names(), mapper.IsBuffer, decay)
}

// Follow moves the averages of the weights called names towards the values that the step at hand gives them:
// average ← decay·average + (1-decay)·weight. Buffers, such as running statistics, are copied.
func Follow(live, average *model.Scope, g *Graph, names []string, isBuffer func(name string) bool, decay float64) {
	for _, name := range names {
		weight := live.GetVariable(name).NodeValue(g)
		v := average.GetVariable(name)
		if isBuffer(name) {
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
