package main

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// module is the part of XLA's HloModuleProto that is counted here (xla/service/hlo.proto).
type module struct {
	entry        int64
	computations map[int64]*computation
}

type computation struct {
	id           int64
	instructions []*instruction
	byID         map[int64]*instruction
}

type instruction struct {
	id           int64
	name, opcode string
	fusionKind   string
	target       string // of a custom call
	config       string // the backend's, as JSON
	shapes       []shape
	window       []windowDimension
	conv         convolutionDimensions
	dot          dotDimensions
	groups       int64
	operands     []int64
	called       []int64
}

// shape is an array's. A tuple is the list of its arrays.
type shape struct {
	element    int64
	dimensions []int64
}

type windowDimension struct{ size, stride, baseDilation int64 }

type convolutionDimensions struct{ inputFeature, kernelInput, kernelOutput, outputFeature int64 }

type dotDimensions struct{ lhsContracting []int64 }

// Element types of XLA's PrimitiveType, with their bytes.
const (
	elementF32  = 11
	elementF64  = 12
	elementBF16 = 16
)

var elementBytes = map[int64]int64{
	1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 2, 8: 4, 9: 8, 10: 2, elementF32: 4, elementBF16: 2,
	elementF64: 8, 15: 8, 18: 16,
}

func (s shape) elements() int64 {
	n := int64(1)
	for _, d := range s.dimensions {
		n *= d
	}
	return n
}

func (s shape) bytes() int64 { return s.elements() * elementBytes[s.element] }

func (i *instruction) bytes() (sum int64) {
	for _, s := range i.shapes {
		sum += s.bytes()
	}
	return sum
}

// workspace is the size of what a library's call works in: its last output, of whole numbers of 8 bits.
func (i *instruction) workspace() int64 {
	const elementS8, elementU8 = 2, 6
	last := len(i.shapes) - 1
	if i.opcode != "custom-call" || last < 1 ||
		i.shapes[last].element != elementU8 && i.shapes[last].element != elementS8 {
		return 0
	}
	return i.shapes[last].bytes()
}

// field is a field of a message: a number, or bytes.
type field struct {
	number protowire.Number
	value  uint64
	bytes  []byte
}

// fields calls f for each field of a serialized message.
func fields(message []byte, f func(field) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		at := field{number: number}
		switch kind {
		case protowire.VarintType:
			at.value, n = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			at.bytes, n = protowire.ConsumeBytes(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if err := f(at); err != nil {
			return err
		}
	}
	return nil
}

// list appends the numbers of a repeated field, packed or not.
func (f field) list(to []int64) []int64 {
	if f.bytes == nil {
		return append(to, int64(f.value))
	}
	for rest := f.bytes; len(rest) > 0; {
		v, n := protowire.ConsumeVarint(rest)
		if n < 0 {
			return to
		}
		to, rest = append(to, int64(v)), rest[n:]
	}
	return to
}

// parseModule reads a serialized HloModuleProtoWithConfig.
func parseModule(withConfig []byte) (*module, error) {
	m := &module{computations: map[int64]*computation{}}
	err := fields(withConfig, func(f field) error {
		if f.number != 1 {
			return nil
		}
		return fields(f.bytes, func(f field) error {
			switch f.number {
			case 3:
				c, err := parseComputation(f.bytes)
				if err == nil {
					m.computations[c.id] = c
				}
				return err
			case 6:
				m.entry = int64(f.value)
			}
			return nil
		})
	})
	if err == nil && m.computations[m.entry] == nil {
		err = fmt.Errorf("the program has no entry")
	}
	return m, err
}

func parseComputation(message []byte) (*computation, error) {
	c := &computation{byID: map[int64]*instruction{}}
	err := fields(message, func(f field) error {
		switch f.number {
		case 2:
			i, err := parseInstruction(f.bytes)
			if err == nil {
				c.instructions = append(c.instructions, i)
				c.byID[i.id] = i
			}
			return err
		case 5:
			c.id = int64(f.value)
		}
		return nil
	})
	return c, err
}

func parseInstruction(message []byte) (*instruction, error) {
	i := &instruction{groups: 1}
	err := fields(message, func(f field) (err error) {
		switch f.number {
		case 1:
			i.name = string(f.bytes)
		case 2:
			i.opcode = string(f.bytes)
		case 3:
			i.shapes, err = parseShape(f.bytes)
		case 11:
			i.fusionKind = string(f.bytes)
		case 15:
			err = i.parseWindow(f.bytes)
		case 16:
			err = i.parseConvolution(f.bytes)
		case 28:
			i.target = string(f.bytes)
		case 30:
			err = fields(f.bytes, func(f field) error {
				if f.number == 1 {
					i.dot.lhsContracting = f.list(i.dot.lhsContracting)
				}
				return nil
			})
		case 35:
			i.id = int64(f.value)
		case 36:
			i.operands = f.list(i.operands)
		case 38:
			i.called = f.list(i.called)
		case 43:
			i.config = string(f.bytes)
		case 50:
			i.groups = int64(f.value)
		}
		return err
	})
	return i, err
}

func parseShape(message []byte) ([]shape, error) {
	var s shape
	var parts []shape
	err := fields(message, func(f field) error {
		switch f.number {
		case 2:
			s.element = int64(f.value)
		case 3:
			s.dimensions = f.list(s.dimensions)
		case 4:
			part, err := parseShape(f.bytes)
			parts = append(parts, part...)
			return err
		}
		return nil
	})
	if len(parts) == 0 && elementBytes[s.element] > 0 {
		parts = []shape{s}
	}
	return parts, err
}

func (i *instruction) parseWindow(message []byte) error {
	return fields(message, func(f field) error {
		d := windowDimension{stride: 1, baseDilation: 1}
		err := fields(f.bytes, func(f field) error {
			switch f.number {
			case 1:
				d.size = int64(f.value)
			case 2:
				d.stride = int64(f.value)
			case 6:
				d.baseDilation = int64(f.value)
			}
			return nil
		})
		i.window = append(i.window, d)
		return err
	})
}

func (i *instruction) parseConvolution(message []byte) error {
	return fields(message, func(f field) error {
		switch f.number {
		case 3:
			i.conv.kernelInput = int64(f.value)
		case 4:
			i.conv.kernelOutput = int64(f.value)
		case 8:
			i.conv.inputFeature = int64(f.value)
		case 10:
			i.conv.outputFeature = int64(f.value)
		}
		return nil
	})
}
