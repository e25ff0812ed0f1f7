package clip

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
)

// TestLoreleiParity goes from texts and pictures to scaled embeddings and eq. 3, with the embedded CLIP.
// The tolerances are the project's, 1e-4 for unit vectors; scaled embeddings are √128 times as long.
func TestLoreleiParity(t *testing.T) {
	folder, err := checkpoints.Open("embedded:lorelei/clip")
	if err != nil {
		t.Fatal(err)
	}
	cfg, tokenizer, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	w, err := folder.Weights()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Check(cfg.Shapes()); err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	if err := nn.Load(store.RootScope(), w, dtypes.Float32, false); err != nil {
		t.Fatal(err)
	}
	want := readTensors(t, "lorelei_goldens.safetensors")
	var ids [][]int32
	for _, c := range tokenCases(t, "lorelei_tokens.json") {
		ids = append(ids, tokenizer.Encode(c.Text).IDs)
	}
	got := nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		texts, images := Scaled(TextEmbeds(scope, cfg, in[0])), Scaled(ImageEmbeds(scope, cfg, Preprocess(cfg, in[1])))
		textPrompt, imagePrompt := Scaled(TextEmbeds(scope, cfg, in[2])), Scaled(ReduceAndKeep(images, ReduceMean, 0))
		described := Slice(texts, AxisRange(0, 24)) // the others are odd texts
		return []*Node{texts, images, imagePrompt, Project(described, textPrompt, imagePrompt,
			Scalar(in[1].Graph(), dtypes.Float32, 1.75))}
	}, ids, goldenTensor(t, want, "images"), [][]int32{tokenizer.Encode("A person.").IDs})
	for i, name := range []string{"text_embeds", "image_embeds", "image_prompt", "projected"} {
		d := nntest.MaxAbs(t, normalised(got[i], cfg.ProjectionDim), normalised(golden(t, want, name), cfg.ProjectionDim))
		t.Logf("%s: largest difference %.2g", name, d)
		if d > 1e-4 {
			t.Errorf("%s differ by %g, allowed 1e-4", name, d)
		}
		if d := nntest.MaxAbs(t, got[i], golden(t, want, name)); d > 1e-3 {
			t.Errorf("%s, not normalised, differ by %g, allowed 1e-3", name, d)
		}
	}
}

// TestOpen reads copies of the embedded folder in which one file does not fit the others.
func TestOpen(t *testing.T) {
	source, err := checkpoints.Open("embedded:lorelei/clip")
	if err != nil {
		t.Fatal(err)
	}
	open := func(t *testing.T, change func(config map[string]any, files map[string]string)) (Config, *Tokenizer, error) {
		files, dir := map[string]string{}, t.TempDir()
		for _, name := range []string{"config.json", "vocab.json", "merges.txt"} {
			data, err := source.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = string(data)
		}
		var config map[string]any
		if err := json.Unmarshal([]byte(files["config.json"]), &config); err != nil {
			t.Fatal(err)
		}
		change(config, files)
		data, err := json.Marshal(config)
		if err != nil {
			t.Fatal(err)
		}
		files["config.json"], files["model.safetensors"] = string(data), "not read here"
		for name, content := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		folder, err := checkpoints.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		return Open(folder)
	}
	text := func(config map[string]any) map[string]any { return config["text_config"].(map[string]any) }

	cfg, tokenizer,
		err := open(t, func(config map[string]any, _ map[string]string) { text(config)["eos_token_id"] = legacyEOS })
	if err != nil || cfg.Text.EOSTokenID != 933 || tokenizer.Context() != 48 {
		t.Errorf("the legacy eos_token_id: got %d, context %d, %v; want 933 and 48", cfg.Text.EOSTokenID, tokenizer.Context(),
			err)
	}
	for name, test := range map[string]struct {
		change func(config map[string]any, files map[string]string)
		want   string
	}{
		"another end": {func(c map[string]any, _ map[string]string) { text(c)["eos_token_id"] = 932 },
			"<|endoftext|> at 933, but text_config.eos_token_id is 932"},
		"small vocabulary": {func(c map[string]any, _ map[string]string) {
			text(c)["vocab_size"],
				text(c)["eos_token_id"] = 500, 2
		}, "ids up to 933, but text_config.vocab_size is 500"},
		"bad config": {func(c map[string]any, _ map[string]string) { text(c)["num_attention_heads"] = 5 },
			"num_attention_heads is 5"},
		"bad vocabulary": {func(_ map[string]any, f map[string]string) { f["vocab.json"] = "{" }, "vocab.json:1"},
		"no merges":      {func(_ map[string]any, f map[string]string) { delete(f, "merges.txt") }, "merges.txt is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := open(t, test.change); err == nil || !strings.Contains(err.Error(), test.want) ||
				fault.HintOf(err) == "" {
				t.Errorf("got error %v, hint %q; want %q and a hint", err, fault.HintOf(err), test.want)
			}
		})
	}
}

// TestFitEmbedsAsTransformers embeds pictures of several shapes by the embedded CLIP and its preprocessor_config.json:
// cosines with transformers' CLIPImageProcessor and CLIPModel are 0.9999 at least.
func TestFitEmbedsAsTransformers(t *testing.T) {
	folder, err := checkpoints.Open("embedded:lorelei/clip")
	if err != nil {
		t.Fatal(err)
	}
	cfg, _, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	preprocessor, err := OpenPreprocessor(folder, cfg)
	if err != nil {
		t.Fatal(err)
	}
	w, err := folder.Weights()
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	if err := nn.Load(store.RootScope(), w, dtypes.Float32, false); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("testdata/preprocessor/embeds.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string][]float32
	if err := json.Unmarshal(raw, &want); err != nil || len(want) == 0 {
		t.Fatal(err)
	}
	names := slices.Sorted(maps.Keys(want))
	var pixels []float32
	for _, name := range names {
		pixels = append(pixels, preprocessor.Fit(readPNG(t, name+".png"))...)
	}
	size := cfg.Vision.ImageSize
	images := tensors.FromFlatDataAndDimensions(pixels, len(names), 3, size, size)
	got := nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		return []*Node{ImageEmbeds(scope, cfg, Preprocess(cfg, in[0]))}
	}, images)[0]
	for i, name := range names {
		embed := got[i*cfg.ProjectionDim : (i+1)*cfg.ProjectionDim]
		if cosine := cosineOf(embed, want[name]); cosine < 0.9999 {
			t.Errorf("%s: cosine %.6f", name, cosine)
		} else {
			t.Logf("%s: cosine %.7f", name, cosine)
		}
	}
}

func cosineOf(a, b []float32) float64 {
	var dot, aa, bb float64
	for i := range a {
		dot, aa, bb = dot+float64(a[i])*float64(b[i]), aa+float64(a[i])*float64(a[i]), bb+float64(b[i])*float64(b[i])
	}
	return dot / math.Sqrt(aa*bb)
}
