package mapper

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn/nntest"
)

// The stored run of the Lorelei mapper, float32: 54 layers' sums in another order than PyTorch's stay below 1e-4.
func TestLorelei(t *testing.T) {
	golden := nntest.Golden(t, "../../train/testdata/mapper.safetensors")
	store := model.NewStore()
	if err := Load(store.RootScope(), lorelei, part(golden, "init.")); err != nil {
		t.Fatal(err)
	}
	embeds, err := golden.Tensors["embeds"].Float32s()
	if err != nil {
		t.Fatal(err)
	}
	want, err := golden.Tensors["z_pred"].Float32s()
	if err != nil {
		t.Fatal(err)
	}
	got := nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		scope.Store().SetTraining(in[0].Graph(), true)
		return []*Node{Build(scope, lorelei, in[0])}
	}, tensors.FromFlatDataAndDimensions(embeds[:16*128], 16, 128))
	if d := nntest.MaxAbs(t, got[0], want); d > 1e-4 {
		t.Errorf("z differs by %g, allowed 1e-4", d)
	}
}

// The first training step at odd widths: prediction, and the gradient of each parameter.
func TestDenseStep(t *testing.T) {
	golden := nntest.Golden(t, "testdata/tiny.safetensors")
	store := load64(t, tinyDense, part(golden, "init."))
	var names []string
	outputs := run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		scope.Store().SetTraining(in[0].Graph(), true)
		z := Build(scope, tinyDense, row(in[0], 0))
		loss := Add(MulScalar(l1(z, row(in[1], 0)), 0.7), MulScalar(regularization(z), 0.3))
		gradients := scope.BuildTrainableVariablesGradientsGraph(loss)
		names = trainable(scope)
		return append(gradients, z)
	}, tensor64(t, golden, "embeds"), tensor64(t, golden, "z_true"))
	checkClose(t, "z_pred", outputs[len(names)], tensor64(t, golden, "z_pred"), tinyTolerance)
	want := part(golden, "grad.")
	if len(names) != len(want.Tensors) {
		t.Fatalf("%d parameters have gradients, want %d", len(names), len(want.Tensors))
	}
	for i, name := range names {
		checkClose(t, "gradient of "+name, outputs[i], tensor64(t, want, name), tinyTolerance)
	}
}

// After PyTorch's 20 steps, in evaluation mode.
func TestDenseEvaluation(t *testing.T) {
	golden := nntest.Golden(t, "testdata/tiny.safetensors")
	outputs := run(t, load64(t, tinyDense, part(golden, "final.")), func(scope *model.Scope, in []*Node) []*Node {
		return []*Node{Build(scope, tinyDense, row(in[0], 0))}
	}, tensor64(t, golden, "embeds"))
	checkClose(t, "final_eval", outputs[0], tensor64(t, golden, "final_eval"), tinyTolerance)
}

func TestBaseline(t *testing.T) {
	golden := nntest.Golden(t, "testdata/tiny.safetensors")
	store := load64(t, tinyBaseline, part(golden, "baseline."))
	var names []string
	outputs := run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		scope.Store().SetTraining(in[0].Graph(), true)
		z := Build(scope, tinyBaseline, row(in[0], 0))
		gradients := scope.BuildTrainableVariablesGradientsGraph(l1(z, row(in[1], 0)))
		names = trainable(scope)
		return append(gradients, z)
	}, tensor64(t, golden, "embeds"), tensor64(t, golden, "z_true"))
	checkClose(t, "baseline_z", outputs[len(names)], tensor64(t, golden, "baseline_z"), tinyTolerance)
	for i, name := range names {
		checkClose(t, "gradient of "+name, outputs[i], tensor64(t, golden, "baseline_grad."+name), tinyTolerance)
	}
}

// l1 and regularization are eq. 8 and 10 with which the goldens' gradients were made.
func l1(z, want *Node) *Node { return ReduceAllMean(Abs(Sub(z, want))) }

func regularization(z *Node) *Node {
	mean := ReduceAndKeep(z, ReduceMean, 1)
	variance := DivScalar(ReduceSum(Square(Sub(z, mean)), 1), float64(z.Shape().Dim(1)-1))
	return ReduceAllMean(Add(Abs(Squeeze(mean, 1)), Abs(AddScalar(Sqrt(variance), -1))))
}

// trainable names the trainable variables in the order of their gradients.
func trainable(scope *model.Scope) (names []string) {
	for v := range scope.IterVariables() {
		if v.Trainable {
			names = append(names, v.Name())
		}
	}
	return names
}

// Gradients to the embeddings and to all parameters at once, by finite differences in float64. The step is short enough
// that no PReLU of these networks passes its kink.
func TestGradients(t *testing.T) {
	dense := Config{ModelType: ModelType, Arch: Dense, EmbedDim: 5, ZDim: 7, Width: 6, Blocks: 1, Layers: 2}
	baseline := Config{ModelType: ModelType, Arch: Baseline, EmbedDim: 5, ZDim: 7, Width: 6, Layers: 3}
	for name, c := range map[string]struct {
		cfg      Config
		training bool
	}{
		"dense, training":   {dense, true},
		"dense, evaluation": {dense, false},
		"baseline":          {baseline, true},
	} {
		t.Run(name, func(t *testing.T) {
			store, rng := model.NewStore(), rand.New(rand.NewPCG(1, 0))
			shapes := c.cfg.Shapes()
			for _, name := range slices.Sorted(maps.Keys(shapes)) {
				shape := shapes[name]
				values := make([]float64, checkpoints.Tensor{Shape: shape}.Elements())
				for i := range values {
					values[i] = 0.5 + rng.Float64()
					if rng.IntN(2) == 0 && !strings.HasSuffix(name, ".running_var") {
						values[i] *= -1
					}
				}
				store.VariableWithValue(name, tensors.FromFlatDataAndDimensions(values, shape...)).SetTrainable(!IsBuffer(name))
			}
			values := make([]float64, 4*5)
			for i := range values {
				values[i] = rng.NormFloat64()
			}
			embeds := store.VariableWithValue("embeds", tensors.FromFlatDataAndDimensions(values, 4, 5))
			nntest.CheckWeightGradients(t, store, func(scope *model.Scope, g *Graph) *Node {
				scope.Store().SetTraining(g, c.training)
				return Build(scope, c.cfg, embeds.NodeValue(g))
			}, 1e-7, 1e-5)
		})
	}
}

// A network whose only block puts out 1 everywhere shows the dropout itself: 0 for a tenth of the units, 1/0.9 for the
// rest.
func TestDropout(t *testing.T) {
	cfg := Config{ModelType: ModelType, Arch: Dense, EmbedDim: 4, ZDim: 64, Width: 64, Blocks: 1, Layers: 1, Dropout: 0.1}
	w := Init(cfg, 1)
	for name, tensor := range w.Tensors {
		values := make([]float32, tensor.Elements())
		for i := range values {
			switch {
			case name == "rrdb_blocks.0.0.mlp_layers.0.4.bias":
				values[i] = 1
			case strings.HasPrefix(name, "tail.") && len(tensor.Shape) == 2 && i%65 == 0:
				values[i] = 1 // the diagonal
			case strings.HasSuffix(name, ".running_var"):
				values[i] = 1
			}
		}
		w.Tensors[name] = checkpoints.Float32Tensor(values, tensor.Shape...)
	}
	const batch = 256
	predict := func(training bool, seed int64) [][]float32 {
		store := model.NewStore()
		if err := Load(store.RootScope(), cfg, w); err != nil {
			t.Fatal(err)
		}
		if err := store.SetRNGStateFromSeed(seed); err != nil {
			t.Fatal(err)
		}
		return nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
			scope.Store().SetTraining(in[0].Graph(), training)
			return []*Node{Build(scope, cfg, in[0])}
		}, tensors.FromFlatDataAndDimensions(make([]float32, batch*4), batch, 4))
	}
	one, again, other := predict(true, 1)[0], predict(true, 1)[0], predict(true, 2)[0]
	if nntest.MaxAbs(t, one, again) != 0 {
		t.Error("equal seeds drop different units")
	}
	if nntest.MaxAbs(t, one, other) == 0 {
		t.Error("different seeds drop the same units")
	}
	dropped := 0
	for i, z := range one {
		switch {
		case z == 0:
			dropped++
		case math.Abs(float64(z)-1/0.9) > 1e-5:
			t.Fatalf("unit %d is %g, neither 0 nor 1/0.9", i, z)
		}
	}
	// 16,384 units: a standard deviation of .0023 around .1.
	if share := float64(dropped) / float64(len(one)); math.Abs(share-0.1) > 0.01 {
		t.Errorf("%g of the units are dropped, want 0.1", share)
	}
	for i, z := range predict(false, 1)[0] {
		if z != 1 {
			t.Fatalf("evaluation: unit %d is %g, want 1", i, z)
		}
	}
}

func TestInit(t *testing.T) {
	cfg := Config{ModelType: ModelType, Arch: Dense, EmbedDim: 50, ZDim: 40, Width: 60, Blocks: 2, Layers: 3, Dropout: 0.1}
	w := Init(cfg, 7)
	if err := w.Check(cfg.Shapes()); err != nil {
		t.Fatal(err)
	}
	values := func(w *checkpoints.Weights, name string) []float32 {
		v, err := w.Tensors[name].Float32s()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	const layer = "rrdb_blocks.1.0.mlp_layers.2."
	for name, want := range map[string]float32{"1.weight": 1, "1.bias": 0, "1.running_mean": 0, "1.running_var": 1,
		"2.weight": 0.25, "5.weight": 0.25} {
		for _, v := range values(w, layer+name) {
			if v != want {
				t.Errorf("%s holds %g, want %g", layer+name, v, want)
			}
		}
	}
	// Uniform in ±1/√in has the variance 1/(3·in).
	for name, in := range map[string]float64{"head.0.weight": 50, layer + "0.weight": 180, layer + "3.weight": 60,
		"tail.1.weight": 60, "tail.1.bias": 60} {
		bound, sum, squares := 1/math.Sqrt(in), 0.0, 0.0
		all := values(w, name)
		for _, v := range all {
			if math.Abs(float64(v)) > bound {
				t.Errorf("%s holds %g, beyond ±%g", name, v, bound)
			}
			sum, squares = sum+float64(v), squares+float64(v)*float64(v)
		}
		if n := float64(len(all)); n > 1000 && (math.Abs(sum/n) > 0.05*bound || math.Abs(squares/n*3*in-1) > 0.05) {
			t.Errorf("%s has mean %g and mean square %g, want 0 and %g", name, sum/n, squares/n, 1/(3*in))
		}
	}
	same, other := Init(cfg, 7), Init(cfg, 8)
	if nntest.MaxAbs(t, values(w, "tail.0.weight"), values(same, "tail.0.weight")) != 0 {
		t.Error("equal seeds give different weights")
	}
	if nntest.MaxAbs(t, values(w, "tail.0.weight"), values(other, "tail.0.weight")) == 0 {
		t.Error("different seeds give equal weights")
	}
}

// Weights come back from a store as they went in, and running statistics are not learned.
func TestLoadAndReadBack(t *testing.T) {
	for _, cfg := range []Config{tinyDense, tinyBaseline} {
		w, scope := Init(cfg, 3), model.NewStore().Scope("mapper")
		if err := Load(scope, cfg, w); err != nil {
			t.Fatal(err)
		}
		back, err := Weights(scope, cfg)
		if err != nil {
			t.Fatal(err)
		}
		if err := back.Check(cfg.Shapes()); err != nil {
			t.Fatal(err)
		}
		learned := 0
		for name, tensor := range w.Tensors {
			if string(back.Tensors[name].Data) != string(tensor.Data) {
				t.Errorf("%s has changed", name)
			}
			if v := scope.GetVariable(name); v.Trainable {
				learned += v.Shape().Size()
			}
		}
		if learned != cfg.Parameters() {
			t.Errorf("%d parameters are trainable, want %d", learned, cfg.Parameters())
		}
		if _, err := Weights(model.NewStore().Scope("elsewhere"), cfg); err == nil {
			t.Error("weights of an empty scope give no error")
		}
	}
}

// A configuration that asks for another network than the weights are is an error that names the tensor.
func TestLoadMismatch(t *testing.T) {
	wider := tinyDense
	wider.ZDim = 41
	err := Load(model.NewStore().RootScope(), wider, Init(tinyDense, 1))
	if err == nil || !strings.Contains(err.Error(), "tail.1") || !strings.Contains(err.Error(), "41") {
		t.Errorf("wrong width gives %v", err)
	}
}

// BenchmarkPredict is one prediction of the paper's mapper, batch 8, as in generation.
func BenchmarkPredict(b *testing.B) {
	cfg := paper(Dense)
	store := model.NewStore()
	if err := Load(store.RootScope(), cfg, Init(cfg, 1)); err != nil {
		b.Fatal(err)
	}
	exec := model.MustNewExec(nntest.Backend(b), store,
		func(scope *model.Scope, x *Node) *Node { return Build(scope, cfg, x) })
	defer exec.Finalize()
	values := make([]float32, 8*512)
	for i, rng := 0, rand.New(rand.NewPCG(1, 0)); i < len(values); i++ {
		values[i] = float32(rng.NormFloat64())
	}
	x := tensors.FromFlatDataAndDimensions(values, 8, 512)
	if dtype := exec.MustCall1(x).DType(); dtype != dtypes.Float32 {
		b.Fatal(dtype)
	}
	for b.Loop() {
		exec.MustCall1(x).MustFinalizeAll()
	}
}
