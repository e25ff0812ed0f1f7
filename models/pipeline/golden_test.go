package pipeline_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"illustrator/checkpoints"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

func golden(t *testing.T, path string) func(name string) []float32 {
	t.Helper()
	w := must[*checkpoints.Weights](t)(checkpoints.ReadSafetensors(path))
	return func(name string) []float32 {
		t.Helper()
		tensor, ok := w.Tensors[name]
		if !ok {
			t.Fatalf("%s has no %q", path, name)
		}
		return must[[]float32](t)(tensor.Float32s())
	}
}

// unit normalises rows of the given width, as the tolerance of embeddings is for unit vectors.
func unit(values []float32, width int) []float32 {
	out := slices.Clone(values)
	for row := range slices.Chunk(out, width) {
		sum := 0.0
		for _, v := range row {
			sum += float64(v) * float64(v)
		}
		for i := range row {
			row[i] = float32(float64(row[i]) / math.Sqrt(sum))
		}
	}
	return out
}

// The embedded networks through the pipeline equal PyTorch's: pictures and mixed styles to 2e-3 in [-1,1], embeddings
// to 1e-4 of a unit vector, the project's tolerances for float32.
func TestLoreleiEqualsPyTorch(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the embedded generator and CLIP")
	}
	ctx := t.Context()
	n := must[*pipeline.Networks](t)(pipeline.Open(nntest.Backend(t),
		pipeline.Locations{Generator: "embedded:lorelei/generator", CLIP: "embedded:lorelei/clip"}))
	g := golden(t, "../stylegan2/testdata/lorelei.safetensors")
	width := n.Generator.NumLayers() * n.Generator.StyleDim
	styles := must[[]float32](t)(n.Styles(ctx, g("z"), 1))
	var mixed []float32 // layers below 3 from w, the others from w in reverse order
	for i := range 8 {
		inject := 3 * n.Generator.StyleDim
		mixed = append(mixed, styles[i*width:i*width+inject]...)
		mixed = append(mixed, styles[(7-i)*width+inject:(8-i)*width]...)
	}
	noise := pipeline.Synthesis{NoiseMode: stylegan2.NoiseConst}
	expectClose(t, "image", must[[]float32](t)(n.Render(ctx, styles, noise)), g("image"), 2e-3)
	expectClose(t, "image_mixed_3", must[[]float32](t)(n.Render(ctx, mixed, noise)), g("image_mixed_3"), 2e-3)

	c, dim := golden(t, "../clip/testdata/lorelei_goldens.safetensors"), n.CLIP.ProjectionDim
	var cases []struct{ Text string }
	if err := json.Unmarshal(must[[]byte](t)(os.ReadFile("../clip/testdata/lorelei_tokens.json")), &cases); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, c := range cases[:24] { // the others are odd texts, empty ones among them
		texts = append(texts, c.Text)
	}
	texts = append(texts, "A person.")
	embeds, err := n.EmbedTexts(ctx, texts)
	if err != nil {
		t.Fatal(err)
	}
	described, textPrompt := embeds[:24*dim], embeds[24*dim:]
	expectClose(t, "text_embeds", unit(described, dim), unit(c("text_embeds")[:24*dim], dim), 1e-4)
	expectClose(t, "image_embeds", unit(must[[]float32](t)(n.EmbedImages(ctx, c("images"), 64, 64)), dim),
		unit(c("image_embeds"), dim), 1e-4)
	prompts := pipeline.Prompts{Text: textPrompt, Image: c("image_prompt")}
	expectClose(t, "projected", unit(must[[]float32](t)(n.Project(ctx, described, prompts, 1.75)), dim),
		unit(c("projected"), dim), 1e-4)
}
