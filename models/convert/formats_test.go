package convert

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"illustrator/checkpoints"
	"illustrator/models/clip"
)

// NVIDIA's pickle in both protocols gives the same tensors, and the types of all layouts are told by content: the files
// are given names without meaning.
func TestRecognizedByContent(t *testing.T) {
	for name, kind := range map[string]Kind{
		"nvidia.pkl": StyleGAN2NVIDIA, "nvidia_protocol3.pkl": StyleGAN2NVIDIA, "mmgen.pth": StyleGAN2MMGen,
		"rosinality.pt":        StyleGAN2Rosinality,
		"projector_module.pth": MapperDense, "layouts/openai.pt": CLIPOpenAI, "layouts/openclip_epoch.pt": CLIPOpenAI,
		"layouts/openclip/open_clip_model.safetensors": CLIPOpenAI,
	} {
		path := filepath.Join(t.TempDir(), "download")
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := Recognize(path); err != nil || got != kind {
			t.Errorf("%s: recognised %q, %v; want %q", name, got, err, kind)
		}
	}
	// Files of before PyTorch 1.6 hold the same.
	for _, name := range []string{"rosinality.pt", "mmgen.pth"} {
		now, _ := convertFolder(t, name, Options{})
		then, report := convertFolder(t, "legacy_"+name, Options{})
		if now.SHA256() != then.SHA256() || !strings.HasPrefix(string(report.Kind), "stylegan2/") {
			t.Errorf("%s: another network of the old format", name)
		}
	}
	four, report := convertFolder(t, "nvidia.pkl", Options{})
	three, _ := convertFolder(t, "nvidia_protocol3.pkl", Options{})
	if four.SHA256() != three.SHA256() {
		t.Error("the protocol of a pickle changes the weights")
	}
	text := fmt.Sprint(report.Rows())
	for _, part := range []string{"NVIDIA's PyTorch repositories",
		"16×16 pixels, Z and W of 12, 3 mapping layers, channels 4:10 8:6 16:5, RGB, with mean W, layers clamped to ±1.5",
		"8 filter kernels, all equal", "the last 1 resolutions are computed in float16"} {
		if !strings.Contains(text, part) {
			t.Errorf("the report lacks %q:\n%s", part, text)
		}
	}
	if _, err := os.Stat("EXECUTED"); err == nil {
		t.Error("the program in the pickle was executed")
	}
}

// Each network that is built otherwise is refused by what is in it. The pickles differ from the good one by a few bytes
// of the same number, so that nothing else is wrong with them.
func TestNVIDIARefuses(t *testing.T) {
	good, err := os.ReadFile("testdata/nvidia.pkl")
	if err != nil {
		t.Fatal(err)
	}
	changed := func(name, old, new string) string {
		data := bytes.Replace(good, []byte(old), []byte(new), 1)
		if len(old) != len(new) || bytes.Equal(data, good) {
			t.Fatalf("%s: nothing was replaced", name)
		}
		path := filepath.Join(t.TempDir(), "x.pkl")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct{ src, want string }{
		"StyleGAN3":    {"testdata/nvidia_stylegan3.pkl", "a generator of StyleGAN3"},
		"labels":       {"testdata/nvidia_conditional.pkl", "c_dim is 4; expected 0"},
		"architecture": {changed("architecture", "skip", "orig"), "synthesis.b4.architecture is orig; expected skip"},
		"activation":   {changed("activation", "lrelu", "swish"), "activation is swish; expected lrelu"},
		"not a module": {changed("class", "_reconstruct_persistent_obj", "_reconstruct_persistent_foo"),
			"class torch_utils.persistence._reconstruct_persistent_foo"},
	} {
		t.Run(name, func(t *testing.T) { refuse(t, c.src, Options{}, c.want) })
	}
}

// published are configurations of Hugging Face's conversions of OpenAI's networks.
var published = map[string]clip.Config{
	"ViT-B/32":     vit(512, 768, 12, 224, 32, 512),
	"ViT-B/16":     vit(512, 768, 12, 224, 16, 512),
	"ViT-L/14":     vit(768, 1024, 24, 224, 14, 768),
	"ViT-L/14@336": vit(768, 1024, 24, 336, 14, 768),
}

func vit(embed, width, layers, size, patch, textWidth int) clip.Config {
	c := clip.Config{ModelType: clip.ModelType, ProjectionDim: embed}
	c.Vision = clip.VisionConfig{HiddenSize: width, IntermediateSize: 4 * width, NumHiddenLayers: layers,
		NumAttentionHeads: width / 64,
		NumChannels:       3, ImageSize: size, PatchSize: patch, HiddenAct: "quick_gelu", LayerNormEps: 1e-5}
	c.Text = clip.TextConfig{HiddenSize: textWidth, IntermediateSize: 4 * textWidth, NumHiddenLayers: 12,
		NumAttentionHeads:     textWidth / 64,
		MaxPositionEmbeddings: 77, VocabSize: 49408, HiddenAct: "quick_gelu", LayerNormEps: 1e-5, EOSTokenID: 49407}
	return c
}

// openAIShapes are the tensors of a CLIP under OpenAI's names, without elements.
func openAIShapes(cfg clip.Config) *checkpoints.Weights {
	w := &checkpoints.Weights{Source: "f", Tensors: map[string]checkpoints.Tensor{}}
	put := func(name string, shape ...int) {
		w.Tensors[name] = checkpoints.Tensor{DType: checkpoints.F16, Shape: shape}
	}
	norm := func(name string, width int) { put(name+".weight", width); put(name+".bias", width) }
	tower := func(prefix string, width, layers int) {
		for i := range layers {
			name := fmt.Sprintf("%stransformer.resblocks.%d.", prefix, i)
			norm(name+"ln_1", width)
			norm(name+"ln_2", width)
			put(name+"attn.in_proj_weight", 3*width, width)
			put(name+"attn.in_proj_bias", 3*width)
			put(name+"attn.out_proj.weight", width, width)
			put(name+"attn.out_proj.bias", width)
			put(name+"mlp.c_fc.weight", 4*width, width)
			put(name+"mlp.c_fc.bias", 4*width)
			put(name+"mlp.c_proj.weight", width, 4*width)
			put(name+"mlp.c_proj.bias", width)
		}
	}
	t, v := cfg.Text, cfg.Vision
	side := v.ImageSize / v.PatchSize
	put("logit_scale")
	put("text_projection", t.HiddenSize, cfg.ProjectionDim)
	put("token_embedding.weight", t.VocabSize, t.HiddenSize)
	put("positional_embedding", t.MaxPositionEmbeddings, t.HiddenSize)
	norm("ln_final", t.HiddenSize)
	tower("", t.HiddenSize, t.NumHiddenLayers)
	put("visual.class_embedding", v.HiddenSize)
	put("visual.positional_embedding", side*side+1, v.HiddenSize)
	put("visual.conv1.weight", v.HiddenSize, 3, v.PatchSize, v.PatchSize)
	put("visual.proj", v.HiddenSize, cfg.ProjectionDim)
	norm("visual.ln_pre", v.HiddenSize)
	norm("visual.ln_post", v.HiddenSize)
	tower("visual.", v.HiddenSize, v.NumHiddenLayers)
	return w
}

// From the shapes alone follows the configuration of each published network, and the tensors have all places in it.
func TestOpenAIConfigurations(t *testing.T) {
	for name, want := range published {
		w := openAIShapes(want)
		got, err := inferOpenAI(w)
		if err != nil {
			t.Fatal(err)
		}
		got.Text.HiddenAct, got.Vision.HiddenAct = "quick_gelu", "quick_gelu"
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		renamed, err := huggingFaceNames(w, got)
		if err == nil {
			err = renamed.Check(want.Shapes())
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := openAIShapes(published["ViT-B/32"])
	w.Tensors["visual.attnpool.positional_embedding"] = checkpoints.Tensor{Shape: []int{50, 2048}}
	if _, err := inferOpenAI(w); err == nil || !strings.Contains(err.Error(), "a ResNet") {
		t.Errorf("got %v", err)
	}
	delete(w.Tensors, "visual.attnpool.positional_embedding")
	w.Tensors["visual.positional_embedding"] = checkpoints.Tensor{Shape: []int{49, 768}}
	if _, err := inferOpenAI(w); err == nil || !strings.Contains(err.Error(), "has 49 places; expected a square and one") {
		t.Errorf("got %v", err)
	}
}
