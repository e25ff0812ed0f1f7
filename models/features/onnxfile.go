package features

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"illustrator/internal/fault"
)

// Fields of onnx.proto (ONNX's protocol buffers, version 3).
const (
	modelGraph    protowire.Number = 7 // ModelProto
	graphNode     protowire.Number = 1 // GraphProto
	nodeOperator  protowire.Number = 4 // NodeProto
	nodeAttribute protowire.Number = 5
	attributeName protowire.Number = 1 // AttributeProto
	attributeInts protowire.Number = 8
)

// adaptONNX takes out of an ONNX file what onnx-gomlx refuses although it says nothing: a pool's dilations of 1, and whether
// zeros that pad are counted where none do. PyTorch's exporter writes both. A pool without strides is refused: onnx-gomlx takes
// the window's size where ONNX says 1.
func adaptONNX(data []byte) ([]byte, error) {
	return change(data, modelGraph, func(graph []byte) ([]byte, error) {
		return change(graph, graphNode, adaptNode)
	})
}

func adaptNode(node []byte) ([]byte, error) {
	parts, err := fields(node)
	if err != nil {
		return nil, err
	}
	operator, attributes := "", map[string][]uint64{}
	for _, p := range parts {
		switch p.number {
		case nodeOperator:
			operator = string(p.bytes())
		case nodeAttribute:
			name, ints, err := parseAttribute(p.bytes())
			if err != nil {
				return nil, err
			}
			attributes[name] = ints
		}
	}
	if operator != "MaxPool" && operator != "AveragePool" {
		return node, nil
	}
	if _, ok := attributes["strides"]; !ok {
		return nil, fault.Hint(fmt.Errorf("a %s has no strides", operator), "export the network with strides, as PyTorch does")
	}
	return change(node, nodeAttribute, func(value []byte) ([]byte, error) {
		name, ints, err := parseAttribute(value)
		if name == "dilations" && all(ints, 1) || name == "count_include_pad" && all(attributes["pads"], 0) {
			return nil, err
		}
		return value, err
	})
}

func all(values []uint64, want uint64) bool {
	return !slices.ContainsFunc(values, func(v uint64) bool { return v != want })
}

// parseAttribute reads an attribute's name and its list of whole numbers, which are packed or come one by one.
func parseAttribute(message []byte) (name string, ints []uint64, err error) {
	parts, err := fields(message)
	for _, p := range parts {
		switch {
		case p.number == attributeName:
			name = string(p.bytes())
		case p.number == attributeInts && p.kind == protowire.VarintType:
			v, _ := protowire.ConsumeVarint(p.value)
			ints = append(ints, v)
		case p.number == attributeInts:
			for packed := p.bytes(); len(packed) > 0; {
				v, n := protowire.ConsumeVarint(packed)
				if n < 0 {
					return "", nil, damaged(n)
				}
				ints, packed = append(ints, v), packed[n:]
			}
		}
	}
	return name, ints, err
}

// change returns the message with the values of a field replaced by what f makes of them; nil takes them out.
func change(message []byte, number protowire.Number, f func(value []byte) ([]byte, error)) ([]byte, error) {
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
		value, err := f(p.bytes())
		if err != nil {
			return nil, err
		}
		if value != nil {
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
