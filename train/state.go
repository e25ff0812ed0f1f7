package train

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/losses"
	"illustrator/models/pipeline"
)

// State is all of a training but its variables: a checkpoint is a folder with State as config.json and every variable
// that the training changes (mapper, moving average, optimizer, random state) in model.safetensors. The order of the
// data and the generator's noise are functions of the step.
type State struct {
	Step      int   `json:"step"`      // steps done
	Validated int   `json:"validated"` // the step of the last validation
	Best      *Best `json:"best"`      // of all validations, nil before the first
	Skipped   int   `json:"skipped"`   // steps whose losses were not finite
	// MetricsBytes is the length of metrics.jsonl: what follows belongs to steps after the checkpoint.
	MetricsBytes int64 `json:"metrics_bytes"`
}

// Best is the validation that found the lowest loss.
type Best struct {
	Step   int           `json:"step"`
	Losses losses.Values `json:"losses"`
}

// checkpointLayout marks a folder as the state of a training. Weights alone do not make a folder resumable.
const checkpointLayout = "training state"

// save writes the state as a checkpoint, and the mapper beside it, and removes checkpoints that are not kept.
func (t *Training) save() error {
	if t.state.Step == 0 {
		return nil
	}
	if err := t.record.metrics.Sync(); err != nil {
		return err
	}
	w := &checkpoints.Weights{Source: "training", Tensors: map[string]checkpoints.Tensor{}}
	for v := range t.Networks.Store.IterVariables() {
		if pipeline.Frozen(v.Scope()) {
			continue
		}
		tensor, err := tensorOf(v)
		if err != nil {
			return fmt.Errorf("save %s: %w", v.Path(), err)
		}
		w.Tensors[strings.TrimPrefix(v.Path(), "/")] = tensor
	}
	if err := os.MkdirAll(t.Folder.checkpoints(), 0o777); err != nil {
		return err
	}
	if err := t.saveMapper(t.Folder.LastMapper()); err != nil {
		return err
	}
	if err := checkpoints.Write(t.Folder.checkpoint(t.state.Step), checkpoints.Contents{
		Config: t.state, Weights: w, Layout: checkpointLayout, Tool: "illustrator train", Replace: true,
	}); err != nil {
		return err
	}
	t.saved = t.state.Step
	return t.tell()
}

// tell tells of the newest checkpoint and removes those that it makes needless.
func (t *Training) tell() error {
	if t.Saved != nil {
		if err := t.Saved(t.state); err != nil {
			return err
		}
	}
	return t.prune()
}

// prune removes all checkpoints but the newest, as many as are to be kept, and that of the best validation. One that an
// interruption wrote is kept until the next: so that what is left does not depend on interruptions.
func (t *Training) prune() error {
	steps, err := t.Folder.Checkpoints()
	if err != nil {
		return err
	}
	kept := 0
	for i, step := range steps {
		scheduled := step%t.Config.Checkpoint.Every == 0 || t.Config.validatesAfter(step)
		if scheduled {
			kept++
		}
		if i == 0 || scheduled && kept <= t.Config.Checkpoint.Keep || t.state.Best != nil && step == t.state.Best.Step {
			continue
		}
		if err := os.RemoveAll(t.Folder.checkpoint(step)); err != nil {
			return err
		}
	}
	return nil
}

// resume continues from the newest checkpoint that is whole, or begins where there is none.
func (t *Training) resume() error {
	t.state, t.saved = State{}, 0
	if err := t.Folder.Sweep(); err != nil {
		return err
	}
	steps, err := t.Folder.Checkpoints()
	if err != nil || len(steps) == 0 {
		return err
	}
	var damaged []error
	for _, step := range steps {
		state, weights, err := readCheckpoint(t.Folder.checkpoint(step))
		if err != nil {
			damaged = append(damaged, err)
			continue
		}
		if err := t.restore(weights); err != nil {
			return fmt.Errorf("checkpoint %s: %w", t.Folder.checkpoint(step), err)
		}
		for i, err := range damaged {
			t.Log.Warn(fmt.Sprintf("checkpoint %s is damaged and is removed: %v", t.Folder.checkpoint(steps[i]), err))
			if err := os.RemoveAll(t.Folder.checkpoint(steps[i])); err != nil {
				return err
			}
		}
		t.state, t.saved = state, state.Step
		t.Log.Info(fmt.Sprintf("resuming after step %d of %d", state.Step, t.Config.Steps()))
		return t.finishSave(weights)
	}
	return fault.Hint(fmt.Errorf("no checkpoint of the run is whole: %w", errors.Join(damaged...)),
		"put one back from a copy, or remove the folder %s to train from the beginning", t.Folder.checkpoints())
}

func readCheckpoint(dir string) (State, *checkpoints.Weights, error) {
	var state State
	folder, err := checkpoints.Open(dir)
	if err != nil {
		return state, nil, err
	}
	if m := folder.Manifest(); m == nil || m.Layout != checkpointLayout {
		return state, nil, fmt.Errorf("%s has no manifest of a training's state", dir)
	}
	if err := folder.Config(&state); err != nil {
		return state, nil, err
	}
	weights, err := folder.Weights()
	return state, weights, err
}

// restore gives the training's variables the values of a checkpoint. Those that a stage makes only later are made now.
func (t *Training) restore(weights *checkpoints.Weights) error {
	store := t.Networks.Store
	if err := mapperOf(weights, pipeline.MapperScope).Check(t.Mapper.Shapes()); err != nil {
		return err
	}
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

// finishSave does what a process may have been killed before it did, after it wrote the newest checkpoint.
func (t *Training) finishSave(newest *checkpoints.Weights) error {
	if err := t.restoreBest(newest); err != nil {
		return err
	}
	return t.tell()
}

// restoreBest makes the best mapper's folder agree with the state: a process may have been killed after it wrote a
// better one, which the steps to come will find again.
func (t *Training) restoreBest(newest *checkpoints.Weights) (err error) {
	if t.state.Best == nil {
		return os.RemoveAll(t.Folder.BestMapper())
	}
	weights := newest
	if t.state.Best.Step != t.state.Step {
		if _, weights, err = readCheckpoint(t.Folder.checkpoint(t.state.Best.Step)); err != nil {
			t.Log.Warn(fmt.Sprintf("the checkpoint of the best validation cannot be read; %s is left as it is: %v",
				t.Folder.BestMapper(), err))
			return nil
		}
	}
	return t.writeMapper(t.Folder.BestMapper(), mapperOf(weights, t.mapperScope()))
}

// mapperOf picks a mapper out of a checkpoint.
func mapperOf(weights *checkpoints.Weights, scope string) *checkpoints.Weights {
	m := &checkpoints.Weights{Source: weights.Source, Tensors: map[string]checkpoints.Tensor{}}
	for name, tensor := range weights.Tensors {
		if name, ok := strings.CutPrefix(name, scope+"/"); ok {
			m.Tensors[name] = tensor
		}
	}
	return m
}

// lastCheckpoint is the folder of the newest checkpoint, "" before the first.
func (t *Training) lastCheckpoint() string {
	if t.saved == 0 {
		return ""
	}
	return t.Folder.checkpoint(t.saved)
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
