package onnxgraph

import (
	"errors"
	"fmt"
	"slices"

	"illustrator/internal/fault"
)

// onnxPad converts a Pad of any mode. Pads below zero cut.
func (b *builder) onnxPad(n *node, in []*value) (*value, error) {
	x := in[0]
	pads, err := n.pads(in, len(x.dims))
	if err != nil {
		return nil, err
	}
	rank := len(x.dims)
	mode := n.text("mode", "constant")
	for i := range rank {
		before, behind := min(pads[i], 0), min(pads[i+rank], 0)
		size := x.dims[i] + before + behind
		if size < 0 || size == 0 && pads[i]+pads[i+rank] > 0 && mode != "constant" {
			return nil, fmt.Errorf("pads %v of a tensor %v", pads, x.dims)
		}
		x = b.crop(x, i, -before, size)
		pads[i], pads[i+rank] = max(pads[i], 0), max(pads[i+rank], 0)
	}
	switch mode {
	case "constant":
		fill := scalar(n.float("value", 0))
		if len(in) > 2 && in[2] != nil {
			fill = b.reshape(in[2], []int{})
		} else if !x.kind.isFloat() {
			fill = &value{kind: x.kind, constant: true, ints: []int64{0}}
		}
		return b.padZeros(x, pads, fill), nil
	case "reflect", "edge", "wrap":
	default:
		return nil, fault.Hint(fmt.Errorf("mode %q", mode), "modes are constant, reflect, edge and wrap")
	}
	for i := range rank {
		if x, err = b.padAxis(x, mode, i, pads[i], pads[i+rank]); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// pads are an attribute before opset 11, then an input, which may be for some axes only since opset 18.
func (n *node) pads(in []*value, rank int) (pads []int, err error) {
	if pads = n.ints("pads", n.ints("paddings")...); len(in) > 1 && in[1] != nil {
		if pads, err = in[1].numbers(); err != nil {
			return nil, err
		}
	}
	if len(in) > 3 && in[3] != nil {
		axes, err := in[3].numbers()
		if err != nil {
			return nil, err
		}
		if len(pads) != 2*len(axes) {
			return nil, fmt.Errorf("%d pads for %d axes", len(pads), len(axes))
		}
		all := make([]int, 2*rank)
		for i, a := range axes {
			k, err := axis(a, rank)
			if err != nil {
				return nil, err
			}
			all[k], all[k+rank] = pads[i], pads[i+len(axes)]
		}
		pads = all
	}
	const most = 1 << 20
	if len(pads) != 2*rank || slices.ContainsFunc(pads, func(p int) bool { return p < -most || p > most }) {
		return nil, fmt.Errorf("pads %v of %d axes", pads, rank)
	}
	return slices.Clone(pads), nil
}

// padZeros puts fill, a scalar, around x.
func (b *builder) padZeros(x *value, pads []int, fill *value) *value {
	if !slices.ContainsFunc(pads, func(p int) bool { return p != 0 }) {
		return x
	}
	dims, rank := slices.Clone(x.dims), len(x.dims)
	for i := range dims {
		dims[i] += pads[i] + pads[i+rank]
	}
	return b.emit("Pad", x.kind, dims, []*value{x, vector(pads...), fill}, attr{"mode", "constant"})
}

// padAxis continues an axis by its own elements. A picture that is smaller than its pads is reflected again and again.
func (b *builder) padAxis(x *value, mode string, axis, before, behind int) (*value, error) {
	size := x.dims[axis]
	if before+behind == 0 {
		return x, nil
	}
	if size == 0 {
		return nil, errors.New("an axis without elements cannot be continued")
	}
	at := make([]int, 0, before+size+behind)
	for i := -before; i < size+behind; i++ {
		at = append(at, source(mode, i, size))
	}
	part := func(at []int) *value {
		if len(at) > 0 && mode == "edge" {
			dims := slices.Clone(x.dims)
			dims[axis] = len(at)
			return b.expand(b.crop(x, axis, at[0], 1), dims)
		}
		return b.pick(x, axis, at)
	}
	return b.concat(axis, part(at[:before]), x, part(at[before+size:])), nil
}

// source is the place that an element outside of an axis is taken from.
func source(mode string, i, size int) int {
	switch mode {
	case "edge":
		return max(0, min(i, size-1))
	case "wrap":
		return int(floorMod(int64(i), int64(size)))
	}
	if size == 1 {
		return 0
	}
	period := 2 * (size - 1)
	if i = int(floorMod(int64(i), int64(period))); i >= size {
		i = period - i
	}
	return i
}
