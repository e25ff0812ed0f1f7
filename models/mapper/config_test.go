package mapper

import (
	"math"
	"strings"
	"testing"

	"illustrator/internal/fault"
)

func paper(arch Arch) Config {
	c := Config{ModelType: ModelType, Arch: arch, EmbedDim: 512, ZDim: 512, Width: 512, Blocks: 5, Layers: 5, Dropout: 0.1}
	if arch == Baseline {
		c.Layers = 54
	}
	return c
}

// The counts are those published for the paper's two networks.
func TestParameters(t *testing.T) {
	for arch, want := range map[Arch]int{Dense: 27_341_874, Baseline: 14_183_478} {
		if got := paper(arch).Parameters(); got != want {
			t.Errorf("%s has %d parameters, want %d", arch, got, want)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, arch := range []Arch{Dense, Baseline} {
		if err := paper(arch).Validate(); err != nil {
			t.Errorf("the paper's %s: %v", arch, err)
		}
	}
	for field, change := range map[string]func(*Config){
		"model_type": func(c *Config) { c.ModelType = "clip" },
		"arch":       func(c *Config) { c.Arch = "transformer" },
		"embed_dim":  func(c *Config) { c.EmbedDim = 0 },
		"z_dim":      func(c *Config) { c.ZDim = -1 },
		"width":      func(c *Config) { c.Width, c.Layers, c.Blocks = 8192, 64, 64 },
		"blocks":     func(c *Config) { c.Blocks = 0 },
		"layers":     func(c *Config) { c.Layers = 1000 },
		"dropout":    func(c *Config) { c.Dropout = math.NaN() },
	} {
		c := paper(Dense)
		change(&c)
		err := c.Validate()
		if err == nil || !strings.Contains(err.Error(), field) || !fault.IsUsage(err) || fault.HintOf(err) == "" {
			t.Errorf("a wrong %s gives %v (hint %q)", field, err, fault.HintOf(err))
		}
	}
	one := paper(Baseline)
	one.Layers = 1
	if err := one.Validate(); err == nil || !strings.Contains(err.Error(), "layers") {
		t.Errorf("a baseline of one layer gives %v", err)
	}
}

func TestOtherWeights(t *testing.T) {
	dense := Config{ModelType: ModelType, Arch: Dense, EmbedDim: 6, ZDim: 5, Width: 4, Blocks: 2, Layers: 3, Dropout: 0.1}
	other, plain := dense, Config{ModelType: ModelType, Arch: Baseline, EmbedDim: 6, ZDim: 5, Width: 4, Layers: 4}
	other.Dropout = 0.5
	withBlocks := plain
	withBlocks.Blocks, withBlocks.Dropout = 5, 0.1
	wider, prior := dense, dense
	wider.Width = 8
	prior.Arch = Prior
	deeper := prior
	deeper.Layers, deeper.Prior.Steps = 9, 7
	for _, c := range []struct {
		a, b Config
		want string
	}{
		{dense, other, ""}, {plain, withBlocks, ""}, {prior, deeper, ""}, {dense, wider, "width 4, not 8"},
		{dense, plain, "arch dense, not baseline"},
	} {
		if got := c.a.OtherWeights(c.b); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
