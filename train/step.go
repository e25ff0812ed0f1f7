package train

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// programs are the compiled graphs of the stage at hand.
type programs struct {
	stage  int         // of update and gather, -1 before the first
	update *model.Exec // the losses of a batch, and a step
	// the losses of a batch whose gradient waits for the step's last batch; nil without accumulation
	gather     *model.Exec
	validation *model.Exec
	prediction *model.Exec
}

func (p *programs) reset() { *p = programs{stage: -1} }

// step does the step at, counted from 0, and tells of it.
func (t *Training) step(at int) error {
	values, norm, err := t.trainOn(at)
	if err != nil {
		return err
	}
	skipped, err := t.skip(at, values, norm)
	if err != nil {
		return err
	}
	stage, within := t.Config.stageOf(at)
	if t.Progress != nil {
		t.Progress(at+1, t.Config.Stages[stage], values)
	}
	rate := t.Config.Stages[stage].Schedule.At(within)
	line := Line{Step: at + 1, Stage: t.Config.Stages[stage].Name, LearningRate: &rate}
	switch {
	case skipped:
		line.Skipped = true
	case (at+1)%t.Config.LogEvery != 0:
		return nil
	default:
		line.Losses, line.GradNorm = &values, norm
	}
	t.state.MetricsBytes, err = t.record.Write(line)
	return err
}

// trainOn does the step at, counted from 0, and returns the mean losses of its batches, and its gradient's length where
// that is computed.
func (t *Training) trainOn(at int) (values losses.Values, norm *float64, err error) {
	if err := t.enter(at); err != nil {
		return values, nil, err
	}
	stage, within := t.Config.stageOf(at)
	rate := tensors.FromScalar(float32(t.Config.Stages[stage].Schedule.At(within)))
	batches := t.Config.Optimizer.Accumulate
	for b := range batches {
		rows, keys := make([]int, t.Config.Batch), make([]uint64, t.Config.Batch)
		for i := range rows {
			place := (at*batches+b)*t.Config.Batch + i
			rows[i], keys[i] = t.order.At(place), noiseKey(t.Seed, place)
		}
		exec := t.gather
		if b == batches-1 {
			exec = t.update
		}
		out, err := t.execute(exec, t.Pairs, rows, keys, rate)
		if err != nil {
			return values, nil, err
		}
		values = values.Plus(losses.ValuesOf(out), 1/float64(batches))
		if len(out) > normAt {
			length := float64(out[normAt])
			norm = &length
		}
	}
	return values, norm, nil
}

// skip reports whether the step at is left out, because its losses or its gradient are not finite. Where that is not
// allowed it is an error.
func (t *Training) skip(at int, values losses.Values, norm *float64) (bool, error) {
	what, value := values.NonFinite()
	if what != "" {
		what = "loss " + what
	} else if norm != nil && (math.IsNaN(*norm) || math.IsInf(*norm, 0)) {
		what, value = "the gradient's length", *norm
	} else {
		return false, nil
	}
	if t.Config.OnNaN == SkipNaN && t.state.Skipped < t.Config.NaNLimit {
		t.state.Skipped++
		t.Log.Warn(fmt.Sprintf("step %d is skipped: %s is %g (%d of at most %d skips)", at+1, what, value, t.state.Skipped,
			t.Config.NaNLimit))
		return true, nil
	}
	return false, t.nonFinite(what, value)
}

func (t *Training) nonFinite(what string, value float64) error {
	return &NonFiniteError{What: what, Value: value, Skipped: t.state.Skipped, Checkpoint: t.lastCheckpoint()}
}

// NonFiniteError stops a training: a loss, or the gradient, is infinite or not a number.
type NonFiniteError struct {
	What       string // "loss l1"
	Value      float64
	Skipped    int
	Checkpoint string // the newest checkpoint's folder, "" before the first
}

func (e *NonFiniteError) Error() string {
	text := fmt.Sprintf("%s is %g", e.What, e.Value)
	if e.Skipped > 0 {
		text += fmt.Sprintf(" after %d skipped steps", e.Skipped)
	}
	if e.Checkpoint == "" {
		return text + "; no checkpoint exists yet"
	}
	return fmt.Sprintf("%s; the last good checkpoint is %s", text, e.Checkpoint)
}

// enter makes ready for the step at: a stage's first step resets the optimizer; the first step after a start also
// builds the programs.
func (t *Training) enter(at int) error {
	stage, within := t.Config.stageOf(at)
	if stage == t.stage {
		return nil
	}
	if within == 0 {
		reset := t.Config.Optimizer.Zero
		if t.stage < 0 { // what is there is of another training, perhaps of another mapper, or of a checkpoint
			reset = t.Config.Optimizer.Reset
		}
		if err := reset(t.Networks.Store.RootScope()); err != nil {
			return err
		}
	}
	weights := t.Config.Stages[stage].Losses
	var err error
	if t.Config.Optimizer.Accumulate > 1 {
		if t.gather, err = t.compile(func(scope *model.Scope, z, imageEmbeds, keys, _ *graph.Node) *graph.Node {
			return t.gatherGraph(scope, weights, z, imageEmbeds, keys)
		}); err != nil {
			return err
		}
	}
	t.update, err = t.compile(func(scope *model.Scope, z, imageEmbeds, keys, rate *graph.Node) *graph.Node {
		return t.updateGraph(scope, weights, z, imageEmbeds, keys, rate)
	})
	t.stage = stage
	return err
}

// compile makes a program of a batch: z [B,Z], image embeddings [B,E], noise keys [B] and the learning rate.
func (t *Training) compile(build func(scope *model.Scope, z, imageEmbeds, keys,
	rate *graph.Node) *graph.Node) (*model.Exec, error) {
	return t.devices.newExec("training step", t.Networks.Backend, t.Networks.Store,
		func(scope *model.Scope, in []*graph.Node) *graph.Node {
			scope.Store().SetTraining(in[0].Graph(), true)
			return build(scope, in[0], in[1], in[2], in[3])
		})
}

// normAt is the place of the gradient's length in what a step returns, after the losses.
const normAt = 4

// updateGraph is one training step: losses, gradients, optimizer, moving average. It returns the losses and, where it
// is computed, the gradient's length.
func (t *Training) updateGraph(scope *model.Scope, weights losses.Weights, z, imageEmbeds, keys,
	rate *graph.Node) *graph.Node {
	terms, guarded := t.losses(scope, weights, z, imageEmbeds, keys), t.Config.OnNaN == SkipNaN
	packed := terms.Node()
	norm := t.Config.Optimizer.Update(scope, terms.Total, rate, guarded)
	if t.Config.Optimizer.EMA > 0 {
		follow(scope, z.Graph(), t.Mapper, t.Config.Optimizer.EMA)
	}
	if guarded {
		keepIfFinite(scope, terms.Total, norm)
	}
	if norm == nil {
		return packed
	}
	return graph.Concatenate([]*graph.Node{packed, graph.Reshape(graph.ConvertDType(norm, packed.DType()), 1)}, 0)
}

// gatherGraph is a batch of a step to come: its gradient is added to those gathered.
func (t *Training) gatherGraph(scope *model.Scope, weights losses.Weights, z, imageEmbeds,
	keys *graph.Node) *graph.Node {
	terms := t.losses(scope, weights, z, imageEmbeds, keys)
	t.Config.Optimizer.Gather(scope, terms.Total)
	if t.Config.OnNaN == SkipNaN {
		keepIfFinite(scope, terms.Total)
	}
	return terms.Node()
}

// losses predicts z from the image embeddings and compares: eq. 8 with the true z, eq. 9 with
// the embedding of the predicted picture, eq. 10 with a normal distribution. The picture is drawn only if its loss has
// a weight.
func (t *Training) losses(scope *model.Scope, weights losses.Weights, z, imageEmbeds, keys *graph.Node) losses.Terms {
	scopeOf := scope.At(pipeline.MapperScope)
	if t.Mapper.Arch == mapper.Prior { // its loss needs no z of its own
		return t.compare(scope, scopeOf, weights, z, nil, imageEmbeds, keys)
	}
	return t.compare(scope, scopeOf, weights, z, mapper.Build(scopeOf, t.Mapper, imageEmbeds), imageEmbeds, keys)
}

// compare builds the losses of the mapper in a scope, which predicts z.
func (t *Training) compare(root, of *model.Scope, weights losses.Weights, z, predicted, imageEmbeds,
	keys *graph.Node) losses.Terms {
	return losses.Compute(weights, losses.Inputs{
		Z: z, PredictedZ: predicted, ImageEmbeds: imageEmbeds,
		Match: func() *graph.Node {
			draft := mapper.NewDraft(t.Mapper, imageEmbeds, keys)
			velocity := mapper.Velocity(of, t.Mapper, draft.At(z), draft.Time, draft.Condition)
			return losses.Flow(velocity, draft.Noise, z)
		},
		Render: func() *graph.Node {
			noise := stylegan2.Noise{Mode: t.Config.NoiseMode, Keys: keys}
			networks := *t.Networks
			networks.Generator.Recompute, networks.CLIP.Unclamped = t.Config.Recompute, t.Config.Unclamped
			return networks.ImageEmbedsIn(root, t.Config.Precision, predicted, noise)
		},
	})
}

// execute runs a program on rows of pairs and returns its values.
func (t *Training) execute(exec *model.Exec, pairs Pairs, rows []int, keys []uint64, more ...any) ([]float32, error) {
	z := make([]float32, len(rows)*t.Mapper.ZDim)
	embeds := make([]float32, len(rows)*t.Mapper.EmbedDim)
	if err := pairs.Read(rows, z, embeds); err != nil {
		return nil, err
	}
	args := append([]any{
		tensors.FromFlatDataAndDimensions(z, len(rows), t.Mapper.ZDim),
		tensors.FromFlatDataAndDimensions(embeds, len(rows), t.Mapper.EmbedDim),
		tensors.FromFlatDataAndDimensions(keys, len(rows)),
	}, more...)
	output, err := t.devices.exec1(exec, args...)
	if err != nil {
		return nil, err
	}
	defer output.MustFinalizeAll()
	return tensors.CopyFlatData[float32](output)
}
