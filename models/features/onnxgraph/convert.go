package onnxgraph

import (
	"errors"
	"fmt"
	"slices"

	"illustrator/internal/fault"
)

// ErrOperator is the error of an operator that is not supported, at any size of pictures.
var ErrOperator = errors.New("an operator is not supported")

// convert returns what a node's outputs are, and writes the nodes that compute them.
func (b *builder) convert(n *node, in []*value) ([]*value, error) {
	if least := leastInputs[n.operator]; len(in) < least || slices.Contains(in[:least], nil) {
		return nil, fault.Hint(fmt.Errorf("%d inputs; it takes %d", len(in), least), damagedHint)
	}
	for _, f := range []func(*node, []*value) ([]*value, error){
		b.convertShape, b.convertMove, b.convertElementwise, b.convertLayer,
	} {
		if out, err := f(n, in); out != nil || err != nil {
			return out, err
		}
	}
	return nil, fault.Hint(fmt.Errorf("%w: %s", ErrOperator, n.operator),
		"export the network in another way, or take another")
}

// leastInputs holds the least number of inputs of the operators.
var leastInputs = func() map[string]int {
	least := map[string]int{"Constant": 0, "Where": 3, "Range": 3, "InstanceNormalization": 3, "GroupNormalization": 3,
		"BatchNormalization": 5}
	for name := range sameShape {
		least[name] = 1
	}
	for _, name := range []string{
		"Identity", "Dropout", "Shape", "Size", "ConstantOfShape", "Reshape", "Flatten", "Squeeze", "Transpose", "Slice",
		"Split",
		"DepthToSpace", "SpaceToDepth", "Concat", "Cast", "If", "MaxPool", "AveragePool", "GlobalAveragePool",
		"GlobalMaxPool", "Resize", "Upsample", "Pad",
		"LeakyRelu", "Elu", "Selu", "HardSigmoid", "Softplus", "Mish", "Clip", "Softmax", "Gelu", "Sum", "Mean", "Min", "Max",
		"Einsum", "LayerNormalization",
		"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL2", "ReduceSumSquare", "Not",
	} {
		least[name] = 1
	}
	for name := range twoInputs {
		least[name] = 2
	}
	for _, name := range []string{"Expand", "Tile", "Gather", "GatherND", "Conv", "ConvTranspose", "PRelu", "MatMul",
		"Gemm", "CastLike"} {
		least[name] = 2
	}
	return least
}()

// convertShape converts operators that compute shapes and constants.
func (b *builder) convertShape(n *node, in []*value) ([]*value, error) {
	switch n.operator {
	case "Constant":
		v, err := n.constant()
		return []*value{v}, err
	case "Shape":
		dims := in[0].dims
		if dims == nil {
			return nil, errShape
		}
		begin, end := bound(n.int("start", 0), len(dims)), bound(n.int("end", len(dims)), len(dims))
		return []*value{vector(dims[begin:max(begin, end)]...)}, nil
	case "Size":
		if in[0].dims == nil {
			return nil, errShape
		}
		return []*value{newInts([]int64{int64(in[0].size())})}, nil
	case "ConstantOfShape":
		return b.constantOfShape(n, in[0])
	case "Range":
		return rangeOf(in)
	case "Cast", "CastLike":
		to := kind(n.int("to", 0))
		if n.operator == "CastLike" {
			to = in[1].kind
		}
		switch {
		case to.size() == 0:
			return nil, fmt.Errorf("elements of type %d of ONNX are not supported", to)
		case in[0].folds():
			return []*value{cast(in[0], to)}, nil
		case to.computed() == in[0].kind.computed():
			return []*value{in[0]}, nil
		}
		return []*value{b.emit("Cast", to, in[0].dims, in, attr{"to", int(to.computed())})}, nil
	case "If":
		return b.branch(n, in[0])
	}
	return nil, nil
}

// bound brings the bound of a range of axes, which counts from the end where it is negative, into 0 to rank.
func bound(i, rank int) int {
	if i < 0 {
		i += rank
	}
	return max(0, min(i, rank))
}

// constant is the value of a node Constant.
func (n *node) constant() (*value, error) {
	for name, a := range n.attributes {
		switch name {
		case "value":
			if a.tensor != nil {
				return fromTensor(a.tensor), nil
			}
		case "value_float":
			return newFloats([]float64{float64(a.float)}), nil
		case "value_floats":
			return newFloats(a.floats, len(a.floats)), nil
		case "value_int":
			return newInts([]int64{a.int}), nil
		case "value_ints":
			return newInts(a.ints, len(a.ints)), nil
		}
	}
	return nil, fault.Hint(errors.New("it has no value that is supported"),
		"export the network with dense numbers as constants")
}

func (b *builder) constantOfShape(n *node, shape *value) ([]*value, error) {
	dims, err := shape.numbers()
	if err == nil {
		_, err = elements(dims)
	}
	if err != nil {
		return nil, err
	}
	v := newFloats([]float64{0})
	if a := n.attributes["value"]; a != nil && a.tensor != nil {
		v = fromTensor(a.tensor)
	}
	if v.size() != 1 {
		return nil, fmt.Errorf("its value has %d elements", v.size())
	}
	return []*value{b.expand(b.reshape(v, []int{}), dims)}, nil
}

func rangeOf(in []*value) ([]*value, error) {
	out := &value{kind: in[0].kind, constant: true}
	var ends [3]float64
	for i, v := range in {
		f, err := v.reals()
		if err != nil || len(f) != 1 {
			return nil, errVaries
		}
		ends[i] = f[0]
	}
	for k := 0; ; k++ {
		at := ends[0] + float64(k)*ends[2]
		if k == maxConstant || ends[2] == 0 {
			return nil, fmt.Errorf("a range from %g to %g in steps of %g has more than %d elements", ends[0], ends[1], ends[2],
				maxConstant)
		}
		if !(ends[2] > 0 && at < ends[1] || ends[2] < 0 && at > ends[1]) {
			out.dims = []int{k}
			return []*value{out}, nil
		}
		if out.kind.isFloat() {
			out.floats = append(out.floats, out.kind.round(at))
		} else {
			out.ints = append(out.ints, int64(at))
		}
	}
}

// branch converts the branch of an If that is taken, which must be known at the size of the pictures.
func (b *builder) branch(n *node, condition *value) ([]*value, error) {
	truth, err := condition.numbers()
	if err != nil || len(truth) != 1 {
		return nil, errVaries
	}
	key := "else_branch"
	if truth[0] != 0 {
		key = "then_branch"
	}
	if n.attributes[key] == nil || n.attributes[key].graph == nil {
		return nil, fault.Hint(fmt.Errorf("it has no %s", key), damagedHint)
	}
	g := n.attributes[key].graph
	order, makers, err := g.sort(false)
	if err != nil {
		return nil, err
	}
	for name, t := range g.weights {
		b.values[name] = fromTensor(t)
	}
	var names []string
	for _, out := range g.outputs {
		names = append(names, out.Name)
	}
	if err := b.nodes(order, makers, names...); err != nil {
		return nil, err
	}
	var out []*value
	for _, name := range names {
		v, err := b.value(name)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// sameShape are operators of one input that onnx-gomlx has, whose output is shaped as it is.
var sameShape = map[string]bool{
	"Relu": true, "Sigmoid": true, "Tanh": true, "Exp": true, "Log": true, "Sqrt": true, "Erf": true, "Abs": true,
	"Neg": true, "Sign": true,
	"Ceil": true, "Floor": true, "Not": true, "Sin": true, "Cos": true, "HardSwish": true, "Reciprocal": true,
	"Round": true,
}

// twoInputs are those of two inputs, which are broadcast to one shape. Tests have truths as outputs.
var twoInputs = map[string]bool{
	"Add": true, "Sub": true, "Mul": true, "Div": true, "Pow": true, "Mod": true, "And": true, "Or": true, "Xor": true,
	"Equal": true, "Less": true, "LessOrEqual": true, "Greater": true, "GreaterOrEqual": true,
}

// convertElementwise converts operators that work element by element.
func (b *builder) convertElementwise(n *node, in []*value) ([]*value, error) {
	one := func(v *value) ([]*value, error) { return []*value{v}, nil }
	switch {
	case n.operator == "Round":
		if !in[0].folds() {
			return nil, nil
		}
		fallthrough
	case sameShape[n.operator]:
		return one(b.apply(n.operator, in[0]))
	case twoInputs[n.operator]:
		if n.operator == "Mod" && n.int("fmod", 0) == 1 {
			return nil, errors.New("fmod 1 is not supported")
		}
		return b.broadcasts(n.operator, in...)
	}
	switch n.operator {
	case "Where":
		return b.broadcasts("Where", in...)
	case "Min", "Max", "Sum", "Mean":
		operator := map[string]string{"Sum": "Add", "Mean": "Add"}[n.operator]
		if operator == "" {
			operator = n.operator
		}
		out := in[0]
		for _, v := range in[1:] {
			next, err := b.broadcasts(operator, out, v)
			if err != nil {
				return nil, err
			}
			out = next[0]
		}
		if n.operator == "Mean" {
			out = b.apply("Div", out, newFloats([]float64{float64(len(in))}))
		}
		return one(out)
	}
	return b.convertActivation(n, in)
}

// broadcasts applies an operator to values that are broadcast to one shape; an error where they can't be.
func (b *builder) broadcasts(operator string, in ...*value) ([]*value, error) {
	var shapes [][]int
	for _, v := range in {
		if v == nil {
			return nil, fault.Hint(errors.New("an input is left out"), damagedHint)
		}
		if v.dims == nil {
			return nil, errShape
		}
		shapes = append(shapes, v.dims)
	}
	if _, err := broadcast(shapes...); err != nil {
		return nil, err
	}
	return []*value{b.apply(operator, in...)}, nil
}

// apply applies an operator that works element by element.
func (b *builder) apply(operator string, in ...*value) *value {
	folds := true
	var shapes [][]int
	for _, v := range in {
		folds = folds && v.folds()
		shapes = append(shapes, v.dims)
	}
	if folds {
		if out, ok := elementwise(operator, in); ok {
			return out
		}
	}
	dims, err := broadcast(shapes...)
	if err != nil {
		dims = nil
	}
	k := in[len(in)-1].kind
	if operator == "Pow" {
		k = in[0].kind
	}
	if floatTests[operator] != nil || intTests[operator] != nil || operator == "Not" {
		k = boolKind
	}
	return b.emit(operator, k, dims, in)
}
