package onnxgraph

import (
	"fmt"
	"slices"

	"illustrator/internal/fault"
)

func (b *builder) onnxReshape(n *node, in []*value) (*value, error) {
	dims := n.ints("shape") // of opset 1
	if len(in) > 1 {
		var err error
		if dims, err = in[1].numbers(); err != nil {
			return nil, err
		}
	}
	dims = slices.Clone(dims)
	known, any := 1, -1
	for i, d := range dims {
		switch {
		case d == 0 && n.int("allowzero", 0) == 0 && i < len(in[0].dims):
			dims[i] = in[0].dims[i]
		case d == -1 && any < 0:
			any = i
			continue
		case d < 0:
			return nil, fmt.Errorf("shape %v", dims)
		}
		known *= dims[i]
	}
	if any >= 0 && known > 0 {
		dims[any] = in[0].size() / known
	}
	if n, err := elements(dims); err != nil || n != in[0].size() {
		return nil, fmt.Errorf("a tensor %v cannot have shape %v", in[0].dims, dims)
	}
	return b.reshape(in[0], dims), nil
}

// axes are an attribute, or an input since opset 13.
func (n *node) axes(in []*value, at int) ([]int, error) {
	if len(in) > at && in[at] != nil {
		return in[at].numbers()
	}
	return n.ints("axes"), nil
}

func (b *builder) squeeze(n *node, in []*value) (*value, error) {
	axes, err := n.axes(in, 1)
	if err != nil {
		return nil, err
	}
	gone := map[int]bool{}
	for _, a := range axes {
		k, err := axis(a, len(in[0].dims))
		if err != nil || in[0].dims[k] != 1 {
			return nil, fmt.Errorf("axis %d of a tensor %v is not 1", a, in[0].dims)
		}
		gone[k] = true
	}
	dims := []int{}
	for i, d := range in[0].dims {
		if !gone[i] && (axes != nil || d != 1) {
			dims = append(dims, d)
		}
	}
	return b.reshape(in[0], dims), nil
}

func (b *builder) unsqueeze(n *node, in []*value) (*value, error) {
	axes, err := n.axes(in, 1)
	if err != nil {
		return nil, err
	}
	rank := len(in[0].dims) + len(axes)
	added := map[int]bool{}
	for _, a := range axes {
		k, err := axis(a, rank)
		if err != nil {
			return nil, err
		}
		added[k] = true
	}
	if len(added) != len(axes) || rank > maxRank {
		return nil, fmt.Errorf("axes %v", axes)
	}
	dims, next := make([]int, rank), 0
	for i := range dims {
		if dims[i] = 1; !added[i] {
			dims[i] = in[0].dims[next]
			next++
		}
	}
	return b.reshape(in[0], dims), nil
}

// sliced returns the indices of a range on an axis of size elements.
func sliced(start, end, step, size int) []int {
	if start < 0 {
		start += size
	}
	if end < 0 {
		end += size
	}
	step = max(-size-1, min(step, size+1)) // so that no index overflows
	var at []int
	if step > 0 {
		for i := max(start, 0); i < min(end, size); i += step {
			at = append(at, i)
		}
		return at
	}
	for i := min(start, size-1); i > max(end, -1); i += step {
		at = append(at, i)
	}
	return at
}

func (b *builder) slice(n *node, in []*value) (*value, error) {
	args := [][]int{n.ints("starts"), n.ints("ends"), n.ints("axes"), nil} // before opset 10
	for i := range args {
		if len(in) > i+1 && in[i+1] != nil {
			var err error
			if args[i], err = in[i+1].numbers(); err != nil {
				return nil, err
			}
		}
	}
	starts, ends, axes, steps := args[0], args[1], args[2], args[3]
	if axes == nil {
		axes = indices(0, len(starts))
	}
	if steps == nil {
		steps = slices.Repeat([]int{1}, len(starts))
	}
	if len(ends) != len(starts) || len(axes) != len(starts) || len(steps) != len(starts) {
		return nil, fmt.Errorf("starts %v, ends %v, axes %v, steps %v", starts, ends, axes, steps)
	}
	out := in[0]
	for i, a := range axes {
		k, err := axis(a, len(out.dims))
		if err != nil {
			return nil, err
		}
		const most = 1 << 24 // elements of an axis
		if steps[i] == 0 || out.dims[k] > most {
			return nil, fmt.Errorf("a step of %d along an axis of %d", steps[i], out.dims[k])
		}
		out = b.pick(out, k, sliced(starts[i], ends[i], steps[i], out.dims[k]))
	}
	return out, nil
}

func (b *builder) split(n *node, in []*value) ([]*value, error) {
	at, err := axis(n.int("axis", 0), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	sizes := n.ints("split")
	if len(in) > 1 && in[1] != nil {
		if sizes, err = in[1].numbers(); err != nil {
			return nil, err
		}
	}
	if sizes == nil {
		parts := len(n.outputs)
		each := (in[0].dims[at] + parts - 1) / parts
		for i := range parts {
			sizes = append(sizes, max(0, min(each, in[0].dims[at]-i*each)))
		}
	}
	var out []*value
	begin := 0
	for _, size := range sizes {
		if size < 0 || size > in[0].dims[at]-begin {
			return nil, fmt.Errorf("parts of %v from an axis of %d", sizes, in[0].dims[at])
		}
		out = append(out, b.crop(in[0], at, begin, size))
		begin += size
	}
	return out, nil
}

func (b *builder) gather(n *node, in []*value) (*value, error) {
	at, err := axis(n.int("axis", 0), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	dims := append([]int{}, slices.Concat(in[0].dims[:at], in[1].dims, in[0].dims[at+1:])...)
	if !in[1].constant {
		return b.emit("Gather", in[0].kind, dims, in, attr{"axis", at}), nil
	}
	picked, err := in[1].numbers()
	if err != nil {
		return nil, err
	}
	for i, k := range picked {
		if picked[i], err = axis(k, in[0].dims[at]); err != nil {
			return nil, fmt.Errorf("index %d of an axis of %d", k, in[0].dims[at])
		}
	}
	return b.reshape(b.pick(in[0], at, picked), dims), nil
}

func (b *builder) tile(in []*value) (*value, error) {
	repeats, err := in[1].numbers()
	if err != nil {
		return nil, err
	}
	if len(repeats) != len(in[0].dims) {
		return nil, fmt.Errorf("repeats %v of %d axes", repeats, len(in[0].dims))
	}
	var from, to, dims []int
	for i, r := range repeats {
		if r < 1 {
			return nil, fmt.Errorf("repeats %v", repeats)
		}
		from, to = append(from, 1, in[0].dims[i]), append(to, r, in[0].dims[i])
		dims = append(dims, r*in[0].dims[i])
	}
	if _, err := elements(to); err != nil {
		return nil, err
	}
	return b.reshape(b.expand(b.reshape(in[0], from), to), dims), nil
}

// blocks moves channels to pixels or back.
func (b *builder) blocks(n *node, x *value) (*value, error) {
	k := n.int("blocksize", 0)
	if len(x.dims) != 4 || k < 1 {
		return nil, fmt.Errorf("blocksize %d of a tensor %v", k, x.dims)
	}
	images, c, h, w := x.dims[0], x.dims[1], x.dims[2], x.dims[3]
	if n.operator == "SpaceToDepth" {
		if h%k != 0 || w%k != 0 {
			return nil, fmt.Errorf("blocksize %d of a tensor %v", k, x.dims)
		}
		x = b.transpose(b.reshape(x, []int{images, c, h / k, k, w / k, k}), 0, 3, 5, 1, 2, 4)
		return b.reshape(x, []int{images, c * k * k, h / k, w / k}), nil
	}
	if c%(k*k) != 0 {
		return nil, fmt.Errorf("blocksize %d of a tensor %v", k, x.dims)
	}
	switch mode := n.text("mode", "DCR"); mode {
	case "DCR":
		x = b.transpose(b.reshape(x, []int{images, k, k, c / k / k, h, w}), 0, 3, 4, 1, 5, 2)
	case "CRD":
		x = b.transpose(b.reshape(x, []int{images, c / k / k, k, k, h, w}), 0, 1, 4, 2, 5, 3)
	default:
		return nil, fault.Hint(fmt.Errorf("mode %q", mode), damagedHint)
	}
	return b.reshape(x, []int{images, c / k / k, h * k, w * k}), nil
}
