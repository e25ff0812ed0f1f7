package train

import (
	"strings"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"
)

// keepIfFinite undoes what the graph does to the variables of scope's store if one of the scalars is infinite or not a
// number: weights, moments, averages and running statistics then stay as they were. Random state advances, and gathered
// gradients are left alone: they carry what is not finite to the step that ends them.
func keepIfFinite(scope *model.Scope, scalars ...*Node) {
	g := scalars[0].Graph()
	finite := IsFinite(scalars[0])
	for _, s := range scalars[1:] {
		finite = LogicalAnd(finite, IsFinite(s))
	}
	for v := range scope.IterVariables() {
		if !v.InUseByGraph(g) || !v.ChangedInGraph(g) || v.Name() == model.RNGStateVariableName ||
			strings.HasPrefix(v.Scope(), "/"+gatheredScope) {
			continue
		}
		v.SetNodeValue(Where(finite, v.NodeValue(g), g.GetParameterByName(v.Path())))
	}
}
