// Package refine improves single pictures after the mapper: it moves their z by gradient, with all networks frozen.
//
// Axes: N pictures, B batch, E image embedding, Z latent.
package refine

import (
	"context"
	"fmt"
	"math"
	"slices"

	. "github.com/gomlx/gomlx/core/graph" //nolint:staticcheck // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/losses"
	"illustrator/models/batch"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// Options say how pictures are refined.
type Options struct {
	NoiseMode stylegan2.NoiseMode
	// LearningRate is the size of Adam's steps.
	LearningRate float64
	// Regularization is eq. 10's weight beside eq. 9's weight of 1.
	Regularization float64
	// Precision is generator's and CLIP's; z, moments and losses are float32 in any.
	Precision pipeline.Precision
}

// Request asks for better z of N pictures.
type Request struct {
	Options
	// Z [N,Z] are where to begin: the mapper's predictions.
	Z []float32
	// ImageEmbeds [N,E] are eq. 9's CIE_in as in training, the mapper's input: texts after eq. 3.
	ImageEmbeds []float32
	// Keys [N] are the pictures' noise keys with noise mode "random".
	Keys []uint64
	// Steps is the number of Adam's steps.
	Steps int
	// Progress, which may be nil, is told of finished steps of all pictures together.
	Progress func(done, total int)
}

// Defaults of a refinement. On the embedded domain steps of 0.05 came as far in 10 steps (eq. 9 0.264 instead of 0.265) and
// left the classifier a little less (99.0 instead of 99.3 % of named attributes). The weight of eq. 10 is the release's
// against its weight of eq. 9 (0.3 to 1).
const (
	DefaultLearningRate   = 0.02
	DefaultRegularization = 0.3
)

// Adam's constants, those of torch.optim.Adam.
const (
	beta1   = 0.9
	beta2   = 0.999
	epsilon = 1e-8
)

// atOnce is how many pictures are refined in one batch.
const atOnce = 32

// Loss are a picture's losses: eq. 9, eq. 10, and their weighted sum.
type Loss struct {
	Total          float64 `json:"total"`
	Semantic       float64 `json:"semantic"`
	Regularization float64 `json:"regularization"`
}

// Picture is one picture on its way down its gradient.
type Picture struct {
	// Best [Z] is the z of its lowest total loss so far, which may be the one it began with.
	Best []float32
	// Before and After are the losses of its first z and of Best.
	Before, After Loss
	// Rounds is how many z of it were judged: N steps are taken and judged in N + 1 rounds.
	Rounds int

	z, m, v    []float32 // [Z]: where it is, and Adam's moments
	imageEmbed []float32 // [E]
	key        uint64
}

// NewPicture begins at z [Z], with a row of what Request has.
func NewPicture(z, imageEmbed []float32, key uint64) *Picture {
	return &Picture{Best: slices.Clone(z), z: z, m: make([]float32, len(z)), v: make([]float32, len(z)), imageEmbed: imageEmbed, key: key}
}

// Result are N refined pictures.
type Result struct {
	// Z [N,Z] is for each picture the z of its lowest total loss, which may be the one it began with.
	Z []float32
	// Before and After are the losses of each picture's first z and of that in Z.
	Before, After []Loss
	// Drawn is how many pictures the generator drew for all of it.
	Drawn int
}

// Refine takes r.Steps steps down the gradient of each picture's losses. Pictures of one batch do not influence each other,
// and the same request gives the same bits.
func Refine(ctx context.Context, n *pipeline.Networks, r Request) (*Result, error) {
	if err := r.check(n); err != nil {
		return nil, err
	}
	count, zDim, embedDim := len(r.Keys), n.Generator.StyleDim, n.CLIP.ProjectionDim
	result := &Result{}
	for from := 0; from < count; from += atOnce {
		var part []*Picture
		for i := from; i < min(from+atOnce, count); i++ {
			part = append(part, NewPicture(r.Z[i*zDim:(i+1)*zDim], r.ImageEmbeds[i*embedDim:(i+1)*embedDim], r.Keys[i]))
		}
		for step := 0; step <= r.Steps; step++ {
			if err := Step(ctx, n, r.Options, part); err != nil {
				return nil, err
			}
			result.Drawn += len(part)
			if r.Progress != nil && step > 0 {
				r.Progress(from*r.Steps+step*len(part), r.Steps*count)
			}
		}
		for _, p := range part {
			result.Z = append(result.Z, p.Best...)
			result.Before, result.After = append(result.Before, p.Before), append(result.After, p.After)
		}
	}
	return result, nil
}

func (r Request) check(n *pipeline.Networks) error {
	count := len(r.Keys)
	switch {
	case count == 0 || len(r.Z) != count*n.Generator.StyleDim || len(r.ImageEmbeds) != count*n.CLIP.ProjectionDim:
		return fmt.Errorf("refine: %d keys, %d values of z and %d of embeddings; expected rows of 1, %d and %d",
			count, len(r.Z), len(r.ImageEmbeds), n.Generator.StyleDim, n.CLIP.ProjectionDim)
	case r.Steps < 1:
		return fmt.Errorf("refine: %d steps; expected 1 or more", r.Steps)
	case !(r.LearningRate > 0) || !(r.Regularization >= 0):
		return fmt.Errorf("refine: learning rate %g, weight of the regularization %g; expected a positive one, and 0 or more", r.LearningRate, r.Regularization)
	}
	return nil
}

// Step judges the z of each picture and takes one step from it. The pictures may have come differently far. What a last step
// leads to is not judged any more: a picture of N steps has N + 1 rounds, and what the last one moves is thrown away.
func Step(ctx context.Context, n *pipeline.Networks, o Options, pictures []*Picture) error {
	if err := n.NeedFrozenIn(o.Precision); err != nil {
		return err
	}
	var z, m, v, embeds, rates, bounds []float32
	var keys []uint64
	for _, p := range pictures {
		z, m, v, embeds, keys = append(z, p.z...), append(m, p.m...), append(v, p.v...), append(embeds, p.imageEmbed...), append(keys, p.key)
		rate, bound := corrected(o.LearningRate, p.Rounds+1)
		rates, bounds = append(rates, float32(rate)), append(bounds, float32(bound))
	}
	dim := n.Generator.StyleDim
	out, err := batch.Run(ctx, n.Runner, o.name(), o.graph(n), atOnce,
		batch.Rows(z, dim), batch.Rows(m, dim), batch.Rows(v, dim), batch.Rows(embeds, n.CLIP.ProjectionDim), batch.Rows(keys),
		batch.Scalar(o.Regularization), batch.Rows(rates, 1), batch.Rows(bounds, 1))
	if err != nil {
		return fmt.Errorf("refine: %w", err)
	}
	for i, p := range pictures {
		semantic, regularization := float64(out[3][i]), float64(out[4][i])
		p.judge(Loss{semantic + o.Regularization*regularization, semantic, regularization})
		p.z, p.m, p.v = out[0][i*dim:(i+1)*dim], out[1][i*dim:(i+1)*dim], out[2][i*dim:(i+1)*dim]
	}
	return nil
}

// judge counts a round in which z has the given loss.
func (p *Picture) judge(loss Loss) {
	switch {
	case p.Rounds == 0:
		p.Before, p.After = loss, loss
	case loss.Total < p.After.Total:
		p.After = loss
		copy(p.Best, p.z)
	}
	p.Rounds++
}

// name names the program: what decides its graph.
func (o Options) name() string {
	return fmt.Sprintf("refine with noise %s in %s", o.NoiseMode, o.Precision)
}

// graph is one step on z [B,Z] with Adam's moments m and v [B,Z]. It returns the new z, m and v, and eq. 9 and eq. 10 [B] at
// the z given. Its inputs are z, m, v, image embeddings [B,E], noise keys [B], the regularization's weight, and rate and
// bound [B,1] as corrected returns them for each picture's step.
func (o Options) graph(n *pipeline.Networks) func(*model.Scope, []*Node) []*Node {
	return func(scope *model.Scope, in []*Node) []*Node {
		z, m, v, imageEmbeds, keys, weight, rate, bound := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]
		semantics, regularizations := o.losses(scope, n, z, imageEmbeds, keys)
		// A sum, not a mean: the gradient of a picture does not depend on how many there are.
		total := ReduceAllSum(Add(semantics, Mul(weight, regularizations)))
		z, m, v = adam(z, m, v, Gradient(total, z)[0], rate, bound)
		return []*Node{z, m, v, semantics, regularizations}
	}
}

// losses are eq. 9 and eq. 10 of each picture [B].
func (o Options) losses(scope *model.Scope, n *pipeline.Networks, z, imageEmbeds, keys *Node) (semantics, regularizations *Node) {
	embeds := n.ImageEmbedsIn(scope, o.Precision, z, stylegan2.Noise{Mode: o.NoiseMode, Keys: keys})
	return losses.Semantics(imageEmbeds, embeds), losses.Regularizations(z)
}

// adam is one step of Adam (Kingma and Ba 2015, algorithm 1). GoMLX's moves variables, whose number of rows is fixed; here the
// rows of any batch are moved, each by itself.
func adam(z, m, v, gradient, rate, bound *Node) (newZ, newM, newV *Node) {
	m = Add(MulScalar(m, beta1), MulScalar(gradient, 1-beta1))
	v = Add(MulScalar(v, beta2), MulScalar(Square(gradient), 1-beta2))
	return Sub(z, Mul(rate, Div(m, Add(Sqrt(v), bound)))), m, v
}

// corrected returns learning rate and epsilon of step number t, from 1, with the bias corrections of both moments in them.
func corrected(learningRate float64, t int) (rate, bound float64) {
	root := math.Sqrt(1 - math.Pow(beta2, float64(t)))
	return learningRate * root / (1 - math.Pow(beta1, float64(t))), epsilon * root
}
