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
	one := func(v *value, err error) ([]*value, error) {
		if err != nil {
			return nil, err
		}
		return []*value{v}, nil
	}
	if in[0].dims == nil {
		return nil, errShape
	}
	switch n.operator {
	case "Conv":
		return one(b.conv(n, in))
	case "ConvTranspose":
		return one(b.convTranspose(n, in))
	case "MaxPool", "AveragePool":
		return one(b.pool(n, in[0]))
	case "GlobalAveragePool", "GlobalMaxPool":
		if len(in[0].dims) < 3 {
			return nil, fmt.Errorf("a tensor %v has no pixels", in[0].dims)
		}
		operator := map[string]string{"GlobalAveragePool": "ReduceMean", "GlobalMaxPool": "ReduceMax"}[n.operator]
		return one(b.reduce(operator, in[0], indices(2, len(in[0].dims)-2), true), nil)
	case "InstanceNormalization":
		return one(b.groupNorm(n, in, 0))
	case "GroupNormalization":
		return one(b.groupNorm(n, in, n.int("num_groups", 0)))
	case "BatchNormalization":
		if n.int("training_mode", 0) != 0 {
			return nil, fault.Hint(errors.New("training_mode is 1"),
				"export the network in evaluation mode: model.eval() in PyTorch")
		}
		return one(b.emit("BatchNormalization", in[0].kind, in[0].dims, in[:5],
			attr{"epsilon", float32(n.float("epsilon", 1e-5))}), nil)
	case "LayerNormalization":
		return one(b.layerNorm(n, in))
	case "Softmax", "LogSoftmax":
		return one(b.softmax(n, in[0]))
	case "MatMul":
		return one(b.matMul(in))
	case "Gemm":
		return one(b.gemm(n, in))
	case "Einsum":
		return one(b.einsum(n, in))
	case "Resize", "Upsample":
		return one(b.resize(n, in))
	case "Pad":
		return one(b.onnxPad(n, in))
	}
	if strings.HasPrefix(n.operator, "Reduce") {
		return one(b.onnxReduce(n, in))
	}
	return nil, nil
}

// window are the sizes of a convolution or pool along each axis of pixels. pads has those before, then those behind.
type window struct{ kernel, strides, dilations, pads []int }

// window reads the attributes of a convolution or pool over pixels of the given sizes.
func (n *node) window(pixels, kernel []int) (window, error) {
	rank := len(pixels)
	ones := slices.Repeat([]int{1}, rank)
	w := window{kernel, n.ints("strides", ones...), n.ints("dilations", ones...), n.ints("pads", make([]int, 2*rank)...)}
	const most = 1 << 20
	wrong := len(w.kernel) != rank || len(w.strides) != rank || len(w.dilations) != rank || len(w.pads) != 2*rank
	for _, v := range slices.Concat(w.kernel, w.strides, w.dilations) {
		wrong = wrong || v < 1 || v > most
	}
	for _, v := range w.pads {
		wrong = wrong || v < -most || v > most
	}
	if wrong {
		return w, fault.Hint(fmt.Errorf("kernel_shape %v, strides %v, dilations %v, pads %v for %d axes", w.kernel, w.strides,
			w.dilations, w.pads, rank), damagedHint)
	}
	switch auto := n.text("auto_pad", "NOTSET"); auto {
	case "NOTSET", "":
	case "VALID":
		w.pads = make([]int, 2*rank)
	case "SAME_UPPER", "SAME_LOWER":
		w.pads = make([]int, 2*rank)
		for i, size := range pixels {
			out := (size + w.strides[i] - 1) / w.strides[i]
			total := max(0, (out-1)*w.strides[i]+(w.kernel[i]-1)*w.dilations[i]+1-size)
			w.pads[i], w.pads[i+rank] = total/2, total-total/2
			if auto == "SAME_LOWER" {
				w.pads[i], w.pads[i+rank] = w.pads[i+rank], w.pads[i]
			}
		}
	default:
		return w, fault.Hint(fmt.Errorf("auto_pad %q", auto), damagedHint)
	}
	return w, nil
}

// out returns the number of places of a window along axis i with size pixels. With ceil the last one may end outside.
func (w window) out(i, size int, ceil bool) int {
	rank := len(w.kernel)
	free := size + w.pads[i] + w.pads[i+rank] - ((w.kernel[i]-1)*w.dilations[i] + 1)
	if free < 0 {
		return 0
	}
	out := free/w.strides[i] + 1
	// A window begins inside the picture or the pads before it.
	if ceil && free%w.strides[i] != 0 && out*w.strides[i] < size+w.pads[i] {
		out++
	}
	return out
}

func (w window) outs(pixels []int, ceil bool) ([]int, error) {
	var dims []int
	for i, size := range pixels {
		dims = append(dims, w.out(i, size, ceil))
		if dims[i] < 1 {
			return nil, fault.Hint(fmt.Errorf("a picture of %v is too small for a window of %v", pixels, w.kernel),
				"give larger pictures")
		}
	}
	return dims, nil
}

func (b *builder) conv(n *node, in []*value) (*value, error) {
	x, k := in[0], in[1]
	group := n.int("group", 1)
	if len(x.dims) < 3 || len(k.dims) != len(x.dims) || group < 1 || k.dims[1]*group != x.dims[1] || k.dims[0]%group != 0 {
		return nil, fmt.Errorf("a tensor %v and a kernel %v in %d groups", x.dims, k.dims, group)
	}
	w, err := n.window(x.dims[2:], k.dims[2:])
	if err != nil {
		return nil, err
	}
	pixels, err := w.outs(x.dims[2:], false)
	if err != nil {
		return nil, err
	}
	return b.emitConv(in, w, group, slices.Concat([]int{x.dims[0], k.dims[0]}, pixels)), nil
}

func (b *builder) emitConv(in []*value, w window, group int, dims []int) *value {
	return b.emit("Conv", in[0].kind, dims, in, attr{"kernel_shape", w.kernel}, attr{"strides", w.strides},
		attr{"dilations", w.dilations},
		attr{"pads", w.pads}, attr{"group", group})
}

// convTranspose spreads x [N,C,H,W] out, with zeros between, and convolves it with the turned kernel.
func (b *builder) convTranspose(n *node, in []*value) (*value, error) {
	x, k := in[0], in[1]
	group := n.int("group", 1)
	if len(x.dims) != 4 || len(k.dims) != 4 || group < 1 || k.dims[0] != x.dims[1] || x.dims[1]%group != 0 {
		return nil, fmt.Errorf("a tensor %v and a kernel %v in %d groups; it takes four axes", x.dims, k.dims, group)
	}
	w, err := n.transposedWindow(x.dims[2:], k.dims[2:])
	if err != nil {
		return nil, err
	}
	images, c, h, wide := x.dims[0], x.dims[1], x.dims[2], x.dims[3]
	if s := w.strides; s[0] > 1 || s[1] > 1 {
		x = b.reshape(x, []int{images, c, h, 1, wide, 1})
		x = b.padZeros(x, []int{0, 0, 0, 0, 0, 0, 0, 0, 0, s[0] - 1, 0, s[1] - 1}, scalar(0))
		x = b.reshape(x, []int{images, c, h * s[0], wide * s[1]})
	}
	for i := range 2 { // pads below zero cut
		before, behind := min(w.pads[i], 0), min(w.pads[i+2], 0)
		size := x.dims[2+i] + before + behind
		if size < 1 {
			return nil, fmt.Errorf("pads cut all of %d pixels", x.dims[2+i])
		}
		x = b.crop(x, 2+i, -before, size)
		w.pads[i], w.pads[i+2] = max(w.pads[i], 0), max(w.pads[i+2], 0)
	}
	for i := range 2 {
		backwards := indices(0, k.dims[2+i])
		slices.Reverse(backwards)
		k = b.pick(k, 2+i, backwards)
	}
	in0, out0 := c/group, k.dims[1]
	k = b.transpose(b.reshape(k, []int{group, in0, out0, w.kernel[0], w.kernel[1]}), 0, 2, 1, 3, 4)
	k = b.reshape(k, []int{group * out0, in0, w.kernel[0], w.kernel[1]})
	w.strides = []int{1, 1}
	pixels, err := w.outs(x.dims[2:], false)
	if err != nil {
		return nil, err
	}
	return b.emitConv(append([]*value{x, k}, in[2:]...), w, group, slices.Concat([]int{images, group * out0}, pixels)), nil
}

// transposedWindow is the window of a transposed convolution, whose pads are those around the picture that was spread
// out. ONNX: size = (H-1)·stride + (kernel-1)·dilation + 1 - pads + output_padding. The spread picture ends in stride-1
// zeros.
func (n *node) transposedWindow(pixels, kernel []int) (window, error) {
	auto := n.text("auto_pad", "NOTSET")
	plain := &node{operator: n.operator, outputs: n.outputs, attributes: map[string]*attribute{}}
	for _, name := range []string{"strides", "dilations", "pads"} {
		if a := n.attributes[name]; a != nil {
			plain.attributes[name] = a
		}
	}
	w, err := plain.window(pixels, kernel)
	if err != nil {
		return w, err
	}
	extra, size := n.ints("output_padding", 0, 0), n.ints("output_shape")
	if auto == "SAME_UPPER" || auto == "SAME_LOWER" {
		if size == nil {
			size = []int{pixels[0] * w.strides[0], pixels[1] * w.strides[1]}
		}
	}
	if len(extra) != 2 || size != nil && len(size) < 2 {
		return w, fault.Hint(fmt.Errorf("output_padding %v, output_shape %v", extra, size), damagedHint)
	}
	for i := range 2 {
		reach := (w.kernel[i] - 1) * w.dilations[i]
		if size != nil {
			total := (pixels[i]-1)*w.strides[i] + reach + 1 + extra[i] - size[len(size)-2+i]
			w.pads[i], w.pads[i+2] = total-total/2, total/2
			if auto == "SAME_UPPER" {
				w.pads[i], w.pads[i+2] = w.pads[i+2], w.pads[i]
			}
		}
		w.pads[i] = reach - w.pads[i]
		w.pads[i+2] = reach - w.pads[i+2] + extra[i] - (w.strides[i] - 1)
	}
	return w, nil
}

// pool converts pools of any dilation and rounding.
func (b *builder) pool(n *node, x *value) (*value, error) {
	if len(x.dims) < 3 || len(n.outputs) > 1 && n.outputs[1] != "" {
		return nil, fmt.Errorf("a tensor %v, %d outputs", x.dims, len(n.outputs))
	}
	rank := len(x.dims) - 2
	w, err := n.window(x.dims[2:], n.ints("kernel_shape"))
	if err != nil {
		return nil, err
	}
	ceil := n.int("ceil_mode", 0) != 0
	pixels, err := w.outs(x.dims[2:], ceil)
	if err != nil {
		return nil, err
	}
	padded := slices.ContainsFunc(w.pads, func(p int) bool { return p != 0 })
	if n.operator == "AveragePool" && n.int("count_include_pad", 0) != 0 && padded {
		if ceil {
			return nil, errors.New("an average that counts pads and rounds up (count_include_pad, ceil_mode) is not supported")
		}
		x = b.padZeros(x, slices.Concat([]int{0, 0}, w.pads[:rank], []int{0, 0}, w.pads[rank:]), scalar(0))
		w.pads = make([]int, 2*rank)
	}
	for i := range rank { // what the last windows reach beyond the pads is left out, as the pads are
		reach := (pixels[i]-1)*w.strides[i] + (w.kernel[i]-1)*w.dilations[i] + 1
		w.pads[i+rank] = max(w.pads[i+rank], reach-x.dims[2+i]-w.pads[i])
	}
	if slices.ContainsFunc(w.dilations, func(d int) bool { return d != 1 }) {
		return nil, fmt.Errorf("dilations %v are not supported", w.dilations)
	}
	dims := slices.Concat(x.dims[:2], pixels)
	return b.emit(n.operator, x.kind, dims, []*value{x}, attr{"kernel_shape", w.kernel}, attr{"strides", w.strides},
		attr{"pads", w.pads}), nil
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
	return nil, fmt.Errorf("operator %s is not supported", n.operator)
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
