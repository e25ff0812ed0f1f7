package train

import (
	"context"
	"math"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// Validation losses are weighted as in the last stage, so that mappers of all stages compare.

// Measures holds the figures of a validation.
type Measures struct {
	// Losses have the generator's noise redrawn for each validation, as training has; FixedNoise have the same noise each
	// time, and decide which mapper is the best.
	Losses     losses.Values `json:"losses"`
	FixedNoise losses.Values `json:"fixed_noise"`
	// Cosine is that of the input embedding and the predicted picture's, where the semantic loss is measured: 1 - eq. 9.
	Cosine *float64 `json:"cosine,omitempty"`
	// ZCosine is that of predicted and true z. ZMean and ZStd are mean and standard deviation of all elements of the
	// predicted z: 0 and 1 in what the generator was trained on.
	ZCosine float64 `json:"z_cosine"`
	ZMean   float64 `json:"z_mean"`
	ZStd    float64 `json:"z_std"`
}

// validateAndSample measures the mapper, keeps it if it is the best so far, and has samples drawn.
func (t *Training) validateAndSample(ctx context.Context) error {
	measures, err := t.validate(ctx)
	if err != nil {
		return err
	}
	step := t.state.Step
	stage, _ := t.Config.stageOf(step - 1)
	written, err := t.record.Write(Line{Step: step, Stage: t.Config.Stages[stage].Name, Validation: &measures})
	if err != nil {
		return err
	}
	if err := t.sample(ctx); err != nil {
		return err
	}
	if t.state.Best == nil || measures.FixedNoise.Total < t.state.Best.Losses.Total {
		t.state.Best = &Best{Step: step, Losses: measures.FixedNoise}
		if err := t.saveMapper(t.Folder.BestMapper()); err != nil {
			return err
		}
	}
	t.Log.Debug("validation", "step", step, "total", measures.FixedNoise.Total, "best", t.state.Best.Step)
	t.state.Validated, t.state.MetricsBytes = step, written
	return nil
}

// validate measures the mapper on the validation rows.
func (t *Training) validate(ctx context.Context) (Measures, error) {
	const fixed = 0
	m, err := t.measure(ctx, fixed)
	if err != nil {
		return m, err
	}
	m.Losses = m.FixedNoise
	if t.Config.last().Losses.Semantic != 0 && t.Config.NoiseMode == stylegan2.NoiseRandom {
		redrawn, err := t.measure(ctx, uint64(t.state.Step)*uint64(t.Config.Validation.Rows))
		if err != nil {
			return m, err
		}
		m.Losses = redrawn.FixedNoise
	}
	return m, nil
}

// measure returns the means over the validation rows; row i has the noise key firstKey + i.
func (t *Training) measure(ctx context.Context, firstKey uint64) (m Measures, err error) {
	if t.validation == nil {
		if t.validation, err = t.devices.newExec("validation", t.Networks.Backend, t.Networks.Store,
			t.validationGraph); err != nil {
			return m, err
		}
	}
	pairs, first, count := t.ValidationPairs, 0, t.Config.Validation.Rows
	if pairs == nil {
		pairs, first = t.Pairs, t.TrainRows()
	}
	sums := make([]float64, measured)
	for from := 0; from < count; from += t.Config.Batch {
		if err := context.Cause(ctx); err != nil {
			return m, err
		}
		size := min(t.Config.Batch, count-from)
		rows, keys := make([]int, size), make([]uint64, size)
		for i := range rows {
			rows[i], keys[i] = first+from+i, firstKey+uint64(from+i)
		}
		out, err := t.execute(t.validation, pairs, rows, keys)
		if err != nil {
			return m, err
		}
		for i, v := range out {
			sums[i] += float64(v) * float64(size) / float64(count)
		}
	}
	m.FixedNoise = losses.Values{Total: sums[0], L1: sums[1], Semantic: sums[2], Regularization: sums[3]}
	if what, value := m.FixedNoise.NonFinite(); what != "" {
		return m, t.nonFinite("loss "+what, value)
	}
	m.ZCosine, m.ZMean, m.ZStd = sums[4], sums[5], math.Sqrt(max(0, sums[6]-sums[5]*sums[5]))
	if t.Config.last().Losses.Semantic != 0 {
		cosine := 1 - m.FixedNoise.Semantic
		m.Cosine = &cosine
	}
	return m, nil
}

// measured is the number of values that validationGraph returns: the losses, the cosine of predicted and true z, and
// the means of the predicted z and of its square.
const measured = 7

func (t *Training) validationGraph(scope *model.Scope, inputs []*Node) *Node {
	z, imageEmbeds, keys := inputs[0], inputs[1], inputs[2]
	scope.Store().SetTraining(z.Graph(), false)
	of := scope.At("%s", t.mapperScope())
	predicted := mapper.Build(of, t.Mapper, imageEmbeds)
	packed := t.compare(scope, of, t.Config.last().Losses, z, predicted, imageEmbeds, keys).Node()
	// a prediction may be 0
	lengths := Sqrt(MaxScalar(Mul(ReduceSum(Square(z), 1), ReduceSum(Square(predicted), 1)), 1e-16))
	cosine := Div(ReduceSum(Mul(z, predicted), 1), lengths)
	more := Stack([]*Node{ReduceAllMean(cosine), ReduceAllMean(predicted), ReduceAllMean(Square(predicted))}, 0)
	return Concatenate([]*Node{packed, ConvertDType(more, packed.DType())}, 0)
}

// mapperScope returns the scope of the mapper to validate and save: the moving average if it exists.
func (t *Training) mapperScope() string {
	if t.Config.Optimizer.EMA > 0 {
		return averageScope
	}
	return pipeline.MapperScope
}

// Predict maps image embeddings [N,E] to z [N,Z] by the mapper as it stands, its moving average where there is one.
func (t *Training) Predict(imageEmbeds []float32) (z []float32, err error) {
	if t.prediction == nil {
		if t.prediction, err = model.NewExec(t.Networks.Backend, t.Networks.Store,
			func(scope *model.Scope, imageEmbeds *Node) *Node {
				scope.Store().SetTraining(imageEmbeds.Graph(), false)
				return mapper.Build(scope.At("%s", t.mapperScope()), t.Mapper, imageEmbeds)
			}); err != nil {
			return nil, err
		}
	}
	out, err := t.prediction.Call1(tensors.FromFlatDataAndDimensions(imageEmbeds, len(imageEmbeds)/t.Mapper.EmbedDim,
		t.Mapper.EmbedDim))
	if err != nil {
		return nil, err
	}
	defer out.MustFinalizeAll()
	return tensors.CopyFlatData[float32](out)
}

// saveMapper writes the mapper as a folder that `generate` reads.
func (t *Training) saveMapper(folder string) error {
	weights, err := mapper.Weights(t.Networks.Store.Scope(t.mapperScope()), t.Mapper)
	if err != nil {
		return err
	}
	return t.writeMapper(folder, weights)
}

func (t *Training) writeMapper(folder string, weights *checkpoints.Weights) error {
	return checkpoints.Write(folder, checkpoints.Contents{
		Config: t.Mapper, Weights: weights, Layout: mapper.ModelType, Tool: "illustrator train",
		Networks: t.Networks.FrozenHashes(), Replace: true,
	})
}
