package stylegan2

// Axes: B batch, Z latent (as wide as W), L layers that take a W, H height, C channels.
// Inside the synthesis network the axes are [B,H,H,C], which XLA convolves fastest on a CPU; z, w and pictures have
// PyTorch's axes at the border.

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/internal/noise"
	"illustrator/models/nn"
)

// Build is the whole generator: z [B,Z] → pictures [B,3,Size,Size] in RGB, about [-1,1] and not clamped.
// scope holds the weights that Load prepared.
func Build(scope *model.Scope, cfg Config, z *Node, noise Noise) *Node {
	return Synthesis(scope, cfg, BroadcastW(cfg, Mapping(scope, cfg, z)), noise)
}

// Mapping is the mapping network: z [B,Z] → w [B,Z].
func Mapping(scope *model.Scope, cfg Config, z *Node) *Node {
	z.AssertDims(-1, cfg.StyleDim)
	x := Div(z, Sqrt(AddScalar(ReduceAndKeep(Square(z), ReduceMean, -1), 1e-8)))
	for i := range cfg.NMLP {
		x = activate(nn.Linear(scope, x, fmt.Sprintf("style.%d", i+1), cfg.StyleDim))
	}
	return x
}

// Truncate pulls w [B,Z] towards the mean W [1,Z]: mean + psi (w - mean). The scalar psi 1 leaves w as it is.
func Truncate(w, mean, psi *Node) *Node {
	return Add(mean, Mul(psi, Sub(w, mean)))
}

// BroadcastW gives every layer the same style: w [B,Z] → ws [B,L,Z].
func BroadcastW(cfg Config, w *Node) *Node {
	return BroadcastToDims(InsertAxes(w, 1), w.Shape().Dim(0), cfg.NumLayers(), cfg.StyleDim)
}

// Synthesis is the synthesis network: ws [B,L,Z] → pictures [B,3,Size,Size] in RGB. What lies between convolutions is
// in at least float32, the sums that gradients need included; pictures have the type of ws.
func Synthesis(scope *model.Scope, cfg Config, ws *Node, noise Noise) *Node {
	ws.AssertDims(-1, cfg.NumLayers(), cfg.StyleDim)
	s := synthesis{ctx: scope, ws: ws, noise: noise, batch: ws.Shape().Dim(0), clamp: cfg.ConvClamp, trained: cfg.Trained}
	if noise.Mode == NoiseRandom {
		// All layers at once: the generator's rounds make up most of a graph if they are built for each layer.
		s.random = nn.NormalNoise(noise.Keys, cfg.noiseValues())
	}

	c := cfg.Channels[4]
	x := nn.Widen(s.weight(constant, 1, 4, 4, c))
	x = BroadcastToDims(x, s.batch, 4, 4, c)
	x = s.styledConv("conv1", x, c, 0, false)
	rgb := s.toRGB("to_rgb1", x, 1)
	layer := 1
	for r, i := 8, 0; r <= cfg.Size; r, i = r*2, i+1 {
		c = cfg.Channels[r]
		if cfg.Recompute && r < cfg.Size {
			x = x.Checkpoint()
		} else if cfg.Recompute { // the last resolution's values are the first that the gradient needs
			x, rgb = x.StopCheckpoint(), rgb.StopCheckpoint()
		}
		x = s.styledConv(fmt.Sprintf("convs.%d", 2*i), x, c, layer, true)
		x = s.styledConv(fmt.Sprintf("convs.%d", 2*i+1), x, c, layer+1, false)
		rgb = Add(upsample(rgb), s.toRGB(fmt.Sprintf("to_rgbs.%d", i), x, layer+2))
		rgb.AssertDims(s.batch, 3, r, r)
		layer += 2
	}
	return rgb
}

// synthesis carries what every layer of one synthesis network needs.
type synthesis struct {
	ctx    *model.Scope
	ws     *Node
	noise  Noise
	batch  int
	clamp  float64 // Config.ConvClamp
	noises int     // styled convolutions so far
	random *Node   // [B,…], what of the random noise is not used yet

	trained bool // Config.Trained
}

// weight returns the weight called name in the form that Load prepares.
func (s *synthesis) weight(name string, dims ...int) *Node {
	if s.trained {
		return s.fromTrained(name, dims)
	}
	return nn.Weight(s.ctx, s.ws.Graph(), name, dims...)
}

// style is the affine map of layer's w to the scales of the input channels: [B,in].
func (s *synthesis) style(name string, layer, in int) *Node {
	w := Squeeze(Slice(s.ws, AxisRange(), AxisElem(layer)), 1)
	y := nn.MatMulT(w, s.weight(name+".conv.modulation.weight", in, w.Shape().Dim(1)))
	return Add(y, ExpandLeftToRank(s.weight(name+".conv.modulation.bias", in), 2))
}

// styledConv is a modulated 3×3 convolution, which doubles the resolution with up, then noise, bias and activation:
// x [B,H,H,in] → [B,H,H,out] or [B,2H,2H,out].
//
// Modulation scales the input's channels and demodulation the output's, so that one convolution serves the whole batch
// (Karras et al. 2020, equations 1-3).
func (s *synthesis) styledConv(name string, x *Node, out, layer int, up bool) *Node {
	g, h, in := x.Graph(), x.Shape().Dim(1), x.Shape().Dim(3)
	style := s.style(name, layer, in)
	power := s.weight(name+".conv.power", in, out)
	demodulation := Reciprocal(Sqrt(AddScalar(MatMul(Square(style), power), 1e-8)))

	kernel := s.weight(name+".conv.kernel", 3, 3, in, out)
	x = s.convolve(modulate(x, style), kernel, up)
	if up {
		h *= 2
	}
	x.AssertDims(s.batch, h, h, out)
	x = Mul(x, InsertAxes(demodulation, 1, 1))
	if noise := s.nextNoise(g, h); noise != nil {
		strength := Reshape(s.weight(name+".noise.weight", 1), 1, 1, 1, 1)
		x = Add(x, Mul(ConvertDType(noise, x.DType()), strength))
	}
	return s.clamped(activate(Add(x, Reshape(s.weight(name+".activate.bias", out), 1, 1, 1, out))))
}

// convolve convolves x [B,H,H,in] with kernel [3,3,in,out], and doubles the resolution with up.
func (s *synthesis) convolve(x, kernel *Node, up bool) *Node {
	switch {
	case s.trained:
		return trainedConv(x, kernel, up)
	case up:
		return upConv(x, kernel)
	}
	return conv3x3(x, kernel)
}

// modulate scales the channels of x [B,H,H,in] by style [B,in].
func modulate(x, style *Node) *Node { return Mul(x, InsertAxes(style, 1, 1)) }

// nextNoise is the noise of the next styled convolution, [B or 1,H,H,1], or nil.
func (s *synthesis) nextNoise(g *Graph, h int) *Node {
	i := s.noises
	s.noises++
	switch s.noise.Mode {
	case NoiseConst:
		return Reshape(s.weight(fmt.Sprintf("noises.noise_%d", i), 1, 1, h, h), 1, h, h, 1)
	case NoiseRandom:
		here := Slice(s.random, AxisRange(), AxisRange(0, h*h))
		if h*h < s.random.Shape().Dim(1) {
			s.random = Slice(s.random, AxisRange(), AxisRange(h*h))
		}
		return Reshape(here, s.batch, h, h, 1)
	}
	return nil
}

// toRGB is a modulated 1×1 convolution to colours without demodulation: x [B,H,H,in] → [B,3,H,H]. With three outputs it
// is cheaper to modulate the kernel than the input.
func (s *synthesis) toRGB(name string, x *Node, layer int) *Node {
	h, in := x.Shape().Dim(1), x.Shape().Dim(3)
	kernel := nn.Widen(s.weight(name+".conv.kernel", 3, in))
	kernel = Mul(InsertAxes(kernel, 0), InsertAxes(s.style(name, layer, in), 1)) // [B,3,in]
	y := nn.Contract(kernel, []int{2}, []int{0}, Reshape(x, s.batch, h*h, in), []int{2}, []int{0})
	return s.clamped(Add(Reshape(y, s.batch, 3, h, h), s.weight(name+".bias", 1, 3, 1, 1)))
}

// clamped bounds x to ±Config.ConvClamp, if there is a bound.
func (s *synthesis) clamped(x *Node) *Node {
	if s.clamp == 0 {
		return x
	}
	return ClipScalar(x, -s.clamp, s.clamp)
}

// activate is a leaky ReLU of slope 0.2 that keeps the variance: × √2.
func activate(x *Node) *Node {
	gain := Where(GreaterOrEqual(x, ScalarZero(x.Graph(), x.DType())),
		BroadcastToShape(Scalar(x.Graph(), x.DType(), math.Sqrt2), x.Shape()),
		BroadcastToShape(Scalar(x.Graph(), x.DType(), 0.2*math.Sqrt2), x.Shape()))
	return Mul(x, gain)
}

// upsample doubles a picture [B,3,H,H] by zero insertion and the FIR filter [1,3,3,1]/4 along each axis, written as two
// products with a constant matrix.
func upsample(x *Node) *Node {
	matrix := upsampleWeights(x, x.Shape().Dim(2))
	x = DotGeneral(x, []int{3}, nil, matrix, []int{1}, nil) // [B,3,H,2H]
	x = DotGeneral(x, []int{2}, nil, matrix, []int{1}, nil) // [B,3,2H (width),2H (height)]
	return TransposeAllAxes(x, 0, 1, 3, 2)
}

// upsampleWeights returns the matrix [2h,h] of upsample in the dtype of x: new pixel n takes fir[2i-n+2] of the old
// pixel i. It is computed in the graph, where it takes no room in the program.
func upsampleWeights(x *Node, h int) *Node {
	g, shape := x.Graph(), shapes.Make(dtypes.Int32, 2*h, h)
	tap := AddScalar(Sub(MulScalar(Iota(g, shape, 1), 2), Iota(g, shape, 0)), 2)
	weights := Zeros(g, shapes.Make(x.DType(), 2*h, h))
	for t, weight := range fir {
		weights = Where(Equal(tap, Scalar(g, dtypes.Int32, t)), Scalar(g, x.DType(), weight), weights)
	}
	return weights
}

// NoiseMode says where the noise of the synthesis network comes from.
type NoiseMode = noise.Mode

// Noise modes: the noise pictures stored with the weights, N(0,1) drawn from a key for each picture, no noise.
const (
	NoiseConst  = noise.Const
	NoiseRandom = noise.Random
	NoiseNone   = noise.None
)

// Noise is the noise of one synthesis. Keys [B] uint64 gives each picture its own stream with NoiseRandom, so that a
// picture's noise does not depend on its place in the batch; the other modes leave it nil.
type Noise struct {
	Mode NoiseMode
	Keys *Node
}
