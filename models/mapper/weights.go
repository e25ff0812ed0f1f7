package mapper

import (
	"math"
	"math/rand/v2"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn"
)

// Init returns fresh weights with PyTorch's default initialisation: Linear uniform in ±1/√in for weight and bias,
// BatchNorm 1 and 0 with running mean 0 and variance 1, PReLU 0.25. Equal seeds give equal weights.
func Init(cfg Config, seed uint64) *checkpoints.Weights {
	shapes := cfg.Shapes()
	w := &checkpoints.Weights{Source: "fresh mapper", Tensors: map[string]checkpoints.Tensor{}}
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, name := range cfg.Names() {
		shape := shapes[name]
		values := make([]float32, checkpoints.Tensor{Shape: shape}.Elements())
		layer := name[:strings.LastIndexByte(name, '.')]
		if matrix := shapes[layer+".weight"]; len(matrix) == 2 {
			bound := 1 / math.Sqrt(float64(matrix[1]))
			for i := range values {
				values[i] = float32((2*rng.Float64() - 1) * bound)
			}
		} else {
			fill(values, initialValue(shapes, layer, name))
		}
		w.Tensors[name] = checkpoints.Float32Tensor(values, shape...)
	}
	return w
}

// initialValue is the value that all elements of a BatchNorm's or a PReLU's tensor begin with.
func initialValue(shapes checkpoints.Shapes, layer, name string) float32 {
	_, normalizes := shapes[layer+".running_mean"]
	switch {
	case !normalizes:
		return 0.25
	case strings.HasSuffix(name, ".weight"), strings.HasSuffix(name, ".running_var"):
		return 1
	}
	return 0
}

func fill(values []float32, v float32) {
	for i := range values {
		values[i] = v
	}
}

// Load checks the weights w against cfg and puts them into scope as float32, or replaces those that are there.
// Running statistics are not trainable.
func Load(scope *model.Scope, cfg Config, w *checkpoints.Weights) error {
	if err := w.Check(cfg.Shapes()); err != nil {
		return err
	}
	if err := nn.Load(scope, w, dtypes.Float32, true); err != nil {
		return err
	}
	for name := range w.Tensors {
		if IsBuffer(name) {
			scope.GetVariable(name).SetTrainable(false)
		}
	}
	return nil
}

// Weights reads the mapper's weights back from scope.
func Weights(scope *model.Scope, cfg Config) (*checkpoints.Weights, error) {
	w, err := nn.Weights(scope, cfg.Shapes())
	if err == nil {
		w.Source = "mapper"
	}
	return w, err
}
