package stylegan2

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn"
)

// Axes: B batch, H height and width, C channels, Z latent.

// DiscriminatorShapes are the tensors of the discriminator that a generator of this config is trained against.
func (c Config) DiscriminatorShapes() checkpoints.Shapes {
	s := checkpoints.Shapes{}
	layer := func(name string, bias bool, shape ...int) {
		s[name+".weight"] = shape
		if bias {
			s[name+".bias"] = shape[:1]
		}
	}
	layer("from_rgb", true, c.Channels[c.Size], 3, 1, 1)
	for r := c.Size; r > 4; r /= 2 {
		in, out, name := c.Channels[r], c.Channels[r/2], fmt.Sprintf("block.%d.", r)
		layer(name+"conv1", true, in, in, 3, 3)
		layer(name+"conv2", true, out, in, 3, 3)
		layer(name+"skip", false, out, in, 1, 1)
	}
	wide := c.Channels[4]
	layer("final.conv", true, wide, wide+1, 3, 3)
	layer("final.dense", true, wide, 16*wide)
	layer("final.logit", true, 1, wide)
	layer("final.style", false, wide, c.StyleDim)
	return s
}

// InitDiscriminator returns fresh weights: those of a normal distribution, biases 0. Equal seeds give equal weights.
func InitDiscriminator(cfg Config, seed uint64) *checkpoints.Weights {
	sizes := cfg.DiscriminatorShapes()
	w := &checkpoints.Weights{Source: "fresh discriminator", Tensors: map[string]checkpoints.Tensor{}}
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		values := make([]float32, checkpoints.Tensor{Shape: sizes[name]}.Elements())
		if strings.HasSuffix(name, ".weight") {
			for i := range values {
				values[i] = float32(rng.NormFloat64())
			}
		}
		w.Tensors[name] = checkpoints.Float32Tensor(values, sizes[name]...)
	}
	return w
}

// Discriminate is StyleGAN2's residual discriminator (Karras et al. 2020, figure 7) with means of 2×2 pixels in
// place of its filter, and a projection (Miyato and Koyama 2018) of the style that a picture should show: pictures
// [B,3,Size,Size] in [-1,1] and their w [B,Z] → logits [B], high for pictures that it takes for real. scope holds
// the variables of DiscriminatorShapes, whose scales are multiplied in here.
func Discriminate(scope *model.Scope, cfg Config, images, w *Node) *Node {
	batch := images.Shape().Dim(0)
	images.AssertDims(batch, 3, cfg.Size, cfg.Size)
	d := discriminator{scope}
	x := activate(d.conv(TransposeAllAxes(images, 0, 2, 3, 1), "from_rgb", cfg.Channels[cfg.Size], 1, true))
	for r := cfg.Size; r > 4; r /= 2 {
		name, in, out := fmt.Sprintf("block.%d.", r), cfg.Channels[r], cfg.Channels[r/2]
		y := halve(activate(d.conv(x, name+"conv1", in, 3, true)))
		y = activate(d.conv(y, name+"conv2", out, 3, true))
		x = MulScalar(Add(y, d.conv(halve(x), name+"skip", out, 1, false)), math.Sqrt2/2)
		x.AssertDims(batch, r/2, r/2, out)
	}
	wide := cfg.Channels[4]
	x = activate(d.conv(Concatenate([]*Node{x, batchDeviation(x)}, 3), "final.conv", wide, 3, true))
	x = activate(d.linear(Reshape(x, batch, 16*wide), "final.dense", wide, true))
	match := ReduceSum(Mul(x, d.linear(w, "final.style", wide, false)), 1)
	return Add(Reshape(d.linear(x, "final.logit", 1, true), batch), MulScalar(match, 1/math.Sqrt(float64(wide))))
}

// halve is the mean of 2×2 pixels: [B,H,H,C] → [B,H/2,H/2,C].
func halve(x *Node) *Node {
	d := x.Shape().Dimensions
	return ReduceMean(Reshape(x, d[0], d[1]/2, 2, d[2]/2, 2, d[3]), 2, 4)
}

// batchDeviation is the mean deviation of the values of x [B,H,H,C] over the batch, as a further channel
// [B,H,H,1]: pictures that are all alike have none (Karras et al. 2018, section 3).
func batchDeviation(x *Node) *Node {
	d := x.Shape().Dimensions
	centered := Sub(x, ReduceAndKeep(x, ReduceMean, 0))
	deviation := ReduceAllMean(Sqrt(AddScalar(ReduceMean(Square(centered), 0), 1e-8)))
	return BroadcastToDims(Reshape(deviation, 1, 1, 1, 1), d[0], d[1], d[2], 1)
}

// discriminator reads equalised weights.
type discriminator struct{ scope *model.Scope }

func (d discriminator) conv(x *Node, name string, out, kernel int, bias bool) *Node {
	in := x.Shape().Dim(3)
	weight := nn.Weight(d.scope, x.Graph(), name+".weight", out, in, kernel, kernel)
	weight = MulScalar(TransposeAllAxes(weight, 2, 3, 1, 0), 1/math.Sqrt(float64(in*kernel*kernel)))
	return d.bias(Convolve(x, weight).PadSame().Done(), name, bias)
}

func (d discriminator) linear(x *Node, name string, out int, bias bool) *Node {
	in := x.Shape().Dim(1)
	weight := nn.Weight(d.scope, x.Graph(), name+".weight", out, in)
	return d.bias(MulScalar(nn.MatMulT(x, weight), 1/math.Sqrt(float64(in))), name, bias)
}

func (d discriminator) bias(y *Node, name string, has bool) *Node {
	if !has {
		return y
	}
	return Add(y, ExpandLeftToRank(nn.Weight(d.scope, y.Graph(), name+".bias", y.Shape().Dim(-1)), y.Rank()))
}
