package onnxgraph

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"illustrator/internal/fault"
)

// convertLayer converts convolutions, pools, norms and what else works on more than one element.
func (b *builder) convertLayer(n *node, in []*value) ([]*value, error) {
	if len(in) == 0 || in[0] == nil {
		return nil, nil
	}
	if in[0].dims == nil {
		return nil, errShape
	}
	v, err := b.layer(n, in)
	if err != nil || v == nil {
		return nil, err
	}
	return []*value{v}, nil
}

// layer returns the output of a layer, nil for another operator.
func (b *builder) layer(n *node, in []*value) (*value, error) {
	switch n.operator {
	case "Conv":
		return b.conv(n, in)
	case "ConvTranspose":
		return b.convTranspose(n, in)
	case "MaxPool", "AveragePool":
		return b.pool(n, in[0])
	case "GlobalAveragePool", "GlobalMaxPool":
		if len(in[0].dims) < 3 {
			return nil, fmt.Errorf("a tensor %v has no pixels", in[0].dims)
		}
		operator := map[string]string{"GlobalAveragePool": "ReduceMean", "GlobalMaxPool": "ReduceMax"}[n.operator]
		return b.reduce(operator, in[0], indices(2, len(in[0].dims)-2), true), nil
	case "InstanceNormalization":
		return b.groupNorm(n, in, 0)
	case "GroupNormalization":
		return b.groupNorm(n, in, n.int("num_groups", 0))
	case "BatchNormalization":
		if n.int("training_mode", 0) != 0 {
			return nil, fault.Hint(errors.New("training_mode is 1"),
				"export the network in evaluation mode: model.eval() in PyTorch")
		}
		return b.emit("BatchNormalization", in[0].kind, in[0].dims, in[:5],
			attr{"epsilon", float32(n.float("epsilon", 1e-5))}), nil
	case "LayerNormalization":
		return b.layerNorm(n, in)
	case "Softmax", "LogSoftmax":
		return b.softmax(n, in[0])
	case "MatMul":
		return b.matMul(in)
	case "Gemm":
		return b.gemm(n, in)
	case "Einsum":
		return b.einsum(n, in)
	case "Resize", "Upsample":
		return b.resize(n, in)
	case "Pad":
		return b.onnxPad(n, in)
	}
	if strings.HasPrefix(n.operator, "Reduce") {
		return b.onnxReduce(n, in)
	}
	return nil, nil
}

// groupNorm: (x - mean) / sqrt(var + epsilon) · scale + bias, mean and variance of each picture's group of channels;
// with no groups, of each channel.
func (b *builder) groupNorm(n *node, in []*value, groups int) (*value, error) {
	x, scale, bias := in[0], in[1], in[2]
	if len(x.dims) < 3 || groups < 0 || groups > 0 && x.dims[1]%groups != 0 {
		return nil, fmt.Errorf("a tensor %v in %d groups", x.dims, groups)
	}
	c := x.dims[1]
	if groups == 0 {
		groups = c
	}
	flat := b.reshape(x, []int{x.dims[0], groups, x.size() / max(1, x.dims[0]*groups)})
	centred := b.apply("Sub", flat, b.reduce("ReduceMean", flat, []int{2}, true))
	variance := b.reduce("ReduceMean", b.apply("Mul", centred, centred), []int{2}, true)
	deviation := b.apply("Sqrt", b.apply("Add", variance, scalar(n.float("epsilon", 1e-5))))
	y := b.reshape(b.apply("Div", centred, deviation), x.dims)
	channels := func(v *value) (*value, error) {
		shape := slices.Repeat([]int{1}, len(x.dims))
		shape[1] = c
		switch {
		case v.dims == nil:
			return nil, errShape
		case v.size() == c:
			return b.reshape(v, shape), nil
		case v.size() == groups && c%groups == 0: // GroupNormalization of opset 18 has them for groups
			v = b.expand(b.reshape(v, []int{groups, 1}), []int{groups, c / groups})
			return b.reshape(v, shape), nil
		}
		return nil, fmt.Errorf("scale or bias %v of %d channels", v.dims, c)
	}
	factor, err := channels(scale)
	if err != nil {
		return nil, err
	}
	shift, err := channels(bias)
	if err != nil {
		return nil, err
	}
	return b.apply("Add", b.apply("Mul", y, factor), shift), nil
}

func (b *builder) layerNorm(n *node, in []*value) (*value, error) {
	x := in[0]
	at, err := axis(n.int("axis", -1), len(x.dims))
	if err != nil {
		return nil, err
	}
	axes := indices(at, len(x.dims)-at)
	centred := b.apply("Sub", x, b.reduce("ReduceMean", x, axes, true))
	variance := b.reduce("ReduceMean", b.apply("Mul", centred, centred), axes, true)
	out := b.apply("Div", centred, b.apply("Sqrt", b.apply("Add", variance, scalar(n.float("epsilon", 1e-5)))))
	for i, operator := range []string{"", "Mul", "Add"} {
		if i == 0 || len(in) <= i || in[i] == nil {
			continue
		}
		next, err := b.broadcasts(operator, out, in[i])
		if err != nil {
			return nil, err
		}
		out = next[0]
	}
	return out, nil
}

// softmax joins all axes from the given one on before opset 13.
func (b *builder) softmax(n *node, x *value) (*value, error) {
	or := -1
	if b.opset < 13 {
		or = 1
	}
	at, err := axis(n.int("axis", or), len(x.dims))
	if err != nil {
		return nil, err
	}
	y := x
	if b.opset < 13 {
		rows := (&value{dims: x.dims[:at]}).size()
		y, at = b.reshape(x, []int{rows, x.size() / max(1, rows)}), 1
	}
	y = b.emit("Softmax", y.kind, y.dims, []*value{y}, attr{"axis", at})
	if n.operator == "LogSoftmax" {
		y = b.apply("Log", y)
	}
	return b.reshape(y, x.dims), nil
}

func (b *builder) matMul(in []*value) (*value, error) {
	x, y := in[0].dims, in[1].dims
	if y == nil {
		return nil, errShape
	}
	wrong := fmt.Errorf("tensors %v and %v don't multiply", x, y)
	if len(x) == 0 || len(y) == 0 {
		return nil, wrong
	}
	if len(x) == 1 || len(y) == 1 {
		if len(x)*len(y) != 1 && x[len(x)-1] != y[max(0, len(y)-2)] || len(x)*len(y) == 1 && x[0] != y[0] {
			return nil, wrong
		}
		dims := slices.Clone(x[:len(x)-1])
		if len(y) > 1 {
			dims = slices.Concat(y[:len(y)-2], y[len(y)-1:])
		}
		return b.emit("MatMul", in[0].kind, dims, in), nil
	}
	outer, err := broadcast(x[:len(x)-2], y[:len(y)-2])
	if err != nil || x[len(x)-1] != y[len(y)-2] {
		return nil, wrong
	}
	dims := slices.Concat(outer, []int{x[len(x)-2], y[len(y)-1]})
	return b.emit("MatMul", in[0].kind, dims, in), nil
}

func (b *builder) gemm(n *node, in []*value) (*value, error) {
	x, y := in[0], in[1]
	if len(x.dims) != 2 || len(y.dims) != 2 {
		return nil, fmt.Errorf("tensors %v and %v", x.dims, y.dims)
	}
	if n.int("transA", 0) != 0 {
		x = b.transpose(x, 1, 0)
	}
	if n.int("transB", 0) != 0 {
		y = b.transpose(y, 1, 0)
	}
	out, err := b.matMul([]*value{x, y})
	if err != nil {
		return nil, err
	}
	if alpha := n.float("alpha", 1); alpha != 1 {
		out = b.apply("Mul", out, scalar(alpha))
	}
	if len(in) < 3 || in[2] == nil {
		return out, nil
	}
	c := in[2]
	if beta := n.float("beta", 1); beta != 1 {
		c = b.apply("Mul", c, scalar(beta))
	}
	sum, err := b.broadcasts("Add", out, c)
	if err != nil {
		return nil, err
	}
	return sum[0], nil
}

// einsum knows equations of two inputs without ellipses.
func (b *builder) einsum(n *node, in []*value) (*value, error) {
	equation := strings.ReplaceAll(n.text("equation", ""), " ", "")
	left, right, ok := strings.Cut(equation, "->")
	terms := strings.Split(left, ",")
	if !ok || len(terms) != len(in) || len(in) != 2 || strings.Contains(equation, ".") {
		return nil, fmt.Errorf("equation %q of %d inputs is not supported", equation, len(in))
	}
	sizes := map[rune]int{}
	for i, term := range terms {
		if len(term) != len(in[i].dims) {
			return nil, fmt.Errorf("equation %q of a tensor %v", equation, in[i].dims)
		}
		for k, letter := range term {
			sizes[letter] = in[i].dims[k]
		}
	}
	dims := []int{}
	for _, letter := range right {
		dims = append(dims, sizes[letter])
	}
	return b.emit("Einsum", in[0].kind, dims, in, attr{"equation", equation}), nil
}

// reduce applies an operator that joins the elements of axes.
func (b *builder) reduce(operator string, x *value, axes []int, keep bool) *value {
	dims := []int{}
	for i, d := range x.dims {
		switch joined := slices.Contains(axes, i); {
		case !joined:
			dims = append(dims, d)
		case keep:
			dims = append(dims, 1)
		}
	}
	kept := 0
	if keep {
		kept = 1
	}
	return b.emit(operator, x.kind, dims, []*value{x, vector(axes...)}, attr{"keepdims", kept})
}

func (b *builder) onnxReduce(n *node, in []*value) (*value, error) {
	x := in[0]
	axes, err := n.axes(in, 1)
	if err != nil {
		return nil, err
	}
	if len(axes) == 0 {
		if n.int("noop_with_empty_axes", 0) != 0 {
			return x, nil
		}
		axes = indices(0, len(x.dims))
	}
	axes = slices.Clone(axes)
	for i, a := range axes {
		if axes[i], err = axis(a, len(x.dims)); err != nil {
			return nil, err
		}
	}
	keep := n.int("keepdims", 1) != 0
	if x.folds() && len(axes) == len(x.dims) {
		if v := total(n.operator, x); v != nil {
			if keep {
				v = b.reshape(v, slices.Repeat([]int{1}, len(x.dims)))
			}
			return v, nil
		}
	}
	switch n.operator {
	case "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd":
		return b.reduce(n.operator, x, axes, keep), nil
	case "ReduceSumSquare":
		return b.reduce("ReduceSum", b.apply("Mul", x, x), axes, keep), nil
	case "ReduceL2":
		return b.apply("Sqrt", b.reduce("ReduceSum", b.apply("Mul", x, x), axes, keep)), nil
	case "ReduceL1":
		return b.reduce("ReduceSum", b.apply("Abs", x), axes, keep), nil
	}
	return nil, fmt.Errorf("%w: %s", ErrOperator, n.operator)
}

// total joins all of a constant's whole numbers; nil for other operators and kinds.
func total(operator string, x *value) *value {
	join := map[string]string{"ReduceSum": "Add", "ReduceProd": "Mul", "ReduceMax": "Max", "ReduceMin": "Min"}[operator]
	if join == "" || x.kind.isFloat() || len(x.ints) == 0 {
		return nil
	}
	sum := x.ints[0]
	for _, v := range x.ints[1:] {
		sum = intOperators[join](sum, v)
	}
	return &value{kind: x.kind, dims: []int{}, constant: true, ints: []int64{sum}}
}
