package train

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
)

// Axes: B batch, E image embedding, Z latent.

// Training is one mapper being trained. Run does it.
type Training struct {
	Config Config
	Mapper mapper.Config
	Seed   uint64
	// Init are the weights that the training starts from; nil starts from fresh ones, which Seed decides.
	Init     *checkpoints.Weights
	Networks *pipeline.Networks
	Pairs    Pairs
	// ValidationPairs are rows of another set to validate on; nil takes the last rows of Pairs, which are then not trained
	// on.
	ValidationPairs Pairs
	Folder          Folder
	// Progress gets every finished step and Saved every checkpoint. Sample draws Config.Validation.Texts, through
	// Predict, into Folder.Sample(step). All may be nil.
	Progress func(step int, stage Stage, values losses.Values)
	Saved    func(State) error
	Sample   func(ctx context.Context, step int) error
	Log      *slog.Logger // nil discards

	state   State
	saved   int // the step of the newest checkpoint
	record  *record
	order   *Order
	devices *devices
	programs
}

// Pairs are the rows that a mapper is trained on: those of *pairs.Set, or any others.
type Pairs interface {
	// Len is the number of rows.
	Len() int
	// Read copies the named rows into z [len(rows),Z] and imageEmbeds [len(rows),E].
	Read(rows []int, z, imageEmbeds []float32) error
}

// Run trains the mapper to the end of its last stage, from fresh weights or from the newest checkpoint in the folder,
// and returns where it stands. What it computes does not depend on where it was interrupted before. When ctx is
// cancelled the step at hand is finished, a checkpoint written, and ctx's cause returned.
func (t *Training) Run(ctx context.Context) (state State, err error) {
	if err := t.prepare(); err != nil {
		return state, err
	}
	if err := t.resume(); err != nil {
		return state, err
	}
	if t.record, err = openRecord(t.Folder, t.state.MetricsBytes); err != nil {
		return state, err
	}
	defer func() { err = errors.Join(err, t.record.Close()) }()

	steps := t.Config.Steps()
	for {
		err := t.keepUp(ctx)
		if err == nil && t.state.Step == steps {
			return t.state, nil
		}
		if cause := context.Cause(ctx); cause != nil {
			return t.state, errors.Join(cause, t.save())
		}
		if err != nil {
			return t.state, err
		}
		if err := t.step(t.state.Step); err != nil {
			return t.state, fmt.Errorf("step %d: %w", t.state.Step+1, err)
		}
		t.state.Step++
	}
}

// keepUp does what is due after the steps done so far: a validation, a checkpoint.
func (t *Training) keepUp(ctx context.Context) error {
	step := t.state.Step
	switch {
	case step > t.state.Validated && t.Config.validatesAfter(step):
		if err := t.validateAndSample(ctx); err != nil {
			return fmt.Errorf("validation after step %d: %w", step, err)
		}
		return t.save()
	case step > t.saved && step%t.Config.Checkpoint.Every == 0:
		return t.save()
	}
	return nil
}

// prepare initialises the mapper and loads what the losses need.
func (t *Training) prepare() error {
	if t.Log == nil {
		t.Log = slog.New(slog.DiscardHandler)
	}
	rows := t.TrainRows()
	if rows < t.Config.Batch {
		return fmt.Errorf("%d rows are too few to train on in batches of %d", rows, t.Config.Batch)
	}
	if t.ValidationPairs != nil && t.ValidationPairs.Len() < t.Config.Validation.Rows {
		return fmt.Errorf("the validation set has %d rows; train.validation.rows is %d", t.ValidationPairs.Len(),
			t.Config.Validation.Rows)
	}
	t.Config = t.Config.Resolved(rows)
	if t.Config.needsFrozen() {
		if err := t.Networks.NeedFrozenIn(t.Config.Precision); err != nil {
			return err
		}
	}
	store, first := t.Networks.Store, t.Init
	if first == nil {
		first = mapper.Init(t.Mapper, t.Seed)
	}
	count, err := t.Config.count(t.Networks.Backend.NumDevices())
	if err != nil {
		return err
	}
	if t.devices, err = openDevices(t.Networks.Backend, store, count); err != nil {
		return err
	}
	if err := t.Config.Optimizer.Forget(store.RootScope()); err != nil {
		return err
	}
	if err := seedRandom(store, t.Seed); err != nil {
		return err
	}
	if err := mapper.Load(store.Scope(pipeline.MapperScope), t.Mapper, first); err != nil {
		return err
	}
	if t.Config.Optimizer.EMA > 0 {
		if err := loadAverage(store, first); err != nil {
			return err
		}
	}
	t.Networks.Mapper = &t.Mapper
	t.order = NewOrder(t.Seed, rows)
	t.programs.reset()
	return nil
}

// TrainRows is the number of rows that are trained on.
func (t *Training) TrainRows() int {
	if t.ValidationPairs != nil {
		return t.Pairs.Len()
	}
	return t.Pairs.Len() - t.Config.Validation.Rows
}

// seedRandom gives store the random state of seed. GoMLX's own Store.SetRNGStateFromSeed (v0.28.2) makes a variable
// that does not know its store, which a program for several devices needs.
func seedRandom(store *model.Store, seed uint64) error {
	state, err := graph.RNGStateFromSeed(int64(seed))
	if err != nil {
		return err
	}
	if v := store.GetVariable(model.RNGStateVariableName); v != nil {
		return v.SetValue(state)
	}
	v, err := store.CreateVariable(model.RNGStateVariableName, state)
	if err != nil {
		return err
	}
	v.SetTrainable(false)
	return nil
}
