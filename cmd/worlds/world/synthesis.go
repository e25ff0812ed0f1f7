package world

import (
	"context"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/cmd/worlds/scene"
	"illustrator/models/nn"
	"illustrator/models/stylegan2"
	"illustrator/train"
	"illustrator/train/fit"
	"illustrator/train/snapshot"
)

const floatType = dtypes.Float32

// The stages that a generator's weights come from.
const synthesisStage, detailsStage = "synthesis", "details"

// averageDecay is the decay a step of the moving average of the synthesis network, which is what is exported.
const averageDecay = 0.998

// Synthesis trains the synthesis network of a domain by regression: from the W that the mapping network gives to the
// picture of the same z.
func (m *Maker) Synthesis(ctx context.Context, r *Renders) error {
	mapping, err := m.finished(r.Domain.Name(), "mapping", m.Plan.Mapping)
	if err != nil {
		return err
	}
	store := model.NewStore()
	if err := m.loadSynthesis(store, snapshot.Scope(mapping, generatorScope)); err != nil {
		return err
	}
	return m.regress(ctx, r, job{name: synthesisStage, plan: m.Plan.Synthesis, store: store}, m.order(3),
		func(_ *model.Scope, picture, render *Node) *Node { return regression(Sub(picture, render)) })
}

// regress does a job that trains the synthesis network in its store on a loss of pictures and the renders of the same
// z, both [B,3,H,H], in the order of the rows.
func (m *Maker) regress(ctx context.Context, r *Renders, j job, order *train.Order,
	loss func(scope *model.Scope, picture, render *Node) *Node) error {
	cfg, plan := m.Plan.Generator, j.plan
	cfg.Trained = true
	live := cfg.TrainedNames(false)
	optimizer := train.Optimizer{Name: train.Adam, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8, ClipNorm: 5, Accumulate: 1}
	j.batch = func(at int) ([]any, error) {
		rows := m.rows(order, at, plan.Batch)
		pictures, err := r.Pictures(rows)
		if err != nil {
			return nil, err
		}
		return []any{tensors.FromFlatDataAndDimensions(r.Z(rows), plan.Batch, scene.ZDim),
			tensors.FromFlatDataAndDimensions(pictures, plan.Batch, m.Plan.Size, m.Plan.Size, 3)}, nil
	}
	j.step = func(scope *model.Scope, rate *Node, in []*Node) []*Node {
		picture := stylegan2.Build(scope.At(generatorScope), cfg, in[0], stylegan2.Noise{Mode: stylegan2.NoiseNone})
		render := images(in[1], rate)
		off := loss(scope, picture, render)
		optimizer.Update(scope, off, rate, false)
		train.Follow(scope.At(generatorScope), scope.At(averageScope), rate.Graph(), live, stylegan2.IsBuffer,
			averageDecay)
		return []*Node{off, ReduceAllMean(Abs(Sub(picture, render)))}
	}
	j.measures = []string{"loss", "absolute error"}
	_, err := m.run(ctx, r.Domain.Name(), j)
	return err
}

// regression is the mean absolute error of pictures whose differences are off [B,3,H,H], of the same at half and at a
// quarter of the size, and of their differences between neighbours, which keep edges sharp.
func regression(off *Node) *Node {
	mean := func(x *Node) *Node { return ReduceAllMean(Abs(x)) }
	half := halve(off)
	loss := Add(mean(off), MulScalar(Add(mean(half), mean(halve(half))), 0.5))
	for _, axis := range []int{2, 3} {
		next := Sub(SliceAxis(off, axis, AxisRangeToEnd(1)), SliceAxis(off, axis, AxisRangeFromStart(-1)))
		loss = Add(loss, MulScalar(mean(next), 0.5))
	}
	return loss
}

// halve is the mean of 2×2 pixels: [B,C,H,H] → [B,C,H/2,H/2].
func halve(x *Node) *Node {
	d := x.Shape().Dimensions
	return ReduceMean(Reshape(x, d[0], d[1], d[2]/2, 2, d[3]/2, 2), 3, 5)
}

// loadSynthesis puts a fresh synthesis network, and its average, beside the trained mapping network, which is frozen.
func (m *Maker) loadSynthesis(store *model.Store, mapping *checkpoints.Weights) error {
	if err := m.loadGenerator(store, m.Plan.Seed+1); err != nil {
		return err
	}
	live := store.Scope("/" + generatorScope)
	average := &checkpoints.Weights{Source: "average", Tensors: map[string]checkpoints.Tensor{}}
	fresh, err := nn.Weights(live, m.Plan.Generator.Shapes())
	if err != nil {
		return err
	}
	for _, name := range m.Plan.Generator.TrainedNames(false) {
		average.Tensors[name] = fresh.Tensors[name]
	}
	if err := nn.Load(store.Scope("/"+averageScope), average, floatType, false); err != nil {
		return err
	}
	frozen := &checkpoints.Weights{Source: "mapping", Tensors: map[string]checkpoints.Tensor{}}
	for _, name := range m.Plan.Generator.TrainedNames(true) {
		frozen.Tensors[name] = mapping.Tensors[name]
		live.GetVariable(name).SetTrainable(false)
	}
	return nn.Load(live, frozen, floatType, false)
}

// generatorVariables returns the variables of a stage of a domain's generator, nil where it is not complete.
func (m *Maker) generatorVariables(d scene.Domain, stage string) (*checkpoints.Weights, error) {
	plan := m.Plan.Synthesis
	if stage == detailsStage {
		plan = m.Plan.Details
	}
	return fit.Finished(m.Path(d.Name(), stage), plan.Schedule.Steps)
}

// generatorWeights returns a domain's generator, as a stage left it, in the form of a file.
func (m *Maker) generatorWeights(d scene.Domain, stage string) (*checkpoints.Weights, error) {
	variables, err := m.generatorVariables(d, stage)
	if err == nil && variables == nil {
		err = unfinished(d.Name(), stage)
	}
	if err != nil {
		return nil, err
	}
	average := snapshot.Scope(variables, averageScope)
	for name, tensor := range snapshot.Scope(variables, generatorScope).Tensors {
		if stylegan2.IsMapping(name) {
			average.Tensors[name] = tensor
		}
	}
	return stylegan2.FileForm(m.Plan.Generator, average)
}
