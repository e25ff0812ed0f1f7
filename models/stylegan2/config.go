// Package stylegan2 is the StyleGAN2 generator (Karras et al. 2020, config-f family) as a GoMLX graph: Z → W → picture.
package stylegan2

import (
	"fmt"
	"math"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// ModelType is the "model_type" of a generator's config.json.
const ModelType = "stylegan2"

// ColorOrder is the order of the three channels that a generator's weights produce.
type ColorOrder string

// The orders of channels.
const (
	RGB ColorOrder = "RGB"
	BGR ColorOrder = "BGR" // mmgen's
)

// UnmarshalText reads an order of channels.
func (o *ColorOrder) UnmarshalText(text []byte) error {
	return fault.Choose(o, "color order", text, RGB, BGR)
}

// MarshalText writes the name.
func (o ColorOrder) MarshalText() ([]byte, error) { return []byte(o), nil }

// Config is a generator of the StyleGAN2 config-f family, as stored in config.json.
type Config struct {
	ModelType string `json:"model_type"`
	// Size is the height and width of the pictures in pixels, a power of two of at least 8.
	Size int `json:"size"`
	// StyleDim is the width of Z and W.
	StyleDim int `json:"style_dim"`
	// NMLP is the number of layers of the mapping network, LRMLP their learning-rate multiplier.
	NMLP  int     `json:"n_mlp"`
	LRMLP float64 `json:"lr_mlp"`
	// Channels gives the feature maps at each resolution: 4, 8, … Size.
	Channels map[int]int `json:"channels"`
	// ColorOrder is the order of the three channels that the weights produce: "RGB" or "BGR" (mmgen's weights).
	ColorOrder ColorOrder `json:"color_order"`
	// ConvClamp bounds what each layer, and each sum of colours before it is added, may be: to ±ConvClamp. NVIDIA's
	// networks of mixed precision were trained so (256), with 0 they are not bounded.
	ConvClamp float64 `json:"conv_clamp,omitempty"`
	// Recompute has gradients compute the layers below the last resolution again instead of keeping their values. It is a
	// property of a graph, not of the network.
	Recompute bool `json:"-"`
	// Trained builds the synthesis network from the variables of LoadTrained, with a gradient of every weight.
	Trained bool `json:"-"`
}

// Validate returns an error that names the first invalid field.
func (c Config) Validate() error {
	switch {
	case c.ModelType != ModelType:
		return fault.Field("stylegan2 config: model_type", c.ModelType, `"stylegan2"`)
	case c.Size < 8 || c.Size > 4096 || c.Size&(c.Size-1) != 0:
		return fault.Field("stylegan2 config: size", c.Size, "a power of two from 8 to 4096")
	case c.StyleDim < 1 || c.StyleDim > 8192:
		return fault.Field("stylegan2 config: style_dim", c.StyleDim, "from 1 to 8192")
	case c.NMLP < 1 || c.NMLP > 64:
		return fault.Field("stylegan2 config: n_mlp", c.NMLP, "from 1 to 64")
	case !(c.LRMLP > 0):
		return fault.Field("stylegan2 config: lr_mlp", c.LRMLP, "positive (0.01 in the published networks)")
	case !(c.ConvClamp >= 0) || math.IsInf(c.ConvClamp, 1):
		return fault.Field("stylegan2 config: conv_clamp", c.ConvClamp, "positive, or 0 for no bound")
	}
	if err := fault.CheckChoice("stylegan2 config: color_order", c.ColorOrder); err != nil {
		return err
	}
	for r := 4; r <= c.Size; r *= 2 {
		if n := c.Channels[r]; n < 1 || n > 8192 {
			return fault.Field(fmt.Sprintf("stylegan2 config: channels[%d]", r), n, "from 1 to 8192")
		}
	}
	return nil
}

// NumLayers is the number of layers that take a W: one for the first convolution, two for each doubling of the
// resolution and one for the last RGB layer. It is 18 at 1024 pixels.
func (c Config) NumLayers() int {
	n := 2
	for r := 8; r <= c.Size; r *= 2 {
		n += 2
	}
	return n
}

// Activations is the number of values that the layers give for one picture, from which a program's memory follows: two
// feature maps at each resolution, with noise and activation each, and the pictures.
func (c Config) Activations() int {
	n := 2 * 4 * 4 * c.Channels[4]
	for r := 8; r <= c.Size; r *= 2 {
		n += r * r * (4*c.Channels[r] + 3)
	}
	return n
}

// noiseValues is the number of noise values of one picture, over all layers.
func (c Config) noiseValues() int {
	n := 4 * 4
	for r := 8; r <= c.Size; r *= 2 {
		n += 2 * r * r
	}
	return n
}

// Shapes are the tensors of the network under rosinality's names, without the blur kernels (always the FIR filter
// [1,3,3,1]) and without the optional "latent_avg" [StyleDim], the mean W that truncation pulls towards.
func (c Config) Shapes() checkpoints.Shapes {
	s := checkpoints.Shapes{"input.input": {1, c.Channels[4], 4, 4}}
	for i := 1; i <= c.NMLP; i++ {
		s[fmt.Sprintf("style.%d.weight", i)] = []int{c.StyleDim, c.StyleDim}
		s[fmt.Sprintf("style.%d.bias", i)] = []int{c.StyleDim}
	}
	modulated := func(name string, in, out, kernel int) {
		s[name+".conv.weight"] = []int{1, out, in, kernel, kernel}
		s[name+".conv.modulation.weight"] = []int{in, c.StyleDim}
		s[name+".conv.modulation.bias"] = []int{in}
	}
	noises := 0
	styled := func(name string, in, out, resolution int) {
		modulated(name, in, out, 3)
		s[name+".noise.weight"] = []int{1}
		s[name+".activate.bias"] = []int{out}
		s[fmt.Sprintf("noises.noise_%d", noises)] = []int{1, 1, resolution, resolution}
		noises++
	}
	toRGB := func(name string, in int) {
		modulated(name, in, 3, 1)
		s[name+".bias"] = []int{1, 3, 1, 1}
	}
	styled("conv1", c.Channels[4], c.Channels[4], 4)
	toRGB("to_rgb1", c.Channels[4])
	i := 0
	for r := 8; r <= c.Size; r *= 2 {
		styled(fmt.Sprintf("convs.%d", 2*i), c.Channels[r/2], c.Channels[r], r)
		styled(fmt.Sprintf("convs.%d", 2*i+1), c.Channels[r], c.Channels[r], r)
		toRGB(fmt.Sprintf("to_rgbs.%d", i), c.Channels[r])
		i++
	}
	return s
}
