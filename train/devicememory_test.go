package train

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"illustrator/losses"
	"illustrator/models/clip"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// TestDeviceMemoryAsCompiled compares with the training steps that `make gpu-compile` compiled for an H100.
func TestDeviceMemoryAsCompiled(t *testing.T) {
	content, err := os.ReadFile("../docs/gpu-compiled.json")
	if err != nil {
		t.Fatal(err)
	}
	var compiled []struct {
		Program, Networks, Precision, Device, Error string
		Batch                                       int
		Memory                                      struct{ Arguments, Outputs, Aliased, Temporary int64 }
	}
	if err := json.Unmarshal(content, &compiled); err != nil {
		t.Fatal(err)
	}
	lorelei := openNetworks(t, "embedded:lorelei/generator", "embedded:lorelei/clip")
	vitB32 := clip.Config{ProjectionDim: 512, Text: lorelei.CLIP.Text, Vision: clip.VisionConfig{HiddenSize: 768,
		IntermediateSize: 3072, NumHiddenLayers: 12, NumAttentionHeads: 12, NumChannels: 3, ImageSize: 224, PatchSize: 32}}
	channels := map[int]int{4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64, 1024: 32}
	full := func(size int) *pipeline.Networks {
		generator := stylegan2.Config{Size: size, StyleDim: 512, NMLP: 8, Channels: channels}
		return &pipeline.Networks{Generator: generator, CLIP: vitB32}
	}
	networks := map[string]*pipeline.Networks{"lorelei": lorelei, "256": full(256), "1024": full(1024)}
	compared := 0
	for _, c := range compiled {
		if c.Program != "step" || c.Device != "NVIDIA H100 80GB HBM3" || c.Error != "" {
			continue
		}
		n := networks[c.Networks]
		m := mapper.Config{Arch: mapper.Dense, EmbedDim: n.CLIP.ProjectionDim, ZDim: n.Generator.StyleDim, Width: 512,
			Blocks: 5, Layers: 5}
		if c.Networks == "lorelei" {
			m.Width = 128
		}
		stages := []Stage{{Losses: losses.Weights{Semantic: 1}}}
		config := Config{Batch: c.Batch, Precision: pipeline.Precision(c.Precision), Stages: stages}
		planned := c.Memory.Arguments + c.Memory.Temporary
		if c.Memory.Aliased > 0 { // older plans have the results beside the arguments
			planned += c.Memory.Outputs - c.Memory.Aliased
		}
		estimate := EstimateDeviceMemory(config, m, n, 1).planned()
		off, allowed := float64(estimate)/float64(planned)-1, 0.2
		if c.Precision == string(pipeline.BFloat16) {
			allowed = 0.4 // some layers are narrow, which the estimate leaves out
		}
		compared++
		if math.Abs(off) > allowed {
			t.Errorf("%s, batch %d, %s: %d MiB estimated, %d MiB planned: %+.0f %%", c.Networks, c.Batch, c.Precision,
				estimate>>20, planned>>20, 100*off)
		}
	}
	if compared < 6 {
		t.Errorf("only %d training steps to compare with", compared)
	}
}
