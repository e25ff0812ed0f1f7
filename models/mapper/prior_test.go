package mapper

import (
	"math"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn/nntest"
)

// The network of testdata/make_prior.py.
var tinyPrior = Config{ModelType: ModelType, Arch: Prior, EmbedDim: 6, ZDim: 5, Width: 8, Blocks: 2,
	Prior: PriorConfig{Steps: 4, Guidance: 1.7, ConditionNoise: 0.5, ConditionDropout: 0.25}}

// Velocities and samples, with and without guidance, are PyTorch's in float64.
func TestPriorGolden(t *testing.T) {
	w := nntest.Golden(t, "testdata/prior.safetensors")
	store := load64(t, tinyPrior, part(w, "weights."))
	out := run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		noise, time, condition := in[0], in[1], in[2]
		x := Draft{Noise: noise, Time: time}.At(in[3])
		plain := tinyPrior
		plain.Prior.Guidance = 1
		return []*Node{
			Velocity(scope, tinyPrior, x, time, condition),
			Sample(scope, tinyPrior, condition, noise), Sample(scope, plain, condition, noise),
		}
	}, tensor64(t, w, "noise"), tensor64(t, w, "time"), tensor64(t, w, "condition"), tensor64(t, w, "z"))
	for i, name := range []string{"velocity", "guided", "plain"} {
		checkClose(t, name, out[i], tensor64(t, w, name), tinyTolerance)
	}
}

// The velocity's gradient with respect to x, in float64.
func TestVelocityGradient(t *testing.T) {
	w := nntest.Golden(t, "testdata/prior.safetensors")
	store := load64(t, tinyPrior, part(w, "weights."))
	nntest.CheckGradient(t, store, func(scope *model.Scope, x *Node) *Node {
		constant := func(name string) *Node { return ConstTensor(x.Graph(), tensor64(t, w, name)) }
		return Velocity(scope, tinyPrior, x, constant("time"), constant("condition"))
	}, tensor64(t, w, "z"), 1e-5, 1e-7)
}

// The conditions keep their lengths or are dropped, in the stated share; their angle is that of the noise; equal keys
// give equal drafts.
func TestDraft(t *testing.T) {
	const rows = 2000
	cfg := tinyPrior
	cfg.EmbedDim = 64
	embeds, keys := make([]float32, rows*cfg.EmbedDim), make([]uint64, rows)
	for i := range embeds {
		embeds[i] = float32(math.Sin(1.7 * float64(i)))
	}
	for i := range keys {
		keys[i] = uint64(i)
	}
	in := tensors.FromFlatDataAndDimensions(embeds, rows, cfg.EmbedDim)
	out := run(t, model.NewStore(), func(_ *model.Scope, in []*Node) []*Node {
		d, again := NewDraft(cfg, in[0], in[1]), NewDraft(cfg, in[0], in[1])
		length := Div(rowLength(d.Condition), rowLength(in[0]))
		cosine := Div(ReduceSum(Mul(d.Condition, in[0]), -1), Squeeze(Square(rowLength(in[0])), -1))
		return []*Node{length, cosine, d.Time, ReduceAllMax(Abs(Sub(d.Condition, again.Condition)))}
	}, in, keys)
	lengths, cosines := tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1])
	dropped, mean := 0, 0.0
	for i, length := range lengths {
		switch {
		case length < 1e-6:
			dropped++
		case math.Abs(float64(length)-1) > 1e-5:
			t.Fatalf("condition %d has %g times its length", i, length)
		default:
			mean += float64(cosines[i])
		}
	}
	// Four standard deviations of a share of 0.25 of 2,000 are 0.039.
	if share := float64(dropped) / rows; math.Abs(share-0.25) > 0.039 {
		t.Errorf("%.3f of the conditions are dropped", share)
	}
	// At right angles, noise of half the length gives 1/√(1+0.5²).
	if mean /= rows - float64(dropped); math.Abs(mean-1/math.Sqrt(1.25)) > 0.02 {
		t.Errorf("mean cosine %.3f", mean)
	}
	for _, time := range tensors.MustCopyFlatData[float32](out[2]) {
		if !(time > 0 && time < 1) {
			t.Fatalf("time %g", time)
		}
	}
	if again := tensors.ToScalar[float32](out[3]); again != 0 {
		t.Errorf("equal keys give conditions that differ by %g", again)
	}
}

// Build samples a prior's z from the start noise.
func TestBuildPrior(t *testing.T) {
	store := model.NewStore()
	if err := Load(store.RootScope(), tinyPrior, Init(tinyPrior, 3)); err != nil {
		t.Fatal(err)
	}
	noise := tensors.FromFlatDataAndDimensions(StartNoise(tinyPrior), 1, tinyPrior.ZDim)
	embed := tensors.FromFlatDataAndDimensions([]float32{1, -1, 0.5, 2, 0, 0.25}, 1, 6)
	out := run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		built := Build(scope, tinyPrior, in[0])
		if built.DType() != dtypes.Float32 {
			t.Errorf("z is %s", built.DType())
		}
		return []*Node{built, Sample(scope, tinyPrior, in[0], in[1])}
	}, embed, noise)
	got, want := tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1])
	if nntest.MaxAbs(t, got, want) > 1e-6 { // float32 rounds four steps
		t.Errorf("%v, want %v", got, want)
	}
}

func TestPriorSettings(t *testing.T) {
	if err := tinyPrior.Validate(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"steps":             func(c *Config) { c.Prior.Steps = 0 },
		"guidance":          func(c *Config) { c.Prior.Guidance = math.NaN() },
		"condition_noise":   func(c *Config) { c.Prior.ConditionNoise = -1 },
		"condition_dropout": func(c *Config) { c.Prior.ConditionDropout = 1 },
		"blocks":            func(c *Config) { c.Blocks = 0 },
		"another arch":      func(c *Config) { c.Arch, c.Layers = Dense, 2 },
	} {
		cfg := tinyPrior
		change(&cfg)
		if cfg.Validate() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := ONNX(tinyPrior, Init(tinyPrior, 0), "", nil); err == nil {
		t.Error("a prior is exported as ONNX")
	}
	other := tinyPrior
	other.Prior.Guidance, other.Layers = 3, 9
	if tinyPrior.OtherWeights(other) != "" {
		t.Error("settings of the sampler are taken for other weights")
	}
}
