package features

import (
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/gomlx/onnx-gomlx/onnx"
	"github.com/gomlx/onnx-gomlx/onnx/parser"
	"google.golang.org/protobuf/encoding/protowire"

	"illustrator/internal/fault"
)

// Fields of onnx.proto (ONNX's protocol buffers, version 3).
const (
	modelGraph       protowire.Number = 7 // ModelProto
	graphNode        protowire.Number = 1 // GraphProto
	graphInitializer protowire.Number = 5
	nodeInput        protowire.Number = 1 // NodeProto
	nodeOutput       protowire.Number = 2
	nodeOperator     protowire.Number = 4
	nodeAttribute    protowire.Number = 5
	attributeName    protowire.Number = 1 // AttributeProto
	attributeFloat   protowire.Number = 2
	attributeInt     protowire.Number = 3
	attributeString  protowire.Number = 4
	attributeTensor  protowire.Number = 5
	attributeInts    protowire.Number = 8
	attributeKind    protowire.Number = 20
	tensorDims       protowire.Number = 1 // TensorProto
	tensorType       protowire.Number = 2
	tensorName       protowire.Number = 8
	tensorRaw        protowire.Number = 9
)

// readONNX reads a model that has its weights in itself. It returns the file's bytes too.
func readONNX(path string) (onnx.Model, []byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fault.Hint(err, "check the path")
	}
	adapted, err := adaptONNX(data)
	if err != nil {
		return nil, nil, err
	}
	model, err := parser.Parse(adapted)
	if err != nil {
		return nil, nil, fault.Hint(err, "the file is no ONNX model, or damaged")
	}
	return model.WithExternalDataReader(oneFile{}), data, nil
}

// adaptONNX rewrites what onnx-gomlx lacks in operators that it has (operators.go), and takes out of an ONNX file what it
// refuses although it says nothing: a pool's dilations of 1, and whether zeros that pad are counted where none do. PyTorch's
// exporter writes both. A pool without strides is refused: onnx-gomlx takes the window's size where ONNX says 1.
func adaptONNX(data []byte) ([]byte, error) {
	return change(data, modelGraph, func(graph []byte) ([]byte, error) {
		graph, err := constantScales(graph)
		if err != nil {
			return nil, err
		}
		if graph, err = nameAxes(graph); err != nil {
			return nil, err
		}
		return changeEach(graph, graphNode, adaptNode)
	})
}

// node is a NodeProto.
type node struct {
	operator        string
	inputs, outputs []string
	attributes      map[string]attribute
}

func parseNode(message []byte) (node, error) {
	n := node{attributes: map[string]attribute{}}
	parts, err := fields(message)
	if err != nil {
		return n, err
	}
	for _, p := range parts {
		switch p.number {
		case nodeInput:
			n.inputs = append(n.inputs, string(p.bytes()))
		case nodeOutput:
			n.outputs = append(n.outputs, string(p.bytes()))
		case nodeOperator:
			n.operator = string(p.bytes())
		case nodeAttribute:
			name, a, err := parseAttribute(p.bytes())
			if err != nil {
				return n, err
			}
			n.attributes[name] = a
		}
	}
	return n, nil
}

// adaptNode returns the nodes that stand in for one.
func adaptNode(message []byte) ([][]byte, error) {
	n, err := parseNode(message)
	if err != nil {
		return nil, err
	}
	if n.operator != "MaxPool" && n.operator != "AveragePool" {
		return rewrite(n, message)
	}
	if _, ok := n.attributes["strides"]; !ok {
		return nil, fault.Hint(fmt.Errorf("a %s has no strides", n.operator), "export the network with strides, as PyTorch does")
	}
	message, err = change(message, nodeAttribute, func(value []byte) ([]byte, error) {
		name, a, err := parseAttribute(value)
		if name == "dilations" && all(a.ints, 1) || name == "count_include_pad" && all(n.attributes["pads"].ints, 0) {
			return nil, err
		}
		return value, err
	})
	return [][]byte{message}, err
}

func all(values []uint64, want uint64) bool {
	return !slices.ContainsFunc(values, func(v uint64) bool { return v != want })
}

// attribute is an AttributeProto, as far as it is looked at.
type attribute struct {
	ints  []uint64
	float float32
	text  string
}

// parseAttribute reads an attribute. Its list of whole numbers is packed or comes one by one.
func parseAttribute(message []byte) (name string, a attribute, err error) {
	parts, err := fields(message)
	for _, p := range parts {
		switch {
		case p.number == attributeName:
			name = string(p.bytes())
		case p.number == attributeFloat && p.kind == protowire.Fixed32Type:
			v, _ := protowire.ConsumeFixed32(p.value)
			a.float = math.Float32frombits(v)
		case p.number == attributeString:
			a.text = string(p.bytes())
		case (p.number == attributeInts || p.number == attributeInt) && p.kind == protowire.VarintType:
			v, _ := protowire.ConsumeVarint(p.value)
			a.ints = append(a.ints, v)
		case p.number == attributeInts:
			for packed := p.bytes(); len(packed) > 0; {
				v, n := protowire.ConsumeVarint(packed)
				if n < 0 {
					return "", attribute{}, damaged(n)
				}
				a.ints, packed = append(a.ints, v), packed[n:]
			}
		}
	}
	return name, a, err
}

// change returns the message with the values of a field replaced by what f makes of them; nil takes them out.
func change(message []byte, number protowire.Number, f func(value []byte) ([]byte, error)) ([]byte, error) {
	return changeEach(message, number, func(value []byte) ([][]byte, error) {
		value, err := f(value)
		if value == nil {
			return nil, err
		}
		return [][]byte{value}, err
	})
}

// changeEach is change for values that any number of values stand in for.
func changeEach(message []byte, number protowire.Number, f func(value []byte) ([][]byte, error)) ([]byte, error) {
	parts, err := fields(message)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 0, len(message))
	for _, p := range parts {
		if p.number != number || p.kind != protowire.BytesType {
			out = append(protowire.AppendTag(out, p.number, p.kind), p.value...)
			continue
		}
		values, err := f(p.bytes())
		if err != nil {
			return nil, err
		}
		for _, value := range values {
			out = protowire.AppendBytes(protowire.AppendTag(out, p.number, p.kind), value)
		}
	}
	return out, nil
}

// field is a field of a message in the wire's form.
type field struct {
	number protowire.Number
	kind   protowire.Type
	value  []byte
}

// bytes is the value of a text or message; nil of another kind.
func (f field) bytes() []byte {
	if f.kind != protowire.BytesType {
		return nil
	}
	b, _ := protowire.ConsumeBytes(f.value) // fields has consumed it before
	return b
}

// fields takes a message apart.
func fields(message []byte) ([]field, error) {
	var parts []field
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return nil, damaged(n)
		}
		message = message[n:]
		if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
			return nil, damaged(n)
		}
		parts = append(parts, field{number, kind, message[:n]})
		message = message[n:]
	}
	return parts, nil
}

func damaged(code int) error {
	return fault.Hint(protowire.ParseError(code), "the file is no ONNX model, or damaged")
}
