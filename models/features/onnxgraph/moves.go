package onnxgraph

import (
	"errors"
	"fmt"
	"slices"

	"illustrator/internal/fault"
)

// convertMove converts the operators of this file; nil for others.
func (b *builder) convertMove(n *node, in []*value) ([]*value, error) {
	one := func(v *value, err error) ([]*value, error) {
		if err != nil {
			return nil, err
		}
		return []*value{v}, nil
	}
	switch n.operator {
	case "Identity", "Dropout":
		return []*value{in[0]}, nil
	case "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Split", "Gather", "GatherND", "Concat",
		"Expand", "Tile", "DepthToSpace", "SpaceToDepth":
		for _, v := range in {
			if v != nil && v.dims == nil {
				return nil, errShape
			}
		}
	}
	switch n.operator {
	case "Reshape":
		return one(b.onnxReshape(n, in))
	case "Flatten":
		return one(b.flatten(n, in))
	case "Squeeze":
		return one(b.squeeze(n, in))
	case "Unsqueeze":
		return one(b.unsqueeze(n, in))
	case "Transpose":
		return one(b.onnxTranspose(n, in))
	case "Slice":
		return one(b.slice(n, in))
	case "Split":
		return b.split(n, in)
	case "Gather":
		return one(b.gather(n, in))
	case "GatherND":
		return one(b.gatherND(n, in))
	case "Concat":
		return one(b.onnxConcat(n, in))
	case "Expand":
		return one(b.onnxExpand(in))
	case "Tile":
		return one(b.tile(in))
	case "DepthToSpace", "SpaceToDepth":
		return one(b.blocks(n, in[0]))
	}
	return nil, nil
}

// flatten joins the axes before one, and those from it on.
func (b *builder) flatten(n *node, in []*value) (*value, error) {
	at := n.int("axis", 1)
	if at < 0 {
		at += len(in[0].dims)
	}
	if at < 0 || at > len(in[0].dims) {
		return nil, fmt.Errorf("axis %d", at)
	}
	rows, columns := 1, 1
	for i, d := range in[0].dims {
		if i < at {
			rows *= d
		} else {
			columns *= d
		}
	}
	return b.reshape(in[0], []int{rows, columns}), nil
}

// onnxTranspose reverses the axes unless perm orders them.
func (b *builder) onnxTranspose(n *node, in []*value) (*value, error) {
	p := n.ints("perm")
	if p == nil {
		p = indices(0, len(in[0].dims))
		slices.Reverse(p)
	}
	if sorted := slices.Sorted(slices.Values(p)); !slices.Equal(sorted, indices(0, len(in[0].dims))) {
		return nil, fmt.Errorf("perm %v of %d axes", p, len(in[0].dims))
	}
	return b.transpose(in[0], p...), nil
}

// gatherND picks the parts that the rows of indices name.
func (b *builder) gatherND(n *node, in []*value) (*value, error) {
	depth := 0
	if rank := len(in[1].dims); rank > 0 {
		depth = in[1].dims[rank-1]
	}
	if n.int("batch_dims", 0) != 0 || depth < 1 || depth > len(in[0].dims) {
		return nil, fmt.Errorf("indices %v of a tensor %v, batch_dims %d", in[1].dims, in[0].dims, n.int("batch_dims", 0))
	}
	dims := append([]int{}, slices.Concat(in[1].dims[:len(in[1].dims)-1], in[0].dims[depth:])...)
	return b.emit("GatherND", in[0].kind, dims, in), nil
}

// onnxConcat checks that the inputs join at the axis.
func (b *builder) onnxConcat(n *node, in []*value) (*value, error) {
	at, err := axis(n.int("axis", 0), len(in[0].dims))
	if err != nil {
		return nil, err
	}
	for _, v := range in {
		if v == nil || v.kind.computed() != in[0].kind.computed() {
			return nil, fault.Hint(errors.New("its inputs are of several types"), damagedHint)
		}
		joins := len(v.dims) == len(in[0].dims)
		for i, d := range v.dims {
			joins = joins && (i == at || d == in[0].dims[i])
		}
		if !joins {
			return nil, fmt.Errorf("shapes %v and %v don't join at axis %d", in[0].dims, v.dims, at)
		}
	}
	return b.concat(at, in...), nil
}

// onnxExpand broadcasts to the dimensions that the second input holds.
func (b *builder) onnxExpand(in []*value) (*value, error) {
	dims, err := in[1].numbers()
	if err == nil {
		dims, err = broadcast(in[0].dims, dims)
	}
	if err == nil {
		_, err = elements(dims)
	}
	if err != nil {
		return nil, err
	}
	return b.expand(in[0], dims), nil
}
