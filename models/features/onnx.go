package features

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
	"illustrator/models/batch"
	"illustrator/models/features/onnxgraph"
	"illustrator/models/nn"
)

// ONNXOptions holds settings that an ONNX file lacks. A JSON file beside it has them: net.json of net.onnx.
type ONNXOptions struct {
	// Output names the tensor that is the features or the distance: an output of the graph or of any node in it. Empty:
	// the graph's only output.
	Output string `json:"output"`
	// Size is the height and width in pixels that pictures are resized to, by the exact area filter. Zero: what the
	// file's input says; a distance whose input says none takes pictures as they are.
	Size int `json:"size"`
	// Mean and Std of red, green and blue in [0,1] normalise pictures, as (x - Mean) / Std.
	Mean [3]float64 `json:"mean"`
	Std  [3]float64 `json:"std"`
}

const onnxHint = `write the settings of the network's training, such as {"output": "features", "size": 224, ` +
	`"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}; mean and std of 0.5 make values in [-1,1]`

// readONNXOptions reads the JSON file beside an ONNX file.
func readONNXOptions(path string) (o ONNXOptions, err error) {
	beside := strings.TrimSuffix(path, filepath.Ext(path)) + ".json"
	raw, err := files.ReadFile(beside, 1<<20)
	if err != nil {
		return o, fault.Hint(fmt.Errorf("ONNX file %q has no settings beside it: %w", path, err), onnxHint)
	}
	if err := jsonfile.Decode(raw, &o); err != nil {
		return o, fault.Usage(fmt.Errorf("%s: %w", beside, err), onnxHint)
	}
	if o.Size < 0 {
		return o, fault.Usage(fmt.Errorf("%s: size is %d", beside, o.Size),
			"give the pixels of a side, such as 224, or 0 for what the file says")
	}
	return o, nil
}

// OpenONNX loads any network that turns pictures [N,3,H,W] into features, from an ONNX file and the files of its folder
// that hold its weights. An operator that is not supported is an error here, not later.
func OpenONNX(backend compute.Backend, path string, o ONNXOptions) (*Extractor, error) {
	runner := batch.NewRunner(backend)
	n, err := openONNX(runner.Store.RootScope(), path, o, 1)
	if err == nil && n.options.Size < 1 {
		err = fault.Usage(errors.New("its input does not say the size of pictures"), "give the size, such as 224")
	}
	if err != nil {
		return nil, fmt.Errorf("open ONNX file %q: %w", path, err)
	}
	build := func(scope *model.Scope, images *graph.Node) *graph.Node { return n.build(scope, images) }
	e := &Extractor{Name: n.name(), SHA256: n.sha256, runner: runner, build: build, batch: n.batch}
	if e.Dim, err = n.width(backend, runner.Store.RootScope(), n.options.Size); err != nil {
		return nil, fmt.Errorf("open ONNX file %q: %w", path, err)
	}
	return e, nil
}

// OpenONNXDistance loads any network that turns two pictures [N,3,H,W] into their distance, as OpenONNX does.
func OpenONNXDistance(backend compute.Backend, path string, o ONNXOptions) (*Distance, error) {
	d := &Distance{runner: batch.NewRunner(backend)}
	n, err := openONNX(d.runner.Store.RootScope(), path, o, 2)
	if err != nil {
		return nil, fmt.Errorf("open ONNX file %q: %w", path, err)
	}
	d.Name, d.SHA256, d.batch, d.least = n.name(), n.sha256, n.batch, 1
	d.build = func(scope *model.Scope, a, b *graph.Node) *graph.Node {
		distance := n.build(scope, a, b)
		return graph.Reshape(distance, distance.Shape().Dim(0))
	}
	const anySize = 64 // which pooling leaves something of
	width, err := n.width(backend, d.runner.Store.RootScope(), cmp.Or(n.options.Size, anySize))
	if err == nil && width != 1 {
		err = fault.Hint(fmt.Errorf("output %q has %d values for two pictures", n.options.Output, width),
			"a distance is one")
	}
	if err != nil {
		return nil, fmt.Errorf("open ONNX file %q: %w", path, err)
	}
	return d, nil
}

// onnxNetwork is a network as the file has it, and how it is used.
type onnxNetwork struct {
	file    *onnxgraph.File
	options ONNXOptions
	batch   int // pictures at once
	sha256  string
}

// openONNX reads the file, and puts its weights into scope.
func openONNX(scope *model.Scope, path string, o ONNXOptions, inputs int) (*onnxNetwork, error) {
	for c, std := range o.Std {
		if !(std > 0) {
			return nil, fault.Usage(fmt.Errorf("std[%d] is %g", c, std),
				"give mean and std of the pictures that the network was trained on, such as 0.5,0.5,0.5 for values in [-1,1]")
		}
	}
	file, err := onnxgraph.Open(path)
	if err != nil {
		return nil, err
	}
	n := &onnxNetwork{file: file, options: o}
	if err := n.chooseInputs(inputs); err != nil {
		return nil, err
	}
	if err := n.chooseOutput(); err != nil {
		return nil, err
	}
	settings, err := json.Marshal(n.options)
	if err != nil {
		return nil, err
	}
	n.sha256 = checkpoints.SHA256(bytes.Join(append(file.Data, settings), nil)) // features change with either
	return n, loadONNX(scope, file)
}

// loadONNX puts the weights of a file into scope.
func loadONNX(scope *model.Scope, file *onnxgraph.File) error {
	weights, err := file.Weights()
	if err == nil {
		err = weights.VariablesToScope(scope)
	}
	return fault.Hint(err, "the file is damaged: fetch it again")
}

func (n *onnxNetwork) name() string {
	if n.options.Size == 0 {
		return "onnx " + n.options.Output
	}
	return fmt.Sprintf("onnx %s area-%d", n.options.Output, n.options.Size)
}

// chooseInputs takes the graph's inputs: `want` pictures.
func (n *onnxNetwork) chooseInputs(want int) error {
	inputs := n.file.Inputs
	fits := len(inputs) == want
	for _, in := range inputs {
		fits = fits && len(in.Dims) == 4 && in.IsFloat
	}
	if !fits {
		return fault.Hint(fmt.Errorf("its inputs are %s", describe(inputs)),
			"features are of one input [N,3,H,W] of float32, a distance is of two")
	}
	n.batch = batchSize
	if first := inputs[0].Dims[2]; n.options.Size == 0 && first != onnxgraph.AnyDim {
		n.options.Size = first
	}
	size := n.options.Size
	for _, in := range inputs {
		for axis, want := range []int{1, 3, size, size} {
			if have := in.Dims[axis]; have != onnxgraph.AnyDim && have != want {
				return fault.Hint(fmt.Errorf("its input is %s, which does not take %v", describe(inputs), []int{1, 3, size, size}),
					"export the network with a batch of any size, or of 1; its pictures must be square and of that size")
			}
		}
		if in.Dims[0] == 1 {
			n.batch = 1
		}
	}
	return nil
}

// chooseOutput takes the graph's only output where none is named.
func (n *onnxNetwork) chooseOutput() error {
	if n.options.Output != "" {
		return nil
	}
	if outputs := n.file.Outputs; len(outputs) != 1 {
		return fault.Usage(fmt.Errorf("it has the outputs %s", describe(outputs)), "name the one that is the features")
	}
	n.options.Output = n.file.Outputs[0].Name
	return nil
}

// build: pictures [B,3,H,W] in [-1,1] for each input → what the network makes of them, [B,D].
func (n *onnxNetwork) build(scope *model.Scope, pictures ...*graph.Node) *graph.Node {
	g, o := pictures[0].Graph(), n.options
	inputs := map[string]*graph.Node{}
	for i, x := range pictures {
		x = graph.MulScalar(graph.OnePlus(graph.ClipScalar(x, -1, 1)), 0.5)
		if o.Size > 0 {
			x = nn.AreaResize(x, o.Size, o.Size)
		}
		channel := func(v [3]float64) *graph.Node {
			return graph.Reshape(graph.ConstAsDType(g, x.DType(), v[:]), 1, 3, 1, 1)
		}
		inputs[n.file.Inputs[i].Name] = graph.Div(graph.Sub(x, channel(o.Mean)), channel(o.Std))
	}
	y := callONNX(scope, n.file, inputs, o.Output)
	return graph.ConvertDType(graph.Reshape(y, pictures[0].Shape().Dim(0), -1), dtypes.Float32)
}

// callONNX computes an output from inputs by name. It panics with an error, as graph code does.
func callONNX(scope *model.Scope, file *onnxgraph.File, inputs map[string]*graph.Node, output string) *graph.Node {
	dims := map[string][]int{}
	var g *graph.Graph
	for name, x := range inputs {
		dims[name], g = x.Shape().Dimensions, x.Graph()
	}
	network, err := file.At(dims, output)
	if err != nil {
		panic(err)
	}
	return network.CallGraph(scope, g, inputs)[0]
}

// width returns D of pictures of that size. It builds the graph, which finds out whether all its operators are known.
func (n *onnxNetwork) width(backend compute.Backend, scope *model.Scope, size int) (int, error) {
	width := 0
	err := exceptions.TryCatch[error](func() {
		g := graph.NewGraph(backend, "features")
		defer g.Finalize()
		var pictures []*graph.Node
		for _, in := range n.file.Inputs {
			pictures = append(pictures, graph.Parameter(g, in.Name, shapes.Make(dtypes.Float32, n.batch, 3, size, size)))
		}
		width = n.build(scope, pictures...).Shape().Dim(1)
	})
	if err != nil {
		hint := cmp.Or(fault.HintOf(err), "export the network in another way")
		err = fault.Contained(err, "an operator has other inputs or attributes than it takes")
		return 0, fault.Hint(fmt.Errorf("output %q: %w", n.options.Output, err), "%s", hint)
	}
	return width, nil
}

// describe lists inputs or outputs with their shapes.
func describe(infos []onnxgraph.Info) string {
	var parts []string
	for _, i := range infos {
		parts = append(parts, i.Name+" "+strings.ReplaceAll(fmt.Sprint(i.Dims), fmt.Sprint(onnxgraph.AnyDim), "any"))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
