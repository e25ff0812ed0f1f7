package methods

import (
	"context"
	"fmt"
	"math"
	"slices"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/losses"
	"illustrator/models/batch"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// Space is that of the styles that are optimized.
type Space string

// Spaces: one style for all layers, or one for each.
const (
	W     Space = "w"
	WPlus Space = "w+"
)

// UnmarshalText reads a space.
func (s *Space) UnmarshalText(text []byte) error { return fault.Choose(s, "space", text, W, WPlus) }

// Optimization moves the styles of each text's picture from the mean W by Adam, as the latent optimization of StyleCLIP
// (Patashnik et al. 2021) does, down the gradient of
//
//	1 - cos(target, CLIP_I(G(w))) + l2 ‖w - mean‖²
//
// summed over the styles of all layers. The target is the text's embedding, or its projection.
type Optimization struct {
	// Space is "w", one style for all layers, or "w+", one for each.
	Space Space `yaml:"space"`
	// Steps is the number of gradients. StyleCLIP takes 300.
	Steps int `yaml:"steps"`
	// LearningRate is the highest learning rate: it rises over the first 5 % of the steps and falls over the last 25 %.
	// StyleCLIP's is 0.1.
	LearningRate float64 `yaml:"learning_rate"`
	// L2 weighs the distance from the mean. StyleCLIP's is 0.008, from the picture that it edits.
	L2 float64 `yaml:"l2"`
}

// Validate reports the first invalid field.
func (o Optimization) Validate() error {
	switch {
	case o.Space != W && o.Space != WPlus:
		return fault.CheckChoice("optimization.space", o.Space)
	case o.Steps < 1 || o.Steps > 10_000:
		return fault.Field("optimization.steps", o.Steps, "from 1 to 10000 (StyleCLIP takes 300)")
	case !(o.LearningRate > 0 && o.LearningRate <= 10):
		return fault.Field("optimization.learning_rate", o.LearningRate, "above 0 and at most 10 (StyleCLIP's is 0.1)")
	case !(o.L2 >= 0 && o.L2 <= 1000):
		return fault.Field("optimization.l2", o.L2, "from 0 to 1000 (StyleCLIP's is 0.008)")
	}
	return nil
}

// rate is the learning rate of step i, from 0, by the schedule of StyleGAN2's projector, which StyleCLIP takes over.
func (o Optimization) rate(i int) float64 {
	const up, down = 0.05, 0.25
	t := float64(i) / float64(o.Steps)
	fall := 0.5 - 0.5*math.Cos(math.Pi*min(1, (1-t)/down))
	return o.LearningRate * fall * min(1, t/up)
}

// Optimizer draws by optimization.
type Optimizer struct {
	draw.Model
	Optimization
}

// Gradients implements Artist.
func (o Optimizer) Gradients() int { return o.Steps }

// atOnce bounds the pictures that take a step together.
const atOnce = 32

// Draw implements Artist.
func (o Optimizer) Draw(ctx context.Context, recipes ...draw.Recipe) ([]*draw.Picture, error) {
	wanted, err := targets(ctx, o.Model, recipes)
	if err != nil {
		return nil, err
	}
	styles, err := o.optimize(ctx, recipes, wanted)
	if err != nil {
		return nil, fmt.Errorf("optimize: %w", err)
	}
	synthesis := pipeline.Synthesis{NoiseMode: noiseOf(recipes[0]), Keys: keysOf(recipes), TruncationPsi: 1}
	images, err := o.Render(ctx, styles, synthesis)
	if err != nil {
		return nil, err
	}
	all := make([]*draw.Picture, len(recipes))
	pixels, width := len(images)/len(recipes), len(styles)/len(recipes)
	for i := range recipes {
		all[i] = &draw.Picture{
			Recipe: &recipes[i], Index: i, Place: i, TextEmbed: recipes[i].TextEmbed,
			Pixels: images[i*pixels : (i+1)*pixels], Styles: styles[i*width : (i+1)*width],
		}
	}
	return all, nil
}

func noiseOf(r draw.Recipe) stylegan2.NoiseMode {
	if r.NoiseMode == "" {
		return stylegan2.NoiseRandom
	}
	return r.NoiseMode
}

func keysOf(recipes []draw.Recipe) []uint64 {
	keys := make([]uint64, len(recipes))
	for i, r := range recipes {
		keys[i] = r.Seed
	}
	return keys
}

// optimize takes all steps of the recipes towards wanted [B,E] and returns the last styles [B,L,Z].
func (o Optimizer) optimize(ctx context.Context, recipes []draw.Recipe, wanted []float32) ([]float32, error) {
	mean, err := o.MeanW(ctx)
	if err != nil {
		return nil, err
	}
	if err := o.NeedFrozen(); err != nil {
		return nil, err
	}
	rows, dim, layers := 1, o.Generator.StyleDim, o.Generator.NumLayers()
	if o.Space == WPlus {
		rows = layers
	}
	w := slices.Repeat(mean, rows*len(recipes))
	m, v := make([]float32, len(w)), make([]float32, len(w))
	keys, noise := keysOf(recipes), noiseOf(recipes[0])
	name := fmt.Sprintf("optimize %s with noise %s", o.Space, noise)
	for i := range o.Steps {
		rate, bound := draw.AdamRate(o.rate(i), i+1)
		out, err := batch.Run(ctx, o.Runner, name, o.step(noise), atOnce,
			batch.Rows(w, rows, dim), batch.Rows(m, rows, dim), batch.Rows(v, rows, dim),
			batch.Rows(wanted, o.CLIP.ProjectionDim), batch.Rows(keys), batch.Vector(mean), batch.Scalar(o.L2),
			batch.Scalar(rate), batch.Scalar(bound))
		if err != nil {
			return nil, err
		}
		w, m, v = out[0], out[1], out[2]
	}
	if rows == layers {
		return w, nil
	}
	var styles []float32
	for one := range slices.Chunk(w, dim) {
		styles = append(styles, slices.Repeat(one, layers)...)
	}
	return styles, nil
}

// step is one step on w [B,R,Z] with Adam's moments m and v. It returns the new w, m and v, and the loss of each
// picture at the w given [B]. Its other inputs are targets [B,E], noise keys [B], the mean W [1,Z], the weight of the
// distance from it, and rate and bound as draw.AdamRate returns them.
func (o Optimizer) step(noise stylegan2.NoiseMode) func(*model.Scope, []*Node) []*Node {
	return func(scope *model.Scope, in []*Node) []*Node {
		w, m, v := in[0], in[1], in[2]
		loss := o.loss(scope, noise, w, in[3], in[4], in[5], in[6])
		// A sum, not a mean: the gradient of a picture does not depend on how many there are.
		w, m, v = draw.AdamStep(w, m, v, Gradient(ReduceAllSum(loss), w)[0], in[7], in[8])
		return []*Node{w, m, v, loss}
	}
}

// loss is that of each picture [B].
func (o Optimizer) loss(scope *model.Scope, noise stylegan2.NoiseMode, w, wanted, keys, mean, weight *Node) *Node {
	batchSize, layers, dim := w.Shape().Dim(0), o.Generator.NumLayers(), o.Generator.StyleDim
	styles := w
	if o.Space == W {
		styles = BroadcastToDims(w, batchSize, layers, dim)
	}
	styles.AssertDims(batchSize, layers, dim)
	embeds := o.StyleEmbeds(scope, styles, stylegan2.Noise{Mode: noise, Keys: keys})
	distance := ReduceSum(Square(Sub(styles, InsertAxes(mean, 1))), 1, 2)
	return Add(losses.Semantics(wanted, embeds), Mul(weight, distance))
}
