package train

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"illustrator/checkpoints"
	"illustrator/internal/parity"
	"illustrator/losses"
	"illustrator/models/clip"
	"illustrator/models/mapper"
	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// gradientOutput is the gradient of the total loss for all of the mapper.
const gradientOutput = "gradient"

// gradientTolerance bounds the gradient's relative error. It goes through mapper, generator and CLIP and back,
// and turns where an activation's slope jumps: the golden, itself in float32, has 1e-3 in some parameters
// (compareGradients), and on the CPU 2e-4 was found in float32 and 0.28 in bfloat16, most of it in the few pictures
// whose edges move. TF32 keeps three bits more than bfloat16, for an eighth of its error.
var gradientTolerance = map[string]float64{parity.Float32: 1e-3, parity.TF32: 0.1, parity.BFloat16: 0.5}

// TestDeviceParity measures how far the embedded networks, the first step's losses and its gradient are from PyTorch's
// goldens on the backend that nntest.BackendEnv names, and writes the figures for `make gpu-check`.
func TestDeviceParity(t *testing.T) {
	if os.Getenv(parity.Env) == "" {
		t.Skip("a check of a device; run `make gpu-check`")
	}
	set := parity.Set{Name: "embedded", Backend: nntest.BackendName()}
	usual := parity.Usual(set.Backend)
	add := func(network, output, precision string, deviation float64) {
		f := parity.Figure{Network: network, Output: output, Precision: precision, Error: deviation,
			Allowed: parity.Tolerance(set.Backend, precision)}
		if output == gradientOutput {
			f.Allowed = gradientTolerance[precision]
		}
		set.Figures = append(set.Figures, f)
		if !f.OK() {
			t.Errorf("%s, %s in %s: relative error %.3g, allowed %g", network, output, precision, deviation, f.Allowed)
		}
	}
	compare := func(network, output, precision string, got, want []float32) {
		add(network, output, precision, parity.Relative(got, want))
	}
	dtypeOf := map[string]dtypes.DType{usual: dtypes.Float32}
	if usual == parity.Float32 {
		dtypeOf[parity.BFloat16] = dtypes.BFloat16
	}
	for _, precision := range []string{usual, parity.BFloat16} {
		dtype, ok := dtypeOf[precision]
		if !ok {
			continue
		}
		generatorParity(t, dtype, func(output string, got,
			want []float32) {
			compare("generator", output, precision, got, want)
		})
		clipParity(t, dtype, func(output string, got, want []float32) { compare("CLIP", output, precision, got, want) })
		if dtype == dtypes.Float32 {
			got, want := mapperParity(t)
			compare("mapper", "z", precision, got, want)
		}
		stepParity(t, precision, func(output string, deviation float64) {
			add("training step", output, precision,
				deviation)
		})
	}
	if err := set.Write(); err != nil {
		t.Fatal(err)
	}
}

// generatorParity compares w and pictures of the embedded generator, in bfloat16 pictures alone: its mapping network
// stays float32.
func generatorParity(t *testing.T, dtype dtypes.DType, compare func(output string, got, want []float32)) {
	t.Helper()
	var cfg stylegan2.Config
	weights := nntest.Embedded(t, "embedded:lorelei/generator", &cfg)
	store := model.NewStore()
	if err := stylegan2.Load(store.RootScope(), cfg, weights, dtype); err != nil {
		t.Fatal(err)
	}
	want := nntest.Golden(t, "../models/stylegan2/testdata/lorelei.safetensors")
	out := nntest.Run(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		w := stylegan2.Mapping(scope, cfg, in[0])
		image := stylegan2.Synthesis(scope, cfg, stylegan2.BroadcastW(cfg, w), stylegan2.Noise{Mode: stylegan2.NoiseConst})
		return []*graph.Node{nn.Widen(w), nn.Widen(image)}
	}, goldenTensor(t, want, "z"))
	if dtype == dtypes.Float32 {
		compare("w", out[0], goldenValues(t, want, "w"))
	}
	compare("image", out[1], goldenValues(t, want, "image"))
}

// clipParity compares embeddings of the embedded CLIP; in bfloat16 those of pictures, for texts are embedded in
// float32.
func clipParity(t *testing.T, dtype dtypes.DType, compare func(output string, got, want []float32)) {
	t.Helper()
	folder, err := checkpoints.Open("embedded:lorelei/clip")
	if err != nil {
		t.Fatal(err)
	}
	cfg, tokenizer, err := clip.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	if err := nn.Load(store.RootScope(), nntest.Embedded(t, "embedded:lorelei/clip", nil), dtype, false); err != nil {
		t.Fatal(err)
	}
	want := nntest.Golden(t, "../models/clip/testdata/lorelei_goldens.safetensors")
	var cases []struct{ Text string }
	tokens, err := os.ReadFile("../models/clip/testdata/lorelei_tokens.json")
	if err == nil {
		err = json.Unmarshal(tokens, &cases)
	}
	if err != nil {
		t.Fatal(err)
	}
	var ids [][]int32
	for _, c := range cases {
		ids = append(ids, tokenizer.Encode(c.Text).IDs)
	}
	out := nntest.Run(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		images := clip.Scaled(nn.Widen(clip.ImageEmbeds(scope, cfg, clip.Preprocess(cfg, in[0]))))
		if dtype != dtypes.Float32 {
			return []*graph.Node{images}
		}
		return []*graph.Node{images, clip.Scaled(clip.TextEmbeds(scope, cfg, in[1]))}
	}, goldenTensor(t, want, "images"), ids)
	compare("image_embeds", out[0], goldenValues(t, want, "image_embeds"))
	if dtype == dtypes.Float32 {
		compare("text_embeds", out[1], goldenValues(t, want, "text_embeds"))
	}
}

// mapperParity runs the first step's mapper as a training does, with BatchNorm over the batch.
func mapperParity(t *testing.T) (got, want []float32) {
	t.Helper()
	training, golden := goldenTraining(t, dtypes.Float32)
	out := nntest.Run(t, training.Networks.Store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		scope.Store().SetTraining(in[0].Graph(), true)
		return []*graph.Node{mapper.Build(scope.At(pipeline.MapperScope), training.Mapper, in[0])}
	}, goldenInputs[float32](t, golden, 0)[1])
	return out[0], goldenValues(t, golden, "z_pred")
}

// stepParity does the golden training's first step, with generator and CLIP in precision, and compares its losses and
// the gradient for all of the mapper.
func stepParity(t *testing.T, precision string, compare func(output string, deviation float64)) {
	t.Helper()
	training, golden := goldenTraining(t, dtypes.Float32)
	training.Config.Precision = pipeline.Float32
	if precision == parity.BFloat16 {
		training.Config.Precision = pipeline.BFloat16
		if err := training.Networks.NeedFrozenIn(pipeline.BFloat16); err != nil {
			t.Fatal(err)
		}
	}
	runGolden[float32](t, training, golden, 1, func(_ int, got losses.Values) {
		want := losses.ValuesOf(goldenValues(t, golden, "losses"))
		for _, c := range []struct {
			name      string
			got, want float64
		}{
			{"total", got.Total, want.Total}, {"l1", got.L1, want.L1},
			{"semantic", got.Semantic, want.Semantic}, {"regularization", got.Regularization, want.Regularization},
		} {
			compare(c.name, math.Abs(c.got-c.want)/math.Abs(c.want))
		}
	})
	got, want := gradientOf(t, training, golden)
	compare(gradientOutput, parity.Relative(got, want))
}

// gradientOf returns the first step's gradient for all of the mapper, from Adam's first moments, and PyTorch's.
func gradientOf(t *testing.T, training *Training, golden *checkpoints.Weights) (got, want []float32) {
	t.Helper()
	scale := 1 / (1 - training.Config.Optimizer.Beta1)
	for _, name := range training.Mapper.Names() {
		if mapper.IsBuffer(name) {
			continue
		}
		moment := training.Networks.Store.Scope(optimizer.AdamDefaultScope + "/" + pipeline.MapperScope).GetVariable(name +
			"_1st_moment")
		if moment == nil {
			t.Fatalf("Adam has no first moment of %s", name)
		}
		for _, v := range tensors.MustCopyFlatData[float32](moment.MustValue()) {
			got = append(got, float32(float64(v)*scale))
		}
		want = append(want, goldenValues(t, golden, "grad."+name)...)
	}
	return got, want
}

func goldenTensor(t *testing.T, w *checkpoints.Weights, name string) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(goldenValues(t, w, name), w.Tensors[name].Shape...)
}
