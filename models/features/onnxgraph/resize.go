package onnxgraph

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"illustrator/internal/fault"
)

// resizing holds the settings of a Resize or Upsample.
type resizing struct {
	mode, coordinates, nearest string
	cubic                      float64
	antialias, outside         bool // outside: pixels beyond the edge don't count
}

// resize converts Resize and Upsample of any mode: nearest pixels are picked, others are sums that a matrix for each
// axis makes. onnx-gomlx's own is wrong for some sizes (of 4×6 pixels to 12×16) and takes linear for cubic.
func (b *builder) resize(n *node, in []*value) (*value, error) {
	r := resizing{
		n.text("mode", "nearest"), n.text("coordinate_transformation_mode", "half_pixel"),
		n.text("nearest_mode", "round_prefer_floor"),
		n.float("cubic_coeff_a", -0.75), n.int("antialias", 0) != 0, n.int("exclude_outside", 0) != 0,
	}
	if n.operator == "Upsample" || b.opset < 11 {
		r.coordinates, r.nearest = "asymmetric", "old"
	}
	if r.mode == "bilinear" {
		r.mode = "linear"
	}
	scales, sizes, err := n.scales(in, b.opset)
	if err != nil {
		return nil, err
	}
	if policy := n.text("keep_aspect_ratio_policy", "stretch"); policy != "stretch" {
		return nil, fmt.Errorf("keep_aspect_ratio_policy %q is not supported", policy)
	}
	x := in[0]
	for axis, size := range sizes {
		if x, err = b.resizeAxis(x, r, axis, size, scales[axis]); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// scales returns the factor and the size of each axis.
func (n *node) scales(in []*value, opset int64) (scales []float64, sizes []int, err error) {
	dims := in[0].dims
	axes := n.ints("axes", indices(0, len(dims))...)
	at, given := 2, func(i int) bool { return len(in) > i && in[i] != nil && !slices.Equal(in[i].dims, []int{0}) }
	if n.operator == "Upsample" || opset < 11 {
		at = 1
	}
	scales, sizes = slices.Repeat([]float64{1}, len(dims)), slices.Clone(dims)
	var factors []float64
	var wanted []int
	switch {
	case at == 2 && given(3):
		wanted, err = in[3].numbers()
	case given(at):
		factors, err = in[at].reals()
	case n.attributes["scales"] != nil:
		factors = n.attributes["scales"].floats
	default:
		err = errors.New("it has neither scales nor sizes")
	}
	if err != nil {
		return nil, nil, err
	}
	if len(factors)+len(wanted) != len(axes) {
		return nil, nil, fmt.Errorf("%d scales or sizes for %d axes", len(factors)+len(wanted), len(axes))
	}
	const most = 1 << 20
	for i, a := range axes {
		k, err := axis(a, len(dims))
		if err != nil {
			return nil, nil, err
		}
		if wanted != nil {
			sizes[k] = wanted[i]
			scales[k] = float64(float32(wanted[i]) / float32(dims[k]))
		} else {
			scales[k] = factors[i]
			sizes[k] = int(float32(factors[i]) * float32(dims[k])) // in float32, as onnxruntime
		}
		if sizes[k] < 1 || sizes[k] > most || dims[k] < 1 || !(scales[k] > 0) {
			return nil, nil, fmt.Errorf("scale %.3g of an axis of %d, to %d", scales[k], dims[k], sizes[k])
		}
	}
	_, err = elements(sizes)
	return scales, sizes, err
}

// place returns the position of pixel i on the axis that it is made from.
func (r resizing) place(i, from, to int, scale float64) (float64, error) {
	x := float64(i)
	half := (x+0.5)/scale - 0.5
	switch r.coordinates {
	case "half_pixel":
		return half, nil
	case "pytorch_half_pixel":
		if to == 1 {
			return 0, nil
		}
		return half, nil
	case "half_pixel_symmetric":
		exact := scale * float64(from)
		return float64(from)/2*(1-float64(to)/exact) + half, nil
	case "align_corners":
		if to == 1 {
			return 0, nil
		}
		return x * float64(from-1) / float64(to-1), nil
	case "asymmetric":
		return x / scale, nil
	}
	return 0, fault.Hint(fmt.Errorf("coordinate_transformation_mode %q is not supported", r.coordinates),
		"export the network with another interpolation")
}

// resizeAxis makes size pixels of an axis.
func (b *builder) resizeAxis(x *value, r resizing, axis, size int, scale float64) (*value, error) {
	from := x.dims[axis]
	if from == size && scale == 1 {
		return x, nil
	}
	places := make([]float64, size)
	for i := range places {
		var err error
		if places[i], err = r.place(i, from, size, scale); err != nil {
			return nil, err
		}
	}
	switch r.mode {
	case "nearest":
		at := make([]int, size)
		for i, p := range places {
			nearest, err := r.round(float64(float32(p)), scale)
			if err != nil {
				return nil, err
			}
			at[i] = max(0, min(int(nearest), from-1))
		}
		return b.repeat(x, axis, at), nil
	case "linear", "cubic":
	default:
		return nil, fault.Hint(fmt.Errorf("mode %q is not supported", r.mode),
			"export the network with nearest, linear or cubic interpolation")
	}
	const large = 1 << 18 // elements of a matrix; the picture is then summed of few shifted ones
	if taps := map[string]int{"linear": 2, "cubic": 4}[r.mode]; size*from > large && !r.antialias && !r.outside {
		return b.sumTaps(x, axis, r, places, taps), nil
	}
	matrix := make([]float64, 0, size*from)
	for _, p := range places {
		matrix = append(matrix, r.row(p, from, scale)...)
	}
	return b.multiplyAxis(x, axis, newFloats(matrix, size, from)), nil
}

// sumTaps makes the pixels of an axis that lie at places: each from taps pixels around, by the filter's weights.
func (b *builder) sumTaps(x *value, axis int, r resizing, places []float64, taps int) *value {
	from := x.dims[axis]
	shape := slices.Repeat([]int{1}, len(x.dims))
	shape[axis] = len(places)
	var sum *value
	for tap := range taps {
		at, weights := make([]int, len(places)), make([]float64, len(places))
		for i, p := range places {
			p, filter := r.clamp(p, from), r.filter()
			k := int(math.Floor(p)) - taps/2 + 1 + tap
			at[i], weights[i] = max(0, min(k, from-1)), filter(float64(k)-p)
		}
		part := b.apply("Mul", b.pick(x, axis, at), newFloats(weights, shape...))
		if sum == nil {
			sum = part
		} else {
			sum = b.apply("Add", sum, part)
		}
	}
	return sum
}

func (r resizing) round(p, scale float64) (float64, error) {
	switch r.nearest {
	case "old": // before opset 11: down to the pixel, or up to it in a smaller picture
		if scale < 1 {
			return math.Ceil(p), nil
		}
		return math.Floor(p), nil
	case "round_prefer_floor":
		return math.Ceil(p - 0.5), nil
	case "round_prefer_ceil":
		return math.Floor(p + 0.5), nil
	case "floor":
		return math.Floor(p), nil
	case "ceil":
		return math.Ceil(p), nil
	}
	return 0, fault.Hint(fmt.Errorf("nearest_mode %q", r.nearest), damagedHint)
}

// repeat is pick, for indices which often repeat each pixel as many times.
func (b *builder) repeat(x *value, axis int, at []int) *value {
	size := x.dims[axis]
	times := len(at) / max(1, size)
	for i, k := range at {
		if len(at) != times*size || k != i/times {
			return b.pick(x, axis, at)
		}
	}
	apart, together, out := slices.Insert(slices.Clone(x.dims), axis+1, 1),
		slices.Insert(slices.Clone(x.dims), axis+1, times), slices.Clone(x.dims)
	out[axis] = len(at)
	return b.reshape(b.expand(b.reshape(x, apart), together), out)
}

// row are the weights of an axis's pixels in one that lies at p.
func (r resizing) row(p float64, from int, scale float64) []float64 {
	weights := make([]float64, from)
	reach, support := 1.0, 1.0 // pixels that the filter reaches to, and its stretch
	if r.mode == "cubic" {
		reach = 2
	}
	if r.antialias && scale < 1 {
		support = 1 / scale
	}
	p = r.clamp(p, from)
	sum, filter := 0.0, r.filter()
	for k := int(math.Floor(p - reach*support)); k <= int(math.Ceil(p+reach*support)); k++ {
		w := filter((float64(k) - p) / support)
		if r.outside && (k < 0 || k >= from) {
			continue
		}
		weights[max(0, min(k, from-1))] += w
		sum += w
	}
	if (r.outside || r.antialias) && sum != 0 {
		for k := range weights {
			weights[k] /= sum
		}
	}
	return weights
}

// clamp brings a place into the picture where pixels beyond its edge are those of the edge.
func (r resizing) clamp(p float64, from int) float64 {
	if r.mode == "linear" && !r.antialias {
		return max(0, min(p, float64(from-1)))
	}
	return p
}

// filter returns the weight of a pixel by its distance.
func (r resizing) filter() func(d float64) float64 {
	if r.mode == "cubic" {
		return r.cubicFilter
	}
	return func(d float64) float64 { return max(0, 1-math.Abs(d)) }
}

// cubicFilter is Keys' cubic convolution.
func (r resizing) cubicFilter(d float64) float64 {
	a := r.cubic
	switch d = math.Abs(d); {
	case d <= 1:
		return ((a+2)*d-(a+3))*d*d + 1
	case d < 2:
		return ((a*d-5*a)*d+8*a)*d - 4*a
	}
	return 0
}

// multiplyAxis multiplies an axis of x by a matrix [to,from].
func (b *builder) multiplyAxis(x *value, axis int, matrix *value) *value {
	dims := slices.Clone(x.dims)
	dims[axis] = matrix.dims[0]
	const letters = "abcdefghijklmnop"
	in := letters[:len(dims)]
	out := in[:axis] + "z" + in[axis+1:]
	return b.emit("Einsum", x.kind, dims, []*value{x, matrix}, attr{"equation", in + ",z" + in[axis:axis+1] + "->" + out})
}
