// Package checkpoints reads and writes the weights of networks: safetensors, PyTorch's files of all formats,
// TorchScript programs and pickled modules among them, and the folder form (config.json, model.safetensors and a
// manifest with their SHA-256) that every other package loads from.
// It knows nothing of graphs and devices.
package checkpoints

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unsafe"

	"illustrator/internal/fault"
)

// DType names an element type as safetensors does: "F32", "F16", "BF16", "F64", "I64", "I32", "U64", "U8", "BOOL".
type DType string

// Element types that the networks of this toolkit use. Files may hold others; they are refused by name.
const (
	F64  DType = "F64"
	F32  DType = "F32"
	F16  DType = "F16"
	BF16 DType = "BF16"
	I64  DType = "I64"
	I32  DType = "I32"
	U64  DType = "U64"
	U8   DType = "U8"
	Bool DType = "BOOL"
)

// Size returns the bytes of one element, 0 for an unknown type.
func (d DType) Size() int {
	switch d {
	case F64, I64, U64:
		return 8
	case F32, I32:
		return 4
	case F16, BF16:
		return 2
	case U8, Bool:
		return 1
	}
	return 0
}

// Tensor is one array of a weight file: row-major, little-endian.
type Tensor struct {
	DType DType
	Shape []int
	Data  []byte
}

// Float32Tensor returns a tensor that holds values with the given shape.
func Float32Tensor(values []float32, shape ...int) Tensor {
	data := make([]byte, 4*len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(v))
	}
	return Tensor{DType: F32, Shape: shape, Data: data}
}

// Float64Tensor is Float32Tensor in double precision.
func Float64Tensor(values []float64, shape ...int) Tensor {
	data := make([]byte, 8*len(values))
	for i, v := range values {
		binary.LittleEndian.PutUint64(data[8*i:], math.Float64bits(v))
	}
	return Tensor{DType: F64, Shape: shape, Data: data}
}

// Elements returns the number of elements the shape asks for.
func (t Tensor) Elements() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Float32s returns the elements as float32; F64, F16 and BF16 are converted.
func (t Tensor) Float32s() ([]float32, error) {
	if view := t.view(); view != nil {
		return slices.Clone(view), nil
	}
	return elements[float32](t)
}

// Float32View is Float32s for those who only read: elements that are float32 already are not copied.
func (t Tensor) Float32View() ([]float32, error) {
	if view := t.view(); view != nil {
		return view, nil
	}
	return elements[float32](t)
}

// view is Data as float32, nil if it is of another type, or not laid out as this machine would.
func (t Tensor) view() []float32 {
	n := t.Elements()
	if t.DType != F32 || n == 0 || len(t.Data) < 4*n || binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return nil
	}
	first := unsafe.Pointer(unsafe.SliceData(t.Data))
	if uintptr(first)%unsafe.Alignof(float32(0)) != 0 {
		return nil
	}
	return unsafe.Slice((*float32)(first), n)
}

// Float64s returns the elements as float64; F32, F16 and BF16 are converted.
func (t Tensor) Float64s() ([]float64, error) { return elements[float64](t) }

func elements[T float32 | float64](t Tensor) ([]T, error) {
	out := make([]T, t.Elements())
	le := binary.LittleEndian
	for i := range out {
		switch t.DType {
		case F32:
			out[i] = T(math.Float32frombits(le.Uint32(t.Data[4*i:])))
		case F64:
			out[i] = T(math.Float64frombits(le.Uint64(t.Data[8*i:])))
		case BF16:
			out[i] = T(math.Float32frombits(uint32(le.Uint16(t.Data[2*i:])) << 16))
		case F16:
			out[i] = T(halfToFloat32(le.Uint16(t.Data[2*i:])))
		default:
			return nil, fmt.Errorf("elements of type %s are not floating point", t.DType)
		}
	}
	return out, nil
}

// halfToFloat32 widens an IEEE 754 binary16 number, subnormals, infinities and NaN included.
func halfToFloat32(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, int(h>>10&0x1f), uint32(h&0x3ff)
	switch {
	case exp == 0x1f:
		return math.Float32frombits(sign | 0xff<<23 | frac<<13)
	case exp == 0:
		v := float32(frac) / (1 << 24)
		return math.Float32frombits(math.Float32bits(v) | sign)
	}
	return math.Float32frombits(sign | uint32(exp-15+127)<<23 | frac<<13)
}

// Transposed returns a matrix with rows and columns exchanged. A tensor without two axes or without elements is changed
// in its shape alone.
func (t Tensor) Transposed() Tensor {
	out := Tensor{DType: t.DType, Shape: slices.Clone(t.Shape)}
	slices.Reverse(out.Shape)
	if len(t.Shape) != 2 || t.Data == nil {
		out.Data = t.Data
		return out
	}
	out.Data = gather(make([]byte, 0, len(t.Data)), t.Data, out.Shape, []int{1, t.Shape[1]}, t.DType.Size())
	return out
}

// Weights are the tensors of one network by name. Source is the file they came from, for messages. Metadata is what a
// safetensors file says of itself; it may be nil.
type Weights struct {
	Source   string
	Tensors  map[string]Tensor
	Metadata map[string]string
	// Others are entries of a PyTorch file that are not tensors, and what they are in words.
	Others map[string]string
}

// Names returns the tensors' names, sorted.
func (w *Weights) Names() []string { return slices.Sorted(maps.Keys(w.Tensors)) }

// Parameters returns the number of elements in all tensors.
func (w *Weights) Parameters() int {
	n := 0
	for _, t := range w.Tensors {
		n += t.Elements()
	}
	return n
}

// Shapes holds the expected shapes of a network's weights by name.
type Shapes map[string][]int

// Elements is the number of elements of all tensors together.
func (s Shapes) Elements() int {
	n := 0
	for _, shape := range s {
		n += Tensor{Shape: shape}.Elements()
	}
	return n
}

// NotTensor is the error of an entry of Others where a tensor is needed.
func (w *Weights) NotTensor(name string) error {
	return fault.Hint(fmt.Errorf("%s: %q is %s; expected a tensor", w.Source, name, w.Others[name]),
		"only dense tensors and plain values are read, nothing is executed: in Python, save model.state_dict() alone")
}

// Check returns an error that names the first missing, surplus or wrongly shaped tensor, the file, and both shapes.
func (w *Weights) Check(want Shapes) error {
	for _, name := range slices.Sorted(maps.Keys(want)) {
		t, ok := w.Tensors[name]
		if w.Others[name] != "" {
			return w.NotTensor(name)
		}
		if !ok {
			return fault.Hint(fmt.Errorf("%s: tensor %q is missing; expected shape %v", w.Source, name, want[name]),
				"the file does not fit its configuration; it has %s", w.nearest(name))
		}
		if !slices.Equal(t.Shape, want[name]) {
			return fault.Hint(fmt.Errorf("%s: tensor %q has shape %v; expected %v", w.Source, name, t.Shape, want[name]),
				"the file does not fit its configuration (sizes, channels or widths)")
		}
	}
	for _, name := range w.Names() {
		if _, ok := want[name]; !ok {
			return fault.Hint(fmt.Errorf("%s: surplus tensor %q of shape %v; expected none of that name", w.Source, name,
				w.Tensors[name].Shape),
				"the file does not fit its configuration (fewer layers or another architecture)")
		}
	}
	return nil
}

// nearest describes the tensors whose names begin as name does, so that a misspelt layout is seen at once.
func (w *Weights) nearest(name string) string {
	prefix, _, _ := strings.Cut(name, ".")
	var near []string
	for _, n := range w.Names() {
		if strings.HasPrefix(n, prefix) {
			near = append(near, n)
		}
	}
	if len(near) == 0 {
		near = w.Names()
	}
	if len(near) > 3 {
		near = append(near[:3:3], "…")
	}
	return fmt.Sprintf("%d tensors: %s", len(w.Tensors), strings.Join(near, ", "))
}
