package onnxgraph

import (
	"errors"
	"fmt"
	"slices"

	"illustrator/internal/fault"
)

// window are the sizes of a convolution or pool along each axis of pixels. pads has those before, then those behind.
type window struct{ kernel, strides, dilations, pads []int }

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
