package draw

import (
	"path/filepath"
	"slices"
	"testing"

	"illustrator/checkpoints"
	"illustrator/data/seeds"
	"illustrator/data/texts"
	"illustrator/models/mapper"
)

// Pictures by a prior differ in z where their diversity says so, by the seed's share of the noise; other pictures of a
// text have one z.
func TestPriorSamplesBySeed(t *testing.T) {
	models := open(t)
	prior := models[1]
	prior.Networks = models[0].Sharing(2)
	cfg := mapper.Config{
		ModelType: mapper.ModelType, Arch: mapper.Prior, EmbedDim: embedDim, ZDim: zDim, Width: 16, Blocks: 1,
		Prior: mapper.PriorConfig{Steps: 2, Guidance: 2},
	}
	folder := filepath.Join(t.TempDir(), "prior")
	contents := checkpoints.Contents{Config: cfg, Weights: mapper.Init(cfg, 4)}
	if err := checkpoints.Write(folder, contents); err != nil {
		t.Fatal(err)
	}
	if err := prior.LoadMapper(folder); err != nil {
		t.Fatal(err)
	}
	recipe := func(seed uint64, spread float64) *Recipe {
		m := Manner{NoProjection: true, NoiseMode: ConstNoise, TruncationPsi: 1, Spread: spread}
		return &Recipe{Text: texts.Text{Text: "a cat"}, TextEmbed: wave(embedDim, 1), Manner: m, Seed: seed}
	}
	recipes := []*Recipe{recipe(1, 0), recipe(2, 0), recipe(1, 1), recipe(2, 1), recipe(2, 0.5)}
	pictures := must[[]*Picture](t)(Batch(t.Context(), []Model{prior}, recipes))
	if !slices.Equal(pictures[0].Z, pictures[1].Z) {
		t.Error("without a spread z depends on the seed")
	}
	mapped := must[[]float32](t)(prior.MapToZ(t.Context(), wave(embedDim, 1)))
	expectClose(t, "z without a spread", pictures[0].Z, mapped, 1e-6)
	start := mapper.StartNoise(cfg)
	for at, spread := range map[int]float64{3: 1, 4: 0.5} {
		noise := spreadZ(start, seeds.Z(2, zDim), spread)
		want := must[[]float32](t)(prior.SampleZ(t.Context(), wave(embedDim, 1), noise))
		expectClose(t, "z with a spread", pictures[at].Z, want, 1e-6)
	}
	if slices.Equal(pictures[2].Z, pictures[3].Z) {
		t.Error("seeds 1 and 2 have one z")
	}
}
