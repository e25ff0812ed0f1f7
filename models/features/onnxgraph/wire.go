package onnxgraph

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"illustrator/internal/fault"
)

// Fields of onnx.proto (ONNX's protocol buffers, version 3).
const (
	modelIR        protowire.Number = 1 // ModelProto
	modelGraph     protowire.Number = 7
	modelOpset     protowire.Number = 8
	modelFunctions protowire.Number = 25

	opsetDomain  protowire.Number = 1 // OperatorSetIdProto
	opsetVersion protowire.Number = 2

	graphNode        protowire.Number = 1 // GraphProto
	graphName        protowire.Number = 2
	graphInitializer protowire.Number = 5
	graphInput       protowire.Number = 11
	graphOutput      protowire.Number = 12
	graphSparse      protowire.Number = 15

	nodeInput     protowire.Number = 1 // NodeProto
	nodeOutput    protowire.Number = 2
	nodeOperator  protowire.Number = 4
	nodeAttribute protowire.Number = 5
	nodeDomain    protowire.Number = 7

	attributeName   protowire.Number = 1 // AttributeProto
	attributeFloat  protowire.Number = 2
	attributeInt    protowire.Number = 3
	attributeString protowire.Number = 4
	attributeTensor protowire.Number = 5
	attributeGraph  protowire.Number = 6
	attributeFloats protowire.Number = 7
	attributeInts   protowire.Number = 8
	attributeKind   protowire.Number = 20

	tensorDims     protowire.Number = 1 // TensorProto
	tensorKind     protowire.Number = 2
	tensorFloats   protowire.Number = 4
	tensorInt32s   protowire.Number = 5
	tensorInt64s   protowire.Number = 7
	tensorName     protowire.Number = 8
	tensorRaw      protowire.Number = 9
	tensorDoubles  protowire.Number = 10
	tensorUint64s  protowire.Number = 11
	tensorExternal protowire.Number = 13
	tensorLocation protowire.Number = 14

	entryKey   protowire.Number = 1 // StringStringEntryProto
	entryValue protowire.Number = 2

	infoName     protowire.Number = 1 // ValueInfoProto
	infoType     protowire.Number = 2
	typeTensor   protowire.Number = 1 // TypeProto
	typeElement  protowire.Number = 1 // TypeProto.Tensor
	typeShape    protowire.Number = 2
	shapeDim     protowire.Number = 1 // TensorShapeProto
	dimValue     protowire.Number = 1
	kindOfFloat                   = 1 // AttributeProto.AttributeType
	kindOfInt                     = 2
	kindOfString                  = 3
	kindOfTensor                  = 4
	kindOfGraph                   = 5
	kindOfFloats                  = 6
	kindOfInts                    = 7
)

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

// number is the value of a whole number; 0 of another kind.
func (f field) int() int64 {
	if f.kind != protowire.VarintType {
		return 0
	}
	v, _ := protowire.ConsumeVarint(f.value)
	return int64(v)
}

// float is the value of a number in four bytes; 0 of another kind.
func (f field) float() float32 {
	if f.kind != protowire.Fixed32Type {
		return 0
	}
	v, _ := protowire.ConsumeFixed32(f.value)
	return math.Float32frombits(v)
}

// appendInts appends a list's whole numbers, which are packed or come one by one.
func (f field) appendInts(to []int64) ([]int64, error) {
	if f.kind == protowire.VarintType {
		return append(to, f.int()), nil
	}
	for packed := f.bytes(); len(packed) > 0; {
		v, n := protowire.ConsumeVarint(packed)
		if n < 0 {
			return nil, damaged(n)
		}
		to, packed = append(to, int64(v)), packed[n:]
	}
	return to, nil
}

// appendFixed appends the bytes of a list of numbers of that many bytes each, packed or one by one.
func (f field) appendFixed(to []byte, size int) ([]byte, error) {
	switch f.kind {
	case protowire.Fixed32Type, protowire.Fixed64Type:
		return append(to, f.value...), nil
	}
	packed := f.bytes()
	if len(packed)%size != 0 {
		return nil, damaged(-1)
	}
	return append(to, packed...), nil
}

// each calls f for the fields of a message.
func each(message []byte, f func(field) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return damaged(n)
		}
		message = message[n:]
		if n = protowire.ConsumeFieldValue(number, kind, message); n < 0 {
			return damaged(n)
		}
		if err := f(field{number, kind, message[:n]}); err != nil {
			return err
		}
		message = message[n:]
	}
	return nil
}

const damagedHint = "the file is not an ONNX model, or is damaged: fetch it again"

func damaged(code int) error { return fault.Hint(protowire.ParseError(code), damagedHint) }

func appendField(m []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(m, number, protowire.BytesType), value)
}

func appendText(m []byte, number protowire.Number, value string) []byte {
	return protowire.AppendString(protowire.AppendTag(m, number, protowire.BytesType), value)
}

func appendInt(m []byte, number protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(m, number, protowire.VarintType), uint64(v))
}

// attribute returns an AttributeProto of an int, a float32, a string, []int64 or *tensor.
func encodeAttribute(name string, value any) []byte {
	m := appendText(nil, attributeName, name)
	switch v := value.(type) {
	case int:
		return appendInt(appendInt(m, attributeInt, int64(v)), attributeKind, kindOfInt)
	case float32:
		m = protowire.AppendFixed32(protowire.AppendTag(m, attributeFloat, protowire.Fixed32Type), math.Float32bits(v))
		return appendInt(m, attributeKind, kindOfFloat)
	case string:
		return appendInt(appendText(m, attributeString, v), attributeKind, kindOfString)
	case []int:
		for _, i := range v {
			m = appendInt(m, attributeInts, int64(i))
		}
		return appendInt(m, attributeKind, kindOfInts)
	case *tensor:
		return appendInt(appendField(m, attributeTensor, v.encode()), attributeKind, kindOfTensor)
	}
	panic(fmt.Sprintf("attribute %s of type %T", name, value))
}

// encode returns a TensorProto.
func (t *tensor) encode() []byte {
	var m []byte
	for _, d := range t.dims {
		m = appendInt(m, tensorDims, int64(d))
	}
	m = appendInt(m, tensorKind, int64(t.kind))
	m = appendText(m, tensorName, t.id)
	return appendField(m, tensorRaw, t.data)
}

// encodeInfo returns a ValueInfoProto of a float tensor.
func encodeInfo(name string, k kind, dims []int) []byte {
	var shape []byte
	for _, d := range dims {
		shape = appendField(shape, shapeDim, appendInt(nil, dimValue, int64(d)))
	}
	tensor := appendField(appendInt(nil, typeElement, int64(k)), typeShape, shape)
	return appendField(appendText(nil, infoName, name), infoType, appendField(nil, typeTensor, tensor))
}

func appendFloats(to []byte, values []float64) []byte {
	for _, v := range values {
		to = binary.LittleEndian.AppendUint32(to, math.Float32bits(float32(v)))
	}
	return to
}

func appendInt64s(to []byte, values []int64) []byte {
	for _, v := range values {
		to = binary.LittleEndian.AppendUint64(to, uint64(v))
	}
	return to
}
