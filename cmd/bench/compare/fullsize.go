package compare

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gomlx/compute"

	"illustrator/checkpoints"
	"illustrator/models/clip"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// FullSize returns networks of the release's sizes for cats and churches with random weights: StyleGAN2 config-f at 256
// pixels and the vision tower of ViT-B/32. Speed does not depend on what the weights are, as long as values stay of the
// order of 1. The text tower, which neither sampling nor training runs, is a stub of one narrow layer.
func FullSize(backend compute.Backend, p pipeline.Precision) (*pipeline.Networks, error) {
	generator := stylegan2.Config{
		ModelType: stylegan2.ModelType, Size: 256, StyleDim: 512, NMLP: 8, LRMLP: 0.01, ColorOrder: "RGB",
		Channels: map[int]int{4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128},
	}
	vitB32 := clip.Config{
		ModelType: clip.ModelType, ProjectionDim: 512,
		Vision: clip.VisionConfig{HiddenSize: 768, IntermediateSize: 3072, NumHiddenLayers: 12, NumAttentionHeads: 12,
			NumChannels: 3, ImageSize: 224, PatchSize: 32, HiddenAct: "quick_gelu", LayerNormEps: 1e-5},
		Text: clip.TextConfig{HiddenSize: 8, IntermediateSize: 8, NumHiddenLayers: 1, NumAttentionHeads: 1,
			MaxPositionEmbeddings: 77, VocabSize: 512, HiddenAct: "quick_gelu", LayerNormEps: 1e-5, EOSTokenID: 511},
	}
	return pipeline.FromWeights(backend, p, generator, randomWeights(generator.Shapes(), generatorScale(generator)),
		vitB32, randomWeights(vitB32.Shapes(), clipScale))
}

// scale is the mean and the standard deviation of a tensor's random elements.
type scale struct{ mean, deviation float64 }

// randomWeights fills tensors of the given shapes, always with the same numbers.
func randomWeights(shapes checkpoints.Shapes, scaleOf func(name string, shape []int) scale) *checkpoints.Weights {
	rng := rand.New(rand.NewPCG(0, 0))
	w := &checkpoints.Weights{Source: "random weights", Tensors: map[string]checkpoints.Tensor{}}
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		s := scaleOf(name, shapes[name])
		values := make([]float32, checkpoints.Tensor{Shape: shapes[name]}.Elements())
		for i := range values {
			values[i] = float32(s.mean + s.deviation*rng.NormFloat64())
		}
		w.Tensors[name] = checkpoints.Float32Tensor(values, shapes[name]...)
	}
	return w
}

// generatorScale is StyleGAN2's own initialisation: N(0,1), for the scales are applied at run time; only biases and
// noise strengths, which begin at 0 there, are a little off it.
func generatorScale(cfg stylegan2.Config) func(string, []int) scale {
	return func(name string, _ []int) scale {
		switch {
		case strings.HasSuffix(name, ".modulation.bias"):
			return scale{1, 0}
		case strings.HasSuffix(name, ".bias"), strings.HasSuffix(name, ".noise.weight"):
			return scale{0, 0.1}
		case strings.HasPrefix(name, "style."):
			return scale{0, 1 / cfg.LRMLP}
		}
		return scale{0, 1}
	}
}

// clipScale keeps the variance of what flows through a layer.
func clipScale(name string, shape []int) scale {
	switch {
	case strings.HasSuffix(name, "norm.weight"), strings.HasSuffix(name, "norm1.weight"),
		strings.HasSuffix(name, "norm2.weight"):
		return scale{1, 0.01}
	case len(shape) < 2:
		return scale{0, 0.02}
	}
	inputs := 1
	for _, d := range shape[1:] {
		inputs *= d
	}
	return scale{0, 1 / math.Sqrt(float64(inputs))}
}
