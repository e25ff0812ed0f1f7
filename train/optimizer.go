package train

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/model/initializer"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"illustrator/internal/fault"
)

// OptimizerName is the rule of an optimizer.
type OptimizerName string

// The optimizers: the release's, and the one with decoupled weight decay (Loshchilov and Hutter 2019).
const (
	Adam  OptimizerName = "adam"
	AdamW OptimizerName = "adamw"
)

// UnmarshalText reads the name of an optimizer.
func (n *OptimizerName) UnmarshalText(text []byte) error {
	return fault.Choose(n, "optimizer", text, Adam, AdamW)
}

// Optimizer turns gradients into steps. Its update is GoMLX's Adam with PyTorch's epsilon, which stands outside of
// the root and after the bias correction in both.
type Optimizer struct {
	// Name is "adam", the release's, or "adamw".
	Name OptimizerName `yaml:"name" json:"name"`
	// Beta1, Beta2 and Epsilon are 0.9, 0.999 and 1e-8 in the release: torch.optim.Adam's defaults.
	Beta1   float64 `yaml:"beta1" json:"beta1"`
	Beta2   float64 `yaml:"beta2" json:"beta2"`
	Epsilon float64 `yaml:"epsilon" json:"epsilon"`
	// WeightDecay is the share of each weight, times the learning rate, that a step of AdamW takes away.
	WeightDecay float64 `yaml:"weight_decay" json:"weight_decay"`
	// ClipNorm scales the gradient of all weights together down to this length where it is longer, as
	// torch.nn.utils.clip_grad_norm_ does; 0 leaves it.
	ClipNorm float64 `yaml:"clip_norm" json:"clip_norm"`
	// Accumulate is the number of batches whose mean gradient makes one step.
	Accumulate int `yaml:"accumulate" json:"accumulate"`
	// EMA is the decay per step of a moving average of the mapper's weights, which validation, samples and the saved
	// mappers then use, such as 0.999; 0 keeps none. BatchNorm's running statistics are averages already and are copied.
	EMA float64 `yaml:"ema" json:"ema"`
}

// Validate reports the first invalid setting.
func (o Optimizer) Validate() error {
	if err := fault.CheckChoice("optimizer.name", o.Name); err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		value any
		ok    bool
		want  string
	}{
		{"beta1", o.Beta1, o.Beta1 >= 0 && o.Beta1 < 1, "from 0 to below 1 (0.9 in the release)"},
		{"beta2", o.Beta2, o.Beta2 >= 0 && o.Beta2 < 1, "from 0 to below 1 (0.999 in the release)"},
		{"epsilon", o.Epsilon, o.Epsilon > 0 && o.Epsilon < 1, "above 0 and below 1 (1e-8 in the release)"},
		{"weight_decay", o.WeightDecay, o.WeightDecay >= 0 && o.WeightDecay <= 10, "from 0 to 10"},
		{"weight_decay", o.WeightDecay, o.WeightDecay == 0 || o.Name == AdamW,
			"0 with optimizer adam; adamw has weight decay"},
		{"clip_norm", o.ClipNorm, o.ClipNorm >= 0 && o.ClipNorm < 1e30, "0 (no clipping) or a positive length"},
		{"accumulate", o.Accumulate, o.Accumulate >= 1 && o.Accumulate <= 1<<16, "from 1 to 65536"},
		{"ema", o.EMA, o.EMA >= 0 && o.EMA < 1, "0 (none) or below 1, such as 0.999"},
	} {
		if !f.ok {
			return fault.Field("optimizer."+f.name, f.value, "%s", f.want)
		}
	}
	return nil
}

// scope of the gradients gathered for a step.
const gatheredScope = "gathered"

// Gather adds the gradient of the scalar loss to those gathered for the step to come, which are variables of scope.
func (o Optimizer) Gather(scope *model.Scope, loss *Node) {
	weights := trainable(scope, loss.Graph())
	for i, grad := range scope.BuildTrainableVariablesGradientsGraph(loss) {
		gathered := o.gathered(scope, weights[i])
		gathered.SetNodeValue(Add(gathered.NodeValue(loss.Graph()), grad))
	}
}

// Update adds one step on all trainable variables of scope to the graph, down the mean of the gathered gradients and
// that of the scalar loss, by the scalar learningRate. Moments are variables of scope. It returns the gradient's length
// before clipping, nil where neither clipping nor guarded asks for it.
func (o Optimizer) Update(scope *model.Scope, loss, learningRate *Node, guarded bool) (norm *Node) {
	g := loss.Graph()
	optimizer.LearningRateVar(scope, loss.DType(), 0).SetNodeValue(learningRate)
	weights, grads := trainable(scope, g), scope.BuildTrainableVariablesGradientsGraph(loss)
	if o.Accumulate > 1 {
		for i := range grads {
			gathered := o.gathered(scope, weights[i])
			grads[i] = DivScalar(Add(gathered.NodeValue(g), grads[i]), float64(o.Accumulate))
			gathered.SetNodeValue(ZerosLike(grads[i]))
		}
	}
	if o.ClipNorm > 0 || guarded {
		norm = length(grads)
	}
	if o.ClipNorm > 0 {
		scale := MinScalar(Div(Scalar(g, norm.DType(), o.ClipNorm), AddScalar(norm, 1e-6)), 1)
		for i := range grads {
			grads[i] = Mul(grads[i], ConvertDType(scale, grads[i].DType()))
		}
	}
	o.adam().(interface {
		UpdateGraphWithGradients(*model.Scope, []*Node, dtypes.DType)
	}).UpdateGraphWithGradients(scope, grads, loss.DType())
	return norm
}

// Reset forgets moments, step count and gathered gradients. A graph with Update must be rebuilt after it.
func (o Optimizer) Reset(scope *model.Scope) error {
	if err := scope.At(gatheredScope).DeleteVariablesInScope(); err != nil {
		return err
	}
	return o.adam().Clear(scope)
}

// Forget removes what the steps of an earlier training left in scope: the one that follows makes its variables, and so
// its programs and checkpoints, as in a new process.
func (o Optimizer) Forget(scope *model.Scope) error {
	if err := scope.At(optimizer.Scope).DeleteVariablesInScope(); err != nil { // the learning rate
		return err
	}
	if err := optimizer.DeleteGlobalStep(scope); err != nil {
		return err
	}
	return o.Reset(scope)
}

// Zero sets moments, step count and gathered gradients back to what they began with. Other than after Reset they need
// no program that initialises them.
func (o Optimizer) Zero(scope *model.Scope) error {
	for _, name := range []string{gatheredScope, optimizer.AdamDefaultScope} {
		for v := range scope.At("%s", name).IterVariables() {
			if err := v.SetValue(tensors.FromShape(v.Shape())); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o Optimizer) adam() optimizer.Interface {
	config := optimizer.Adam().Betas(o.Beta1, o.Beta2).Epsilon(o.Epsilon)
	if o.Name == AdamW {
		config.WeightDecay(o.WeightDecay)
	}
	return config.Done()
}

// gathered is the variable that gathers the gradient of weight.
func (o Optimizer) gathered(scope *model.Scope, weight *model.Variable) *model.Variable {
	zeros := scope.Store().Scope("/" + gatheredScope + weight.Scope()).WithInitializer(initializer.Zero)
	return zeros.VariableWithShape(weight.Name(), weight.Shape()).SetTrainable(false)
}

// trainable lists the variables that scope.BuildTrainableVariablesGradientsGraph has gradients for, in its order.
func trainable(scope *model.Scope, g *Graph) (weights []*model.Variable) {
	for v := range scope.IterVariables() {
		if v.Trainable && v.InUseByGraph(g) {
			weights = append(weights, v)
		}
	}
	return weights
}

// length is the Euclidean length of all values together, in float32 or wider.
func length(values []*Node) *Node {
	var sum *Node
	for _, v := range values {
		square := ReduceAllSum(Square(v))
		if sum == nil {
			sum = square
		} else {
			sum = Add(sum, square)
		}
	}
	return Sqrt(sum)
}
