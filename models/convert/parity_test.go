package convert

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/clip"
	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
	"illustrator/models/stylegan2"
)

// convertFolder converts a file of testdata and opens what came out.
func convertFolder(t *testing.T, name string, opts Options) (*checkpoints.Folder, Report) {
	t.Helper()
	dst := filepath.Join(t.TempDir(), "out")
	report, err := Convert(filepath.Join("testdata", name), dst, opts)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := checkpoints.Open(dst)
	if err != nil {
		t.Fatal(err)
	}
	return folder, report
}

func goldenValues(t *testing.T, w *checkpoints.Weights, name string) []float32 {
	t.Helper()
	v, err := w.Tensors[name].Float32s()
	if err != nil {
		t.Fatal(err)
	}
	if len(v) == 0 {
		t.Fatalf("the golden %q is missing", name)
	}
	return v
}

func goldenTensor(t *testing.T, w *checkpoints.Weights, name string) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(goldenValues(t, w, name), w.Tensors[name].Shape...)
}

// A converted network gives PyTorch's pictures: those of NVIDIA's definition with clamped layers, in both protocols
// that their files are pickled with, and without clamps. Float32 sums in another order than PyTorch's.
func TestNVIDIAEqualsPyTorch(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles two generators; run without -short")
	}
	golden := nntest.Golden(t, "testdata/nvidia.safetensors")
	for _, c := range []struct {
		file, golden string
		clamp        float64
	}{{"nvidia.pkl", "nvidia", 1.5}, {"nvidia_float32.pkl", "nvidia_float32", 0}} {
		t.Run(c.file, func(t *testing.T) {
			folder, _ := convertFolder(t, c.file, Options{})
			var cfg stylegan2.Config
			weights := nntest.Embedded(t, folder.Location(), &cfg)
			if cfg.ConvClamp != c.clamp {
				t.Errorf("conv_clamp is %g, want %g", cfg.ConvClamp, c.clamp)
			}
			store := model.NewStore()
			if err := stylegan2.Load(store.RootScope(), cfg, weights, dtypes.Float32); err != nil {
				t.Fatal(err)
			}
			mean := goldenTensor(t, weights, stylegan2.LatentAvg)
			out := nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
				noise := stylegan2.Noise{Mode: stylegan2.NoiseConst}
				w := stylegan2.Mapping(scope, cfg, in[0])
				truncated := stylegan2.Truncate(w, InsertAxes(in[1], 0), Scalar(w.Graph(), w.DType(), 0.7))
				return []*Node{w, stylegan2.Synthesis(scope, cfg, stylegan2.BroadcastW(cfg, w), noise),
					stylegan2.Synthesis(scope, cfg, stylegan2.BroadcastW(cfg, truncated), noise)}
			}, goldenTensor(t, golden, "z"), mean)
			for i, name := range []string{"w", "image", "truncated"} {
				if d := nntest.MaxAbs(t, out[i], goldenValues(t, golden, c.golden+"."+name)); d > 2e-5 {
					t.Errorf("%s differs from PyTorch by %g, more than 2e-5", name, d)
				}
			}
		})
	}
}

// The layouts that CLIPs are published in. Weights are widened to float32 when they are loaded, and so they were for
// the goldens.
var clipLayouts = []struct {
	file, golden string
	kind         Kind
	options      Options
	act          clip.Activation
	heads        [2]int // of text and vision
	source       string // the file in the manifest
	report       []string
}{
	{"hf_shards", "hf_shards", CLIPHuggingFace, Options{}, "gelu", [2]int{4, 2},
		"model.safetensors.index.json", []string{"78 F16"}},
	{"hf_bin_shards", "hf_bin_shards", CLIPHuggingFace, Options{}, "quick_gelu", [2]int{4, 2},
		"pytorch_model.bin.index.json", []string{"78 BF16"}},
	{"openclip", "openclip", CLIPOpenCLIP, Options{}, "gelu", [2]int{4, 4}, "open_clip_model.safetensors",
		[]string{"OpenCLIP's layout", "F32"}},
	{"openai.pt", "openai", CLIPOpenAI, Options{}, "quick_gelu", [2]int{1, 1}, "openai.pt",
		[]string{"OpenAI's layout", "F16", "F32", "the constant input_resolution"}},
}

func TestCLIPLayoutsEqualPyTorch(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a CLIP for each layout; run without -short")
	}
	golden := nntest.Golden(t, "testdata/layouts/goldens.safetensors")
	for _, l := range clipLayouts {
		t.Run(l.file, func(t *testing.T) {
			folder, report := convertFolder(t, "layouts/"+l.file, l.options)
			text := fmt.Sprint(report.Rows())
			for _, part := range l.report {
				if !strings.Contains(text, part) {
					t.Errorf("the report lacks %q:\n%s", part, text)
				}
			}
			if report.Kind != l.kind || report.Source.File != l.source {
				t.Errorf("%s from %s, want %s from %s", report.Kind, report.Source.File, l.kind, l.source)
			}
			cfg, tokenizer, err := clip.Open(folder)
			if err != nil {
				t.Fatal(err)
			}
			if cfg.Text.HiddenAct != l.act || cfg.Vision.HiddenAct != l.act || cfg.Text.NumAttentionHeads != l.heads[0] ||
				cfg.Vision.NumAttentionHeads != l.heads[1] {
				t.Errorf("configuration %+v", cfg)
			}
			checkTokens(t, tokenizer, golden, l.golden)
			checkEmbeds(t, folder, cfg, golden, l.golden)
		})
	}
}

// goldenTexts are the texts of make_clip.py.
var goldenTexts = []string{"a person with hair", "It's an Inn!", ""}

func checkTokens(t *testing.T, tokenizer *clip.Tokenizer, golden *checkpoints.Weights, name string) {
	t.Helper()
	var got []byte
	for _, text := range goldenTexts {
		for _, id := range tokenizer.Encode(text).IDs {
			got = append(got, byte(id), byte(id>>8), byte(id>>16), byte(id>>24))
		}
	}
	if want := golden.Tensors[name+".ids"]; !slices.Equal(got, want.Data) {
		t.Errorf("ids %v, want %v", got, want.Data)
	}
}

func checkEmbeds(t *testing.T, folder *checkpoints.Folder, cfg clip.Config, golden *checkpoints.Weights, name string) {
	t.Helper()
	store := model.NewStore()
	if err := nn.Load(store.RootScope(), nntest.Embedded(t, folder.Location(), nil), dtypes.Float32, false); err != nil {
		t.Fatal(err)
	}
	raw := golden.Tensors[name+".ids"]
	ids := make([]int32, raw.Elements())
	for i := range ids {
		ids[i] = int32(raw.Data[4*i]) | int32(raw.Data[4*i+1])<<8
	}
	out := nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		return []*Node{clip.ImageEmbeds(scope, cfg, in[0]), clip.TextEmbeds(scope, cfg, in[1])}
	}, goldenTensor(t, golden, name+".pixel_values"), tensors.FromFlatDataAndDimensions(ids, raw.Shape...))
	for i, what := range []string{".image_embeds", ".text_embeds"} {
		if d := nntest.MaxAbs(t, out[i], goldenValues(t, golden, name+what)); d > 2e-5 {
			t.Errorf("%s differs from PyTorch by %g, more than 2e-5", what, d)
		}
	}
}
