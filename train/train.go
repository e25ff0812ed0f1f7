package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"

	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// Axes: B batch, E image embedding, Z latent.

// Training is one mapper being trained. Make it with New, run it with Run.
type Training struct {
	Config   Config
	Mapper   mapper.Config
	Seed     uint64
	Networks *pipeline.Networks
	Pairs    Pairs
	// Folder is the run folder: metrics.jsonl, mapper-best and mapper-last are written there.
	Folder string
	// Progress is told of every finished step. It may be nil.
	Progress func(step int, stage Stage, values losses.Values)

	order      *order
	devices    *devices
	metrics    *metricsFile
	validation *mlcontext.Exec
	best       float64
}

// Pairs are the rows that a mapper is trained on: those of *data.Pairs, or any others.
type Pairs interface {
	// Len is the number of rows.
	Len() int
	// Read copies the named rows into z [len(rows),Z] and imageEmbeds [len(rows),E].
	Read(rows []int, z, imageEmbeds []float32) error
}

// Result is what a training came to.
type Result struct {
	Steps      int
	Validation losses.Values // of the best mapper
	Best, Last string        // folders of the two mappers
}

// metricsEvery is the number of steps between two lines of training losses in metrics.jsonl.
const metricsEvery = 25

// Run trains the mapper from fresh weights and writes it. When ctx is cancelled the step at hand is finished, the mapper
// saved, and ctx's cause returned.
func (t *Training) Run(ctx context.Context) (result Result, err error) {
	if t.Pairs.Len() <= t.Config.Validation.Rows+t.Config.Batch {
		return result, fmt.Errorf("the pairs have %d rows: too few for %d rows of validation and a batch of %d",
			t.Pairs.Len(), t.Config.Validation.Rows, t.Config.Batch)
	}
	if err := t.prepare(); err != nil {
		return result, err
	}
	if t.metrics, err = createMetrics(filepath.Join(t.Folder, "metrics.jsonl")); err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, t.metrics.Close()) }()
	result.Best, result.Last = filepath.Join(t.Folder, "mapper-best"), filepath.Join(t.Folder, "mapper-last")
	t.best = math.Inf(1)

	steps := t.Config.Steps()
	var step *mlcontext.Exec
	for stage, at := -1, 0; at < steps; at++ {
		if next, _ := t.Config.stageOf(at); next != stage {
			stage = next
			if err := t.Config.Adam.Reset(t.Networks.Context); err != nil {
				return result, err
			}
			if step, err = t.newStep(t.Config.Stages[stage].Losses); err != nil {
				return result, err
			}
		}
		if err := t.step(step, at); err != nil {
			return result, err
		}
		result.Steps = at + 1
		if _, within := t.Config.stageOf(at + 1); within == 0 || (at+1)%t.Config.Validation.Every == 0 {
			err = t.validateAndKeep(ctx, at+1, &result)
		}
		if cause := context.Cause(ctx); cause != nil {
			return result, errors.Join(cause, t.save(result.Last))
		}
		if err != nil {
			return result, err
		}
	}
	return result, t.save(result.Last)
}

// Stepper prepares a training of which nothing is validated or written, and returns a function that does the step at,
// counted from 0, by the loss weights of the first stage: what a benchmark times. The first step compiles.
func (t *Training) Stepper() (step func(at int) (losses.Values, error), err error) {
	if err := t.prepare(); err != nil {
		return nil, err
	}
	exec, err := t.newStep(t.Config.Stages[0].Losses)
	if err != nil {
		return nil, err
	}
	return func(at int) (losses.Values, error) {
		values, _, err := t.trainOn(exec, at)
		return values, err
	}, nil
}

// prepare initialises the mapper and loads what the losses need.
func (t *Training) prepare() error {
	var err error
	if t.devices, err = openDevices(t.Networks.Backend, t.Networks.Context, t.Config.Devices); err != nil {
		return err
	}
	if t.Config.needsFrozen() {
		if err := t.Networks.NeedFrozen(); err != nil {
			return err
		}
	}
	root := t.Networks.Context
	if err := root.SetRNGStateFromSeed(int64(t.Seed)); err != nil {
		return err
	}
	if err := mapper.Load(root.In(pipeline.MapperScope), t.Mapper, mapper.Init(t.Mapper, t.Seed)); err != nil {
		return err
	}
	t.Networks.Mapper = &t.Mapper
	t.order = newOrder(t.Seed, t.Pairs.Len()-t.Config.Validation.Rows)
	return nil
}

// newStep compiles one training step: z [B,Z], image embeddings [B,E], noise keys [B] and the learning rate → the losses.
func (t *Training) newStep(weights losses.Weights) (*mlcontext.Exec, error) {
	return t.devices.newExec(t.Networks.Backend, t.Networks.Context,
		func(ctx *mlcontext.Context, inputs []*graph.Node) *graph.Node {
			z, imageEmbeds, keys, learningRate := inputs[0], inputs[1], inputs[2], inputs[3]
			ctx.SetTraining(z.Graph(), true)
			terms := t.losses(ctx, weights, z, imageEmbeds, keys)
			t.Config.Adam.Update(ctx, terms.Total, learningRate)
			return terms.Node()
		})
}

// losses predicts z from the image embeddings and compares: eq. 8 with the true z, eq. 9 with the embedding of the
// predicted picture, eq. 10 with a normal distribution. The picture is drawn only if its loss has a weight.
func (t *Training) losses(ctx *mlcontext.Context, weights losses.Weights, z, imageEmbeds, keys *graph.Node) losses.Terms {
	predicted := mapper.Build(ctx.In(pipeline.MapperScope), t.Mapper, imageEmbeds)
	return losses.Compute(weights, losses.Inputs{
		Z: z, PredictedZ: predicted, ImageEmbeds: imageEmbeds,
		Render: func() *graph.Node {
			noise := stylegan2.Noise{Mode: stylegan2.NoiseMode(t.Config.NoiseMode), Keys: keys}
			return t.Networks.ImageEmbeds(ctx, predicted, noise)
		},
	})
}

// step trains on the pairs of step at, counted from 0, and tells of it.
func (t *Training) step(exec *mlcontext.Exec, at int) error {
	values, rate, err := t.trainOn(exec, at)
	if err != nil {
		return fmt.Errorf("step %d: %w", at+1, err)
	}
	stage, _ := t.Config.stageOf(at)
	if t.Progress != nil {
		t.Progress(at+1, t.Config.Stages[stage], values)
	}
	if (at+1)%metricsEvery == 0 {
		return t.metrics.Write(line{Step: at + 1, Stage: t.Config.Stages[stage].Name, LearningRate: &rate, Losses: values})
	}
	return nil
}

// trainOn does the step at, counted from 0, and returns its losses and learning rate.
func (t *Training) trainOn(exec *mlcontext.Exec, at int) (values losses.Values, rate float64, err error) {
	stage, within := t.Config.stageOf(at)
	rows, keys := make([]int, t.Config.Batch), make([]uint64, t.Config.Batch)
	for i := range rows {
		place := at*t.Config.Batch + i
		rows[i], keys[i] = t.order.at(place), noiseKey(t.Seed, place)
	}
	rate = t.Config.Stages[stage].Schedule.At(within)
	if values, err = t.execute(exec, rows, keys, tensors.FromScalar(float32(rate))); err != nil {
		return values, rate, err
	}
	if name, value := values.NonFinite(); name != "" {
		return values, rate, fmt.Errorf("loss %s is %g; the last mapper saved is that of an earlier step", name, value)
	}
	return values, rate, nil
}

// execute runs a step or a validation on rows of the pairs.
func (t *Training) execute(exec *mlcontext.Exec, rows []int, keys []uint64, more ...any) (losses.Values, error) {
	z := make([]float32, len(rows)*t.Mapper.ZDim)
	embeds := make([]float32, len(rows)*t.Mapper.EmbedDim)
	if err := t.Pairs.Read(rows, z, embeds); err != nil {
		return losses.Values{}, err
	}
	args := append([]any{
		tensors.FromFlatDataAndDimensions(z, len(rows), t.Mapper.ZDim),
		tensors.FromFlatDataAndDimensions(embeds, len(rows), t.Mapper.EmbedDim),
		tensors.FromFlatDataAndDimensions(keys, len(rows)),
	}, more...)
	output, err := t.devices.exec1(exec, args...)
	if err != nil {
		return losses.Values{}, err
	}
	defer output.MustFinalizeAll()
	flat, err := tensors.CopyFlatData[float32](output)
	if err != nil {
		return losses.Values{}, err
	}
	return losses.ValuesOf(flat), nil
}
