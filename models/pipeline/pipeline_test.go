package pipeline_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/stylegan2"
)

const pixels = 3 * pipelinetest.Size * pipelinetest.Size

// tiny opens the domain of random weights with a mapper.
func tiny(t *testing.T) *pipeline.Networks {
	t.Helper()
	n, dir := openTiny(t, 1)
	if err := n.LoadMapper(writeMapper(t, filepath.Join(dir, "mapper"), pipelinetest.EmbedDim, pipelinetest.ZDim,
		1)); err != nil {
		t.Fatal(err)
	}
	n.Backend = nntest.Backend(t)
	return n
}

func openTiny(t *testing.T, seed uint64) (*pipeline.Networks, string) {
	t.Helper()
	dir := t.TempDir()
	if _, err := pipelinetest.Write(dir, seed); err != nil {
		t.Fatal(err)
	}
	n, err := pipeline.Open(nil, pipeline.Locations{Generator: filepath.Join(dir, "generator"),
		CLIP: filepath.Join(dir, "clip")})
	if err != nil {
		t.Fatal(err)
	}
	return n, dir
}

func writeMapper(t *testing.T, dir string, embedDim, zDim int, seed uint64) string {
	t.Helper()
	cfg := mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: embedDim, ZDim: zDim, Width: 16,
		Blocks: 1, Layers: 2}
	if err := checkpoints.Write(dir, checkpoints.Contents{Config: cfg, Weights: mapper.Init(cfg, seed)}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// wave gives n values that look like no other n.
func wave(n int, phase float64) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(math.Sin(1.7*float64(i)+phase) * 1.3)
	}
	return values
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func expectClose(t *testing.T, what string, got, want []float32, tolerance float64) {
	t.Helper()
	if d := nntest.MaxAbs(t, got, want); d > tolerance {
		t.Errorf("%s: difference %g, allowed %g", what, d, tolerance)
	}
}

// What comes of a row depends neither on its place nor on how many rows there are: 35 rows need a second, short batch.
func TestResultsDoNotDependOnBatches(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles programs for several batches, with random noise")
	}
	n, ctx := tiny(t), t.Context()
	const count = 35
	z := wave(count*pipelinetest.ZDim, 0)
	keys := make([]uint64, count)
	for i := range keys {
		keys[i] = uint64(1000 + i)
	}
	sample := func(from, to int) (embeds, images []float32) {
		s := pipeline.Synthesis{NoiseMode: stylegan2.NoiseRandom, Keys: keys[from:to]}
		rows := z[from*pipelinetest.ZDim : to*pipelinetest.ZDim]
		embeds = must[[]float32](t)(n.RenderAndEmbed(ctx, rows, s))
		return embeds, must[[]float32](t)(n.Render(ctx, must[[]float32](t)(n.Styles(ctx, rows, 1)), s))
	}
	oneEmbed, oneImage := sample(33, 34) // a batch of its own, before any longer one was compiled
	embeds, images := sample(0, count)
	if len(embeds) != count*pipelinetest.EmbedDim || len(images) != count*pixels {
		t.Fatalf("%d and %d values for %d rows", len(embeds), len(images), count)
	}
	// Sums run in another order where the batch is another: float32's last digits.
	expectClose(t, "embedding of row 33", embeds[33*pipelinetest.EmbedDim:34*pipelinetest.EmbedDim], oneEmbed, 1e-4)
	expectClose(t, "picture of row 33", images[33*pixels:34*pixels], oneImage, 1e-4)
	again, _ := sample(32, count) // three rows by the program of 32
	expectClose(t, "rows 32 to 34", again, embeds[32*pipelinetest.EmbedDim:], 1e-4)
	// Sampling in one graph and rendering, then embedding, are the same.
	expectClose(t, "embedding of pictures",
		must[[]float32](t)(n.EmbedImages(ctx, images, pipelinetest.Size, pipelinetest.Size)), embeds, 1e-4)
	for i, v := range embeds[:pipelinetest.EmbedDim] {
		if v == embeds[pipelinetest.EmbedDim+i] {
			t.Fatal("two rows have the same embedding")
		}
	}
}

func TestNoise(t *testing.T) {
	if testing.Short() {
		t.Skip("random noise takes long to compile")
	}
	n, ctx := tiny(t), t.Context()
	w := must[[]float32](t)(n.Styles(ctx, wave(pipelinetest.ZDim, 0), 1))
	render := func(mode stylegan2.NoiseMode, key uint64) []float32 {
		return must[[]float32](t)(n.Render(ctx, w, pipeline.Synthesis{NoiseMode: mode, Keys: []uint64{key}}))
	}
	one, two := render(stylegan2.NoiseRandom, 1), render(stylegan2.NoiseRandom, 2)
	if !slices.Equal(one, render(stylegan2.NoiseRandom, 1)) {
		t.Error("one seed gives two pictures")
	}
	if nntest.MaxAbs(t, one, two) < 1e-3 {
		t.Error("two seeds give one picture")
	}
	if !slices.Equal(render(stylegan2.NoiseConst, 1), render(stylegan2.NoiseConst, 2)) {
		t.Error("constant noise depends on the seed")
	}
	if nntest.MaxAbs(t, render(stylegan2.NoiseConst, 1), render(stylegan2.NoiseNone, 1)) < 1e-3 {
		t.Error("constant noise is none")
	}
	if _, err := n.Render(ctx, w, pipeline.Synthesis{NoiseMode: stylegan2.NoiseRandom}); err == nil {
		t.Error("random noise without a key is accepted")
	}
}

func TestTruncation(t *testing.T) {
	n, ctx := tiny(t), t.Context()
	z := wave(2*pipelinetest.ZDim, 0)
	width := n.Generator.NumLayers() * pipelinetest.ZDim
	styles := func(psi float64) []float32 { return must[[]float32](t)(n.Styles(ctx, z, psi)) }
	full, half, none := styles(1), styles(0.5), styles(0)
	if !slices.Equal(none[:width], none[width:]) {
		t.Error("psi 0 gives two z two styles")
	}
	middle := make([]float32, len(full))
	for i := range middle {
		middle[i] = (full[i] + none[i]) / 2
	}
	expectClose(t, "psi 0.5", half, middle, 1e-5)
	for layer := range n.Generator.NumLayers() {
		if !slices.Equal(full[:pipelinetest.ZDim], full[layer*pipelinetest.ZDim:(layer+1)*pipelinetest.ZDim]) {
			t.Errorf("layer %d has another style than layer 0", layer)
		}
	}
}

func TestMistakes(t *testing.T) {
	n, ctx := tiny(t), t.Context()
	if _, err := n.EmbedTexts(ctx, []string{"a", " \n"}); err == nil || !fault.IsUsage(err) ||
		!strings.Contains(err.Error(), "text 2 is empty") {
		t.Errorf("an empty text: %v", err)
	}
	if _, err := n.Styles(ctx, make([]float32, pipelinetest.ZDim+1), 1); err == nil ||
		!strings.Contains(err.Error(), "13 values are not rows of [12]") {
		t.Errorf("a part of a row: %v", err)
	}
	if _, err := n.MapToZ(ctx, nil); err == nil || !strings.Contains(err.Error(), "nothing to do") {
		t.Errorf("no rows: %v", err)
	}
	if _, err := n.RenderAndEmbed(ctx, make([]float32, 2*pipelinetest.ZDim),
		pipeline.Synthesis{NoiseMode: stylegan2.NoiseConst, Keys: []uint64{1}}); err == nil {
		t.Error("one key for two rows is accepted")
	}
	if _, err := n.Classify(ctx, make([]float32, pixels)); err == nil || !strings.Contains(err.Error(), "no classifier") {
		t.Errorf("classify without a classifier: %v", err)
	}
	stopped, cancel := context.WithCancelCause(ctx)
	cancel(os.ErrDeadlineExceeded)
	if _, err := n.MapToZ(stopped, make([]float32, pipelinetest.EmbedDim)); err == nil ||
		!strings.Contains(err.Error(), os.ErrDeadlineExceeded.Error()) {
		t.Errorf("a cancelled context: %v", err)
	}
}

func TestLoadMapper(t *testing.T) {
	n := tiny(t)
	embeds := wave(pipelinetest.EmbedDim, 0)
	first, hash := must[[]float32](t)(n.MapToZ(t.Context(), embeds)), n.Hashes["mapper"]
	dir := t.TempDir()
	other := writeMapper(t, filepath.Join(dir, "other"), pipelinetest.EmbedDim, pipelinetest.ZDim, 2)
	if err := n.LoadMapper(other); err != nil {
		t.Fatal(err)
	}
	if second := must[[]float32](t)(n.MapToZ(t.Context(), embeds)); nntest.MaxAbs(t, first, second) < 1e-4 ||
		n.Hashes["mapper"] == hash {
		t.Error("a second mapper does not replace the first")
	}
	wrong := writeMapper(t, filepath.Join(dir, "wrong"), pipelinetest.EmbedDim, pipelinetest.ZDim+1, 1)
	if err := n.LoadMapper(wrong); err == nil || fault.IsUsage(err) ||
		!strings.Contains(err.Error(), "maps 20 values to 13") || !strings.Contains(fault.HintOf(err), "another domain") {
		t.Errorf("another domain's mapper: %v", err)
	}
	if err := n.LoadMapper(filepath.Join(dir, "none")); err == nil || fault.HintOf(err) == "" {
		t.Errorf("no mapper: %v", err)
	}
	trained := filepath.Join(dir, "trained")
	for network, want := range map[string]string{"": "", "generator": "was trained with generator 00",
		"clip": "was trained with clip 00"} {
		c := checkpoints.Contents{Config: *n.Mapper, Weights: mapper.Init(*n.Mapper, 2), Networks: n.FrozenHashes(),
			Replace: true}
		if want != "" {
			c.Networks[network] = strings.Repeat("0", 64)
		}
		if err := errors.Join(os.RemoveAll(trained), checkpoints.Write(trained, c)); err != nil {
			t.Fatal(err)
		}
		err := n.LoadMapper(trained)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) ||
			fault.HintOf(err) == "") {
			t.Errorf("trained with another %q: %v", network, err)
		}
	}
	path := filepath.Join(other, "model.safetensors")
	raw := must[[]byte](t)(os.ReadFile(path))
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(path, raw, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := n.LoadMapper(other); err == nil || fault.IsUsage(err) || !strings.Contains(err.Error(), "SHA-256") ||
		fault.HintOf(err) == "" {
		t.Errorf("a flipped bit: %v", err)
	}
}

func TestOpenNamesTheNetwork(t *testing.T) {
	good := pipeline.Locations{Generator: "embedded:lorelei/generator", CLIP: "embedded:lorelei/clip",
		Classifier: "embedded:lorelei/classifier"}
	if n, err := pipeline.Open(nil, good); err != nil || n.Classifier == nil || len(n.Hashes) != 3 ||
		n.Preprocessing() != "area-64-clip" {
		t.Fatalf("%+v, %v", n, err)
	}
	for want, change := range map[string]func(*pipeline.Locations){
		"generator":  func(l *pipeline.Locations) { l.Generator = "none" },
		"clip":       func(l *pipeline.Locations) { l.CLIP = "none" },
		"stylegan2":  func(l *pipeline.Locations) { l.Generator = l.CLIP },
		"CLIP":       func(l *pipeline.Locations) { l.CLIP = l.Generator },
		"classifier": func(l *pipeline.Locations) { l.Classifier = l.CLIP },
	} {
		l := good
		change(&l)
		if _, err := pipeline.Open(nil, l); err == nil || !strings.Contains(err.Error(), want) || fault.HintOf(err) == "" {
			t.Errorf("%+v: error %v, hint %q; want %q in it", l, err, fault.HintOf(err), want)
		}
	}
}

// Larger pictures are drawn fewer at once.
func TestPictureBatch(t *testing.T) {
	for size, want := range map[int]int{16: 32, 64: 32, 128: 32, 256: 8, 512: 2, 1024: 1, 4096: 1} {
		n := &pipeline.Networks{Generator: stylegan2.Config{Size: size}}
		if got := n.PictureBatch(); got != want {
			t.Errorf("%d pixels: %d at once, want %d", size, got, want)
		}
	}
}
