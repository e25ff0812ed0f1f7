package stylegan2

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn/nntest"
)

// Float32 sums in another order than PyTorch's: a few 1e-6 at each layer.
const (
	wTolerance     = 1e-4
	imageTolerance = 2e-3
)

// lorelei loads the embedded generator and its goldens.
func lorelei(t *testing.T) (*model.Store, Config, *checkpoints.Weights) {
	t.Helper()
	var cfg Config
	weights := nntest.Embedded(t, "embedded:lorelei/generator", &cfg)
	return load(t, cfg, weights, dtypes.Float32), cfg, nntest.Golden(t, "testdata/lorelei.safetensors")
}

func load(t *testing.T, cfg Config, w *checkpoints.Weights, dtype dtypes.DType) *model.Store {
	t.Helper()
	store := model.NewStore()
	if err := Load(store.RootScope(), cfg, w, dtype); err != nil {
		t.Fatal(err)
	}
	return store
}

// tiny loads the random generator of testdata, whose shape has nothing in common with the embedded one's.
func tiny(t *testing.T, dtype dtypes.DType) (*model.Store, Config, *checkpoints.Weights) {
	t.Helper()
	cfg, weights, all := tinyWeights(t)
	return load(t, cfg, weights, dtype), cfg, all
}

func tinyWeights(t *testing.T) (Config, *checkpoints.Weights, *checkpoints.Weights) {
	t.Helper()
	raw, err := os.ReadFile("testdata/tiny_config.json")
	if err != nil {
		t.Fatal(err)
	}
	var cfg Config
	if err := json.Unmarshal(raw, &cfg); err != nil {
		t.Fatal(err)
	}
	all := nntest.Golden(t, "testdata/tiny.safetensors")
	weights := &checkpoints.Weights{Source: "tiny", Tensors: map[string]checkpoints.Tensor{}}
	for name, tensor := range all.Tensors {
		if name, ok := strings.CutPrefix(name, "weights."); ok {
			weights.Tensors[name] = tensor
		}
	}
	return cfg, weights, all
}

func values(t *testing.T, w *checkpoints.Weights, name string) []float32 {
	t.Helper()
	v, err := w.Tensors[name].Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func tensor(t *testing.T, w *checkpoints.Weights, name string) *tensors.Tensor {
	t.Helper()
	return tensors.FromFlatDataAndDimensions(values(t, w, name), w.Tensors[name].Shape...)
}

func expect(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if d := nntest.MaxAbs(t, got, want); d > tolerance {
		t.Errorf("%s differs from PyTorch by %g, more than %g", what, d, tolerance)
	}
}

func TestLoreleiEqualsPyTorch(t *testing.T) {
	store, cfg, want := lorelei(t)
	out := nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		w := Mapping(scope, cfg, in[0])
		truncated := Truncate(w, InsertAxes(in[1], 0), Scalar(w.Graph(), w.DType(), 0.7))
		ws, reversed := BroadcastW(cfg, w), BroadcastW(cfg, Reverse(w, 0))
		mixed := Concatenate([]*Node{Slice(ws, AxisRange(), AxisRange(0, 3)), Slice(reversed, AxisRange(), AxisRange(3))}, 1)
		all := Concatenate([]*Node{ws, BroadcastW(cfg, truncated), mixed}, 0) // in one batch, which compiles once
		images := Synthesis(scope, cfg, all, Noise{Mode: NoiseConst})
		return append([]*Node{w}, Split(images, 0, 3)...)
	}, tensor(t, want, "z"), tensor(t, want, "w_mean"))
	expect(t, "w", out[0], values(t, want, "w"), wTolerance)
	expect(t, "image", out[1], values(t, want, "image"), imageTolerance)
	expect(t, "truncated image", out[2], values(t, want, "image_psi_0_7"), imageTolerance)
	expect(t, "mixed image", out[3], values(t, want, "image_mixed_3"), imageTolerance)
}

func TestOtherShapeEqualsPyTorch(t *testing.T) {
	store, cfg, want := tiny(t, dtypes.Float32)
	out := nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		return []*Node{Mapping(scope, cfg, in[0]), Build(scope, cfg, in[0], Noise{Mode: NoiseConst})}
	}, tensor(t, want, "z"))
	expect(t, "w", out[0], values(t, want, "w"), wTolerance)
	expect(t, "image", out[1], values(t, want, "image"), imageTolerance)
}

func TestGradientOfZ(t *testing.T) {
	store, cfg, _ := tiny(t, dtypes.Float64)
	z := make([]float64, 2*cfg.StyleDim)
	for i := range z {
		z[i] = float64(i%7)/3 - 1.1
	}
	// The slope of the activations jumps at 0: a step of 1e-6 crosses it almost never.
	nntest.CheckGradient(t, store, func(scope *model.Scope, z *Node) *Node {
		return Build(scope, cfg, z, Noise{Mode: NoiseConst})
	}, tensors.FromFlatDataAndDimensions(z, 2, cfg.StyleDim), 1e-6, 1e-5)
}

// Recomputed layers give the same picture and the same gradient, up to rounding, from a larger graph.
func TestRecompute(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles two gradients; TestGradientOfZ has one")
	}
	z := make([]float64, 2*32)
	for i := range z {
		z[i] = float64(i%7)/3 - 1.1
	}
	run := func(recompute bool) (out [][]float32, nodes int) {
		store, cfg, _ := tiny(t, dtypes.Float64)
		cfg.Recompute = recompute
		out = nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
			image := Build(scope, cfg, in[0], Noise{Mode: NoiseConst})
			gradient := Gradient(ReduceAllSum(Square(image)), in[0])[0]
			nodes = int(gradient.Id())
			return []*Node{ConvertDType(image, dtypes.Float32), ConvertDType(gradient, dtypes.Float32)}
		}, tensors.FromFlatDataAndDimensions(z[:2*cfg.StyleDim], 2, cfg.StyleDim))
		return out, nodes
	}
	want, fewer := run(false)
	got, more := run(true)
	for i, name := range []string{"picture", "gradient"} {
		largest := nntest.MaxAbs(t, want[i], make([]float32, len(want[i])))
		if d := nntest.MaxAbs(t, got[i], want[i]); d > 1e-6*largest { // float64, rounded to float32
			t.Errorf("the %s differs by %g; its largest element is %g", name, d, largest)
		}
	}
	if more <= fewer {
		t.Errorf("%d nodes with recomputation, %d without", more, fewer)
	}
}

// Layers are clamped here, so low that it matters: where they are, the gradient is zero.
func TestGradientOfLayerStyles(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a gradient; TestGradientOfZ has one")
	}
	store, cfg, _ := tiny(t, dtypes.Float64)
	cfg.ConvClamp = 2
	n := cfg.NumLayers() * cfg.StyleDim
	ws := make([]float64, n)
	for i := range ws {
		ws[i] = float64(i%11)/5 - 1.03
	}
	nntest.CheckGradient(t, store, func(scope *model.Scope, ws *Node) *Node {
		return Synthesis(scope, cfg, ws, Noise{Mode: NoiseNone})
	}, tensors.FromFlatDataAndDimensions(ws, 1, cfg.NumLayers(), cfg.StyleDim), 1e-6, 1e-5)
}

func TestBGRWeightsGiveRGB(t *testing.T) {
	cfg, weights, want := tinyWeights(t)
	render := func(cfg Config) []float32 {
		return nntest.Run(t, load(t, cfg, weights, dtypes.Float32), func(scope *model.Scope, in []*Node) []*Node {
			return []*Node{Build(scope, cfg, in[0], Noise{Mode: NoiseConst})}
		}, tensor(t, want, "z"))[0]
	}
	rgb := render(cfg)
	cfg.ColorOrder = "BGR"
	bgr := render(cfg)
	plane := cfg.Size * cfg.Size
	for i, v := range rgb {
		picture, channel, at := i/(3*plane), i/plane%3, i%plane
		if got := bgr[picture*3*plane+(2-channel)*plane+at]; abs(got-v) > 1e-5 {
			t.Fatalf("picture %d channel %d pixel %d: %g with BGR weights, %g with RGB", picture, channel, at, got, v)
		}
	}
}

func abs(v float32) float32 { return max(v, -v) }

// A picture's noise follows its key: not its place in the batch, nor what else is in it.
func TestRandomNoiseFollowsKey(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the network for two batches")
	}
	store, cfg, want := tiny(t, dtypes.Float32)
	z := values(t, want, "z")
	render := func(keys ...uint64) []float32 {
		var batch []float32
		for range keys {
			batch = append(batch, z[:cfg.StyleDim]...)
		}
		return nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
			return []*Node{Build(scope, cfg, in[0], Noise{Mode: NoiseRandom, Keys: in[1]})}
		}, tensors.FromFlatDataAndDimensions(batch, len(keys), cfg.StyleDim), keys)[0]
	}
	size := 3 * cfg.Size * cfg.Size
	three, one := render(5, 1<<40, 9), render(9)
	if d := nntest.MaxAbs(t, three[2*size:], one); d > 1e-5 {
		t.Errorf("key 9 gives another picture at place 2 of a batch: difference %g", d)
	}
	if d := nntest.MaxAbs(t, three[:size], three[size:2*size]); d < 1e-3 {
		t.Errorf("keys 5 and 2⁴⁰ give the same picture")
	}
}

func TestLoadNamesWrongTensors(t *testing.T) {
	cfg, weights, _ := tinyWeights(t)
	broken := func(change func(map[string]checkpoints.Tensor)) error {
		copied := &checkpoints.Weights{Source: "file.pt", Tensors: map[string]checkpoints.Tensor{}}
		for name, tensor := range weights.Tensors {
			copied.Tensors[name] = tensor
		}
		change(copied.Tensors)
		return Load(model.NewStore().RootScope(), cfg, copied, dtypes.Float32)
	}
	for _, c := range []struct {
		name   string
		change func(map[string]checkpoints.Tensor)
		want   string
	}{
		{"missing", func(m map[string]checkpoints.Tensor) { delete(m, "conv1.conv.weight") },
			`"conv1.conv.weight" is missing`},
		{"surplus", func(m map[string]checkpoints.Tensor) { m["convs.9.noise.weight"] = m["conv1.noise.weight"] },
			`surplus tensor "convs.9.noise.weight"`},
		{"shape", func(m map[string]checkpoints.Tensor) { m["input.input"] = m["conv1.conv.weight"] },
			`"input.input" has shape [1 10 10 3 3]; expected [1 10 4 4]`},
	} {
		err := broken(c.change)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "file.pt") {
			t.Errorf("%s: got %v, want an error with %q and the file", c.name, err, c.want)
		}
	}
}

func TestValidateNamesField(t *testing.T) {
	good := Config{ModelType: ModelType, Size: 16, StyleDim: 12, NMLP: 3, LRMLP: 0.01,
		Channels: map[int]int{4: 8, 8: 8, 16: 8}, ColorOrder: "RGB"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for field, change := range map[string]func(*Config){
		"model_type":   func(c *Config) { c.ModelType = "stylegan3" },
		"size":         func(c *Config) { c.Size = 48 },
		"style_dim":    func(c *Config) { c.StyleDim = 0 },
		"n_mlp":        func(c *Config) { c.NMLP = -1 },
		"lr_mlp":       func(c *Config) { c.LRMLP = 0 },
		"color_order":  func(c *Config) { c.ColorOrder = "GBR" },
		"conv_clamp":   func(c *Config) { c.ConvClamp = -1 },
		"channels[16]": func(c *Config) { c.Size = 16; c.Channels = map[int]int{4: 8, 8: 8} },
	} {
		c := good
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
	if got := (Config{Size: 1024}).NumLayers(); got != 18 {
		t.Errorf("a generator of 1024 pixels has %d layers, want 18", got)
	}
}
