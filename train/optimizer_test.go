package train

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
)

// torchAdam is torch.optim.Adam's defaults.
var torchAdam = Optimizer{Name: Adam, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Accumulate: 1}

// tiny reads the golden of models/mapper/testdata/make_tiny.py.
func tiny(t *testing.T) func(name string) *tensors.Tensor {
	t.Helper()
	return doubles(t, "../models/mapper/testdata/tiny.safetensors")
}

// doubles reads the tensors of a golden in float64.
func doubles(t *testing.T, path string) func(name string) *tensors.Tensor {
	t.Helper()
	w, err := checkpoints.ReadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	return func(name string) *tensors.Tensor {
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
}

// largest returns the largest absolute difference of two float64 tensors.
func largest(t *testing.T, got, want *tensors.Tensor) float64 {
	t.Helper()
	g, w := tensors.MustCopyFlatData[float64](got), tensors.MustCopyFlatData[float64](want)
	if len(g) != len(w) {
		t.Fatalf("got %d values, want %d", len(g), len(w))
	}
	worst := 0.0
	for i := range g {
		d := math.Abs(g[i] - w[i])
		if math.IsNaN(d) {
			t.Fatalf("value %d is %g, want %g", i, g[i], w[i])
		}
		worst = max(worst, d)
	}
	return worst
}

// Adam on Σ c·p²/2 for c from 1e-11 to 1, so that gradients lie on both sides of epsilon: 20 steps of torch.optim.Adam.
func TestAdamPath(t *testing.T) {
	golden := tiny(t)
	path := tensors.MustCopyFlatData[float64](golden("adam_path")) // [20,12]
	const n = 12
	start := make([]float64, n)
	for i := range start {
		start[i] = -1 + 2*float64(i)/(n-1)
	}
	store := model.NewStore()
	p := store.VariableWithValue("p", start)
	exec, err := model.NewExec(nntest.Backend(t), store, func(scope *model.Scope, c, rate *graph.Node) *graph.Node {
		loss := graph.DivScalar(graph.ReduceAllSum(graph.Mul(c, graph.Square(p.NodeValue(c.Graph())))), 2)
		torchAdam.Update(scope, loss, rate, false)
		return loss
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	for step := range len(path) / n {
		if _, err := exec.Call(golden("adam_c"), 0.1); err != nil {
			t.Fatal(err)
		}
		want := tensors.FromFlatDataAndDimensions(path[step*n:(step+1)*n], n)
		if d := largest(t, p.MustValue(), want); d > 1e-12 {
			t.Errorf("step %d: parameters differ by %g", step, d)
		}
	}
}

// 20 steps of the tiny mapper with PyTorch's Adam and CosineAnnealingLR: the losses of each step, and all weights after
// them.
func TestTinyTraining(t *testing.T) {
	golden := tiny(t)
	cfg := mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: 24, ZDim: 40, Width: 32, Blocks: 2,
		Layers: 3}
	schedule := Schedule{Kind: "cosine", LearningRate: 3e-3, MinLearningRate: 1e-5, Steps: 20}
	weights := losses.Weights{L1: 0.7, Regularization: 0.3}
	store := model.NewStore()
	for name := range cfg.Shapes() {
		store.VariableWithValue(name, golden("init."+name)).SetTrainable(!mapper.IsBuffer(name))
	}
	exec, err := model.NewExec(nntest.Backend(t), store,
		func(scope *model.Scope, embeds, z, rate *graph.Node) []*graph.Node {
			scope.Store().SetTraining(z.Graph(), true)
			terms := losses.Compute(weights, losses.Inputs{PredictedZ: mapper.Build(scope, cfg, embeds), Z: z})
			torchAdam.Update(scope, terms.Total, rate, false)
			return []*graph.Node{terms.Total, terms.L1, terms.Regularization}
		})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	embeds, z := tensors.MustCopyFlatData[float64](golden("embeds")), tensors.MustCopyFlatData[float64](golden("z_true"))
	want := tensors.MustCopyFlatData[float64](golden("losses")) // [20,3]
	const batch = 8
	for step := range schedule.Steps {
		part := func(x []float64, width int) *tensors.Tensor {
			return tensors.FromFlatDataAndDimensions(x[step*batch*width:(step+1)*batch*width], batch, width)
		}
		out, err := exec.Call(part(embeds, cfg.EmbedDim), part(z, cfg.ZDim), schedule.At(step))
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{"total", "l1", "regularization"} {
			if got := tensors.ToScalar[float64](out[i]); math.Abs(got-want[step*3+i]) > 1e-9 {
				t.Errorf("step %d: %s is %.12g, want %.12g", step, name, got, want[step*3+i])
			}
		}
	}
	for name := range cfg.Shapes() {
		got := store.GetVariable(name).MustValue()
		if d := largest(t, got, golden("final."+name)); d > 1e-9 {
			t.Errorf("%s differs by %g after training", name, d)
		}
	}
}

func TestSchedule(t *testing.T) {
	rates := tensors.MustCopyFlatData[float64](tiny(t)("rates"))
	cosine := Schedule{Kind: "cosine", LearningRate: 3e-3, MinLearningRate: 1e-5, Steps: 20}
	for step, want := range rates {
		if got := cosine.At(step); math.Abs(got-want) > 1e-15 {
			t.Errorf("step %d: rate %g, want %g", step, got, want)
		}
	}
	if got := cosine.At(cosine.Steps); math.Abs(got-1e-5) > 1e-18 {
		t.Errorf("the rate after all steps is %g, want the smallest", got)
	}
	constant := Schedule{Kind: "constant", LearningRate: 2e-4, Steps: 10}
	for _, step := range []int{0, 5, 9} {
		if got := constant.At(step); got != 2e-4 {
			t.Errorf("constant rate is %g at step %d", got, step)
		}
	}
}

func TestScheduleValidate(t *testing.T) {
	good := Schedule{Kind: "cosine", LearningRate: 1e-4, MinLearningRate: 1e-7, Steps: 75_000}
	if err := good.Validate(); err != nil {
		t.Errorf("the release's schedule: %v", err)
	}
	for field, change := range map[string]func(*Schedule){
		"kind":              func(s *Schedule) { s.Kind = "linear" },
		"steps":             func(s *Schedule) { s.Steps = 0 },
		"learning_rate":     func(s *Schedule) { s.LearningRate = math.NaN() },
		"min_learning_rate": func(s *Schedule) { s.MinLearningRate = 1 },
	} {
		s := good
		change(&s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("a wrong %s gives %v", field, err)
		}
	}
}

func TestOptimizerValidate(t *testing.T) {
	if err := torchAdam.Validate(); err != nil {
		t.Errorf("torch's defaults: %v", err)
	}
	for field, change := range map[string]func(*Optimizer){
		"name":         func(o *Optimizer) { o.Name = "sgd" },
		"beta1":        func(o *Optimizer) { o.Beta1 = 1 },
		"beta2":        func(o *Optimizer) { o.Beta2 = -1 },
		"epsilon":      func(o *Optimizer) { o.Epsilon = 0 },
		"weight_decay": func(o *Optimizer) { o.WeightDecay = 0.01 }, // with adam
		"clip_norm":    func(o *Optimizer) { o.ClipNorm = math.Inf(1) },
		"accumulate":   func(o *Optimizer) { o.Accumulate = 0 },
		"ema":          func(o *Optimizer) { o.EMA = 1 },
	} {
		o := torchAdam
		change(&o)
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("a wrong %s gives %v", field, err)
		}
	}
}
