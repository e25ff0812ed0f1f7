package onnxgraph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/onnx-gomlx/onnx"
	"github.com/gomlx/onnx-gomlx/onnx/parser"

	"illustrator/internal/fault"
)

// Versions that a written model says of itself: ONNX Runtime reads them since 1.12. onnx-gomlx looks at neither.
const (
	writtenIR    = 8
	writtenOpset = 17
)

// Weights returns a model without nodes, to load the weights from: those of all models that At returns.
func (f *File) Weights() (onnx.Model, error) {
	var graph []byte
	for _, t := range f.tensors {
		if t.isWeight() {
			graph = appendField(graph, graphInitializer, t.encode())
		}
	}
	return parse(graph)
}

// At returns the model that computes output, which is one of the graph's or of a node in it, from inputs of these
// shapes. Its weights are those of Weights, and are loaded from there.
func (f *File) At(dims map[string][]int, output string) (model onnx.Model, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fault.Hint(fault.Recovered(r, "an operator has other inputs or attributes than it takes"), damagedHint)
		}
	}()
	return f.at(dims, output)
}

// at is At, which may panic where a graph is damaged.
func (f *File) at(dims map[string][]int, output string) (onnx.Model, error) {
	b := &builder{file: f, values: map[string]*value{}, opset: f.opset}
	var infos []byte
	for _, in := range f.Inputs {
		b.values[in.Name] = &value{name: in.Name, kind: float32Kind, dims: dims[in.Name]}
		infos = appendField(infos, graphInput, encodeInfo(in.Name, float32Kind, dims[in.Name]))
	}
	if f.makers[output] == nil && b.values[output] == nil {
		return nil, fault.Usage(fmt.Errorf("it has no output %q", output),
			"its outputs are %s; that of any node can be named too", names(f.Outputs))
	}
	if err := b.nodes(f.order, f.makers, output); err != nil {
		return nil, err
	}
	v, err := b.value(output)
	if err != nil {
		return nil, err
	}
	last := b.emit("Identity", v.kind, v.dims, []*value{v})
	b.graph = append(b.graph, infos...)
	b.graph = appendField(b.graph, graphOutput, encodeInfo(last.name, last.kind, last.dims))
	for _, t := range b.weights {
		b.graph = appendField(b.graph, graphInitializer, t.encode())
	}
	return parse(b.graph)
}

func names(infos []Info) string {
	var all []string
	for _, i := range infos {
		all = append(all, i.Name)
	}
	return strings.Join(all, ", ")
}

func parse(graph []byte) (onnx.Model, error) {
	m := appendInt(nil, modelIR, writtenIR)
	m = appendField(m, modelOpset, appendInt(nil, opsetVersion, writtenOpset))
	m = appendField(m, modelGraph, appendText(graph, graphName, "network"))
	model, err := parser.Parse(m)
	if err != nil {
		return nil, err
	}
	model.DisableFusion()
	return model, nil
}

// builder writes a graph at given sizes.
type builder struct {
	file    *File
	opset   int64
	values  map[string]*value
	graph   []byte // nodes
	count   int
	weights []*tensor
}

// nodes converts those that output needs.
func (b *builder) nodes(order []*node, makers map[string]*node, outputs ...string) error {
	needed, left := map[*node]bool{}, slices.Clone(outputs)
	for len(left) > 0 {
		name := left[len(left)-1]
		left = left[:len(left)-1]
		if n := makers[name]; n != nil && !needed[n] {
			needed[n] = true
			left = append(left, n.needs()...)
		}
	}
	for _, n := range order {
		if !needed[n] {
			continue
		}
		if err := b.node(n); err != nil {
			return fmt.Errorf("%s: %w", n.name(), err)
		}
	}
	return nil
}

// value returns what a name stands for; nil for the empty name of an input that is left out.
func (b *builder) value(name string) (*value, error) {
	if name == "" {
		return nil, nil
	}
	if v := b.values[name]; v != nil {
		return v, nil
	}
	if t := b.file.graph.weights[name]; t != nil {
		b.values[name] = fromTensor(t)
		return b.values[name], nil
	}
	return nil, fmt.Errorf("%q is an output that is not supported", name)
}

func (b *builder) node(n *node) error {
	in := make([]*value, len(n.inputs))
	for i, name := range n.inputs {
		var err error
		if in[i], err = b.value(name); err != nil {
			return err
		}
	}
	out, err := b.convert(n, in)
	if err != nil {
		return err
	}
	for i, v := range out {
		if v.dims != nil {
			if _, err := elements(v.dims); err != nil {
				return err
			}
		}
		if i < len(n.outputs) {
			b.values[n.outputs[i]] = v
		}
	}
	return nil
}

// attr is an attribute of a node that is written.
type attr struct {
	name  string
	value any
}

// emit writes a node of one output and returns that.
func (b *builder) emit(operator string, k kind, dims []int, in []*value, attrs ...attr) *value {
	return b.emitAll(operator, []*value{{kind: k, dims: dims}}, in, attrs...)[0]
}

// emitAll is emit for any number of outputs, whose names it sets.
func (b *builder) emitAll(operator string, out []*value, in []*value, attrs ...attr) []*value {
	var m []byte
	for _, v := range in {
		m = appendText(m, nodeInput, b.ref(v))
	}
	for _, v := range out {
		v.name, v.kind = b.fresh(), v.kind.computed()
		m = appendText(m, nodeOutput, v.name)
	}
	m = appendText(m, nodeOperator, operator)
	for _, a := range attrs {
		m = appendField(m, nodeAttribute, encodeAttribute(a.name, a.value))
	}
	b.graph = appendField(b.graph, graphNode, m)
	return out
}

func (b *builder) fresh() string {
	b.count++
	return fmt.Sprint("value", b.count)
}

// ref returns the name of a value in the written graph, where it puts constants and weights.
func (b *builder) ref(v *value) string {
	switch {
	case v == nil:
		return ""
	case v.name != "":
	case v.weight != nil && v.weight.isWeight():
		v.name = v.weight.id
		if !slices.Contains(b.weights, v.weight) {
			b.weights = append(b.weights, v.weight)
		}
	default:
		v.name = b.fresh()
		m := appendText(appendText(nil, nodeOutput, v.name), nodeOperator, "Constant")
		t := constantTensor(v.kind, v.dims, v.floats, v.ints)
		b.graph = appendField(b.graph, graphNode, appendField(m, nodeAttribute, encodeAttribute("value", t)))
	}
	return v.name
}

// The attributes of a node, or what they are where they are left out.

func (n *node) int(name string, or int) int {
	if a := n.attributes[name]; a != nil {
		return int(a.int)
	}
	return or
}

func (n *node) float(name string, or float64) float64 {
	if a := n.attributes[name]; a != nil {
		return float64(a.float)
	}
	return or
}

func (n *node) text(name, or string) string {
	if a := n.attributes[name]; a != nil {
		return a.text
	}
	return or
}

func (n *node) ints(name string, or ...int) []int {
	a := n.attributes[name]
	if a == nil {
		return or
	}
	out := make([]int, len(a.ints))
	for i, v := range a.ints {
		out[i] = int(v)
	}
	return out
}
