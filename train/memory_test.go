package train

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"illustrator/losses"
	"illustrator/models/clip"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/stylegan2"
)

// The peak memory (`/usr/bin/time -f %M`, KiB) of trainings of a few steps on a CPU with 2 cores, and the estimate of
// --dry-run for them: no further off than a quarter. Pairs were given, so that none is sampled in the same process.
//
// illustrator train --config lorelei --pairs P --set train.stages.0.schedule.steps=3 --set
// train.stages.1.schedule.steps=3 --set train.validation.rows=64
//
// illustrator train --config paper --domain full.yaml --pairs P --set train.stages.0.schedule.steps=3 --set
// train.validation.rows=8
//
// with train.batch, train.devices and losses.semantic as the names below say. full.yaml names networks of the sizes of
// bench.FullSize with random weights; the tiny ones are the script's of the whole job
// (cmd/illustrator/testdata/script/job.txtar). The demo's whole training, 4,700 steps with its pairs sampled,
// took what three steps take: 1.3 GiB.
func TestMemoryAsMeasured(t *testing.T) {
	lorelei := openNetworks(t, "embedded:lorelei/generator", "embedded:lorelei/clip")
	tinyDir := t.TempDir()
	if _, err := pipelinetest.Write(tinyDir, 1); err != nil {
		t.Fatal(err)
	}
	tiny := openNetworks(t, tinyDir+"/generator", tinyDir+"/clip")
	full := &pipeline.Networks{
		Generator: stylegan2.Config{Size: 256, StyleDim: 512, NMLP: 8,
			Channels: map[int]int{4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128}},
		CLIP: clip.Config{ProjectionDim: 512, Text: lorelei.CLIP.Text,
			Vision: clip.VisionConfig{HiddenSize: 768, IntermediateSize: 3072, NumHiddenLayers: 12, NumAttentionHeads: 12,
				NumChannels: 3, ImageSize: 224, PatchSize: 32}},
	}
	if g, c := full.Generator.Shapes().Elements(), full.CLIP.Shapes().Elements(); g != 30_209_074 || c != 88_635_521 {
		t.Fatalf("the full networks have %d and %d parameters: not those that were measured", g, c)
	}
	l1, all := losses.Weights{L1: 1}, losses.Weights{L1: 0.3, Semantic: 1, Regularization: 0.3}
	for _, c := range []struct {
		name                  string
		networks              *pipeline.Networks
		width, blocks, layers int
		losses                losses.Weights
		batch                 int
		texts                 []string
		kib                   float64
	}{
		{"tiny, L1", tiny, 16, 1, 2, l1, 8, []string{"a wizard"}, 337_172},
		{"tiny, all losses", tiny, 16, 1, 2, all, 8, []string{"a wizard"}, 511_116},
		{"Lorelei, L1, batch 32", lorelei, 128, 5, 5, l1, 32, []string{"a wizard"}, 586_916},
		{"Lorelei, all losses, batch 16", lorelei, 128, 5, 5, all, 16, []string{"a wizard"}, 1_204_532},
		{"Lorelei, all losses, batch 32", lorelei, 128, 5, 5, all, 32, []string{"a wizard"}, 1_236_912},
		{"Lorelei, all losses, batch 128", lorelei, 128, 5, 5, all, 128, []string{"a wizard"}, 2_101_588},
		{"Lorelei, all losses, batch 32, bfloat16", lorelei, 128, 5, 5, all, 32, []string{"a wizard"}, 1_328_400},
		{"Lorelei, L1, batch 32, 2 devices", lorelei, 128, 5, 5, l1, 32, []string{"a wizard"}, 608_248},
		{"Lorelei, L1, batch 32, 4 devices", lorelei, 128, 5, 5, l1, 32, []string{"a wizard"}, 787_292},
		{"Lorelei, all losses, batch 32, 2 devices", lorelei, 128, 5, 5, all, 32, []string{"a wizard"}, 1_308_316},
		{"Lorelei, all losses, batch 32, 4 devices", lorelei, 128, 5, 5, all, 32, []string{"a wizard"}, 1_331_324},
		{"full size, L1, batch 8", full, 512, 5, 5, l1, 8, nil, 2_409_336},
		{"full size, all losses, batch 2", full, 512, 5, 5, all, 2, nil, 6_036_400},
		{"full size, all losses, batch 8", full, 512, 5, 5, all, 8, nil, 10_695_475},
	} {
		config := Config{Batch: c.batch, Optimizer: torchAdam, Validation: Validation{Texts: c.texts},
			Stages: []Stage{{Losses: c.losses}}}
		_, _ = fmt.Sscanf(c.name[strings.LastIndex(c.name, ", ")+2:], "%d devices", &config.Devices) // or one
		m := mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: c.networks.CLIP.ProjectionDim,
			ZDim:  c.networks.Generator.StyleDim,
			Width: c.width, Blocks: c.blocks, Layers: c.layers, Dropout: 0.1}
		e := EstimateMemory(config, m, c.networks)
		off := float64(e.Total())/(1024*c.kib) - 1
		t.Logf("%-42s %5.0f MiB measured, %5d MiB estimated: %+.0f %%", c.name, c.kib/1024, e.Total()>>20, 100*off)
		if math.Abs(off) > 0.25 {
			t.Errorf("%s: the estimate is off by %.0f %%", c.name, 100*off)
		}
		if e.Checkpoint != int64(3*4*m.Parameters()) {
			t.Errorf("%s: a checkpoint of %d bytes for %d parameters", c.name, e.Checkpoint, m.Parameters())
		}
	}
}

// Each further device of a CPU has the mapper's weights and moments before and after a step, and the frozen networks
// where the losses need them.
func TestMemoryOfDevices(t *testing.T) {
	n := openNetworks(t, "embedded:lorelei/generator", "embedded:lorelei/clip")
	m := mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: n.CLIP.ProjectionDim,
		ZDim: n.Generator.StyleDim, Width: 128, Blocks: 5, Layers: 5}
	state, frozen := 24*int64(m.Parameters()), 4*int64(n.Generator.Shapes().Elements()+n.CLIP.Shapes().Elements())
	for _, c := range []struct {
		losses losses.Weights
		each   int64
	}{{losses.Weights{L1: 1}, state}, {losses.Weights{L1: 1, Semantic: 1}, state + frozen}} {
		total := func(devices DeviceCount) int64 {
			stages := []Stage{{Losses: c.losses}}
			return EstimateMemory(Config{Batch: 32, Optimizer: torchAdam, Devices: devices, Stages: stages}, m, n).Total()
		}
		if one, all, four := total(1), total(AllDevices), total(4); all != one || four-one != 3*c.each {
			t.Errorf("%+v: %d bytes on one device, %d on all, %d on four; want %d more on each", c.losses, one, all, four,
				c.each)
		}
	}
}

func openNetworks(t *testing.T, generator, clip string) *pipeline.Networks {
	t.Helper()
	n, err := pipeline.Open(nil, pipeline.Locations{Generator: generator, CLIP: clip})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
