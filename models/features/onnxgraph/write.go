package onnxgraph

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	modelProducer protowire.Number = 2 // ModelProto
	modelVersion  protowire.Number = 3
	modelMetadata protowire.Number = 14
	dimName       protowire.Number = 2 // TensorShapeProto.Dimension
	batchName                      = "batch"
)

// Writer builds an ONNX file of one float32 input and one float32 output, both [batch, width] with any batch.
type Writer struct {
	nodes, initializers, metadata []byte
}

// Weight adds a float32 tensor, whose little-endian bytes are data.
func (w *Writer) Weight(name string, dims []int, data []byte) {
	t := &tensor{id: name, kind: float32Kind, dims: dims, data: data}
	w.initializers = appendField(w.initializers, graphInitializer, t.encode())
}

// Attribute is an attribute of a node: an int or a float32.
type Attribute struct {
	Name  string
	Value any
}

// Node adds a node with one output and returns the output's name.
func (w *Writer) Node(operator, output string, inputs []string, attributes ...Attribute) string {
	var m []byte
	for _, name := range inputs {
		m = appendText(m, nodeInput, name)
	}
	m = appendText(appendText(m, nodeOutput, output), nodeOperator, operator)
	for _, a := range attributes {
		m = appendField(m, nodeAttribute, encodeAttribute(a.Name, a.Value))
	}
	w.nodes = appendField(w.nodes, graphNode, m)
	return output
}

// Metadata adds an entry to the model's properties.
func (w *Writer) Metadata(key, value string) {
	w.metadata = appendField(w.metadata, modelMetadata, appendText(appendText(nil, entryKey, key), entryValue, value))
}

// Encode returns the file of a graph called name. version is that of the program that writes it.
func (w *Writer) Encode(name, version, input string, inputWidth int, output string, outputWidth int) ([]byte, error) {
	graph := appendText(w.nodes, graphName, name)
	graph = append(graph, w.initializers...)
	graph = appendField(graph, graphInput, encodeRows(input, inputWidth))
	graph = appendField(graph, graphOutput, encodeRows(output, outputWidth))
	m := appendInt(nil, modelIR, writtenIR)
	m = appendText(appendText(m, modelProducer, "illustrator"), modelVersion, version)
	m = appendField(m, modelGraph, graph)
	m = appendField(m, modelOpset, appendInt(appendText(nil, opsetDomain, ""), opsetVersion, writtenOpset))
	m = append(m, w.metadata...)
	if len(m) > math.MaxInt32 {
		return nil, fmt.Errorf("the file would have %d bytes; ONNX allows at most %d", len(m), math.MaxInt32)
	}
	return m, nil
}

// encodeRows returns the ValueInfoProto of float32 values [batch, width].
func encodeRows(name string, width int) []byte {
	shape := appendField(nil, shapeDim, appendText(nil, dimName, batchName))
	shape = appendField(shape, shapeDim, appendInt(nil, dimValue, int64(width)))
	tensor := appendField(appendInt(nil, typeElement, int64(float32Kind)), typeShape, shape)
	return appendField(appendText(nil, infoName, name), infoType, appendField(nil, typeTensor, tensor))
}
