package features

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"illustrator/internal/fault"
)

// rewrite returns the nodes that do what n does with operators that onnx-gomlx has; message is n itself.
func rewrite(n node, message []byte) ([][]byte, error) {
	if len(n.outputs) == 0 || len(n.inputs) == 0 {
		return [][]byte{message}, nil
	}
	w := &rewriter{prefix: n.outputs[0] + "/"}
	var err error
	switch n.operator {
	case "LeakyRelu":
		w.leakyRelu(n)
	case "InstanceNormalization":
		err = w.instanceNorm(n)
	case "ConvTranspose":
		err = w.convTranspose(n)
	case "Upsample":
		err = w.upsample(n)
	case "Pad":
		w.pad(n)
	case "Conv":
		err = w.conv(n, message)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w", n.operator, n.outputs[0], err)
	}
	if w.nodes == nil {
		return [][]byte{message}, nil
	}
	return w.nodes, nil
}

// rewriter collects nodes whose names begin with prefix.
type rewriter struct {
	prefix string
	nodes  [][]byte
}

// add adds a node and returns its output, which is named by the prefix and the name, or out as it is.
func (w *rewriter) add(operator, name string, inputs []string, attributes ...[]byte) string {
	return w.addTo(w.prefix+name, operator, inputs, attributes...)
}

func (w *rewriter) addTo(out, operator string, inputs []string, attributes ...[]byte) string {
	var m []byte
	for _, in := range inputs {
		m = appendField(m, nodeInput, []byte(in))
	}
	m = appendField(m, nodeOutput, []byte(out))
	m = appendField(m, nodeOperator, []byte(operator))
	for _, a := range attributes {
		m = appendField(m, nodeAttribute, a)
	}
	w.nodes = append(w.nodes, m)
	return out
}

// ints and floats add constants [len(values)].
func (w *rewriter) ints(name string, values ...int64) string {
	var raw []byte
	for _, v := range values {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	const int64Type = 7
	return w.constant(name, int64Type, len(values), raw)
}

func (w *rewriter) float(name string, v float32) string {
	const floatType = 1
	return w.constant(name, floatType, 1, binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
}

func (w *rewriter) constant(name string, kind uint64, n int, raw []byte) string {
	tensor := appendInt(nil, tensorDims, uint64(n))
	tensor = appendInt(tensor, tensorType, kind)
	tensor = appendField(tensor, tensorRaw, raw)
	return w.add("Constant", name, nil, tensorAttribute("value", tensor))
}

func appendField(m []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(m, number, protowire.BytesType), value)
}

func appendInt(m []byte, number protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(m, number, protowire.VarintType), v)
}

// Kinds of AttributeProto.
const (
	kindInt    = 2
	kindString = 3
	kindTensor = 4
	kindInts   = 7
)

func tensorAttribute(name string, tensor []byte) []byte {
	return appendInt(appendField(appendField(nil, attributeName, []byte(name)), attributeTensor, tensor), attributeKind, kindTensor)
}

func textAttribute(name, text string) []byte {
	return appendInt(appendField(appendField(nil, attributeName, []byte(name)), attributeString, []byte(text)), attributeKind, kindString)
}

func intsAttribute(name string, values ...int64) []byte {
	a := appendField(nil, attributeName, []byte(name))
	for _, v := range values {
		a = appendInt(a, attributeInts, uint64(v))
	}
	return appendInt(a, attributeKind, kindInts)
}

// leakyRelu: relu(x) - alpha·relu(-x).
func (w *rewriter) leakyRelu(n node) {
	alpha := float32(0.01) // ONNX's default
	if a, ok := n.attributes["alpha"]; ok {
		alpha = a.float
	}
	positive := w.add("Relu", "positive", n.inputs)
	negative := w.add("Relu", "negative", []string{w.add("Neg", "neg", n.inputs)})
	scaled := w.add("Mul", "scaled", []string{negative, w.float("alpha", alpha)})
	w.addTo(n.outputs[0], "Sub", []string{positive, scaled})
}

// instanceNorm: (x - mean) / sqrt(var + epsilon) · scale + bias, mean and variance of each picture's channel.
func (w *rewriter) instanceNorm(n node) error {
	if len(n.inputs) != 3 {
		return fault.Hint(fmt.Errorf("%d inputs, not 3", len(n.inputs)), "the file is damaged")
	}
	epsilon := float32(1e-5) // ONNX's default
	if a, ok := n.attributes["epsilon"]; ok {
		epsilon = a.float
	}
	x := w.add("Reshape", "flat", []string{n.inputs[0], w.ints("flat shape", 0, 0, -1)})
	last := intsAttribute("axes", 2)
	centred := w.add("Sub", "centred", []string{x, w.add("ReduceMean", "mean", []string{x}, last)})
	variance := w.add("ReduceMean", "variance", []string{w.add("Mul", "square", []string{centred, centred})}, last)
	deviation := w.add("Sqrt", "deviation", []string{w.add("Add", "variance+epsilon", []string{variance, w.float("epsilon", epsilon)})})
	y := w.add("Div", "normed", []string{centred, deviation})
	channels := w.ints("channels", 1, -1, 1)
	y = w.add("Mul", "scaled", []string{y, w.add("Reshape", "scale", []string{n.inputs[1], channels})})
	y = w.add("Add", "shifted", []string{y, w.add("Reshape", "bias", []string{n.inputs[2], channels})})
	w.addTo(n.outputs[0], "Reshape", []string{y, w.add("Shape", "shape", n.inputs[:1])})
	return nil
}

// convTranspose spreads x [N,C,H,W] out, with zeros between, and convolves it with the turned kernel.
func (w *rewriter) convTranspose(n node) error {
	two := func(name string, or uint64) [2]int64 {
		if v := n.attributes[name].ints; len(v) == 2 {
			return [2]int64{int64(v[0]), int64(v[1])}
		}
		return [2]int64{int64(or), int64(or)}
	}
	kernel, stride, extra := two("kernel_shape", 0), two("strides", 1), two("output_padding", 0)
	pads := []uint64{0, 0, 0, 0}
	if a, ok := n.attributes["pads"]; ok {
		pads = a.ints
	}
	auto := n.attributes["auto_pad"].text
	switch {
	case len(n.inputs) < 2 || kernel[0] < 1 || kernel[1] < 1 || stride[0] < 1 || stride[1] < 1 || len(pads) != 4:
		return fault.Hint(fmt.Errorf("no kernel_shape or strides of two axes"), "export the network with them, as PyTorch does for pictures")
	case !all(n.attributes["group"].ints, 1) || !all(n.attributes["dilations"].ints, 1) || len(n.attributes["output_shape"].ints) > 0 || auto != "" && auto != "NOTSET":
		return fault.Hint(fmt.Errorf("it has groups, dilations, output_shape or auto_pad"), "export the network without them")
	}
	// ONNX: size = (H-1)·stride + kernel - pads + output_padding. The spread picture ends in stride-1 zeros of its own.
	var around [4]int64
	for axis := range 2 {
		around[axis] = kernel[axis] - 1 - int64(pads[axis])
		around[axis+2] = kernel[axis] - 1 - int64(pads[axis+2]) + extra[axis] - (stride[axis] - 1)
		if around[axis] < 0 || around[axis+2] < 0 {
			return fault.Hint(fmt.Errorf("kernel %v with stride %v and pads %v", kernel, stride, pads), "strides beyond the kernel, and pads beyond it less one, are not supported")
		}
	}
	x := n.inputs[0]
	if stride != [2]int64{1, 1} {
		spread := w.add("Mul", "spread shape", []string{w.add("Shape", "shape", n.inputs[:1]), w.ints("strides", 1, 1, stride[0], stride[1])})
		x = w.add("Unsqueeze", "columns", []string{x}, intsAttribute("axes", 3, 5)) // [N,C,H,1,W,1]
		zeros := w.ints("zeros", 0, 0, 0, 0, 0, 0, 0, 0, 0, stride[0]-1, 0, stride[1]-1)
		x = w.add("Reshape", "spread", []string{w.add("Pad", "padded", []string{x, zeros}), spread})
	}
	turned := w.add("Transpose", "kernel", n.inputs[1:2], intsAttribute("perm", 1, 0, 2, 3))
	for axis, size := range kernel {
		var backwards []int64
		for i := size - 1; i >= 0; i-- {
			backwards = append(backwards, i)
		}
		turned = w.add("Gather", fmt.Sprint("kernel turned ", axis), []string{turned, w.ints(fmt.Sprint("backwards ", axis), backwards...)},
			appendInt(appendInt(appendField(nil, attributeName, []byte("axis")), attributeInt, uint64(2+axis)), attributeKind, kindInt))
	}
	inputs := append([]string{x, turned}, n.inputs[2:]...)
	w.addTo(n.outputs[0], "Conv", inputs, intsAttribute("pads", around[:]...), intsAttribute("strides", 1, 1))
	return nil
}

// upsample, an operator of old files, is a Resize whose pixels begin at the same corner.
func (w *rewriter) upsample(n node) error {
	if len(n.inputs) != 2 {
		return fault.Hint(fmt.Errorf("its scales are no input"), "export the network with opset 9 or newer")
	}
	mode := n.attributes["mode"].text
	if mode == "" {
		mode = "nearest"
	}
	w.addTo(n.outputs[0], "Resize", []string{n.inputs[0], "", n.inputs[1]}, textAttribute("mode", mode),
		textAttribute("coordinate_transformation_mode", "asymmetric"), textAttribute("nearest_mode", "floor"))
	return nil
}

// pad makes inputs of what files before opset 11 have as attributes.
func (w *rewriter) pad(n node) {
	pads, ok := n.attributes["pads"]
	if !ok {
		return
	}
	var values []int64
	for _, v := range pads.ints {
		values = append(values, int64(v))
	}
	mode := n.attributes["mode"].text
	if mode == "" {
		mode = "constant"
	}
	w.addTo(n.outputs[0], "Pad", []string{n.inputs[0], w.ints("pads", values...), w.float("value", n.attributes["value"].float)}, textAttribute("mode", mode))
}

// conv gives a convolution the pads that auto_pad stands for, where they don't depend on the picture's size.
func (w *rewriter) conv(n node, message []byte) error {
	auto := n.attributes["auto_pad"].text
	if auto == "" || auto == "NOTSET" {
		return nil
	}
	message, err := change(message, nodeAttribute, func(value []byte) ([]byte, error) {
		name, _, err := parseAttribute(value)
		if name == "auto_pad" || name == "pads" {
			return nil, err
		}
		return value, err
	})
	if err != nil {
		return err
	}
	if auto != "VALID" {
		kernel, dilations := n.attributes["kernel_shape"].ints, n.attributes["dilations"].ints
		if len(kernel) != 2 || !all(n.attributes["strides"].ints, 1) {
			return fault.Hint(fmt.Errorf("auto_pad %s with a stride, or without kernel_shape", auto), "export the network with pads as numbers")
		}
		pads := make([]int64, 4)
		for axis, size := range kernel {
			total := int64(size) - 1
			if len(dilations) == 2 {
				total *= int64(dilations[axis])
			}
			pads[axis], pads[axis+2] = total/2, total-total/2
			if auto == "SAME_LOWER" {
				pads[axis], pads[axis+2] = pads[axis+2], pads[axis]
			}
		}
		message = appendField(message, nodeAttribute, intsAttribute("pads", pads...))
	}
	w.nodes = append(w.nodes, message)
	return nil
}

// constantScales makes constants of the weights that Resize and Upsample take as their scales: onnx-gomlx reads those while it
// builds the graph, when weights have no values yet.
func constantScales(graph []byte) ([]byte, error) {
	parts, err := fields(graph)
	if err != nil {
		return nil, err
	}
	scales := map[string]bool{}
	for _, p := range parts {
		if p.number != graphNode {
			continue
		}
		n, err := parseNode(p.bytes())
		if err != nil {
			return nil, err
		}
		if last := len(n.inputs) - 1; n.operator == "Upsample" && last == 1 || n.operator == "Resize" && last >= 2 {
			for _, name := range n.inputs[max(1, last-1):] {
				scales[name] = true
			}
		}
	}
	var constants [][]byte
	graph, err = change(graph, graphInitializer, func(tensor []byte) ([]byte, error) {
		parts, err := fields(tensor)
		for _, p := range parts {
			if p.number == tensorName && scales[string(p.bytes())] {
				w := &rewriter{}
				w.addTo(string(p.bytes()), "Constant", nil, tensorAttribute("value", tensor))
				constants = append(constants, w.nodes...)
				return nil, err
			}
		}
		return tensor, err
	})
	for _, c := range constants {
		graph = appendField(graph, graphNode, c)
	}
	return graph, err
}

// nameAxes gives names to the input's axes that have neither a size nor a name: onnx-gomlx takes all of those for one size.
func nameAxes(graph []byte) ([]byte, error) {
	// GraphProto.input, ValueInfoProto.type, TypeProto.tensor_type, its shape, its dim.
	path := []protowire.Number{11, 2, 1, 2, 1}
	axis := 0
	var walk func(message []byte, path []protowire.Number) ([]byte, error)
	walk = func(message []byte, path []protowire.Number) ([]byte, error) {
		if len(path) > 0 {
			return change(message, path[0], func(value []byte) ([]byte, error) { return walk(value, path[1:]) })
		}
		if axis++; len(message) > 0 {
			return message, nil
		}
		const dimParam = 2
		return appendField(nil, dimParam, fmt.Appendf(nil, "axis %d", axis)), nil
	}
	return walk(graph, path)
}
