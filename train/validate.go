package train

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/pkg/core/graph"
	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"

	"illustrator/checkpoints"
	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
)

// validateAndKeep measures the mapper after step steps and writes it to result.Best if it is the best so far.
func (t *Training) validateAndKeep(ctx context.Context, step int, result *Result) error {
	values, err := t.validate(ctx)
	if err != nil {
		return fmt.Errorf("validation after step %d: %w", step, err)
	}
	stage, _ := t.Config.stageOf(step - 1)
	if err := t.metrics.Write(line{Step: step, Stage: t.Config.Stages[stage].Name, Validation: true, Losses: values}); err != nil {
		return err
	}
	if !(values.Total < t.best) {
		return nil
	}
	t.best, result.Validation = values.Total, values
	return t.save(result.Best)
}

// validate returns the mean losses over the validation rows, weighted as in the last stage so that mappers of all
// stages compare. The noise keys are the same each time.
func (t *Training) validate(ctx context.Context) (losses.Values, error) {
	if t.validation == nil {
		weights := t.Config.last().Losses
		exec, err := t.devices.newExec(t.Networks.Backend, t.Networks.Context, func(ctx *mlcontext.Context, inputs []*graph.Node) *graph.Node {
			z, imageEmbeds, keys := inputs[0], inputs[1], inputs[2]
			ctx.SetTraining(z.Graph(), false)
			return t.losses(ctx, weights, z, imageEmbeds, keys).Node()
		})
		if err != nil {
			return losses.Values{}, err
		}
		t.validation = exec
	}
	first, count := t.Pairs.Len()-t.Config.Validation.Rows, t.Config.Validation.Rows
	batch := min(t.Config.Batch, count)
	var sum losses.Values
	for from := 0; from < count; from += batch {
		if err := context.Cause(ctx); err != nil {
			return losses.Values{}, err
		}
		size := min(batch, count-from)
		rows, keys := make([]int, size), make([]uint64, size)
		for i := range rows {
			rows[i], keys[i] = first+from+i, uint64(from+i)
		}
		values, err := t.execute(t.validation, rows, keys)
		if err != nil {
			return losses.Values{}, err
		}
		sum = sum.Plus(values, float64(size)/float64(count))
	}
	return sum, nil
}

// save writes the mapper as a folder that `generate` reads.
func (t *Training) save(folder string) error {
	weights, err := mapper.Weights(t.Networks.Context.In(pipeline.MapperScope), t.Mapper)
	if err != nil {
		return fmt.Errorf("save mapper %q: %w", folder, err)
	}
	return checkpoints.Write(folder, checkpoints.Contents{
		Config: t.Mapper, Weights: weights, Layout: mapper.ModelType, Tool: "illustrator train", Replace: true,
	})
}
