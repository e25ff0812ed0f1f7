package features

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/batch"
	"illustrator/models/features/onnxgraph"
)

// Layouts and orders of channels that a Redrawer's network may have.
const (
	NCHW = "NCHW"
	NHWC = "NHWC"
	RGB  = "RGB"
	BGR  = "BGR"
)

// RedrawOptions holds settings that an image-to-image network's file lacks.
type RedrawOptions struct {
	Layout   string // NCHW or NHWC
	Channels string // RGB or BGR
	// Black and white are Range before (x - Mean) / Std, which are in the network's order of channels; the network's
	// pictures have them at OutputRange.
	Range, OutputRange [2]float64
	Mean, Std          [3]float64
	// Output names the tensor that is the picture; empty for the graph's only output.
	Output string
}

// maxFixedSide bounds the sides of pictures that a network takes alone.
const maxFixedSide = 4096

// Redrawer is a network that turns a picture into one of the same size. It is for one goroutine at a time.
type Redrawer struct {
	// SHA256 is that of the file.
	SHA256 string
	// Backend may be set later than the rest: nothing needs it before Redraw.
	Backend compute.Backend
	// Height and Width are those of the only pictures that the network takes; 0 where it takes any.
	Height, Width int

	file    *onnxgraph.File
	options RedrawOptions
	loaded  bool
	runner  *batch.Runner
}

// OpenRedrawer reads a network of pictures, such as AnimeGAN, CartoonGAN or fast neural style, from an ONNX file and
// the files of its folder that hold its weights.
func OpenRedrawer(path string, o RedrawOptions) (*Redrawer, error) {
	r, err := openRedrawer(path, o)
	if err != nil {
		return nil, fmt.Errorf("open ONNX file %q: %w", path, err)
	}
	return r, nil
}

func openRedrawer(path string, o RedrawOptions) (*Redrawer, error) {
	file, err := onnxgraph.Open(path)
	if err != nil {
		return nil, err
	}
	inputs := file.Inputs
	if len(inputs) != 1 || len(inputs[0].Dims) != 4 || !inputs[0].IsFloat {
		return nil, fault.Hint(fmt.Errorf("its inputs are %s", describe(inputs)),
			"a network that redraws pictures has one input of four axes of float32")
	}
	r := &Redrawer{SHA256: checkpoints.SHA256(bytes.Join(file.Data, nil)), file: file, options: o}
	channels, size := 1, map[int]*int{2: &r.Height, 3: &r.Width}
	if o.Layout == NHWC {
		channels, size = 3, map[int]*int{1: &r.Height, 2: &r.Width}
	}
	for axis, dim := range inputs[0].Dims {
		want := map[int]int{0: 1, channels: 3}[axis] // 0: any
		switch {
		case dim == onnxgraph.AnyDim || dim == want:
		case dim == 3 || want == 3:
			return nil, fault.Usage(fmt.Errorf("its input is %s, which is not %s", describe(inputs), o.Layout),
				"layout is %s or %s, with 3 channels", NCHW, NHWC)
		case size[axis] == nil:
			return nil, fault.Hint(fmt.Errorf("its input is %s", describe(inputs)),
				"export the network with one picture at once")
		case dim < 1 || dim > maxFixedSide:
			return nil, fault.Hint(fmt.Errorf("its input is %s", describe(inputs)),
				"export the network for pictures of at most %d pixels a side, or of any size (dynamic axes)", maxFixedSide)
		default:
			*size[axis] = dim
		}
	}
	outputs := file.Outputs
	if o.Output == "" && len(outputs) != 1 {
		return nil, fault.Usage(fmt.Errorf("it has the outputs %s", describe(outputs)),
			"name the one that is the picture")
	}
	if o.Output == "" {
		r.options.Output = outputs[0].Name
	}
	at := slices.IndexFunc(outputs, func(out onnxgraph.Info) bool { return out.Name == r.options.Output })
	if at >= 0 && outputs[at].Dims != nil && len(outputs[at].Dims) != 4 {
		return nil, fault.Usage(fmt.Errorf("its outputs are %s", describe(outputs)),
			"a picture has four axes: give a network that redraws pictures, and name its picture where it has several outputs")
	}
	return r, r.checkOperators()
}

// checkOperators returns an error if the network has operators that are not supported, before a device is started.
func (r *Redrawer) checkOperators() error {
	const side = 256 // pixels, where the network takes any; errors of this size alone don't count
	h, w := cmp.Or(r.Height, side), cmp.Or(r.Width, side)
	dims := []int{1, 3, h, w}
	if r.options.Layout == NHWC {
		dims = []int{1, h, w, 3}
	}
	_, err := r.file.At(map[string][]int{r.file.Inputs[0].Name: dims}, r.options.Output)
	if errors.Is(err, onnxgraph.ErrOperator) {
		return err
	}
	return nil
}

// Redraw turns a picture [3,height,width] in [-1,1] into the network's, of the same shape and in about [-1,1]. A
// program is compiled for each size.
func (r *Redrawer) Redraw(ctx context.Context, picture []float32, height, width int) ([]float32, error) {
	if !r.loaded {
		r.runner = batch.NewRunner(r.Backend)
		if err := loadONNX(r.runner.Store.RootScope(), r.file); err != nil {
			return nil, err
		}
		r.loaded = true
	}
	out, err := batch.Run(ctx, r.runner, fmt.Sprintf("redraw %dx%d", width, height), r.build, 1,
		batch.Rows(picture, 3, height, width))
	if err != nil {
		// while the graph was built: what surrounds it tells nothing
		if _, cause, ok := strings.Cut(err.Error(), " panicked: "); ok {
			err = errors.New(cause)
		}
		return nil, fault.Hint(err, "if an operator is not known, export the network in another way")
	}
	return out[0], nil
}

// build: pictures [1,3,H,W] in [-1,1] → the network's [1,3,H,W] in [-1,1].
func (r *Redrawer) build(scope *model.Scope, images *graph.Node) *graph.Node {
	o, g := r.options, images.Graph()
	channel := func(v [3]float64) *graph.Node {
		return graph.Reshape(graph.ConstAsDType(g, images.DType(), v[:]), 1, 3, 1, 1)
	}
	x := rescale(images, [2]float64{-1, 1}, o.Range)
	if o.Channels == BGR {
		x = swap(x)
	}
	x = graph.Div(graph.Sub(x, channel(o.Mean)), channel(o.Std))
	if o.Layout == NHWC {
		x = graph.TransposeAllAxes(x, 0, 2, 3, 1)
	}
	y := callONNX(scope, r.file, map[string]*graph.Node{r.file.Inputs[0].Name: x}, o.Output)
	if !slices.Equal(y.Shape().Dimensions, x.Shape().Dimensions) {
		panic(fmt.Errorf("output %q is %v for a picture %v; it must be of the same size: check size_multiple", o.Output,
			y.Shape().Dimensions, x.Shape().Dimensions))
	}
	if o.Layout == NHWC {
		y = graph.TransposeAllAxes(y, 0, 3, 1, 2)
	}
	if o.Channels == BGR {
		y = swap(y)
	}
	return graph.ConvertDType(rescale(y, o.OutputRange, [2]float64{-1, 1}), dtypes.Float32)
}

// rescale takes from[0] to to[0] and from[1] to to[1].
func rescale(x *graph.Node, from, to [2]float64) *graph.Node {
	factor := (to[1] - to[0]) / (from[1] - from[0])
	return graph.AddScalar(graph.MulScalar(x, factor), to[0]-from[0]*factor)
}

// swap exchanges red and blue of [1,3,H,W].
func swap(x *graph.Node) *graph.Node {
	c := func(k int) *graph.Node {
		return graph.Slice(x, graph.AxisRange(), graph.AxisRange(k, k+1), graph.AxisRange(), graph.AxisRange())
	}
	return graph.Concatenate([]*graph.Node{c(2), c(1), c(0)}, 1)
}
