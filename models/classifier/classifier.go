package classifier

// Axes: B batch, C channels, H height and width, A attributes, V values of all attributes one after the other.

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/nn"
)

// Build gives the logits of all attributes: pictures [B,3,H,H] in [-1,1] → [B,V]. Pictures are clamped first.
// BatchNorm uses its running statistics, in training (scope.IsTraining) those of the batch.
func Build(scope *model.Scope, cfg Config, images *Node) *Node {
	return nn.Linear(scope, Features(scope, cfg, images), fmt.Sprint(3*len(convolutions)+3), cfg.NumValues())
}

// Features gives the values that the logits are made of: pictures as Build takes them → [B,256].
func Features(scope *model.Scope, cfg Config, images *Node) *Node {
	layers := convolve(scope, cfg, images, nn.BatchNorm2d)
	x := Reshape(layers[len(layers)-1], images.Shape().Dim(0), -1)
	return nn.ReLU(nn.Linear(scope, x, fmt.Sprint(3*len(convolutions)+1), hidden))
}

// Layers gives the outputs of all convolutions, after BatchNorm with its running statistics and ReLU: pictures as Build
// takes them → [B,C,H,H] each.
func Layers(scope *model.Scope, cfg Config, images *Node) []*Node {
	return convolve(scope, cfg, images, func(scope *model.Scope, x *Node, name string) *Node {
		return nn.FrozenBatchNorm2d(scope, x, name, nn.BatchNormEpsilon)
	})
}

func convolve(scope *model.Scope, cfg Config, images *Node,
	norm func(scope *model.Scope, x *Node, name string) *Node) (layers []*Node) {
	images.AssertDims(-1, 3, cfg.ImageSize, cfg.ImageSize)
	x := ClipScalar(images, -1, 1)
	layer := 0
	for _, c := range convolutions {
		x = nn.Conv2d(x, nn.Weight(scope, x.Graph(), fmt.Sprintf("%d.weight", layer), c.out, c.in, 3, 3), c.stride,
			[2]int{1, 1})
		x = Add(x, Reshape(nn.Weight(scope, x.Graph(), fmt.Sprintf("%d.bias", layer), c.out), 1, c.out, 1, 1))
		x = nn.ReLU(norm(scope, x, fmt.Sprint(layer+1)))
		layers = append(layers, x)
		layer += 3
	}
	return layers
}

// Load checks the weights w against cfg and puts them into scope, frozen.
func Load(scope *model.Scope, cfg Config, w *checkpoints.Weights, dtype dtypes.DType) error {
	if err := w.Check(cfg.Shapes()); err != nil {
		return err
	}
	return nn.Load(scope, w, dtype, false)
}

// Attributes gives the most likely value of each attribute: logits [B,V] → int32 [B,A].
func Attributes(cfg Config, logits *Node) *Node {
	var best []*Node
	start := 0
	for _, a := range cfg.Attributes {
		end := start + len(a.Values)
		best = append(best, ArgMax(Slice(logits, AxisRange(), AxisRange(start, end)), 1))
		start = end
	}
	return Stack(best, 1)
}

// NumValues is V, the number of logits.
func (c Config) NumValues() int {
	n := 0
	for _, a := range c.Attributes {
		n += len(a.Values)
	}
	return n
}

// convolution is a 3×3 convolution followed by BatchNorm and ReLU: layers n, n+1 and n+2 of a torch.nn.Sequential.
type convolution struct{ in, out, stride int }

var convolutions = []convolution{{3, 32, 2}, {32, 32, 1}, {32, 64, 2}, {64, 128, 2}, {128, 128, 2}}

// hidden is the width of the fully connected layer before the logits.
const hidden = 256

// Shapes are the tensors of the network under the indices of a torch.nn.Sequential.
func (c Config) Shapes() checkpoints.Shapes {
	s, layer, size := checkpoints.Shapes{}, 0, c.ImageSize
	for _, conv := range convolutions {
		s[fmt.Sprintf("%d.weight", layer)] = []int{conv.out, conv.in, 3, 3}
		s[fmt.Sprintf("%d.bias", layer)] = []int{conv.out}
		for _, name := range []string{"weight", "bias", "running_mean", "running_var"} {
			s[fmt.Sprintf("%d.%s", layer+1, name)] = []int{conv.out}
		}
		size = (size + conv.stride - 1) / conv.stride
		layer += 3
	}
	flat := convolutions[len(convolutions)-1].out * size * size
	s[fmt.Sprintf("%d.weight", layer+1)], s[fmt.Sprintf("%d.bias", layer+1)] = []int{hidden, flat}, []int{hidden}
	s[fmt.Sprintf("%d.weight", layer+3)], s[fmt.Sprintf("%d.bias", layer+3)] = []int{c.NumValues(), hidden},
		[]int{c.NumValues()}
	return s
}

// Validate reports the first invalid field.
func (c Config) Validate() error {
	switch {
	case c.ModelType != ModelType:
		return fault.Field("classifier config: model_type", c.ModelType, "%q", ModelType)
	case c.ImageSize < 16 || c.ImageSize > 4096:
		return fault.Field("classifier config: image_size", c.ImageSize, "from 16 to 4096")
	case len(c.Attributes) == 0:
		return fault.Field("classifier config: attributes", fault.Words("empty"), "a list of names with their values")
	}
	for _, a := range c.Attributes {
		if a.Name == "" || len(a.Values) < 2 {
			return fault.Field("classifier config: attributes",
				fault.Words(fmt.Sprintf("%q with %d values", a.Name, len(a.Values))), "names with at least two values each")
		}
	}
	return nil
}
