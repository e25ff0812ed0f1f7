package onnxgraph

import (
	"math"
	"slices"
)

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
	if out.kind.isFloat() {
		return out, out.setFloats(operator, args[0].floats, args[len(args)-1].floats)
	}
	return out, out.setInts(operator, args[0].ints, args[len(args)-1].ints)
}

// setFloats computes a value's elements of two inputs of floats; false for an operator that it does not know.
func (v *value) setFloats(operator string, a, b []float64) bool {
	f, truth := floatOperators[operator], floatTests[operator]
	switch {
	case f != nil:
		for i := range a {
			v.floats = append(v.floats, v.kind.round(f(a[i], b[i])))
		}
	case truth != nil:
		for i := range a {
			v.ints = append(v.ints, toInt(truth(a[i], b[i])))
		}
		v.kind = boolKind
	}
	return f != nil || truth != nil
}

// setInts is setFloats for whole numbers; false for a division by zero, too.
func (v *value) setInts(operator string, a, b []int64) bool {
	f, truth := intOperators[operator], intTests[operator]
	switch {
	case truth != nil:
		for i := range a {
			v.ints = append(v.ints, toInt(truth(a[i], b[i])))
		}
		v.kind = boolKind
	case f != nil:
		if (operator == "Div" || operator == "Mod") && slices.Contains(b, 0) {
			return false
		}
		for i := range a {
			v.ints = append(v.ints, f(a[i], b[i]))
		}
	}
	return f != nil || truth != nil
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
