package mapper

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn/nntest"
)

// The networks of testdata/make_tiny.py.
var (
	tinyDense    = Config{ModelType: ModelType, Arch: Dense, EmbedDim: 24, ZDim: 40, Width: 32, Blocks: 2, Layers: 3}
	tinyBaseline = Config{ModelType: ModelType, Arch: Baseline, EmbedDim: 24, ZDim: 40, Width: 32, Layers: 6}
)

// lorelei is the network of the stored training steps.
var lorelei = Config{ModelType: ModelType, Arch: Dense, EmbedDim: 128, ZDim: 128, Width: 128, Blocks: 5, Layers: 5}

// tinyTolerance is for goldens in float64.
const tinyTolerance = 1e-10

// part returns the tensors whose names begin with prefix, without it and without PyTorch's counters.
func part(w *checkpoints.Weights, prefix string) *checkpoints.Weights {
	out := &checkpoints.Weights{Source: w.Source, Tensors: map[string]checkpoints.Tensor{}}
	for name, tensor := range w.Tensors {
		if rest, ok := strings.CutPrefix(name, prefix); ok && !strings.HasSuffix(rest, "num_batches_tracked") {
			out.Tensors[rest] = tensor
		}
	}
	return out
}

// tensor64 returns a golden of float64 at full precision.
func tensor64(t *testing.T, w *checkpoints.Weights, name string) *tensors.Tensor {
	t.Helper()
	g, ok := w.Tensors[name]
	if !ok || g.DType != checkpoints.F64 {
		t.Fatalf("%s has no tensor %q of float64", w.Source, name)
	}
	values := make([]float64, g.Elements())
	if _, err := binary.Decode(g.Data, binary.LittleEndian, values); err != nil {
		t.Fatal(err)
	}
	return tensors.FromFlatDataAndDimensions(values, g.Shape...)
}

// load64 returns a store with the weights in float64, running statistics not trainable.
func load64(t *testing.T, cfg Config, w *checkpoints.Weights) *model.Store {
	t.Helper()
	if err := w.Check(cfg.Shapes()); err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	for _, name := range w.Names() {
		store.VariableWithValue(name, tensor64(t, w, name)).SetTrainable(!IsBuffer(name))
	}
	return store
}

// checkClose compares flat float64 outputs with a golden by the largest absolute difference.
func checkClose(t *testing.T, name string, got, want *tensors.Tensor, tolerance float64) {
	t.Helper()
	g, w := tensors.MustCopyFlatData[float64](got), tensors.MustCopyFlatData[float64](want)
	if len(g) != len(w) {
		t.Fatalf("%s has %d values, want %d", name, len(g), len(w))
	}
	for i := range g {
		if d := math.Abs(g[i] - w[i]); !(d <= tolerance) {
			t.Errorf("%s[%d] is %g, want %g (differs by %g, allowed %g)", name, i, g[i], w[i], d, tolerance)
			return
		}
	}
}

// run executes fn once.
func run(t *testing.T, store *model.Store, fn func(scope *model.Scope, inputs []*Node) []*Node,
	inputs ...any) []*tensors.Tensor {
	t.Helper()
	exec, err := model.NewExec(nntest.Backend(t), store, fn)
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	outputs, err := exec.Call(inputs...)
	if err != nil {
		t.Fatal(err)
	}
	return outputs
}

// row returns x[i] of x [N,…].
func row(x *Node, i int) *Node { return Squeeze(Slice(x, AxisElem(i)), 0) }
