// Package snapshot keeps the state of a training: the variables of a store as a checkpoint's folder, and a record in
// lines that is cut back to a checkpoint.
package snapshot

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"illustrator/checkpoints"
)

// Variables copies the variables of store that keep chooses, under their paths.
func Variables(store *model.Store, keep func(*model.Variable) bool) (*checkpoints.Weights, error) {
	w := &checkpoints.Weights{Source: "training", Tensors: map[string]checkpoints.Tensor{}}
	for v := range store.IterVariables() {
		if !keep(v) {
			continue
		}
		tensor, err := tensorOf(v)
		if err != nil {
			return nil, fmt.Errorf("save %s: %w", v.Path(), err)
		}
		w.Tensors[strings.TrimPrefix(v.Path(), "/")] = tensor
	}
	return w, nil
}

// Restore gives the variables of store the values of Variables. It creates those that the training makes only later.
func Restore(store *model.Store, weights *checkpoints.Weights) error {
	for _, full := range weights.Names() {
		value, err := valueOf(weights.Tensors[full])
		if err != nil {
			return fmt.Errorf("tensor %q: %w", full, err)
		}
		full, value = renewed(full, value)
		v := store.GetVariable(full)
		if v != nil {
			err = v.SetValue(value)
		} else if v, err = store.CreateVariable(full, value); err == nil {
			v.SetTrainable(false)
		}
		if err != nil {
			return fmt.Errorf("tensor %q: %w", full, err)
		}
	}
	return nil
}

// Scope picks the variables below scope out of weights, under their names there.
func Scope(weights *checkpoints.Weights, scope string) *checkpoints.Weights {
	m := &checkpoints.Weights{Source: weights.Source, Tensors: map[string]checkpoints.Tensor{}}
	for name, tensor := range weights.Tensors {
		if name, ok := strings.CutPrefix(name, scope+"/"); ok {
			m.Tensors[name] = tensor
		}
	}
	return m
}

// elementTypes are the types that a training's variables have.
var elementTypes = map[checkpoints.DType]dtypes.DType{
	checkpoints.F32: dtypes.Float32, checkpoints.F64: dtypes.Float64, checkpoints.U64: dtypes.Uint64,
	checkpoints.I64: dtypes.Int64, checkpoints.I32: dtypes.Int32,
}

func tensorOf(v *model.Variable) (checkpoints.Tensor, error) {
	value, err := v.Value()
	if err != nil {
		return checkpoints.Tensor{}, err
	}
	t := checkpoints.Tensor{Shape: value.Shape().Dimensions}
	for name, dtype := range elementTypes {
		if dtype == value.DType() {
			t.DType = name
		}
	}
	if t.DType == "" {
		return t, fmt.Errorf("values of type %s cannot be stored", value.DType())
	}
	err = value.ConstBytes(func(data []byte) { t.Data = append([]byte(nil), data...) })
	return t, err
}

// renewed returns a variable of a checkpoint as GoMLX has it since 0.28: Adam counts its steps in a float32, and no
// longer in an int64 of another name.
func renewed(name string, value *tensors.Tensor) (string, *tensors.Tensor) {
	if name != optimizer.AdamDefaultScope+"/global_step" || !value.Shape().Equal(shapes.Make(dtypes.Int64)) {
		return name, value
	}
	return optimizer.AdamDefaultScope + "/step", tensors.FromScalar(float32(tensors.ToScalar[int64](value)))
}

func valueOf(t checkpoints.Tensor) (*tensors.Tensor, error) {
	dtype, ok := elementTypes[t.DType]
	if !ok {
		return nil, fmt.Errorf("values of type %s are not part of a training's state", t.DType)
	}
	value := tensors.FromShape(shapes.Make(dtype, t.Shape...))
	err := value.MutableBytes(func(data []byte) { copy(data, t.Data) })
	return value, err
}
