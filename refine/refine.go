// Package refine improves single pictures after the mapper: it moves their z by gradient, with all networks frozen.
//
// Axes: N pictures, B batch, E image embedding, Z latent.
package refine

import (
	"context"
	"fmt"
	"math"
	"slices"

	. "github.com/gomlx/gomlx/pkg/core/graph" //nolint:staticcheck // graph code reads as formulas
	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"

	"illustrator/losses"
	"illustrator/models/batch"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// Request asks for better z of N pictures.
type Request struct {
	// Z [N,Z] are where to begin: the mapper's predictions.
	Z []float32
	// ImageEmbeds [N,E] are eq. 9's CIE_in as in training, the mapper's input: texts after eq. 3.
	ImageEmbeds []float32
	// Keys [N] are the pictures' noise keys with noise mode "random".
	Keys      []uint64
	NoiseMode stylegan2.NoiseMode
	// Steps is the number of Adam's steps, LearningRate their size.
	Steps        int
	LearningRate float64
	// Regularization is eq. 10's weight beside eq. 9's weight of 1.
	Regularization float64
	// Precision is generator's and CLIP's; z, moments and losses are float32 in any.
	Precision pipeline.Precision
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
	if err := n.NeedFrozenIn(r.Precision); err != nil {
		return nil, err
	}
	count, zDim, embedDim := len(r.Keys), n.Generator.StyleDim, n.CLIP.ProjectionDim
	result := &Result{}
	for from := 0; from < count; from += atOnce {
		to := min(from+atOnce, count)
		part := r
		part.Z, part.ImageEmbeds, part.Keys = r.Z[from*zDim:to*zDim], r.ImageEmbeds[from*embedDim:to*embedDim], r.Keys[from:to]
		if r.Progress != nil {
			part.Progress = func(done, _ int) { r.Progress(from*r.Steps+done, count*r.Steps) }
		}
		if err := result.refine(ctx, n, part); err != nil {
			return nil, fmt.Errorf("refine: %w", err)
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

// refine adds the pictures of one batch to the result.
func (result *Result) refine(ctx context.Context, n *pipeline.Networks, r Request) error {
	zDim := n.Generator.StyleDim
	z, best := slices.Clone(r.Z), slices.Clone(r.Z)
	m, v := make([]float32, len(z)), make([]float32, len(z))
	var before, after []Loss
	// The last round judges the z of the last step, and its own step is thrown away.
	for step := 0; step <= r.Steps; step++ {
		rate, bound := corrected(r.LearningRate, step+1)
		out, err := n.Run(ctx, r.name(), r.graph(n), atOnce,
			batch.Rows(z, zDim), batch.Rows(m, zDim), batch.Rows(v, zDim), batch.Rows(r.ImageEmbeds, n.CLIP.ProjectionDim), batch.Rows(r.Keys),
			batch.Scalar(r.Regularization), batch.Scalar(rate), batch.Scalar(bound))
		if err != nil {
			return err
		}
		result.Drawn += len(r.Keys)
		for i := range r.Keys {
			semantic, regularization := float64(out[3][i]), float64(out[4][i])
			loss := Loss{semantic + r.Regularization*regularization, semantic, regularization}
			switch {
			case step == 0:
				before, after = append(before, loss), append(after, loss)
			case loss.Total < after[i].Total:
				after[i] = loss
				copy(best[i*zDim:(i+1)*zDim], z[i*zDim:])
			}
		}
		z, m, v = out[0], out[1], out[2]
		if r.Progress != nil && step > 0 {
			r.Progress(step*len(r.Keys), r.Steps*len(r.Keys))
		}
	}
	result.Z = append(result.Z, best...)
	result.Before, result.After = append(result.Before, before...), append(result.After, after...)
	return nil
}

// name names the program: what decides its graph.
func (r Request) name() string {
	return fmt.Sprintf("refine with noise %s in %s", r.NoiseMode, r.Precision)
}

// graph is one step on z [B,Z] with Adam's moments m and v [B,Z]. It returns the new z, m and v, and eq. 9 and eq. 10 [B] at
// the z given. rate and bound are what corrected returns.
func (r Request) graph(n *pipeline.Networks) any {
	return func(ctx *mlcontext.Context, z, m, v, imageEmbeds, keys, weight, rate, bound *Node) []*Node {
		semantics, regularizations := r.losses(ctx, n, z, imageEmbeds, keys)
		// A sum, not a mean: the gradient of a picture does not depend on how many there are.
		total := ReduceAllSum(Add(semantics, Mul(weight, regularizations)))
		z, m, v = adam(z, m, v, Gradient(total, z)[0], rate, bound)
		return []*Node{z, m, v, semantics, regularizations}
	}
}

// losses are eq. 9 and eq. 10 of each picture [B].
func (r Request) losses(ctx *mlcontext.Context, n *pipeline.Networks, z, imageEmbeds, keys *Node) (semantics, regularizations *Node) {
	embeds := n.ImageEmbedsIn(ctx, r.Precision, z, stylegan2.Noise{Mode: r.NoiseMode, Keys: keys})
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
