// Package mapper is the one trained network of the method: CLIP image embedding → StyleGAN2 Z.
package mapper

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// ModelType is the "model_type" of a mapper's config.json.
const ModelType = "mapper"

// Arch is an architecture.
type Arch string

// The architectures: the paper's network of dense blocks, the plain network that it is compared with, and a prior,
// which samples z from noise.
const (
	Dense    Arch = "dense"
	Baseline Arch = "baseline"
	Prior    Arch = "prior"
)

// UnmarshalText reads an architecture.
func (a *Arch) UnmarshalText(text []byte) error {
	return fault.Choose(a, "arch", text, Dense, Baseline, Prior)
}

// Config is a mapper from CLIP image embeddings to StyleGAN's Z, as stored in config.json.
type Config struct {
	ModelType string `json:"model_type" yaml:"-"`
	// Arch is "dense", the paper's network of dense blocks, "baseline", its 54-layer plain network, or "prior", a network
	// that samples z from noise.
	Arch Arch `json:"arch" yaml:"arch"`
	// EmbedDim is CLIP's width E, ZDim the generator's width Z. A domain fixes both.
	EmbedDim int `json:"embed_dim" yaml:"-"`
	ZDim     int `json:"z_dim" yaml:"-"`
	// Width is the number of hidden units (512 in the paper).
	Width int `json:"width" yaml:"width"`
	// Blocks is the number of dense blocks (5), Layers the number of layers in each (5). The baseline has Layers
	// layers (54), no blocks and no dropout: it does not read those two fields. A prior has Blocks of two layers.
	Blocks int `json:"blocks" yaml:"blocks"`
	Layers int `json:"layers" yaml:"layers"`
	// Dropout is the probability that a block's output unit is dropped in training (0.1).
	Dropout float64 `json:"dropout" yaml:"dropout"`
	// Prior are the settings of arch "prior" alone.
	Prior PriorConfig `json:"prior,omitzero" yaml:"prior,omitempty"`
}

// OtherWeights names the first field by which two mappers have different tensors, with both values; it is "" if they
// have the same. The dropout makes no difference, nor do fields that the architecture does not read.
func (c Config) OtherWeights(other Config) string {
	for _, f := range []struct {
		name       string
		value, its any
		unread     bool
	}{
		{"arch", c.Arch, other.Arch, false}, {"embed_dim", c.EmbedDim, other.EmbedDim, false},
		{"z_dim", c.ZDim, other.ZDim, false}, {"width", c.Width, other.Width, false},
		{"blocks", c.Blocks, other.Blocks, c.Arch == Baseline}, {"layers", c.Layers, other.Layers, c.Arch == Prior},
	} {
		if f.value != f.its && !f.unread {
			return fmt.Sprintf("%s %v, not %v", f.name, f.value, f.its)
		}
	}
	return ""
}

// maxParameters bounds what a configuration may ask memory for: 8 GiB in float32, 78 times the paper's mapper.
const maxParameters = 1 << 31

// Validate reports the first invalid field.
func (c Config) Validate() error {
	if c.ModelType != ModelType {
		return fault.Field("mapper config: model_type", c.ModelType, `"mapper"`)
	}
	for _, width := range []struct {
		field string
		value int
	}{{"embed_dim", c.EmbedDim}, {"z_dim", c.ZDim}, {"width", c.Width}} {
		if width.value < 1 || width.value > 8192 {
			return fault.Field("mapper config: "+width.field, width.value, "from 1 to 8192")
		}
	}
	if c.Arch != Prior && c.Prior != (PriorConfig{}) {
		return fault.Field("mapper config: prior", fault.Words("given"), "left out where arch is %s", c.Arch)
	}
	switch c.Arch {
	case Prior:
		if err := c.validatePrior(); err != nil {
			return err
		}
	case Dense:
		if c.Blocks < 1 || c.Blocks > 64 {
			return fault.Field("mapper config: blocks", c.Blocks, "from 1 to 64 (5 in the paper)")
		}
		if c.Layers < 1 || c.Layers > 64 {
			return fault.Field("mapper config: layers", c.Layers, "from 1 to 64 (5 in the paper)")
		}
		if !(c.Dropout >= 0 && c.Dropout < 1) {
			return fault.Field("mapper config: dropout", c.Dropout, "from 0 to below 1 (0.1 in the paper)")
		}
	case Baseline:
		if c.Layers < 2 || c.Layers > 512 {
			return fault.Field("mapper config: layers", c.Layers, "from 2 to 512 (54 in the paper) in the baseline")
		}
	default:
		return fault.CheckChoice("mapper config", c.Arch)
	}
	if n := c.Parameters(); n > maxParameters {
		return fault.Field("mapper config: width", c.Width, "smaller: with these layers it gives %d parameters, more than %d",
			n, maxParameters)
	}
	return nil
}

// Parameters returns the number of learned parameters: what PyTorch counts. The running statistics of BatchNorm are
// not among them.
func (c Config) Parameters() int {
	learned := c.Shapes()
	maps.DeleteFunc(learned, func(name string, _ []int) bool { return IsBuffer(name) })
	return learned.Elements()
}

// IsBuffer reports whether the tensor called name is a running statistic, which training follows but does not learn.
func IsBuffer(name string) bool {
	return strings.HasSuffix(name, ".running_mean") || strings.HasSuffix(name, ".running_var")
}

// Shapes are the tensors of the network under PyTorch's names: those of the released projectors for "dense",
//
//	head.{0,1}                                   Linear
//	rrdb_blocks.{b}.0.mlp_layers.{l}.{0…5}       Linear, BatchNorm, PReLU, Linear, BatchNorm, PReLU
//	tail.{0,1}                                   Linear
//
// for "prior" linear layers called input, time.{0,2}, condition, blocks.{b}.{modulation,0,2} and output, and for
// "baseline" those of one torch.nn.Sequential: mlp.{2i} Linear, mlp.{2i+1} PReLU. BatchNorm has its learned
// weight and bias and the buffers running_mean and running_var, all [width]. PyTorch's counter num_batches_tracked is
// not among them: with a fixed momentum nothing reads it, so importers drop it.
func (c Config) Shapes() checkpoints.Shapes {
	if c.Arch == Prior {
		return c.priorShapes()
	}
	s := checkpoints.Shapes{}
	linear := func(name string, in, out int) {
		s[name+".weight"], s[name+".bias"] = []int{out, in}, []int{out}
	}
	if c.Arch == Baseline {
		for i := range c.Layers {
			in, out := c.baselineWidths(i)
			linear(baselineLinear(i), in, out)
			s[baselinePReLU(i)+".weight"] = []int{1}
		}
		return s
	}
	normAndPReLU := func(layer string, i int) {
		for _, part := range []string{"weight", "bias", "running_mean", "running_var"} {
			s[fmt.Sprintf("%s.%d.%s", layer, i, part)] = []int{c.Width}
		}
		s[fmt.Sprintf("%s.%d.weight", layer, i+1)] = []int{1}
	}
	linear("head.0", c.EmbedDim, c.Width)
	linear("head.1", c.Width, c.Width)
	for b := range c.Blocks {
		for l := range c.Layers {
			layer := layerName(b, l)
			linear(layer+".0", c.Width*(l+1), c.Width)
			normAndPReLU(layer, 1)
			linear(layer+".3", c.Width, c.Width)
			normAndPReLU(layer, 4)
		}
	}
	linear("tail.0", c.Width, c.Width)
	linear("tail.1", c.Width, c.ZDim)
	return s
}

// Names are the names of Shapes in order.
func (c Config) Names() []string { return slices.Sorted(maps.Keys(c.Shapes())) }

// layerName is the name of layer l of dense block b. The 0 is the dense block in its pair with the dropout.
func layerName(b, l int) string { return fmt.Sprintf("rrdb_blocks.%d.0.mlp_layers.%d", b, l) }

func baselineLinear(i int) string { return fmt.Sprintf("mlp.%d", 2*i) }
func baselinePReLU(i int) string  { return fmt.Sprintf("mlp.%d", 2*i+1) }

// baselineWidths are the widths that baseline layer i reads and writes.
func (c Config) baselineWidths(i int) (in, out int) {
	in, out = c.Width, c.Width
	if i == 0 {
		in = c.EmbedDim
	}
	if i == c.Layers-1 {
		out = c.ZDim
	}
	return in, out
}
