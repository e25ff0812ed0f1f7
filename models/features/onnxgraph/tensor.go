package onnxgraph

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"illustrator/internal/fault"
)

// kind is TensorProto.DataType.
type kind int64

const (
	float32Kind  kind = 1
	uint8Kind    kind = 2
	int8Kind     kind = 3
	uint16Kind   kind = 4
	int16Kind    kind = 5
	int32Kind    kind = 6
	int64Kind    kind = 7
	boolKind     kind = 9
	float16Kind  kind = 10
	float64Kind  kind = 11
	uint32Kind   kind = 12
	uint64Kind   kind = 13
	bfloat16Kind kind = 16
)

// size is the bytes of an element; 0 of a type that networks of pictures don't have.
func (k kind) size() int {
	switch k {
	case uint8Kind, int8Kind, boolKind:
		return 1
	case uint16Kind, int16Kind, float16Kind, bfloat16Kind:
		return 2
	case float32Kind, int32Kind, uint32Kind:
		return 4
	case int64Kind, uint64Kind, float64Kind:
		return 8
	}
	return 0
}

// isFloat reports whether a kind is a float of any precision, all of which are computed in float32.
func (k kind) isFloat() bool {
	return k == float32Kind || k == float16Kind || k == bfloat16Kind || k == float64Kind
}

// computed is the kind that stands for k in the graph that is computed.
func (k kind) computed() kind {
	if k.isFloat() {
		return float32Kind
	}
	return k
}

// tensor has its elements in little-endian order, row-major.
type tensor struct {
	name string // in the file
	id   string // in graphs that At makes
	kind kind
	dims []int
	data []byte
}

// isWeight reports whether a tensor stays outside of the program, which is given it at each run.
func (t *tensor) isWeight() bool {
	n := len(t.data) / t.kind.size()
	return t.kind.isFloat() && n > 1 || n > maxConstant
}

// elements is the product of dims; an error where it is negative or beyond what a file can hold.
func elements(dims []int) (int, error) {
	n := 1
	for _, d := range dims {
		if d < 0 || d > 0 && n > maxBytes/d {
			return 0, fmt.Errorf("shape %v is negative or too large", dims)
		}
		n *= d
	}
	return n, nil
}

// tensor reads a TensorProto. Sizes are checked before anything is allocated by them.
func (r *reader) tensor(message []byte) (*tensor, error) {
	t := &tensor{dims: []int{}, id: fmt.Sprint("weight", len(r.tensors))}
	r.tensors = append(r.tensors, t)
	var p tensorParts
	if err := each(message, func(f field) error { return p.add(t, f) }); err != nil {
		return nil, err
	}
	wrong := func(err error) error { return fault.Hint(fmt.Errorf("tensor %q: %w", t.name, err), damagedHint) }
	size := t.kind.size()
	if size == 0 {
		return nil, fault.Hint(fmt.Errorf("tensor %q has elements of type %d of ONNX, which is not supported", t.name,
			t.kind), "export the network in float32 or float16")
	}
	n, err := elements(t.dims)
	if err != nil {
		return nil, wrong(err)
	}
	want := int64(n) * int64(size)
	if r.bytes += want; r.bytes > maxBytes {
		return nil, fault.Hint(fmt.Errorf("tensor %q: the weights have more than %d bytes together", t.name, maxBytes),
			"larger networks are not supported")
	}
	if p.external || len(p.entries) > 0 {
		if t.data, err = r.external(p.entries, want); err != nil {
			return nil, fault.Hint(fmt.Errorf("tensor %q: %w", t.name, err),
				"keep the weights' file as it was exported, in the folder of the ONNX file")
		}
	} else {
		t.data = p.data(t.kind, size)
	}
	if int64(len(t.data)) != want {
		return nil, wrong(fmt.Errorf("shape %v takes %d bytes, the file has %d", t.dims, want, len(t.data)))
	}
	t.widen()
	return t, nil
}

// tensorParts are the places where elements may be.
type tensorParts struct {
	raw, fixed []byte
	ints       []int64
	external   bool
	entries    map[string]string
}

func (p *tensorParts) add(t *tensor, f field) (err error) {
	switch f.number {
	case tensorDims:
		var dims []int64
		dims, err = f.appendInts(nil)
		for _, d := range dims {
			t.dims = append(t.dims, int(d))
		}
		if len(t.dims) > maxRank {
			err = fault.Hint(fmt.Errorf("a tensor has more than %d axes", maxRank), damagedHint)
		}
	case tensorKind:
		t.kind = kind(f.int())
	case tensorName:
		t.name = string(f.bytes())
	case tensorRaw:
		p.raw = f.bytes()
	case tensorFloats:
		p.fixed, err = f.appendFixed(p.fixed, 4)
	case tensorDoubles:
		p.fixed, err = f.appendFixed(p.fixed, 8)
	case tensorInt32s, tensorInt64s, tensorUint64s:
		p.ints, err = f.appendInts(p.ints)
	case tensorLocation:
		p.external = f.int() == 1
	case tensorExternal:
		if p.entries == nil {
			p.entries = map[string]string{}
		}
		var key, value string
		err = each(f.bytes(), func(q field) error {
			switch q.number {
			case entryKey:
				key = string(q.bytes())
			case entryValue:
				value = string(q.bytes())
			}
			return nil
		})
		p.entries[key] = value
	}
	return err
}

// data returns the elements' bytes, from wherever the file has them.
func (p *tensorParts) data(k kind, size int) []byte {
	switch {
	case len(p.raw) > 0:
		return p.raw
	case len(p.fixed) > 0:
		return p.fixed
	}
	var out []byte
	for _, v := range p.ints {
		var eight [8]byte
		binary.LittleEndian.PutUint64(eight[:], uint64(v))
		out = append(out, eight[:size]...)
	}
	return out
}

// widen turns elements of half and double precision into float32.
func (t *tensor) widen() {
	if t.kind == float32Kind || !t.kind.isFloat() {
		return
	}
	t.data = appendFloats(make([]byte, 0, 4*len(t.data)/t.kind.size()), t.floats())
	t.kind = float32Kind
}

// floats are the elements of a tensor of floats.
func (t *tensor) floats() []float64 {
	size := t.kind.size()
	out := make([]float64, 0, len(t.data)/size)
	for at := 0; at < len(t.data); at += size {
		e := t.data[at:]
		switch t.kind {
		case float32Kind:
			out = append(out, float64(math.Float32frombits(binary.LittleEndian.Uint32(e))))
		case float64Kind:
			out = append(out, math.Float64frombits(binary.LittleEndian.Uint64(e)))
		case bfloat16Kind:
			out = append(out, float64(math.Float32frombits(uint32(binary.LittleEndian.Uint16(e))<<16)))
		case float16Kind:
			out = append(out, halfToFloat(binary.LittleEndian.Uint16(e)))
		}
	}
	return out
}

// halfToFloat widens an IEEE 754 binary16 number.
func halfToFloat(h uint16) float64 {
	sign, exponent, fraction := float64(1), int(h>>10&0x1f), float64(h&0x3ff)
	if h>>15 == 1 {
		sign = -1
	}
	switch exponent {
	case 0x1f:
		if fraction != 0 {
			return math.NaN()
		}
		return sign * math.Inf(1)
	case 0:
		return sign * fraction / (1 << 24)
	}
	return sign * math.Ldexp(1+fraction/1024, exponent-15)
}

// ints are the elements of a tensor of whole numbers or truths.
func (t *tensor) ints() []int64 {
	size := t.kind.size()
	out := make([]int64, 0, len(t.data)/size)
	for at := 0; at < len(t.data); at += size {
		var eight [8]byte
		copy(eight[:], t.data[at:at+size])
		v := int64(binary.LittleEndian.Uint64(eight[:]))
		switch t.kind {
		case int8Kind:
			v = int64(int8(v))
		case int16Kind:
			v = int64(int16(v))
		case int32Kind:
			v = int64(int32(v))
		}
		out = append(out, v)
	}
	return out
}

// external reads elements from another file: "location" names it in the folder of the ONNX file or below, "offset" and
// "length" are in bytes.
func (r *reader) external(entries map[string]string, want int64) ([]byte, error) {
	name := entries["location"]
	data, ok := r.others[name]
	if !ok {
		var err error
		if data, err = r.readOther(name); err != nil {
			return nil, err
		}
		r.others[name] = data
		r.names = append(r.names, name)
	}
	number := func(key string, or int64) (int64, error) {
		text, ok := entries[key]
		if !ok {
			return or, nil
		}
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil || v < 0 {
			return 0, fmt.Errorf("%s of its elements in %q is %q", key, name, text)
		}
		return v, nil
	}
	offset, err := number("offset", 0)
	if err != nil {
		return nil, err
	}
	length, err := number("length", want)
	if err != nil {
		return nil, err
	}
	if size := int64(len(data)); offset > size || length > size-offset || length != want {
		return nil, fmt.Errorf("it takes %d bytes; the file says %d from byte %d of %q, which has %d", want, length, offset,
			name, size)
	}
	return slices.Clip(data[offset : offset+length]), nil
}

// readOther reads a file of weights. Neither its name nor a link leads out of the folder.
func (r *reader) readOther(name string) ([]byte, error) {
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("its elements are in %q, which is not in the folder of the ONNX file", name)
	}
	root, err := os.OpenRoot(r.folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("its elements are in another file: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxBytes {
		return nil, fmt.Errorf("%q is not a file of at most %d bytes", name, maxBytes)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, fmt.Errorf("read %q: %w", name, err)
	}
	return data, nil
}

// constantTensor returns a tensor of float32 values, or of whole numbers of the kind.
func constantTensor(k kind, dims []int, floats []float64, ints []int64) *tensor {
	t := &tensor{kind: k.computed(), dims: dims}
	if t.kind == float32Kind {
		t.data = appendFloats(nil, floats)
		return t
	}
	for _, v := range ints {
		t.data = append(t.data, appendInt64s(nil, []int64{v})[:t.kind.size()]...)
	}
	return t
}
