package main

import (
	"fmt"

	"github.com/gomlx/compute"

	"illustrator/checkpoints"
	"illustrator/configs"
	"illustrator/models/clip"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// zeros are weights of the given shapes. Compiling needs their shapes only.
func zeros(shapes checkpoints.Shapes) *checkpoints.Weights {
	w := &checkpoints.Weights{Source: "zeros", Tensors: map[string]checkpoints.Tensor{}}
	for name, shape := range shapes {
		values := make([]float32, checkpoints.Tensor{Shape: shape}.Elements())
		w.Tensors[name] = checkpoints.Float32Tensor(values, shape...)
	}
	return w
}

// networkSets are the networks that programs are compiled with.
var networkSets = []string{"lorelei", "256", "1024"}

// open returns a set's networks with weights of zero.
func open(backend compute.Backend, set string, p pipeline.Precision) (*pipeline.Networks, error) {
	generator, clipConfig, err := configurations(set)
	if err != nil {
		return nil, err
	}
	return pipeline.FromWeights(backend, p, generator, zeros(generator.Shapes()), clipConfig, zeros(clipConfig.Shapes()))
}

func configurations(set string) (stylegan2.Config, clip.Config, error) {
	switch set {
	case "lorelei":
		domain, err := configs.OpenDomain("lorelei")
		if err != nil {
			return stylegan2.Config{}, clip.Config{}, err
		}
		n, err := pipeline.Open(nil, domain.Locations())
		if err != nil {
			return stylegan2.Config{}, clip.Config{}, err
		}
		return n.Generator, n.CLIP, nil
	case "256", "1024":
		generator := stylegan2.Config{
			ModelType: stylegan2.ModelType, Size: 256, StyleDim: 512, NMLP: 8, LRMLP: 0.01, ColorOrder: "RGB",
			Channels: map[int]int{4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128},
		}
		if set == "1024" {
			generator.Size, generator.Channels[512], generator.Channels[1024] = 1024, 64, 32
		}
		return generator, vitB32(), nil
	}
	return stylegan2.Config{}, clip.Config{}, fmt.Errorf("no networks %q", set)
}

// vitB32 is OpenAI's CLIP ViT-B/32.
func vitB32() clip.Config {
	return clip.Config{
		ModelType: clip.ModelType, ProjectionDim: 512,
		Vision: clip.VisionConfig{HiddenSize: 768, IntermediateSize: 3072, NumHiddenLayers: 12, NumAttentionHeads: 12,
			NumChannels: 3, ImageSize: 224, PatchSize: 32, HiddenAct: "quick_gelu", LayerNormEps: 1e-5},
		Text: clip.TextConfig{HiddenSize: 512, IntermediateSize: 2048, NumHiddenLayers: 12, NumAttentionHeads: 8,
			MaxPositionEmbeddings: 77, VocabSize: 49408, HiddenAct: "quick_gelu", LayerNormEps: 1e-5, EOSTokenID: 49407},
	}
}
