package train

import (
	"errors"
	"fmt"
	"os"

	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/losses"
	"illustrator/models/pipeline"
	"illustrator/train/snapshot"
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

// save writes the state as a checkpoint, and the mapper beside it, and removes checkpoints that are not kept.
func (t *Training) save() error {
	if t.state.Step == 0 {
		return nil
	}
	if err := t.record.metrics.Sync(); err != nil {
		return err
	}
	w, err := snapshot.Variables(t.Networks.Store, func(v *model.Variable) bool { return !pipeline.Frozen(v.Scope()) })
	if err != nil {
		return err
	}
	if err := os.MkdirAll(t.Folder.checkpoints(), 0o777); err != nil {
		return err
	}
	if err := t.saveMapper(t.Folder.LastMapper()); err != nil {
		return err
	}
	if err := snapshot.Write(t.Folder.checkpoint(t.state.Step), t.state, w, "illustrator train"); err != nil {
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
	if err := t.Folder.sweep(); err != nil {
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

func readCheckpoint(dir string) (state State, weights *checkpoints.Weights, err error) {
	weights, err = snapshot.Read(dir, &state)
	return state, weights, err
}

// restore gives the training's variables the values of a checkpoint. Those that a stage makes only later are made now.
func (t *Training) restore(weights *checkpoints.Weights) error {
	if err := snapshot.Scope(weights, pipeline.MapperScope).Check(t.Mapper.Shapes()); err != nil {
		return err
	}
	return snapshot.Restore(t.Networks.Store, weights)
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
	return t.writeMapper(t.Folder.BestMapper(), snapshot.Scope(weights, t.mapperScope()))
}

// lastCheckpoint is the folder of the newest checkpoint, "" before the first.
func (t *Training) lastCheckpoint() string {
	if t.saved == 0 {
		return ""
	}
	return t.Folder.checkpoint(t.saved)
}
