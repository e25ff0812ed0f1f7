// Package lpips is the learned perceptual distance of two pictures: LPIPS version 0.1 (Zhang et al. 2018, "The
// Unreasonable Effectiveness of Deep Features as a Perceptual Metric", eq. 1), on the layers of AlexNet or VGG16.
package lpips

import (
	"embed"
	"fmt"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// ModelType is the "model_type" of config.json.
const ModelType = "lpips"

// Net is the network whose layers are compared.
type Net string

// The networks. Distances of different networks are not comparable.
const (
	Alex Net = "alex"
	VGG  Net = "vgg"
)

// Channels is the width of the first layer of the published networks.
const Channels = 64

// Config is the network, as stored in config.json.
type Config struct {
	ModelType string `json:"model_type"`
	// Net is "alex" or "vgg".
	Net Net `json:"net"`
	// Channels is the width of the first layer: 64 in the published networks. All others shrink in proportion, which is
	// for tests.
	Channels int `json:"channels"`
}

// Validate reports the first invalid field.
func (c Config) Validate() error {
	switch {
	case c.ModelType != ModelType:
		return fault.Field("lpips config: model_type", c.ModelType, "%q", ModelType)
	case layers[c.Net] == nil:
		return fault.Field("lpips config: net", c.Net, "%q or %q", Alex, VGG)
	case c.Channels < 1 || c.Channels > Channels:
		return fault.Field("lpips config: channels", c.Channels, "%d, or for tests less", Channels)
	}
	return nil
}

// MinSize is the smallest height and width of pictures: of smaller ones nothing is left after the pools.
func (c Config) MinSize() int {
	if c.Net == Alex {
		return 31
	}
	return 16
}

// layer is a convolution with bias, followed by ReLU.
type layer struct {
	index                   int // in torchvision's features
	width                   int // channels that come out, as a multiple of the first layer's
	kernel, stride, padding int
	pool                    int // window of the max-pool of stride 2 that comes before; 0 for none
	compared                bool
}

// layers are those of torchvision's alexnet and vgg16, up to the last one that is compared.
var layers = map[Net][]layer{
	Alex: {
		{0, 1, 11, 4, 2, 0, true}, {3, 3, 5, 1, 2, 3, true},
		{6, 6, 3, 1, 1, 3, true}, {8, 4, 3, 1, 1, 0, true}, {10, 4, 3, 1, 1, 0, true},
	},
	VGG: {
		{0, 1, 3, 1, 1, 0, false}, {2, 1, 3, 1, 1, 0, true},
		{5, 2, 3, 1, 1, 2, false}, {7, 2, 3, 1, 1, 0, true},
		{10, 4, 3, 1, 1, 2, false}, {12, 4, 3, 1, 1, 0, false}, {14, 4, 3, 1, 1, 0, true},
		{17, 8, 3, 1, 1, 2, false}, {19, 8, 3, 1, 1, 0, false}, {21, 8, 3, 1, 1, 0, true},
		{24, 8, 3, 1, 1, 2, false}, {26, 8, 3, 1, 1, 0, false}, {28, 8, 3, 1, 1, 0, true},
	},
}

// Shapes are the tensors of the network under torchvision's names ("features.0.weight") and those of the published
// linear layers ("lin0.model.1.weight").
func (c Config) Shapes() checkpoints.Shapes {
	s, in, compared := checkpoints.Shapes{}, 3, 0
	for _, l := range layers[c.Net] {
		out := l.width * c.Channels
		s[l.name()+".weight"], s[l.name()+".bias"] = []int{out, in, l.kernel, l.kernel}, []int{out}
		if l.compared {
			s[linearName(compared)] = []int{1, out, 1, 1}
			compared++
		}
		in = out
	}
	return s
}

func (l layer) name() string { return fmt.Sprintf("features.%d", l.index) }

func linearName(i int) string { return fmt.Sprintf("lin%d.model.1.weight", i) }

//go:embed v0.1/*.safetensors
var published embed.FS

// Linear returns the published linear layers of version 0.1: "lin0.model.1.weight" [1,C,1,1] and so on. They come with
// the package, since files of AlexNet and VGG16 lack them.
func Linear(net Net) (*checkpoints.Weights, error) {
	name := "v0.1/" + string(net) + ".safetensors"
	data, err := published.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("linear layers of %q: %w", net, err)
	}
	return checkpoints.ParseSafetensors("embedded:lpips/"+name, data)
}
