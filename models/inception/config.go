// Package inception is the Inception-v3 that FID and KID are measured with: the network of TensorFlow's
// inception-2015-12-05, as ported in pytorch-fid and torch-fidelity (pt_inception-2015-12-05-6726825d.pth).
//
// It differs from torchvision's inception_v3 in its weights, in average pools that leave the padding out (blocks A and
// C, and the first block E), and in a max-pool in the last block. Features of other weights are not comparable.
package inception

import (
	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// ModelType is the "model_type" of config.json.
const ModelType = "inception-fid"

// FeatureDim is the width of the published network's features.
const FeatureDim = 2048

// ImageSize is the height and width that pictures are resized to.
const ImageSize = 299

// Resize names how pictures get to ImageSize. It belongs beside every result: with another filter, such as clean-fid's
// antialiased bicubic, the same pictures have another FID.
const Resize = "tf1-bilinear-299"

// Config is the network, as stored in config.json.
type Config struct {
	ModelType string `json:"model_type"`
	// FeatureDim is the width of the features: 2048 in the published network. All channels shrink in proportion, which is
	// for tests; it is a multiple of 128.
	FeatureDim int `json:"feature_dim"`
}

// Validate reports the first invalid field.
func (c Config) Validate() error {
	switch {
	case c.ModelType != ModelType:
		return fault.Field("inception config: model_type", c.ModelType, "%q", ModelType)
	case c.FeatureDim < 128 || c.FeatureDim > FeatureDim || c.FeatureDim%128 != 0:
		return fault.Field("inception config: feature_dim", c.FeatureDim, "%d, or for tests a smaller multiple of 128",
			FeatureDim)
	}
	return nil
}

// convolution is a torch.nn.Conv2d without bias, followed by BatchNorm and ReLU.
type convolution struct {
	name                           string
	in, out, height, width, stride int
	// same pads with zeros so that stride 1 keeps the size; otherwise nothing is padded.
	same bool
}

// block holds the prefix of a block's convolutions, and its number of input channels.
type block struct {
	name string
	in   int
}

func (b block) conv(name string, in, out, height, width int) convolution {
	return convolution{b.name + "." + name, in, out, height, width, 1, true}
}

// halving is a 3×3 convolution of stride 2 without padding.
func (b block) halving(name string, in, out int) convolution {
	return convolution{b.name + "." + name, in, out, 3, 3, 2, false}
}

func (b block) a(pool int) []convolution {
	return []convolution{
		b.conv("branch1x1", b.in, 64, 1, 1),
		b.conv("branch5x5_1", b.in, 48, 1, 1), b.conv("branch5x5_2", 48, 64, 5, 5),
		b.conv("branch3x3dbl_1", b.in, 64, 1, 1), b.conv("branch3x3dbl_2", 64, 96, 3, 3),
		b.conv("branch3x3dbl_3", 96, 96, 3, 3),
		b.conv("branch_pool", b.in, pool, 1, 1),
	}
}

func (b block) b() []convolution {
	return []convolution{
		b.halving("branch3x3", b.in, 384),
		b.conv("branch3x3dbl_1", b.in, 64, 1, 1), b.conv("branch3x3dbl_2", 64, 96, 3, 3), b.halving("branch3x3dbl_3", 96, 96),
	}
}

func (b block) c(width int) []convolution {
	return []convolution{
		b.conv("branch1x1", b.in, 192, 1, 1),
		b.conv("branch7x7_1", b.in, width, 1, 1), b.conv("branch7x7_2", width, width, 1, 7),
		b.conv("branch7x7_3", width, 192, 7, 1),
		b.conv("branch7x7dbl_1", b.in, width, 1, 1), b.conv("branch7x7dbl_2", width, width, 7, 1),
		b.conv("branch7x7dbl_3", width, width, 1, 7),
		b.conv("branch7x7dbl_4", width, width, 7, 1), b.conv("branch7x7dbl_5", width, 192, 1, 7),
		b.conv("branch_pool", b.in, 192, 1, 1),
	}
}

func (b block) d() []convolution {
	return []convolution{
		b.conv("branch3x3_1", b.in, 192, 1, 1), b.halving("branch3x3_2", 192, 320),
		b.conv("branch7x7x3_1", b.in, 192, 1, 1), b.conv("branch7x7x3_2", 192, 192, 1, 7),
		b.conv("branch7x7x3_3", 192, 192, 7, 1),
		b.halving("branch7x7x3_4", 192, 192),
	}
}

func (b block) e() []convolution {
	return []convolution{
		b.conv("branch1x1", b.in, 320, 1, 1),
		b.conv("branch3x3_1", b.in, 384, 1, 1), b.conv("branch3x3_2a", 384, 384, 1, 3),
		b.conv("branch3x3_2b", 384, 384, 3, 1),
		b.conv("branch3x3dbl_1", b.in, 448, 1, 1), b.conv("branch3x3dbl_2", 448, 384, 3, 3),
		b.conv("branch3x3dbl_3a", 384, 384, 1, 3), b.conv("branch3x3dbl_3b", 384, 384, 3, 1),
		b.conv("branch_pool", b.in, 192, 1, 1),
	}
}

// convolutions are those of the network by name, in the widths of c.
func (c Config) convolutions() map[string]convolution {
	all := []convolution{
		{"Conv2d_1a_3x3", 3, 32, 3, 3, 2, false}, {"Conv2d_2a_3x3", 32, 32, 3, 3, 1, false},
		{"Conv2d_2b_3x3", 32, 64, 3, 3, 1, true},
		{"Conv2d_3b_1x1", 64, 80, 1, 1, 1, true}, {"Conv2d_4a_3x3", 80, 192, 3, 3, 1, false},
	}
	for _, part := range [][]convolution{
		block{"Mixed_5b", 192}.a(32), block{"Mixed_5c", 256}.a(64), block{"Mixed_5d", 288}.a(64),
		block{"Mixed_6a", 288}.b(),
		block{"Mixed_6b", 768}.c(128), block{"Mixed_6c", 768}.c(160), block{"Mixed_6d", 768}.c(160),
		block{"Mixed_6e", 768}.c(192),
		block{"Mixed_7a", 768}.d(),
		block{"Mixed_7b", 1280}.e(), block{"Mixed_7c", 2048}.e(),
	} {
		all = append(all, part...)
	}
	named := make(map[string]convolution, len(all))
	for _, conv := range all {
		conv.out = conv.out * c.FeatureDim / FeatureDim
		if conv.in != 3 {
			conv.in = conv.in * c.FeatureDim / FeatureDim
		}
		named[conv.name] = conv
	}
	return named
}

// Shapes are the tensors of the network under the published file's names, without the layer of 1008 logits.
func (c Config) Shapes() checkpoints.Shapes {
	s := checkpoints.Shapes{}
	for name, conv := range c.convolutions() {
		s[name+".conv.weight"] = []int{conv.out, conv.in, conv.height, conv.width}
		for _, part := range []string{"weight", "bias", "running_mean", "running_var"} {
			s[name+".bn."+part] = []int{conv.out}
		}
	}
	return s
}
