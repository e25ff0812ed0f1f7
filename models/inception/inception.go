package inception

// Axes: B batch, C channels, H height, W width, F features.

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn"
)

// batchNormEpsilon is that of torchvision's BasicConv2d.
const batchNormEpsilon = 1e-3

// Preprocess makes the network's input from pictures [B,3,H,W] in [-1,1] of any size → [B,3,299,299], as torch-fidelity
// does: rounded to 8 bits a channel (FID is defined on files), resized by TensorFlow 1's bilinear filter, (v - 128) /
// 128.
func Preprocess(images *Node) *Node {
	images.AssertDims(-1, 3, -1, -1)
	x := Floor(AddScalar(MulScalar(OnePlus(ClipScalar(images, -1, 1)), 127.5), 0.5))
	x = nn.TF1BilinearResize(x, ImageSize, ImageSize)
	return MulScalar(AddScalar(x, -128), 1.0/128)
}

// Build gives the features before the classifier: preprocessed pictures [B,3,299,299] → [B,F].
func Build(scope *model.Scope, cfg Config, x *Node) *Node {
	x.AssertDims(-1, 3, ImageSize, ImageSize)
	n := network{scope, cfg.convolutions()}
	x = n.chain(x, "", "Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3")
	x = nn.MaxPool2d(x, 3, 2, 0)
	x = n.chain(x, "", "Conv2d_3b_1x1", "Conv2d_4a_3x3")
	x = nn.MaxPool2d(x, 3, 2, 0)
	x.AssertDims(-1, -1, 35, 35)
	for _, name := range []string{"Mixed_5b.", "Mixed_5c.", "Mixed_5d."} {
		x = n.blockA(x, name)
	}
	x = n.blockB(x, "Mixed_6a.")
	x.AssertDims(-1, -1, 17, 17)
	for _, name := range []string{"Mixed_6b.", "Mixed_6c.", "Mixed_6d.", "Mixed_6e."} {
		x = n.blockC(x, name)
	}
	x = n.blockD(x, "Mixed_7a.")
	x.AssertDims(-1, -1, 8, 8)
	x = n.blockE(x, "Mixed_7b.", averagePool(x))
	// A max-pool, where the paper and torchvision have an average: the published weights were trained so.
	x = n.blockE(x, "Mixed_7c.", nn.MaxPool2d(x, 3, 1, 1))
	x = ReduceMean(x, 2, 3)
	x.AssertDims(-1, cfg.FeatureDim)
	return x
}

// Load checks the weights w against cfg and puts them into scope, frozen.
func Load(scope *model.Scope, cfg Config, w *checkpoints.Weights, dtype dtypes.DType) error {
	if err := w.Check(cfg.Shapes()); err != nil {
		return err
	}
	return nn.Load(scope, w, dtype, false)
}

type network struct {
	ctx          *model.Scope
	convolutions map[string]convolution
}

// chain applies the named convolutions one after the other.
func (n network) chain(x *Node, block string, names ...string) *Node {
	for _, name := range names {
		c := n.convolutions[block+name]
		padding := [2]int{}
		if c.same {
			padding = [2]int{(c.height - 1) / 2, (c.width - 1) / 2}
		}
		kernel := nn.Weight(n.ctx, x.Graph(), c.name+".conv.weight", c.out, c.in, c.height, c.width)
		x = nn.Conv2d(x, kernel, c.stride, padding)
		x = nn.ReLU(nn.FrozenBatchNorm2d(n.ctx, x, c.name+".bn", batchNormEpsilon))
	}
	return x
}

func averagePool(x *Node) *Node { return nn.AvgPool2d(x, 3, 1) }

func join(branches ...*Node) *Node { return Concatenate(branches, 1) }

func (n network) blockA(x *Node, name string) *Node {
	return join(
		n.chain(x, name, "branch1x1"),
		n.chain(x, name, "branch5x5_1", "branch5x5_2"),
		n.chain(x, name, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
		n.chain(averagePool(x), name, "branch_pool"))
}

func (n network) blockB(x *Node, name string) *Node {
	return join(
		n.chain(x, name, "branch3x3"),
		n.chain(x, name, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
		nn.MaxPool2d(x, 3, 2, 0))
}

func (n network) blockC(x *Node, name string) *Node {
	return join(
		n.chain(x, name, "branch1x1"),
		n.chain(x, name, "branch7x7_1", "branch7x7_2", "branch7x7_3"),
		n.chain(x, name, "branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"),
		n.chain(averagePool(x), name, "branch_pool"))
}

func (n network) blockD(x *Node, name string) *Node {
	return join(
		n.chain(x, name, "branch3x3_1", "branch3x3_2"),
		n.chain(x, name, "branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"),
		nn.MaxPool2d(x, 3, 2, 0))
}

func (n network) blockE(x *Node, name string, pooled *Node) *Node {
	wide := n.chain(x, name, "branch3x3_1")
	double := n.chain(x, name, "branch3x3dbl_1", "branch3x3dbl_2")
	return join(
		n.chain(x, name, "branch1x1"),
		n.chain(wide, name, "branch3x3_2a"), n.chain(wide, name, "branch3x3_2b"),
		n.chain(double, name, "branch3x3dbl_3a"), n.chain(double, name, "branch3x3dbl_3b"),
		n.chain(pooled, name, "branch_pool"))
}
