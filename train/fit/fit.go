// Package fit trains networks of any kind: it repeats a step on the variables of a store, writes checkpoints and a
// record, and resumes to the same bits. Package train, which trains mappers, has its own loop, with validation and
// stages.
package fit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/train"
	"illustrator/train/snapshot"
)

// Fit is a training of the variables of a store. Run does it.
type Fit struct {
	Backend compute.Backend
	// Store holds the networks with their fresh weights. A checkpoint has all of its variables but those below Frozen.
	Store  *model.Store
	Frozen []string
	// Folder gets checkpoints/ and metrics.jsonl.
	Folder string
	// Schedule has the number of steps and their learning rates.
	Schedule train.Schedule
	// Batch returns the inputs of the step at, counted from 0. It must be a function of at alone. It is called for
	// the next step while a step computes.
	Batch func(at int) ([]any, error)
	// Step builds a training step: losses, gradients, updates. It returns scalars, which Measures names in order.
	Step     func(scope *model.Scope, rate *graph.Node, in []*graph.Node) []*graph.Node
	Measures []string
	// CheckpointEvery and LogEvery are numbers of steps.
	CheckpointEvery, LogEvery int
	// Progress gets each step and its measures. It may be nil.
	Progress func(step int, values []float64)
	Log      *slog.Logger // nil discards

	state   state
	metrics *snapshot.Lines
}

// state is the config.json of a checkpoint.
type state struct {
	Step         int   `json:"step"`
	Steps        int   `json:"steps"` // of the whole training: its schedule depends on it
	MetricsBytes int64 `json:"metrics_bytes"`
	// Sums are those of the measures of the steps Since the last line.
	Sums  []float64 `json:"sums"`
	Since int       `json:"since"`
}

// Line is a line of metrics.jsonl: the means of the measures since the line before.
type Line struct {
	Step         int                `json:"step"`
	LearningRate float64            `json:"learning_rate"`
	Measures     map[string]float64 `json:"measures"`
}

// Run trains to the end of the schedule, from the store's weights or from the newest checkpoint in the folder. When ctx
// is cancelled the step at hand is finished, a checkpoint written, and ctx's cause returned.
func (f *Fit) Run(ctx context.Context) (err error) {
	if err := f.prepare(); err != nil {
		return err
	}
	if f.metrics, err = snapshot.OpenLines(filepath.Join(f.Folder, "metrics.jsonl"), f.state.MetricsBytes); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.metrics.Close()) }()
	if f.state.Step == f.Schedule.Steps {
		return nil
	}
	exec, err := model.NewExec(f.Backend, f.Store, f.graph)
	if err != nil {
		return err
	}
	defer exec.Finalize()
	next := f.fetch(f.state.Step)
	for f.state.Step < f.Schedule.Steps {
		batch := <-next
		if batch.err != nil {
			return fmt.Errorf("batch of step %d: %w", f.state.Step+1, batch.err)
		}
		if f.state.Step+1 < f.Schedule.Steps {
			next = f.fetch(f.state.Step + 1)
		}
		values, err := f.step(exec, batch.inputs)
		if err != nil {
			return fmt.Errorf("step %d: %w", f.state.Step+1, err)
		}
		if err := f.count(values); err != nil {
			return err
		}
		cause := context.Cause(ctx)
		if cause != nil || f.state.Step%f.CheckpointEvery == 0 || f.state.Step == f.Schedule.Steps {
			if err := f.save(); err != nil {
				return err
			}
		}
		if cause != nil {
			return cause
		}
	}
	return nil
}

// fetched is the inputs of a step.
type fetched struct {
	inputs []any
	err    error
}

// fetch makes the batch of step at in the background.
func (f *Fit) fetch(at int) <-chan fetched {
	made := make(chan fetched, 1)
	go func() {
		inputs, err := f.Batch(at)
		made <- fetched{inputs, err}
	}()
	return made
}

// graph is one step: the learning rate, then the batch's inputs.
func (f *Fit) graph(scope *model.Scope, in []*graph.Node) *graph.Node {
	scope.Store().SetTraining(in[0].Graph(), true)
	scalars := f.Step(scope, in[0], in[1:])
	for i, s := range scalars {
		scalars[i] = graph.ConvertDType(graph.StopGradient(s), in[0].DType())
	}
	return graph.Stack(scalars, 0)
}

func (f *Fit) step(exec *model.Exec, inputs []any) ([]float64, error) {
	rate := tensors.FromScalar(float32(f.Schedule.At(f.state.Step)))
	out, err := exec.Call1(append([]any{rate}, inputs...)...)
	if err != nil {
		return nil, err
	}
	defer out.MustFinalizeAll()
	flat, err := tensors.CopyFlatData[float32](out)
	if err != nil {
		return nil, err
	}
	if len(flat) != len(f.Measures) {
		return nil, fmt.Errorf("the step measures %d values, which have %d names", len(flat), len(f.Measures))
	}
	values := make([]float64, len(flat))
	for i, v := range flat {
		values[i] = float64(v)
		if math.IsNaN(values[i]) || math.IsInf(values[i], 0) {
			return nil, fault.Hint(fmt.Errorf("%s is %g", f.Measures[i], values[i]),
				"lower the learning rate; the newest checkpoint in %s is from before", f.Folder)
		}
	}
	return values, nil
}

// count counts a step and its measures, and writes a line where one is due.
func (f *Fit) count(values []float64) (err error) {
	s := &f.state
	for i, v := range values {
		s.Sums[i] += v
	}
	s.Step++
	s.Since++
	if f.Progress != nil {
		f.Progress(s.Step, values)
	}
	if s.Step%f.LogEvery != 0 {
		return nil
	}
	line := Line{Step: s.Step, LearningRate: f.Schedule.At(s.Step - 1), Measures: map[string]float64{}}
	for i, name := range f.Measures {
		line.Measures[name] = s.Sums[i] / float64(s.Since)
	}
	clear(s.Sums)
	s.Since = 0
	s.MetricsBytes, err = f.metrics.Write(line)
	return err
}

func (f *Fit) checkpoints() string { return filepath.Join(f.Folder, "checkpoints") }

// save writes a checkpoint and removes all but the newest two.
func (f *Fit) save() error {
	if err := f.metrics.Sync(); err != nil {
		return err
	}
	variables, err := snapshot.Variables(f.Store, f.keeps)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.checkpoints(), 0o777); err != nil {
		return err
	}
	if err := snapshot.Write(snapshot.Dir(f.checkpoints(), f.state.Step), f.state, variables, "worlds"); err != nil {
		return err
	}
	steps, err := snapshot.Steps(f.checkpoints())
	if err != nil {
		return err
	}
	for _, step := range steps[min(2, len(steps)):] {
		if err := os.RemoveAll(snapshot.Dir(f.checkpoints(), step)); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fit) keeps(v *model.Variable) bool {
	for _, scope := range f.Frozen {
		if strings.HasPrefix(v.Path(), scope+"/") {
			return false
		}
	}
	return true
}

// prepare checks the settings and restores the newest checkpoint that is whole.
func (f *Fit) prepare() error {
	if f.Log == nil {
		f.Log = slog.New(slog.DiscardHandler)
	}
	if err := f.Schedule.Validate(); err != nil {
		return err
	}
	if err := os.MkdirAll(f.Folder, 0o777); err != nil {
		return err
	}
	f.state = state{Steps: f.Schedule.Steps, Sums: make([]float64, len(f.Measures))}
	steps, err := snapshot.Steps(f.checkpoints())
	if err != nil || len(steps) == 0 {
		return err
	}
	var damaged []error
	for _, step := range steps {
		dir, state := snapshot.Dir(f.checkpoints(), step), state{}
		variables, err := snapshot.Read(dir, &state)
		if err != nil {
			f.Log.Warn(fmt.Sprintf("checkpoint %s is damaged and is passed over: %v", dir, err))
			damaged = append(damaged, err)
			continue
		}
		if state.Steps != f.Schedule.Steps || len(state.Sums) != len(f.Measures) {
			return fault.Hint(fmt.Errorf("%s is from a training of %d steps and %d measures; this one has %d and %d", dir,
				state.Steps, len(state.Sums), f.Schedule.Steps, len(f.Measures)),
				"remove %s to train from the beginning", f.Folder)
		}
		if err := snapshot.Restore(f.Store, variables); err != nil {
			return fmt.Errorf("checkpoint %s: %w", dir, err)
		}
		f.state = state
		f.Log.Info(fmt.Sprintf("resuming after step %d of %d", state.Step, state.Steps))
		return nil
	}
	return fault.Hint(fmt.Errorf("no checkpoint in %s is whole: %w", f.checkpoints(), errors.Join(damaged...)),
		"remove %s to train from the beginning", f.Folder)
}

// Finished reads the variables of a finished training of steps steps from its folder, nil where it is not finished.
func Finished(folder string, steps int) (*checkpoints.Weights, error) {
	f := Fit{Folder: folder}
	dir := snapshot.Dir(f.checkpoints(), steps)
	if _, err := os.Stat(dir); err != nil {
		return nil, nil
	}
	var s state
	variables, err := snapshot.Read(dir, &s)
	if err != nil {
		return nil, err
	}
	if s.Step != s.Steps {
		return nil, nil
	}
	return variables, nil
}
