package world

import (
	"context"
	"fmt"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/train"
	"illustrator/train/fit"
	"illustrator/train/snapshot"
)

// job is a training of one network.
type job struct {
	name     string // of its folder below the domain's: "classifier"
	plan     Training
	store    *model.Store
	frozen   []string
	batch    func(at int) ([]any, error)
	step     func(scope *model.Scope, rate *Node, in []*Node) []*Node
	measures []string
}

// checkpointEvery steps a checkpoint is written, and logEvery steps a line, in short trainings more often.
const checkpointEvery, logEvery = 250, 50

// run does the job in the folder of domain, unless it is done, and returns its variables.
func (m *Maker) run(ctx context.Context, domain string, j job) (*checkpoints.Weights, error) {
	folder := m.Path(domain, j.name)
	shown := m.Progress(fmt.Sprintf("%s of %s", j.name, domain), j.plan.Schedule.Steps)
	defer shown.Done()
	f := fit.Fit{
		Backend: m.Backend, Store: j.store, Frozen: j.frozen, Folder: folder, Schedule: j.plan.Schedule, Batch: j.batch,
		Step: j.step, Measures: j.measures, CheckpointEvery: checkpointEvery,
		LogEvery: min(logEvery, max(1, j.plan.Schedule.Steps/8)),
		Progress: func(step int, values []float64) {
			shown.Set(step, fmt.Sprintf("%s %.4g", j.measures[0], values[0]))
		},
		Log: m.Log,
	}
	if err := f.Run(ctx); err != nil {
		return nil, fmt.Errorf("%s of %s: %w", j.name, domain, err)
	}
	return snapshot.Variables(j.store, func(*model.Variable) bool { return true })
}

// finished returns the variables of a job that was done before, or an error that says which stage to run.
func (m *Maker) finished(domain, name string, plan Training) (*checkpoints.Weights, error) {
	variables, err := fit.Finished(m.Path(domain, name), plan.Schedule.Steps)
	if err == nil && variables == nil {
		err = unfinished(domain, name)
	}
	return variables, err
}

// rows returns the rows of step at: those that are not held out, in the order of a seed.
func (m *Maker) rows(order *train.Order, at, batch int) []int {
	rows := make([]int, batch)
	for i := range rows {
		rows[i] = order.At(at*batch + i)
	}
	return rows
}

func (m *Maker) order(purpose uint64) *train.Order {
	return train.NewOrder(m.Plan.Seed+purpose, m.Plan.Renders-m.Plan.HeldOut)
}

// keys are the numbers of a step's rows, for random numbers.
func keys(at, batch int) *tensors.Tensor {
	k := make([]uint64, batch)
	for i := range k {
		k[i] = uint64(at*batch + i)
	}
	return tensors.FromFlatDataAndDimensions(k, batch)
}

// images turns pictures uint8 [B,H,W,3] into [B,3,H,W] in [-1,1].
func images(pictures *Node, like *Node) *Node {
	x := AddScalar(DivScalar(ConvertDType(pictures, like.DType()), 127.5), -1)
	return TransposeAllAxes(x, 0, 3, 1, 2)
}
