package train

import (
	"fmt"

	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/gomlx/pkg/ml/train/optimizers"

	"illustrator/internal/fault"
)

// Adam is the optimizer of the release, with torch.optim.Adam's defaults in configs.Paper: GoMLX's Adam with PyTorch's
// epsilon, which stands outside of the root and after the bias correction in both.
type Adam struct {
	Beta1   float64 `yaml:"beta1"`
	Beta2   float64 `yaml:"beta2"`
	Epsilon float64 `yaml:"epsilon"`
}

// Validate returns an error that names the first setting without sense.
func (a Adam) Validate() error {
	for _, f := range []struct {
		name  string
		value float64
		ok    bool
		want  string
	}{
		{"beta1", a.Beta1, a.Beta1 >= 0 && a.Beta1 < 1, "from 0 to below 1 (0.9 in the release)"},
		{"beta2", a.Beta2, a.Beta2 >= 0 && a.Beta2 < 1, "from 0 to below 1 (0.999 in the release)"},
		{"epsilon", a.Epsilon, a.Epsilon > 0, "positive (1e-8 in the release)"},
	} {
		if !f.ok {
			return fault.Usage(fmt.Errorf("%s is %g", f.name, f.value), "%s must be %s", f.name, f.want)
		}
	}
	return nil
}

// Update adds one step of Adam on all trainable variables of ctx to the graph, down the gradient of the scalar loss by
// the scalar learningRate. Its moments are variables of ctx.
func (a Adam) Update(ctx *context.Context, loss, learningRate *graph.Node) {
	optimizers.LearningRateVar(ctx, loss.DType(), 0).SetValueGraph(learningRate)
	a.optimizer().UpdateGraph(ctx, loss.Graph(), loss)
}

// Reset forgets the moments and the step count in ctx. A graph with Update must be built anew after it.
func (a Adam) Reset(ctx *context.Context) error { return a.optimizer().Clear(ctx) }

func (a Adam) optimizer() optimizers.Interface {
	return optimizers.Adam().Betas(a.Beta1, a.Beta2).Epsilon(a.Epsilon).Done()
}
