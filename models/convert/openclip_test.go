package convert

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/clip"
)

// copyLayout copies a folder of testdata/layouts so that a test can change it.
func copyLayout(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata/layouts", name))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// rewrite changes a JSON file.
func rewrite(t *testing.T, path string, change func(v map[string]any)) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	change(v)
	if data, err = json.Marshal(v); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Each configuration of OpenCLIP that asks for another graph is refused by its field.
func TestOpenCLIPRefuses(t *testing.T) {
	part := func(of, field string, value any) func(v map[string]any) {
		return func(v map[string]any) {
			m := v["model_cfg"].(map[string]any)
			if of != "" {
				m = m[of].(map[string]any)
			}
			m[field] = value
		}
	}
	for want, change := range map[string]func(v map[string]any){
		"timm_model_name is":                        part("vision_cfg", "timm_model_name", "vit_base"),
		"attentional_pool is true":                  part("vision_cfg", "attentional_pool", true),
		"no_causal_mask is true":                    part("text_cfg", "no_causal_mask", true),
		"hf_tokenizer_name is":                      part("text_cfg", "hf_tokenizer_name", "xlm"),
		"custom_text is true":                       part("", "custom_text", true),
		`field "qk_gain" is not known`:              part("vision_cfg", "qk_gain", 1),
		"vision_cfg.layers is 3, the weights have":  part("vision_cfg", "layers", 3),
		"text_cfg.context_length is 77, the weight": part("text_cfg", "context_length", 77),
		"text_cfg.heads 0":                          part("text_cfg", "heads", 0),
		"text_config.num_attention_heads is 5":      part("text_cfg", "heads", 5),
		"preprocess_cfg.mean is [0.5 0.5 0.5]": func(v map[string]any) {
			v["preprocess_cfg"] = map[string]any{"mean": []float64{.5, .5, .5}}
		},
	} {
		src := copyLayout(t, "openclip")
		rewrite(t, filepath.Join(src, openCLIPConfig), change)
		refuse(t, src, Options{}, want)
	}
	none := copyLayout(t, "openclip")
	os.Remove(filepath.Join(none, "open_clip_model.safetensors"))
	refuse(t, none, Options{}, "has none of the weights")
	words := copyLayout(t, "openclip")
	os.Remove(filepath.Join(words, "vocab.json"))
	refuse(t, words, Options{}, "has no vocabulary")
	if data, err := os.ReadFile("testdata/layouts/bpe_simple_vocab_16e6.txt.gz"); err != nil ||
		os.WriteFile(filepath.Join(words, mergesFile), data, 0o644) != nil {
		t.Fatal(err)
	}
	if _, err := Convert(words, filepath.Join(t.TempDir(), "out"), Options{}); err != nil {
		t.Error(err)
	}
}

// OpenCLIP's network is the same in PyTorch's format, and in a checkpoint of its training, which is of another type and
// does not say its activation.
func TestOpenCLIPInOtherFiles(t *testing.T) {
	whole, _ := convertFolder(t, "layouts/openclip", Options{})
	w, err := whole.Weights()
	if err != nil {
		t.Fatal(err)
	}
	old := copyLayout(t, "openclip")
	in, err := checkpoints.ReadSafetensors(filepath.Join(old, "open_clip_model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(old, "open_clip_model.safetensors"))
	if err := os.WriteFile(filepath.Join(old, "open_clip_pytorch_model.bin"), torchBytes(t, "", in), 0o644); err != nil {
		t.Fatal(err)
	}
	if report, err := Convert(old, filepath.Join(t.TempDir(), "out"), Options{}); err != nil ||
		report.SHA256 != whole.SHA256() {
		t.Errorf("other weights of open_clip_pytorch_model.bin: %v", err)
	}
	refuse(t, "testdata/layouts/openclip_epoch.pt", Options{}, "does not say its activation")
	refuse(t, "testdata/layouts/openclip_epoch.pt", Options{Activation: "relu"}, `activation "relu" is unknown`)
	refuse(t, "testdata/layouts/openai.pt", Options{Activation: "gelu"}, `the file says "quick_gelu"`)
	refuse(t, "testdata/layouts/openai.pt", Options{Vocabulary: "testdata/clip.safetensors"}, "gzip")
	epoch, _ := convertFolder(t, "layouts/openclip_epoch.pt", Options{Activation: "gelu", Vocabulary: whole.Location()})
	half, err := epoch.Weights()
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range w.Tensors {
		if y := half.Tensors[name]; y.DType != checkpoints.BF16 || !cmp.Equal(x.Shape, y.Shape) {
			t.Errorf("%s: %s %v, want BF16 %v", name, y.DType, y.Shape, x.Shape)
		}
	}
}

// A vocabulary that would unpack to gigabytes is not unpacked.
func TestVocabularyBomb(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 40 {
		z.Write(make([]byte, 1<<20))
	}
	z.Close()
	path := filepath.Join(t.TempDir(), mergesFile)
	if err := os.WriteFile(path, bomb.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := (&source{}).findVocabulary(path, 600); err == nil ||
		!strings.Contains(err.Error(), "unpacks to more than 33554432 bytes") {
		t.Errorf("got %v", err)
	}
}

// An index and the files that it names must agree.
func TestShardsRefuse(t *testing.T) {
	const index = "model.safetensors.index.json"
	for want, change := range map[string]func(dir string, files map[string]any){
		"no such file": func(dir string, _ map[string]any) {
			os.Remove(filepath.Join(dir, "model-00002-of-00003.safetensors"))
		},
		`which is not a file beside it`: func(_ string, f map[string]any) { f["logit_scale"] = "../x.safetensors" },
		"tensors, the index names":      func(_ string, f map[string]any) { f["more"] = f["logit_scale"] },
		`which the index has in ""`:     func(_ string, f map[string]any) { delete(f, "logit_scale") },
		"weight_map is empty":           func(_ string, f map[string]any) { clear(f) },
		"header claims 9223372036854775807 by": func(dir string, _ map[string]any) {
			breakHeader(t, filepath.Join(dir, "model-00001-of-00003.safetensors"))
		},
	} {
		src := copyLayout(t, "hf_shards")
		rewrite(t, filepath.Join(src, index), func(v map[string]any) { change(src, v["weight_map"].(map[string]any)) })
		refuse(t, src, Options{}, want, index)
	}
}

func breakHeader(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copy(data, "\xff\xff\xff\xff\xff\xff\xff\x7f")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// OpenCLIP's cleaning of texts is kept.
func TestOpenCLIPCleaning(t *testing.T) {
	for clean, want := range map[string]clip.Cleaning{
		"": clip.CleanOpenAI, "lower": clip.CleanOpenAI, "whitespace": clip.CleanWhitespace,
		"whitespace_underscore": clip.CleanUnderscore, "canonicalize": clip.CleanCanonicalize,
	} {
		src := copyLayout(t, "openclip")
		rewrite(t, filepath.Join(src, openCLIPConfig), func(v map[string]any) {
			kwargs := map[string]any{}
			if clean != "" {
				kwargs["clean"] = clean
			}
			v["model_cfg"].(map[string]any)["text_cfg"].(map[string]any)["tokenizer_kwargs"] = kwargs
		})
		out := filepath.Join(t.TempDir(), "clip")
		if _, err := Convert(src, out, Options{}); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(out, "config.json"))
		if err != nil {
			t.Fatal(err)
		}
		var config struct {
			Cleaning clip.Cleaning `json:"text_cleaning"`
		}
		if err := json.Unmarshal(data, &config); err != nil || config.Cleaning != want {
			t.Errorf("clean %q: %q, %v; want %q", clean, config.Cleaning, err, want)
		}
	}
}

// OpenCLIP's resizing is kept; what is not supported is refused.
func TestOpenCLIPPreprocessor(t *testing.T) {
	const size = 32
	for _, c := range []struct {
		interpolation, mode string
		want                *clip.Preprocessor
	}{
		{"", "", nil}, {"bicubic", "shortest", nil},
		{"bilinear", "shortest", &clip.Preprocessor{ShortestEdge: size, Filter: clip.Bilinear, Crop: true, Size: size}},
		{"bicubic", "squash", &clip.Preprocessor{Width: size, Height: size, Filter: clip.Bicubic, Size: size}},
	} {
		raw, err := openCLIPPreprocessor(c.interpolation, c.mode, size)
		if err != nil || (raw == nil) != (c.want == nil) {
			t.Errorf("%q, %q: %s, %v", c.interpolation, c.mode, raw, err)
			continue
		}
		if raw == nil {
			continue
		}
		if got, err := clip.DecodePreprocessor(raw, size); err != nil || got != *c.want {
			t.Errorf("%q, %q: %+v, %v; want %+v", c.interpolation, c.mode, got, err, *c.want)
		}
	}
	for _, c := range [][2]string{{"random", ""}, {"", "longest"}} {
		if raw, err := openCLIPPreprocessor(c[0], c[1], size); err == nil {
			t.Errorf("%q: %s", c, raw)
		}
	}
}

// A CLIP of Hugging Face's with tokenizer.json alone gets both files of a vocabulary, which are those of the embedded
// CLIP, whose tokenizer it is. One of another kind is refused.
func TestTokenizerInOneFile(t *testing.T) {
	const embedded, one = "../../checkpoints/lorelei/clip", "../clip/testdata/tokenizer.json"
	src, dst := t.TempDir(), filepath.Join(t.TempDir(), "clip")
	tokenizer, err := os.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	for name, from := range map[string]string{"config.json": embedded, "model.safetensors": embedded} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(src, name), data, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	open := func(location string) *clip.Tokenizer {
		t.Helper()
		folder, err := checkpoints.Open(location)
		if err != nil {
			t.Fatal(err)
		}
		_, opened, err := clip.Open(folder)
		if err != nil {
			t.Fatal(err)
		}
		return opened
	}
	write := func(data []byte) {
		if err := os.WriteFile(filepath.Join(src, clip.TokenizerFile), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(bytes.ReplaceAll(tokenizer, []byte(`"end_of_word_suffix": "</w>"`), []byte(`"end_of_word_suffix": ""`)))
	if _, err := Convert(src, dst, Options{}); err == nil || !strings.Contains(err.Error(), "end_of_word_suffix") ||
		fault.HintOf(err) == "" {
		t.Errorf("another kind: %v", err)
	}
	write(tokenizer)
	if _, err := Convert(src, dst, Options{}); err != nil {
		t.Fatal(err)
	}
	const text = "A woman with wavy, blond hair & 2 earrings"
	want := open(embedded).Encode(text).IDs
	for name, location := range map[string]string{"converted": dst, "as it is": src} {
		if got := open(location).Encode(text).IDs; !slices.Equal(got, want) {
			t.Errorf("%s: tokens %v, want %v", name, got, want)
		}
	}
	for _, name := range tokenizerFiles {
		if !exists(filepath.Join(dst, name)) {
			t.Errorf("%s was not written", name)
		}
	}
}
