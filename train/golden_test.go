package train

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"illustrator/checkpoints"
	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// The golden training: 20 steps of batch 16 on Lorelei with all losses, constant noise and no dropout.
const (
	goldenSteps = 20
	goldenBatch = 16
)

// goldenTraining is the golden's training before its first step, computed in dtype, and the golden itself.
func goldenTraining(t *testing.T, dtype dtypes.DType) (*Training, *checkpoints.Weights) {
	t.Helper()
	want := nntest.Golden(t, "testdata/mapper.safetensors")
	networks, err := pipeline.Open(nntest.Backend(t),
		pipeline.Locations{Generator: "embedded:lorelei/generator", CLIP: "embedded:lorelei/clip"})
	if err != nil {
		t.Fatal(err)
	}
	generator, clip := nntest.Embedded(t, "embedded:lorelei/generator", nil),
		nntest.Embedded(t, "embedded:lorelei/clip", nil)
	if err := stylegan2.Load(networks.Store.Scope("generator"), networks.Generator, generator, dtype); err != nil {
		t.Fatal(err)
	}
	if err := nn.Load(networks.Store.Scope("clip"), clip, dtype, false); err != nil {
		t.Fatal(err)
	}
	scope := networks.Store.Scope(pipeline.MapperScope)
	initial := &checkpoints.Weights{Source: "golden", Tensors: map[string]checkpoints.Tensor{}}
	for name, tensor := range want.Tensors {
		if name, ok := strings.CutPrefix(name, "init."); ok && !strings.HasSuffix(name, "num_batches_tracked") {
			initial.Tensors[name] = tensor
		}
	}
	if err := nn.Load(scope, initial, dtype, true); err != nil {
		t.Fatal(err)
	}
	for name := range initial.Tensors {
		if mapper.IsBuffer(name) {
			scope.GetVariable(name).SetTrainable(false)
		}
	}
	return &Training{
		Config: Config{
			Batch: goldenBatch, NoiseMode: stylegan2.NoiseConst,
			Optimizer: torchAdam,
			Stages: []Stage{{
				Losses:   losses.Weights{L1: 0.3, Semantic: 1, Regularization: 0.3},
				Schedule: Schedule{Kind: "cosine", Steps: goldenSteps, LearningRate: 1e-3, MinLearningRate: 1e-7},
			}},
		},
		Mapper: mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: 128, ZDim: 128, Width: 128,
			Blocks: 5, Layers: 5},
		Networks: networks,
	}, want
}

// goldenInputs are the pairs of a step in dtype, with noise keys that constant noise does not use.
func goldenInputs[T float32 | float64](t *testing.T, want *checkpoints.Weights, step int) []any {
	t.Helper()
	inputs := make([]any, 0, 4)
	for _, name := range []string{"z_true", "embeds"} {
		var values []T
		for _, v := range goldenValues(t, want, name)[step*goldenBatch*128 : (step+1)*goldenBatch*128] {
			values = append(values, T(v))
		}
		inputs = append(inputs, tensors.FromFlatDataAndDimensions(values, goldenBatch, 128))
	}
	return append(inputs, make([]uint64, goldenBatch))
}

// runGolden trains for steps steps and tells each of the losses of every one.
func runGolden[T float32 | float64](t *testing.T, training *Training, want *checkpoints.Weights, steps int,
	each func(at int, got losses.Values)) {
	t.Helper()
	step := firstStep(t, training)
	for at := range steps {
		rate := T(training.Config.Stages[0].Schedule.At(at))
		packed, err := step.Call1(append(goldenInputs[T](t, want, at), rate)...)
		if err != nil {
			t.Fatal(err)
		}
		each(at, losses.ValuesOf(tensors.MustCopyFlatData[float32](packed)))
	}
}

// firstStep is the program of the first stage's steps, on the weights that are loaded.
func firstStep(t *testing.T, training *Training) *model.Exec {
	t.Helper()
	training.programs.reset()
	if err := training.enter(0); err != nil {
		t.Fatal(err)
	}
	return training.update
}

func compareLosses(t *testing.T, step int, got, want losses.Values, tolerance float64) {
	t.Helper()
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"total", got.Total, want.Total}, {"l1", got.L1, want.L1},
		{"semantic", got.Semantic, want.Semantic}, {"regularization", got.Regularization, want.Regularization},
	} {
		if !(math.Abs(c.got-c.want) <= tolerance*c.want) {
			t.Errorf("step %d: %s is %.7f, PyTorch has %.7f: relative difference %.1e", step, c.name, c.got, c.want,
				math.Abs(c.got-c.want)/c.want)
		}
	}
}

func goldenValues(t *testing.T, w *checkpoints.Weights, name string) []float32 {
	t.Helper()
	v, err := w.Tensors[name].Float32s()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// The whole method in one graph follows PyTorch for all steps: mapper, generator, CLIP, losses, Adam and schedule. In
// float64, where rounding leaves the steps defined (see testdata/make_float64.py): the first step agrees to the
// precision of the float32 in which losses are read, and what the steps amplify stays below 1e-4. So does the gradient
// of the first step.
func TestTrainingFollowsPyTorch(t *testing.T) {
	if testing.Short() {
		t.Skip("20 steps in float64 take half a minute")
	}
	nntest.Optimised(t, func(t *testing.T) {
		training, want := goldenTraining(t, dtypes.Float64)
		exact := nntest.Golden(t, "testdata/float64.safetensors")
		history := goldenValues(t, exact, "losses")
		runGolden[float64](t, training, want, goldenSteps, func(at int, got losses.Values) {
			compareLosses(t, at, got, losses.ValuesOf(history[4*at:]), min(1e-6*math.Pow(2, float64(at)), 1e-4))
			if at == 0 {
				compareGradients(t, training, want, exact)
			}
		})
	})
}

// In float32 the first two steps agree; from then on PyTorch does not agree with itself on another number of threads.
func TestFirstStepsFollowPyTorchInFloat32(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the whole training on Lorelei")
	}
	training, want := goldenTraining(t, dtypes.Float32)
	history := goldenValues(t, want, "losses")
	runGolden[float32](t, training, want, 2, func(at int, got losses.Values) {
		compareLosses(t, at, got, losses.ValuesOf(history[4*at:]), []float64{1e-5, 1e-3}[at])
	})
}

// compareGradients compares the gradient of the total loss for every parameter of the mapper, through generator and
// CLIP, with PyTorch's, after the first step: the first moment that Adam has then is 1 - beta1 of it. A slope of a
// PReLU is a single number, a sum that nearly cancels: PyTorch's float64 value is its golden, not its float32.
func compareGradients(t *testing.T, training *Training, want, exact *checkpoints.Weights) {
	t.Helper()
	scale, compared := 1/(1-training.Config.Optimizer.Beta1), 0
	for _, name := range training.Mapper.Names() {
		if mapper.IsBuffer(name) {
			continue
		}
		moment := training.Networks.Store.Scope(optimizer.AdamDefaultScope + "/" + pipeline.MapperScope).GetVariable(name +
			"_1st_moment")
		if moment == nil {
			t.Fatalf("Adam has no first moment of %s", name)
		}
		golden, tolerance := want, 1e-3
		if _, ok := exact.Tensors["grad."+name]; ok {
			golden, tolerance = exact, 1e-6
		}
		// A bias before BatchNorm has gradient 0: what is left is rounding, which has no relative error.
		expected := goldenValues(t, golden, "grad."+name)
		if euclidean(expected) < 1e-6 {
			continue
		}
		var gradient []float32
		for _, v := range tensors.MustCopyFlatData[float64](moment.MustValue()) {
			gradient = append(gradient, float32(v*scale))
		}
		if compared++; len(gradient) != len(expected) {
			t.Fatalf("%s: %d values, want %d", name, len(gradient), len(expected))
		}
		if d := relative(gradient, expected); d > tolerance {
			t.Errorf("%s differs from PyTorch's by %.2g of its length", name, d)
		}
	}
	if compared < 100 {
		t.Errorf("%d gradients were compared: too few", compared)
	}
}

// relative is ‖got - want‖ / ‖want‖.
func relative(got, want []float32) float64 {
	difference := make([]float32, len(want))
	for i := range want {
		difference[i] = got[i] - want[i]
	}
	return euclidean(difference) / euclidean(want)
}

func euclidean(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum)
}
