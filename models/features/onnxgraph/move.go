package onnxgraph

import (
	"errors"
	"slices"
)

// Operators that move elements. Those on constants are computed here.

var errShape = errors.New("the shape of its input is not known, because an operator before it is not")

// indices returns the whole numbers from begin on, n of them.
func indices(begin, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = begin + i
	}
	return out
}

func (b *builder) reshape(v *value, dims []int) *value {
	if v.dims != nil && slices.Equal(v.dims, dims) {
		return v
	}
	if v.folds() {
		return v.take(dims, indices(0, v.size()))
	}
	return b.emit("Reshape", v.kind, dims, []*value{v, vector(dims...)})
}

func (b *builder) transpose(v *value, permutation ...int) *value {
	dims := make([]int, len(permutation))
	for i, p := range permutation {
		dims[i] = v.dims[p]
	}
	if !v.folds() {
		return b.emit("Transpose", v.kind, dims, []*value{v}, attr{"perm", permutation})
	}
	steps, at := strides(v.dims), []int(nil)
	walk(dims, func(index []int) {
		place := 0
		for i, p := range permutation {
			place += index[i] * steps[p]
		}
		at = append(at, place)
	})
	return v.take(dims, at)
}

// pick returns the elements of an axis at the indices, which are in its bounds.
func (b *builder) pick(v *value, axis int, at []int) *value {
	if slices.Equal(at, indices(0, v.dims[axis])) {
		return v
	}
	dims := slices.Clone(v.dims)
	dims[axis] = len(at)
	if v.folds() || len(at) == 0 {
		steps, places := strides(v.dims), []int(nil)
		walk(dims, func(index []int) {
			place := 0
			for i, k := range index {
				if i == axis {
					k = at[k]
				}
				place += k * steps[i]
			}
			places = append(places, place)
		})
		return v.take(dims, places)
	}
	step := 1
	if len(at) > 1 {
		step = at[1] - at[0]
	}
	even := step > 0
	for i, k := range at {
		even = even && k == at[0]+i*step
	}
	if even {
		return b.emit("Slice", v.kind, dims, []*value{v, vector(at[0]), vector(at[len(at)-1] + 1), vector(axis),
			vector(step)})
	}
	// onnx-gomlx transposes all that it gathers from, so that only the part that is needed is given to it.
	low, high := slices.Min(at), slices.Max(at)
	if high-low+1 < v.dims[axis] {
		v = b.crop(v, axis, low, high-low+1)
		shifted := make([]int, len(at))
		for i, k := range at {
			shifted[i] = k - low
		}
		return b.pick(v, axis, shifted)
	}
	return b.emit("Gather", v.kind, dims, []*value{v, vector(at...)}, attr{"axis", axis})
}

// crop returns the n elements of an axis from begin on.
func (b *builder) crop(v *value, axis, begin, n int) *value {
	return b.pick(v, axis, indices(begin, n))
}

func (b *builder) concat(axis int, parts ...*value) *value {
	parts = slices.DeleteFunc(slices.Clone(parts), func(v *value) bool { return v.dims[axis] == 0 && len(parts) > 1 })
	if len(parts) == 1 {
		return parts[0]
	}
	dims, folds := slices.Clone(parts[0].dims), true
	dims[axis] = 0
	for _, v := range parts {
		dims[axis] += v.dims[axis]
		folds = folds && v.folds()
	}
	n, err := elements(dims)
	if !folds || err != nil || !parts[0].kind.computable(n) {
		return b.emit("Concat", parts[0].kind, dims, parts, attr{"axis", axis})
	}
	all := &value{kind: parts[0].kind}
	var begins []int // of the parts in all
	for _, v := range parts {
		begins = append(begins, len(all.ints)+len(all.floats))
		all.ints, all.floats = append(all.ints, v.ints...), append(all.floats, v.floats...)
	}
	var at []int
	walk(dims, func(index []int) {
		k, part := index[axis], 0
		for k >= parts[part].dims[axis] {
			k -= parts[part].dims[axis]
			part++
		}
		place := begins[part]
		for i, step := range strides(parts[part].dims) {
			if i == axis {
				place += k * step
			} else {
				place += index[i] * step
			}
		}
		at = append(at, place)
	})
	return all.take(dims, at)
}

// expand broadcasts v to dims.
func (b *builder) expand(v *value, dims []int) *value {
	if slices.Equal(v.dims, dims) {
		return v
	}
	n, err := elements(dims)
	if v.folds() && err == nil && v.kind.computable(n) {
		return v.take(dims, expandIndices(v.dims, dims))
	}
	return b.emit("Expand", v.kind, dims, []*value{v, vector(dims...)})
}
