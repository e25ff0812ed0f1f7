package classifier

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn"
)

// Init returns fresh weights with PyTorch's default initialisation: weights and biases uniform in ±1/√inputs, BatchNorm
// 1 and 0 with running mean 0 and variance 1. Equal seeds give equal weights.
func Init(cfg Config, seed uint64) *checkpoints.Weights {
	sizes := cfg.Shapes()
	w := &checkpoints.Weights{Source: "fresh classifier", Tensors: map[string]checkpoints.Tensor{}}
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		values := make([]float32, checkpoints.Tensor{Shape: sizes[name]}.Elements())
		layer := name[:strings.LastIndexByte(name, '.')]
		_, normalizes := sizes[layer+".running_mean"]
		switch {
		case !normalizes:
			inputs := 1
			for _, d := range sizes[layer+".weight"][1:] {
				inputs *= d
			}
			for i := range values {
				values[i] = float32((2*rng.Float64() - 1) / math.Sqrt(float64(inputs)))
			}
		case strings.HasSuffix(name, ".weight"), strings.HasSuffix(name, ".running_var"):
			for i := range values {
				values[i] = 1
			}
		}
		w.Tensors[name] = checkpoints.Float32Tensor(values, sizes[name]...)
	}
	return w
}

// LoadTrained is Load in float32 for training: everything but the running statistics is trainable.
func LoadTrained(scope *model.Scope, cfg Config, w *checkpoints.Weights) error {
	if err := w.Check(cfg.Shapes()); err != nil {
		return err
	}
	if err := nn.Load(scope, w, dtypes.Float32, true); err != nil {
		return err
	}
	for name := range w.Tensors {
		if isRunning(name) {
			scope.GetVariable(name).SetTrainable(false)
		}
	}
	return nil
}

// isRunning reports whether a tensor is a running statistic.
func isRunning(name string) bool { return strings.Contains(name, ".running_") }

// CrossEntropy is the sum over attributes of the mean cross-entropy of logits [B,V] with the values int32 [B,A]. A
// value of -1 is not visible in its picture: it does not count, but the mean is over all pictures.
func CrossEntropy(cfg Config, logits, values *Node) *Node {
	batch := logits.Shape().Dim(0)
	values.AssertDims(batch, len(cfg.Attributes))
	var total *Node
	start := 0
	for i, a := range cfg.Attributes {
		end := start + len(a.Values)
		value := Slice(values, AxisRange(), AxisElem(i)) // [B,1]
		own := nn.Widen(Slice(logits, AxisRange(), AxisRange(start, end)))
		start = end
		places := BroadcastToShape(value, own.Shape())
		isValue := Equal(Iota(logits.Graph(), places.Shape(), 1), places) // all false where value is -1
		loss := Neg(ReduceAllSum(Where(isValue, LogSoftmax(own, 1), ZerosLike(own))))
		loss = DivScalar(loss, float64(batch))
		if total == nil {
			total = loss
		} else {
			total = Add(total, loss)
		}
	}
	return total
}
