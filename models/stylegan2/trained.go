package stylegan2

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn"
)

// Init returns fresh weights: those of a normal distribution, divided by LRMLP in the mapping network, modulation 1 and
// all other biases 0, noise of strength 0 (Karras et al. 2020; rosinality's model.py). Equal seeds give equal weights.
func Init(cfg Config, seed uint64) *checkpoints.Weights {
	sizes := cfg.Shapes()
	w := &checkpoints.Weights{Source: "fresh generator", Tensors: map[string]checkpoints.Tensor{}}
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		values := make([]float32, checkpoints.Tensor{Shape: sizes[name]}.Elements())
		deviation, mean := 1.0, 0.0
		switch {
		case strings.HasSuffix(name, ".modulation.bias"):
			deviation, mean = 0, 1
		case strings.HasSuffix(name, "bias"), strings.HasSuffix(name, "noise.weight"):
			deviation = 0
		case IsMapping(name):
			deviation = 1 / cfg.LRMLP
		}
		for i := range values {
			values[i] = float32(mean + deviation*rng.NormFloat64())
		}
		w.Tensors[name] = checkpoints.Float32Tensor(values, sizes[name]...)
	}
	return w
}

// IsMapping reports whether a tensor is one of the mapping network.
func IsMapping(name string) bool { return strings.HasPrefix(name, "style.") }

// IsBuffer reports whether a tensor is not trained: the noise pictures and the mean W.
func IsBuffer(name string) bool { return strings.HasPrefix(name, "noises.") || name == LatentAvg }

// LoadTrained checks the weights w against cfg and puts them into scope for a graph with Config.Trained. The
// synthesis network keeps the file's form, which its learning rates belong to. The mapping network has its scales
// multiplied in, as Load does: the published learning rate of 0.01 times the synthesis network's is then up to the
// optimizer.
func LoadTrained(scope *model.Scope, cfg Config, w *checkpoints.Weights, dtype dtypes.DType) error {
	if err := w.Check(cfg.Shapes()); err != nil {
		return err
	}
	p := &preparation{from: w, to: &checkpoints.Weights{Source: w.Source, Tensors: map[string]checkpoints.Tensor{}},
		double: dtype == dtypes.Float64}
	for name := range w.Tensors {
		if IsMapping(name) {
			p.scaled(name, cfg.mappingScale(name))
		} else {
			p.copy(name)
		}
	}
	if p.err != nil {
		return p.err
	}
	if err := nn.Load(scope, p.to, dtype, true); err != nil {
		return err
	}
	for name := range p.to.Tensors {
		scope.GetVariable(name).SetTrainable(!IsBuffer(name))
	}
	return nil
}

// mappingScale is the scale that a tensor of the mapping network is multiplied by when it is used.
func (c Config) mappingScale(name string) float64 {
	if strings.HasSuffix(name, ".bias") {
		return c.LRMLP
	}
	return c.LRMLP / math.Sqrt(float64(c.StyleDim))
}

// FileForm returns the weights that LoadTrained put into a scope, after training, in the form of a file.
func FileForm(cfg Config, trained *checkpoints.Weights) (*checkpoints.Weights, error) {
	p := &preparation{from: trained, to: &checkpoints.Weights{Source: trained.Source,
		Tensors: map[string]checkpoints.Tensor{}}}
	for name := range trained.Tensors {
		if IsMapping(name) {
			p.scaled(name, 1/cfg.mappingScale(name))
		} else {
			p.copy(name)
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	return p.to, p.to.Check(cfg.Shapes())
}

// fromTrained returns the weight called name, in the form that Load prepares, as a function of the trained variables.
func (s *synthesis) fromTrained(name string, dims []int) *Node {
	g := s.ws.Graph()
	layer, kind, _ := strings.Cut(name, ".conv.")
	raw := func(dims ...int) *Node { return nn.Weight(s.ctx, g, layer+".conv.weight", dims...) }
	switch {
	case name == constant:
		return TransposeAllAxes(nn.Weight(s.ctx, g, name, 1, dims[3], 4, 4), 0, 2, 3, 1)
	case kind == "modulation.weight":
		return MulScalar(nn.Weight(s.ctx, g, name, dims...), 1/math.Sqrt(float64(dims[1])))
	case kind == "kernel" && len(dims) == 4:
		in, out := dims[2], dims[3]
		kernel := TransposeAllAxes(Reshape(raw(1, out, in, 3, 3), out, in, 3, 3), 2, 3, 1, 0)
		return MulScalar(kernel, 1/math.Sqrt(float64(9*in)))
	case kind == "kernel":
		return MulScalar(Reshape(raw(1, dims[0], dims[1], 1, 1), dims...), 1/math.Sqrt(float64(dims[1])))
	case kind == "power":
		in, out := dims[0], dims[1]
		return TransposeAllAxes(DivScalar(ReduceSum(Square(raw(1, out, in, 3, 3)), 0, 3, 4), float64(9*in)), 1, 0)
	}
	return nn.Weight(s.ctx, g, name, dims...)
}

// trainedConv is conv3x3 or, with up, upConv, with gradients of both operands that GoMLX derives.
func trainedConv(x, kernel *Node, up bool) *Node {
	if !up {
		return Convolve(x, kernel).PadSame().Done()
	}
	b, h, in, out := x.Shape().Dim(0), x.Shape().Dim(1), kernel.Shape().Dim(2), kernel.Shape().Dim(3)
	taps := Reshape(TransposeAllAxes(kernel, 2, 0, 1, 3), in, 9*out)
	products := nn.Contract(Reshape(x, b*h*h, in), []int{1}, nil, taps, []int{0}, nil)
	products = Reshape(products, b, h, h, 3, 3, out)
	tap := func(i, j int) *Node {
		p := Squeeze(Slice(products, AxisRange(), AxisRange(), AxisRange(), AxisElem(i), AxisElem(j)), 3, 4)
		return zeros(zeros(p, 1, i/2, 1-i/2), 2, j/2, 1-j/2)
	}
	return trainedBlur(interleave(tap))
}

// trainedBlur is blur(x, 1, 0) with a gradient.
func trainedBlur(x *Node) *Node {
	for _, axis := range []int{2, 1} {
		x = zeros(x, axis, 1, 0)
		size := x.Shape().Dim(axis) - len(fir) + 1
		column := make([]*Node, len(fir))
		for tap := range fir {
			column[tap] = SliceAxis(x, axis, AxisRange(tap, tap+size))
		}
		x = weightedSum(fir[:], column)
	}
	return x
}

// zeros adds zeros before and after x along an axis. Unlike Pad it has a gradient.
func zeros(x *Node, axis, before, after int) *Node {
	parts := []*Node{x}
	block := func(n int) *Node {
		dims := slices.Clone(x.Shape().Dimensions)
		dims[axis] = n
		return Zeros(x.Graph(), shapes.Make(x.DType(), dims...))
	}
	if before > 0 {
		parts = slices.Insert(parts, 0, block(before))
	}
	if after > 0 {
		parts = append(parts, block(after))
	}
	if len(parts) == 1 {
		return x
	}
	return Concatenate(parts, axis)
}

// TrainedNames lists the variables of LoadTrained that the synthesis network, or with mapping the mapping network, has.
func (c Config) TrainedNames(mapping bool) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(c.Shapes())) {
		if IsMapping(name) == mapping {
			names = append(names, name)
		}
	}
	return names
}
