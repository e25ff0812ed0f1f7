// Package nn holds the graph blocks that several networks share, and the bridge from weight files to graph variables.
//
// Axes: B batch, C channels, I inputs, O outputs, H height, W width.
//
// Weights keep the names of their public layouts: the variable "convs.0.conv.weight" of the scope "/generator" is the
// tensor of that name in the generator's file.
package nn

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"illustrator/checkpoints"
)

// Load creates a variable in scope for each tensor of w, converted to dtype, or replaces the value of the one that
// is there. Integer tensors are skipped.
// Frozen networks are loaded with trainable false: optimizers and gradients of variables leave them alone.
func Load(scope *model.Scope, w *checkpoints.Weights, dtype dtypes.DType, trainable bool) error {
	for _, name := range w.Names() {
		t := w.Tensors[name]
		if t.DType == checkpoints.I64 || t.DType == checkpoints.I32 {
			continue
		}
		value, err := newTensor(t, dtype)
		if err != nil {
			return fmt.Errorf("%s: tensor %q: %w", w.Source, name, err)
		}
		v := scope.GetVariable(name)
		if v != nil {
			err = v.SetValue(value)
		} else if v, err = scope.CreateVariable(name, value); err == nil {
			v.SetTrainable(trainable)
		}
		if err != nil {
			return fmt.Errorf("%s: tensor %q: %w", w.Source, name, err)
		}
	}
	return nil
}

// Weights reads the float32 variables of scope back that have the names and shapes of want.
func Weights(scope *model.Scope, want checkpoints.Shapes) (*checkpoints.Weights, error) {
	w := &checkpoints.Weights{Source: scope.Scope(), Tensors: map[string]checkpoints.Tensor{}}
	for name, shape := range want {
		v := scope.GetVariable(name)
		if v == nil {
			return nil, fmt.Errorf("weight %q is missing in scope %q", name, scope.Scope())
		}
		value, err := v.Value()
		if err != nil {
			return nil, fmt.Errorf("weight %q: %w", name, err)
		}
		flat, err := tensors.CopyFlatData[float32](value)
		if err != nil {
			return nil, fmt.Errorf("weight %q: %w", name, err)
		}
		w.Tensors[name] = checkpoints.Float32Tensor(flat, shape...)
	}
	return w, nil
}

// newTensor returns t as a tensor of dtype float32, float64 or bfloat16.
func newTensor(t checkpoints.Tensor, dtype dtypes.DType) (*tensors.Tensor, error) {
	if dtype == dtypes.Float64 {
		values, err := t.Float64s()
		if err != nil {
			return nil, err
		}
		return tensors.FromFlatDataAndDimensions(values, t.Shape...), nil
	}
	values, err := t.Float32View()
	if err != nil {
		return nil, err
	}
	switch dtype {
	case dtypes.Float32:
		return tensors.FromFlatDataAndDimensions(values, t.Shape...), nil
	case dtypes.BFloat16:
		narrow := make([]bfloat16.BFloat16, len(values))
		for i, v := range values {
			narrow[i] = bfloat16.FromFloat32(v)
		}
		return tensors.FromFlatDataAndDimensions(narrow, t.Shape...), nil
	}
	return nil, fmt.Errorf("weights of type %s are not supported; use float32, float64 or bfloat16", dtype)
}

// Weight returns the weight called name in scope as a node, and asserts its dimensions.
// Graph code panics, as GoMLX does: a weight that is missing is named.
func Weight(scope *model.Scope, g *Graph, name string, dims ...int) *Node {
	v := scope.GetVariable(name)
	if v == nil {
		exceptions.Panicf("weight %q is missing in scope %q", name, scope.Scope())
	}
	if !slices.Equal(v.Shape().Dimensions, dims) {
		exceptions.Panicf("weight %q has shape %v, expected %v", name, v.Shape().Dimensions, dims)
	}
	return v.NodeValue(g)
}

// Linear is torch.nn.Linear: x [B,I] (or [B,T,I]) times weight [O,I] transposed, plus bias [O], with the weights
// name+".weight" and name+".bias".
func Linear(scope *model.Scope, x *Node, name string, out int) *Node {
	in := x.Shape().Dim(-1)
	y := MatMulT(x, Weight(scope, x.Graph(), name+".weight", out, in))
	return Add(y, ExpandLeftToRank(Weight(scope, x.Graph(), name+".bias", out), y.Rank()))
}

// MatMulT contracts the last axis of x with the last axis of w [O,I]: [...,I] → [...,O].
func MatMulT(x, w *Node) *Node {
	return Contract(x, []int{x.Rank() - 1}, nil, w, []int{1}, nil)
}

// OnHost tells whether the graph's backend computes in the host's memory, which is to say on its CPU.
func OnHost(g *Graph) bool { return g.Backend().HasSharedBuffers() }
