package onnxgraph

import (
	"fmt"
	"math"
	"slices"
)

// value is the value of a name at a given size of pictures: a shape, and the elements if they are known.
type value struct {
	name string // in the graph that is written; empty for a constant that is not in it yet
	kind kind
	dims []int // nil where it is not known

	// A constant has its elements here, floats as float64 and the others as whole numbers, truths as 0 and 1.
	constant bool
	floats   []float64
	ints     []int64
	weight   *tensor // where the elements are a weight's
}

// Bounds of the elements of constants that are computed with. Larger constants stay in the graph.
const (
	maxConstant       = 1 << 16
	maxConstantFloats = 1 << 10
)

// computable reports whether a constant of that many elements is computed with.
func (k kind) computable(n int) bool {
	return n <= maxConstant && (!k.isFloat() || n <= maxConstantFloats)
}

func (v *value) size() int {
	n := 1
	for _, d := range v.dims {
		n *= d
	}
	return n
}

// newInts returns a constant of whole numbers; no dims mean a scalar.
func newInts(values []int64, dims ...int) *value {
	return &value{kind: int64Kind, dims: append([]int{}, dims...), constant: true, ints: values}
}

// newFloats is newInts for floats.
func newFloats(values []float64, dims ...int) *value {
	return &value{kind: float32Kind, dims: append([]int{}, dims...), constant: true, floats: values}
}

// vector returns a constant of one axis.
func vector(values ...int) *value {
	var ints []int64
	for _, v := range values {
		ints = append(ints, int64(v))
	}
	return newInts(ints, len(values))
}

// fromTensor is the value of a weight or of a node Constant.
func fromTensor(t *tensor) *value {
	v := &value{kind: t.kind, dims: t.dims, weight: t}
	if !t.kind.computable(v.size()) {
		return v
	}
	v.constant = true
	if t.kind.isFloat() {
		v.floats = t.floats()
	} else {
		v.ints = t.ints()
	}
	return v
}

// numbers are a constant's elements as ints.
func (v *value) numbers() ([]int, error) {
	if v == nil || !v.constant {
		return nil, errVaries
	}
	out := make([]int, 0, len(v.ints)+len(v.floats))
	for _, i := range v.ints {
		out = append(out, int(i))
	}
	for _, f := range v.floats {
		out = append(out, int(f))
	}
	return out, nil
}

// reals are a constant's elements as floats.
func (v *value) reals() ([]float64, error) {
	if v == nil || !v.constant {
		return nil, errVaries
	}
	out := slices.Clone(v.floats)
	for _, i := range v.ints {
		out = append(out, float64(i))
	}
	return out, nil
}

// errVaries says that a size or an axis depends on what is in the picture.
var errVaries = fmt.Errorf("a size, axis or index depends on the picture's pixels")

// take returns a constant of the elements at the indices.
func (v *value) take(dims []int, at []int) *value {
	out := &value{kind: v.kind, dims: append([]int{}, dims...), constant: true}
	for _, i := range at {
		if v.kind.isFloat() {
			out.floats = append(out.floats, v.floats[i])
		} else {
			out.ints = append(out.ints, v.ints[i])
		}
	}
	return out
}

// round makes of a float what its kind can hold.
func (k kind) round(f float64) float64 {
	if k == float64Kind {
		return f
	}
	return float64(float32(f))
}

// broadcast is the shape that shapes have together, by ONNX's rule.
func broadcast(shapes ...[]int) ([]int, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := slices.Repeat([]int{1}, rank)
	for _, s := range shapes {
		for i, d := range s {
			switch axis := rank - len(s) + i; {
			case out[axis] == d || d == 1:
			case out[axis] == 1:
				out[axis] = d
			default:
				return nil, fmt.Errorf("shapes %v don't go together", shapes)
			}
		}
	}
	return out, nil
}

// strides are the steps in a row-major array from one index of an axis to the next.
func strides(dims []int) []int {
	out, next := make([]int, len(dims)), 1
	for i := len(dims) - 1; i >= 0; i-- {
		out[i] = next
		next *= dims[i]
	}
	return out
}

// walk calls f with the index of each element of dims, whose slice it uses again.
func walk(dims []int, f func(index []int)) {
	if slices.Contains(dims, 0) {
		return
	}
	index := make([]int, len(dims))
	for {
		f(index)
		axis := len(dims) - 1
		for ; axis >= 0; axis-- {
			if index[axis]++; index[axis] < dims[axis] {
				break
			}
			index[axis] = 0
		}
		if axis < 0 {
			return
		}
	}
}

// expandIndices are the places in a value of shape from of the elements of a value of shape to that it is broadcast to.
func expandIndices(from, to []int) []int {
	steps := strides(from)
	var at []int
	walk(to, func(index []int) {
		place := 0
		for i, d := range from {
			if d > 1 {
				place += steps[i] * index[len(to)-len(from)+i]
			}
		}
		at = append(at, place)
	})
	return at
}

// axis brings an axis, which counts from the end where it is negative, into 0 to rank-1.
func axis(a, rank int) (int, error) {
	if a < -rank || a >= rank {
		return 0, fmt.Errorf("axis %d of a tensor of %d axes", a, rank)
	}
	if a < 0 {
		a += rank
	}
	return a, nil
}

// elementwise computes operators on constants element by element; ok is false for one that it does not know.
func elementwise(operator string, in []*value) (out *value, ok bool) {
	like := in[0] // which the last must be like
	if operator == "Where" {
		if like = in[1]; in[0].kind.isFloat() {
			return nil, false
		}
	}
	if like.kind.isFloat() != in[len(in)-1].kind.isFloat() {
		return nil, false
	}
	var shapes [][]int
	for _, v := range in {
		shapes = append(shapes, v.dims)
	}
	dims, err := broadcast(shapes...)
	if err != nil {
		return nil, false
	}
	args := make([]*value, len(in))
	if n, err := elements(dims); err != nil || !in[len(in)-1].kind.computable(n) {
		return nil, false
	}
	for i, v := range in {
		args[i] = v.take(dims, expandIndices(v.dims, dims))
	}
	out = &value{kind: args[len(args)-1].kind, dims: dims, constant: true}
	if operator == "Where" {
		return where(out, args), true
	}
	n := out.size()
	if out.kind.isFloat() {
		f, truth := floatOperators[operator], floatTests[operator]
		if f == nil && truth == nil {
			return nil, false
		}
		for i := range n {
			a, b := args[0].floats[i], args[len(args)-1].floats[i]
			if f != nil {
				out.floats = append(out.floats, out.kind.round(f(a, b)))
			} else {
				out.ints = append(out.ints, toInt(truth(a, b)))
			}
		}
		if f == nil {
			out.kind = boolKind
		}
		return out, true
	}
	f, truth := intOperators[operator], intTests[operator]
	if f == nil && truth == nil {
		return nil, false
	}
	for i := range n {
		a, b := args[0].ints[i], args[len(args)-1].ints[i]
		switch {
		case truth != nil:
			out.ints = append(out.ints, toInt(truth(a, b)))
		case b == 0 && (operator == "Div" || operator == "Mod"):
			return nil, false
		default:
			out.ints = append(out.ints, f(a, b))
		}
	}
	if truth != nil {
		out.kind = boolKind
	}
	return out, true
}

func where(out *value, args []*value) *value {
	for i, truth := range args[0].ints {
		from := args[2]
		if truth != 0 {
			from = args[1]
		}
		if out.kind.isFloat() {
			out.floats = append(out.floats, from.floats[i])
		} else {
			out.ints = append(out.ints, from.ints[i])
		}
	}
	return out
}

func toInt(truth bool) int64 {
	if truth {
		return 1
	}
	return 0
}

// floatOperators take the first and the last input, which are one for operators of one.
var floatOperators = map[string]func(a, b float64) float64{
	"Add": func(a, b float64) float64 { return a + b }, "Sub": func(a, b float64) float64 { return a - b },
	"Mul": func(a, b float64) float64 { return a * b }, "Div": func(a, b float64) float64 { return a / b },
	"Pow": math.Pow, "Min": math.Min, "Max": math.Max,
	"Neg": func(a, _ float64) float64 { return -a }, "Abs": func(a, _ float64) float64 { return math.Abs(a) },
	"Floor":      func(a, _ float64) float64 { return math.Floor(a) },
	"Ceil":       func(a, _ float64) float64 { return math.Ceil(a) },
	"Round":      func(a, _ float64) float64 { return math.RoundToEven(a) },
	"Sqrt":       func(a, _ float64) float64 { return math.Sqrt(a) },
	"Reciprocal": func(a, _ float64) float64 { return 1 / a },
}

var floatTests = map[string]func(a, b float64) bool{
	"Equal": func(a, b float64) bool { return a == b }, "Less": func(a, b float64) bool { return a < b },
	"LessOrEqual": func(a, b float64) bool { return a <= b }, "Greater": func(a, b float64) bool { return a > b },
	"GreaterOrEqual": func(a, b float64) bool { return a >= b },
}

var intOperators = map[string]func(a, b int64) int64{
	"Add": func(a, b int64) int64 { return a + b }, "Sub": func(a, b int64) int64 { return a - b },
	"Mul": func(a, b int64) int64 { return a * b }, "Div": func(a, b int64) int64 { return a / b },
	"Mod": floorMod, "Min": func(a, b int64) int64 { return min(a, b) },
	"Max": func(a, b int64) int64 { return max(a, b) },
	"Neg": func(a, _ int64) int64 { return -a }, "Abs": func(a, _ int64) int64 { return max(a, -a) },
	"Floor": func(a, _ int64) int64 { return a }, "Ceil": func(a, _ int64) int64 { return a },
	"Pow": func(a, b int64) int64 { return int64(math.Pow(float64(a), float64(b))) },
	"And": func(a, b int64) int64 { return a & b }, "Or": func(a, b int64) int64 { return a | b },
	"Xor": func(a, b int64) int64 { return a ^ b }, "Not": func(a, _ int64) int64 { return 1 - a },
}

var intTests = map[string]func(a, b int64) bool{
	"Equal": func(a, b int64) bool { return a == b }, "Less": func(a, b int64) bool { return a < b },
	"LessOrEqual": func(a, b int64) bool { return a <= b }, "Greater": func(a, b int64) bool { return a > b },
	"GreaterOrEqual": func(a, b int64) bool { return a >= b },
}

// floorMod is the remainder with the divisor's sign, as of ONNX's Mod of whole numbers.
func floorMod(a, b int64) int64 {
	r := a % b
	if r != 0 && (r < 0) != (b < 0) {
		r += b
	}
	return r
}

// cast turns a constant into another kind.
func cast(v *value, to kind) *value {
	out := &value{kind: to, dims: v.dims, constant: true}
	convert := func(f float64, i int64, isFloat bool) {
		switch {
		case to.isFloat() && isFloat:
			out.floats = append(out.floats, to.round(f))
		case to.isFloat():
			out.floats = append(out.floats, to.round(float64(i)))
		case to == boolKind:
			out.ints = append(out.ints, toInt(f != 0 || i != 0))
		case isFloat:
			out.ints = append(out.ints, int64(f))
		default:
			out.ints = append(out.ints, i)
		}
	}
	for _, f := range v.floats {
		convert(f, 0, true)
	}
	for _, i := range v.ints {
		convert(0, i, false)
	}
	return out
}

// folds reports whether operators on v are computed here: it is a constant, and no weight of more than a few elements.
func (v *value) folds() bool {
	const few = 64
	return v.constant && (v.weight == nil || !v.kind.isFloat() || v.size() <= few)
}
