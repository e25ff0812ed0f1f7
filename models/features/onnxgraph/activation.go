package onnxgraph

import (
	"fmt"
	"slices"
)

// convertActivation converts activations, most of which onnx-gomlx lacks.
func (b *builder) convertActivation(n *node, in []*value) ([]*value, error) {
	one := func(v *value) ([]*value, error) { return []*value{v}, nil }
	if len(in) == 0 || in[0] == nil {
		return nil, nil
	}
	x := in[0]
	switch n.operator {
	case "LeakyRelu":
		return one(b.apply("Add", b.positive(x), b.apply("Mul", b.negative(x), scalar(n.float("alpha", 0.01)))))
	case "PRelu":
		return b.prelu(x, in[1])
	case "Elu":
		return one(b.apply("Add", b.positive(x), b.exponential(x, n.float("alpha", 1), 1)))
	case "Celu":
		alpha := n.float("alpha", 1)
		return one(b.apply("Add", b.positive(x), b.exponential(x, alpha, alpha)))
	case "Selu":
		gamma := n.float("gamma", 1.05070102214813232421875) // ONNX's default
		out := b.apply("Add", b.positive(x), b.exponential(x, n.float("alpha", 1.67326319217681884765625), 1))
		return one(b.apply("Mul", out, scalar(gamma)))
	case "HardSigmoid":
		line := b.apply("Add", b.apply("Mul", x, scalar(n.float("alpha", 0.2))), scalar(n.float("beta", 0.5)))
		return one(b.apply("Max", b.apply("Min", line, scalar(1)), scalar(0)))
	case "Softplus":
		return one(b.softplus(x))
	case "Softsign":
		return one(b.apply("Div", x, b.apply("Add", b.apply("Abs", x), scalar(1))))
	case "Mish":
		return one(b.apply("Mul", b.apply("Tanh", b.softplus(x)), x))
	case "Swish":
		return one(b.apply("Mul", b.apply("Sigmoid", b.apply("Mul", x, scalar(n.float("alpha", 1)))), x))
	case "ThresholdedRelu":
		return one(b.apply("Where", b.apply("Greater", x, scalar(n.float("alpha", 1))), x, scalar(0)))
	case "Gelu":
		operator := "Gelu"
		if n.text("approximate", "none") == "tanh" {
			operator = "FastGelu" // onnx-gomlx's name of that
		}
		return one(b.emit(operator, x.kind, x.dims, in[:1]))
	case "Clip":
		return b.clip(n, in)
	}
	return nil, nil
}

func (b *builder) prelu(x, slope *value) ([]*value, error) {
	if x.dims == nil || slope.dims == nil {
		return nil, errShape
	}
	if dims, err := broadcast(x.dims, slope.dims); err != nil || !slices.Equal(dims, x.dims) {
		return nil, fmt.Errorf("a slope %v of a tensor %v", slope.dims, x.dims)
	}
	return []*value{b.apply("Add", b.positive(x), b.apply("Mul", b.negative(x), slope))}, nil
}

func (b *builder) positive(x *value) *value { return b.apply("Max", x, scalar(0)) }

func (b *builder) negative(x *value) *value { return b.apply("Min", x, scalar(0)) }

// exponential is alpha·(exp(min(x, 0)/alpha) - 1) with another alpha inside.
func (b *builder) exponential(x *value, outside, inside float64) *value {
	e := b.apply("Exp", b.apply("Div", b.negative(x), scalar(inside)))
	return b.apply("Mul", b.apply("Sub", e, scalar(1)), scalar(outside))
}

// softplus is log(1 + exp(x)), which does not overflow so.
func (b *builder) softplus(x *value) *value {
	e := b.apply("Exp", b.apply("Neg", b.apply("Abs", x)))
	return b.apply("Add", b.positive(x), b.apply("Log", b.apply("Add", e, scalar(1))))
}

// clip has its bounds as attributes before opset 11.
func (b *builder) clip(n *node, in []*value) ([]*value, error) {
	out := in[0]
	for i, bound := range []struct{ name, operator string }{{"min", "Max"}, {"max", "Min"}} {
		var limit *value
		if len(in) > i+1 {
			limit = in[i+1]
		}
		if a := n.attributes[bound.name]; a != nil {
			limit = scalar(float64(a.float))
		}
		if limit == nil {
			continue
		}
		next, err := b.broadcasts(bound.operator, out, limit)
		if err != nil {
			return nil, err
		}
		out = next[0]
	}
	return []*value{out}, nil
}

// scalar is a constant that goes with x.
func scalar(v float64) *value { return newFloats([]float64{v}) }
