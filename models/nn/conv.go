package nn

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors/images"
	"github.com/gomlx/gomlx/ml/model"
)

// Conv2d is torch.nn.functional.conv2d without a bias: x [B,I,H,W], kernel [O,I,h,w], with padding[0] zeros above and
// below and padding[1] on the left and right. It is for networks that only judge: its gradient is wrong for even
// kernels.
func Conv2d(x, kernel *Node, stride int, padding [2]int) *Node {
	axes := ConvolveAxesConfig{
		InputBatch: 0, InputChannels: 1, InputSpatial: []int{2, 3},
		KernelOutputChannels: 0, KernelInputChannels: 1, KernelSpatial: []int{2, 3},
		OutputBatch: 0, OutputChannels: 1, OutputSpatial: []int{2, 3},
	}
	return Convolve(x, kernel).AxesConfig(axes).Strides(stride).PaddingPerDim(bothSides(padding)).Done()
}

// FrozenBatchNorm2d is torch.nn.BatchNorm2d in evaluation mode: x [B,C,H,W] with the weights name+".weight", ".bias",
// ".running_mean" and ".running_var" [C].
func FrozenBatchNorm2d(scope *model.Scope, x *Node, name string, eps float64) *Node {
	channels := x.Shape().Dim(1)
	weight := func(suffix string) *Node { return Weight(scope, x.Graph(), name+suffix, channels) }
	scale := Div(weight(".weight"), Sqrt(AddScalar(weight(".running_var"), eps)))
	shift := Sub(weight(".bias"), Mul(weight(".running_mean"), scale))
	return Add(Mul(x, Reshape(scale, 1, channels, 1, 1)), Reshape(shift, 1, channels, 1, 1))
}

// ReLU is max(x, 0).
func ReLU(x *Node) *Node { return Max(x, Zeros(x.Graph(), shapes.Make(x.DType()))) }

// MaxPool2d is torch.nn.functional.max_pool2d: x [B,C,H,W]; what is padded never wins.
func MaxPool2d(x *Node, window, stride, padding int) *Node {
	return MaxPool(x).ChannelsAxis(images.ChannelsFirst).Window(window).Strides(stride).PaddingPerDim(
		bothSides([2]int{padding, padding})).Done()
}

// AvgPool2d is torch.nn.functional.avg_pool2d with stride 1 and count_include_pad=False: x [B,C,H,W]; the mean at an
// edge is of the pixels that are there, as in TensorFlow.
func AvgPool2d(x *Node, window, padding int) *Node {
	return MeanPool(x).ChannelsAxis(images.ChannelsFirst).Window(window).Strides(1).PaddingPerDim(bothSides([2]int{padding,
		padding})).Done()
}

func bothSides(padding [2]int) [][2]int {
	return [][2]int{{padding[0], padding[0]}, {padding[1], padding[1]}}
}
