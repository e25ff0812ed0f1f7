package train

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/losses"
	"illustrator/models/batch"
	"illustrator/models/mapper"
	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
)

// The golden of testdata/make_optimizers.py.
const optimizersGolden = "testdata/optimizers.safetensors"

// The steps of a training, with each setting of the optimizer by itself and with all of them: 15 steps of a small
// mapper as PyTorch does them in float64. Weights, moving averages and BatchNorm's running statistics agree to what
// rounding may have become after 15 steps of Adam; losses and lengths of gradients to the float32 that a step returns
// them in.
func TestOptimizersFollowPyTorch(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles several trainings")
	}
	golden := doubles(t, optimizersGolden)
	cosine := Schedule{Kind: "cosine", Steps: 15, LearningRate: 3e-3, MinLearningRate: 1e-5}
	for _, c := range []struct {
		name   string
		warmup int
		change func(*Optimizer)
	}{
		{"adamw", 0, func(o *Optimizer) { o.Name, o.WeightDecay = AdamW, 0.1 }},
		{"clip", 0, func(o *Optimizer) { o.ClipNorm = 0.5 }},
		{"accumulate", 0, func(o *Optimizer) { o.Accumulate = 2 }},
		{"ema", 0, func(o *Optimizer) { o.EMA = 0.8 }},
		{"everything", 4, func(o *Optimizer) {
			*o = Optimizer{Name: AdamW, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.1, ClipNorm: 0.5, Accumulate: 2,
				EMA: 0.8}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.name != "everything" {
				t.Skip("compiles a step; in the short tests all settings are followed together")
			}
			optimizer, schedule := torchAdam, cosine
			c.change(&optimizer)
			schedule.Warmup = c.warmup
			training := smallTraining(t, optimizer, schedule)
			followLosses(t, training, golden, c.name)
			store := training.Networks.Store
			for _, name := range training.Mapper.Names() {
				compare := func(scope, want string) {
					v := store.Scope(scope).GetVariable(name)
					if d := largest(t, v.MustValue(), golden(c.name+"."+want+"."+name)); d > 1e-9 {
						t.Errorf("%s of %s differs by %g", name, scope, d)
					}
				}
				compare(pipeline.MapperScope, "final")
				if optimizer.EMA > 0 {
					compare(averageScope, "average")
				}
			}
		})
	}
}

// smallTraining is the golden's training before its first step, in float64.
func smallTraining(t *testing.T, optimizer Optimizer, schedule Schedule) *Training {
	t.Helper()
	training := &Training{
		Config: Config{Batch: 6, OnNaN: StopOnNaN, Optimizer: optimizer,
			Stages: []Stage{{Losses: losses.Weights{L1: 0.7, Regularization: 0.3}, Schedule: schedule}}},
		Mapper: mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: 7, ZDim: 10, Width: 8, Blocks: 1,
			Layers: 2},
		Networks: &pipeline.Networks{Runner: &batch.Runner{Backend: nntest.Backend(t), Store: model.NewStore()}},
	}
	initial := &checkpoints.Weights{Source: "golden", Tensors: map[string]checkpoints.Tensor{}}
	for name, tensor := range nntest.Golden(t, optimizersGolden).Tensors {
		if name, ok := strings.CutPrefix(name, "init."); ok {
			initial.Tensors[name] = tensor
		}
	}
	for _, name := range []string{pipeline.MapperScope, averageScope} {
		scope := training.Networks.Store.Scope(name)
		if err := nn.Load(scope, initial, dtypes.Float64, name == pipeline.MapperScope); err != nil {
			t.Fatal(err)
		}
		for name := range initial.Tensors {
			if mapper.IsBuffer(name) {
				scope.GetVariable(name).SetTrainable(false)
			}
		}
	}
	return training
}

// followLosses does all steps, and compares the losses of each batch and the length of each gradient that is clipped.
func followLosses(t *testing.T, training *Training, golden func(name string) *tensors.Tensor, name string) {
	t.Helper()
	firstStep(t, training)
	values := func(name string) []float64 { return tensors.MustCopyFlatData[float64](golden(name)) }
	z, embeds, history, norms := values("z_true"), values("embeds"), values(name+".losses"), values(name+".norms")
	stage, batches, rows := training.Config.Stages[0], training.Config.Optimizer.Accumulate, training.Config.Batch
	for at := range stage.Schedule.Steps {
		for b := range batches {
			exec := training.gather
			if b == batches-1 {
				exec = training.update
			}
			i := at*batches + b
			part := func(x []float64, width int) *tensors.Tensor {
				return tensors.FromFlatDataAndDimensions(x[i*rows*width:(i+1)*rows*width], rows, width)
			}
			packed, err := exec.Call1(part(z, training.Mapper.ZDim), part(embeds, training.Mapper.EmbedDim),
				make([]uint64, rows), stage.Schedule.At(at))
			if err != nil {
				t.Fatal(err)
			}
			out := tensors.MustCopyFlatData[float32](packed)
			if got := float64(out[0]); math.Abs(got-history[i]) > 1e-6 {
				t.Errorf("step %d, batch %d: loss %.8f, want %.8f", at, b, got, history[i])
			}
			if clips := training.Config.Optimizer.ClipNorm > 0 && exec == training.update; clips != (len(out) > normAt) {
				t.Errorf("step %d, batch %d: %d values", at, b, len(out))
			} else if clips && math.Abs(float64(out[normAt])-norms[at]) > 1e-6*norms[at] {
				t.Errorf("step %d: the gradient's length is %.8f, want %.8f", at, out[normAt], norms[at])
			}
		}
	}
}

// Every learning rate is torch's: with a warm-up that of SequentialLR over LinearLR and CosineAnnealingLR, and the
// release's 75,000, of which the golden has the sums of each ten and the first and last fifty. torch computes a rate
// from the one before, which gathers rounding.
func TestRatesFollowPyTorch(t *testing.T) {
	golden := doubles(t, optimizersGolden)
	values := func(name string) []float64 { return tensors.MustCopyFlatData[float64](golden(name)) }
	near := func(what string, step int, got, want float64) {
		t.Helper()
		if !(math.Abs(got-want) <= 1e-9*want) {
			t.Errorf("%s: step %d has %.15g, want %.15g", what, step, got, want)
		}
	}
	warm := Schedule{Kind: "cosine", Steps: 100, Warmup: 7, LearningRate: 3e-3, MinLearningRate: 1e-5}
	for step, want := range values("rates_warmup") {
		near("warm-up", step, warm.At(step), want)
		if constant := (Schedule{Kind: "constant", Steps: 100, Warmup: 7, LearningRate: 3e-3}); step < 7 {
			near("constant after a warm-up", step, constant.At(step), want)
		} else {
			near("constant after a warm-up", step, constant.At(step), 3e-3)
		}
	}
	release := Schedule{Kind: "cosine", Steps: 75_000, LearningRate: 1e-4, MinLearningRate: 1e-7}
	for i, want := range values("rates_release_sums") {
		sum := 0.0
		for step := 10 * i; step < 10*i+10; step++ {
			sum += release.At(step)
		}
		near("sums of the release's rates", 10*i, sum, want)
	}
	for i, want := range values("rates_release_ends") {
		step := i
		if i >= 50 {
			step = release.Steps - 100 + i
		}
		near("the release's rates", step, release.At(step), want)
	}
}

// Dropout in training drops a unit with the probability 0.1, independently in every row and step, and divides
// the others by 0.9, as torch does.
func TestDropoutIsTorchs(t *testing.T) {
	const units, rate = 64, 0.1
	rows := dropoutRows(t, units, rate)
	all := float64(len(rows) * units)
	counts, byUnit, dropped, sum := make([]float64, units+1), make([]float64, units), 0.0, 0.0
	masks := map[string]bool{}
	for _, row := range rows {
		n, mask := 0, make([]byte, units)
		for i, v := range row {
			if sum += float64(v); v == 0 {
				n, mask[i] = n+1, 1
				byUnit[i]++
			} else if math.Abs(float64(v)-1/(1-rate)) > 1e-6 {
				t.Fatalf("a unit is %g, neither 0 nor 1/0.9", v)
			}
		}
		counts[n]++
		dropped += float64(n)
		masks[string(mask)] = true
	}
	if d := deviations(dropped, all, rate); math.Abs(d) > 4 {
		t.Errorf("%g of %g units are dropped, %.1f standard deviations from a tenth", dropped, all, d)
	}
	if mean := sum / all; math.Abs(mean-1) > 4*math.Sqrt(rate/(1-rate)/all) {
		t.Errorf("the mean is %g, want 1 as without dropout", mean)
	}
	for i, n := range byUnit {
		if d := deviations(n, float64(len(rows)), rate); math.Abs(d) > 4.5 {
			t.Errorf("unit %d is dropped %g times in %d rows, %.1f standard deviations from a tenth", i, n, len(rows), d)
		}
	}
	// A hundredth of the rows has at most one unit dropped, and so a mask like another's by chance.
	if len(masks) < len(rows)*98/100 {
		t.Errorf("%d rows have only %d masks", len(rows), len(masks))
	}
	torch := tensors.MustCopyFlatData[float64](doubles(t, optimizersGolden)("dropout_counts"))
	if chi2, n := chiSquared(counts, torch); chi2 > n+5*math.Sqrt(2*n) {
		t.Errorf("the numbers of units dropped a row have another distribution than torch's: χ² %.1f with %g degrees of "+
			"freedom\n%v\n%v", chi2, n, counts[:20], torch[:20])
	}
}

// dropoutRows are 4,096 rows of a mapper in training, in four steps of one program, whose block gives 1 in all units
// and whose tail gives them back.
func dropoutRows(t *testing.T, units int, rate float64) (rows [][]float32) {
	t.Helper()
	const batch, steps = 1024, 4
	cfg := mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: 1, ZDim: units, Width: units,
		Blocks: 1, Layers: 1, Dropout: rate}
	store := model.NewStore()
	for name, shape := range cfg.Shapes() {
		values := make([]float32, checkpoints.Tensor{Shape: shape}.Elements())
		for i := range values {
			diagonal := strings.HasPrefix(name, "tail.") && len(shape) == 2 && i%(units+1) == 0
			if diagonal || strings.HasSuffix(name, "mlp_layers.0.4.bias") {
				values[i] = 1
			}
		}
		store.VariableWithValue(name, tensors.FromFlatDataAndDimensions(values, shape...))
	}
	if err := seedRandom(store, 3); err != nil {
		t.Fatal(err)
	}
	exec, err := model.NewExec(nntest.Backend(t), store, func(scope *model.Scope, embeds *graph.Node) *graph.Node {
		scope.Store().SetTraining(embeds.Graph(), true)
		return mapper.Build(scope, cfg, embeds)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	for range steps {
		out, err := exec.Call1(tensors.FromFlatDataAndDimensions(make([]float32, batch), batch, 1))
		if err != nil {
			t.Fatal(err)
		}
		rows = slices.AppendSeq(rows, slices.Chunk(tensors.MustCopyFlatData[float32](out), units))
	}
	return rows
}

// deviations returns the distance of count from the mean of a binomial distribution, in standard deviations.
func deviations(count, trials, p float64) float64 {
	return (count - p*trials) / math.Sqrt(trials*p*(1-p))
}

// chiSquared compares two histograms of equally many observations; bins below 10 together are joined with the next.
func chiSquared(a, b []float64) (chi2, degrees float64) {
	x, y := 0.0, 0.0
	for i := range a {
		x, y = x+a[i], y+b[i]
		if x+y >= 10 {
			chi2 += (x - y) * (x - y) / (x + y)
			degrees++
			x, y = 0, 0
		}
	}
	return chi2, degrees - 1
}
