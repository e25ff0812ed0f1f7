package features

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/backends"
	"github.com/gomlx/gomlx/pkg/core/dtypes"
	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/shapes"
	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/gomlx/pkg/support/exceptions"
	"github.com/gomlx/onnx-gomlx/onnx"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/batch"
	"illustrator/models/nn"
)

// ONNXOptions are what an ONNX file does not say.
type ONNXOptions struct {
	// Output names the tensor that is the features: an output of the graph or of any node in it. Empty: the graph's only
	// output.
	Output string
	// Size is the height and width of the network's pictures in pixels. Zero: what the file's input says.
	Size int
	// Mean and Std of red, green and blue in [0,1] normalise pictures, as (x - Mean) / Std.
	Mean, Std [3]float64
}

// OpenONNX loads any network that turns pictures [N,3,H,W] into features, from an ONNX file that has its weights in itself.
// Pictures are resized by the exact area filter. What the file needs and onnx-gomlx lacks is an error here, not later.
//
// Of torchvision's networks, exported by PyTorch, ResNet, DenseNet, EfficientNet, ConvNeXt and ViT run and equal PyTorch;
// MobileNet V3 (HardSigmoid) and Inception (an average that counts padding) are refused.
func OpenONNX(backend backends.Backend, path string, o ONNXOptions) (*Extractor, error) {
	e, err := openONNX(backend, path, o)
	if err != nil {
		return nil, fmt.Errorf("open ONNX file %q: %w", path, err)
	}
	return e, nil
}

func openONNX(backend backends.Backend, path string, o ONNXOptions) (*Extractor, error) {
	for c, std := range o.Std {
		if !(std > 0) {
			return nil, fault.Usage(fmt.Errorf("std[%d] is %g", c, std), "give mean and std of the pictures that the network was trained on, such as 0.5,0.5,0.5 for values in [-1,1]")
		}
	}
	model, data, err := readONNX(path)
	if err != nil {
		return nil, err
	}
	n := &onnxNetwork{model: model, options: o}
	if err := n.chooseInput(); err != nil {
		return nil, err
	}
	if err := n.chooseOutput(); err != nil {
		return nil, err
	}
	e := &Extractor{
		Name:   fmt.Sprintf("onnx %s area-%d", n.options.Output, n.options.Size),
		SHA256: checkpoints.SHA256(data), runner: batch.NewRunner(backend), build: n.build, batch: n.batch,
	}
	if err := model.VariablesToContext(e.runner.Context); err != nil {
		return nil, fault.Hint(err, "the file is damaged, or has its weights in another: save it as one file")
	}
	e.Dim, err = n.width(backend, e.runner.Context)
	return e, err
}

// onnxNetwork is a network as the file has it, and how it is used.
type onnxNetwork struct {
	model   onnx.Model
	options ONNXOptions
	input   string
	batch   int // pictures at once
}

// chooseInput takes the graph's only input, which must be pictures.
func (n *onnxNetwork) chooseInput() error {
	names, inputs := n.model.Inputs()
	if len(names) != 1 || inputs[0].Rank() != 4 || inputs[0].DType != dtypes.Float32 {
		return fault.Hint(fmt.Errorf("its inputs are %s", describe(names, inputs)), "a network of pictures has one input [N,3,H,W] of float32")
	}
	n.input, n.batch = names[0], batchSize
	size := inputs[0].Dimensions
	if n.options.Size == 0 {
		n.options.Size = size[2]
	}
	for axis, want := range []int{1, 3, n.options.Size, n.options.Size} {
		if size[axis] != onnx.DynamicDim && size[axis] != want {
			return fault.Hint(fmt.Errorf("its input is %s, which does not take %v", describe(names, inputs), []int{1, 3, n.options.Size, n.options.Size}),
				"export the network with a batch of any size, or of 1; its pictures must be square and have the size that was asked for")
		}
	}
	if n.options.Size < 1 {
		return fault.Usage(errors.New("its input does not say the size of pictures"), "give the size, such as 224")
	}
	if size[0] == 1 {
		n.batch = 1
	}
	return nil
}

// chooseOutput takes the graph's only output where none is named.
func (n *onnxNetwork) chooseOutput() error {
	if n.options.Output != "" {
		return nil
	}
	names, outputs := n.model.Outputs()
	if len(names) != 1 {
		return fault.Usage(fmt.Errorf("it has the outputs %s", describe(names, outputs)), "name the one that is the features")
	}
	n.options.Output = names[0]
	return nil
}

// build: pictures [B,3,H,W] in [-1,1] → features [B,D].
func (n *onnxNetwork) build(ctx *mlcontext.Context, images *graph.Node) *graph.Node {
	g, o := images.Graph(), n.options
	x := graph.MulScalar(graph.OnePlus(graph.ClipScalar(images, -1, 1)), 0.5)
	x = nn.AreaResize(x, o.Size, o.Size)
	channel := func(v [3]float64) *graph.Node {
		return graph.Reshape(graph.ConstAsDType(g, x.DType(), v[:]), 1, 3, 1, 1)
	}
	x = graph.Div(graph.Sub(x, channel(o.Mean)), channel(o.Std))
	y := n.model.CallGraph(ctx, g, map[string]*graph.Node{n.input: x}, o.Output)[0]
	return graph.ConvertDType(graph.Reshape(y, images.Shape().Dim(0), -1), dtypes.Float32)
}

// width returns D. It builds the graph, which finds out whether all its operators are known.
func (n *onnxNetwork) width(backend backends.Backend, ctx *mlcontext.Context) (int, error) {
	width := 0
	err := exceptions.TryCatch[error](func() {
		g := graph.NewGraph(backend, "features")
		defer g.Finalize()
		size := n.options.Size
		y := n.build(ctx, graph.Parameter(g, "images", shapes.Make(dtypes.Float32, n.batch, 3, size, size)))
		width = y.Shape().Dim(1)
	})
	if err != nil {
		names, _ := n.model.Outputs()
		return 0, fault.Hint(fmt.Errorf("output %q: %w", n.options.Output, err), "the file's outputs are %s; if an operator is not known, export the network in another way", strings.Join(names, ", "))
	}
	return width, nil
}

func describe(names []string, s []shapes.Shape) string {
	var parts []string
	for i, name := range names {
		parts = append(parts, name+" "+strings.ReplaceAll(fmt.Sprint(s[i].Dimensions), fmt.Sprint(onnx.DynamicDim), "any"))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// oneFile refuses weights in other files: a path in a file that was downloaded is not followed.
type oneFile struct{}

func (oneFile) ReadInto(info onnx.ExternalDataInfo, _ []byte) error {
	return fmt.Errorf("weights are in a second file, %q", info.Location)
}

func (oneFile) Close() error { return nil }
