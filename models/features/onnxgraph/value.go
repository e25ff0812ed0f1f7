package onnxgraph

import (
	"fmt"
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

// folds reports whether operators on v are computed here: it is a constant, and no weight of more than a few elements.
func (v *value) folds() bool {
	const few = 64
	return v.constant && (v.weight == nil || !v.kind.isFloat() || v.size() <= few)
}
