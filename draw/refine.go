package draw

// A refinement improves a single picture after the mapper: it moves z by gradient, with all networks frozen.
//
// Axes: B batch, E image embedding, Z latent.

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/losses"
	"illustrator/models/batch"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// Defaults of a refinement. On Lorelei steps of 0.05 came as far in 10 steps (eq. 9 0.264 instead of
// 0.265) and left the classifier a little less (99.0 instead of 99.3 % of named attributes). The weight of eq. 10 is
// the release's against its weight of eq. 9 (0.3 to 1).
const (
	refineRate   = 0.02
	refineWeight = 0.3 // of eq. 10, beside eq. 9's of 1
)

// Adam's constants, those of torch.optim.Adam.
const (
	beta1   = 0.9
	beta2   = 0.999
	epsilon = 1e-8
)

// refineAtOnce bounds the pictures that take a step together.
const refineAtOnce = 32

// Loss are a picture's losses: eq. 9, eq. 10, and their weighted sum.
type Loss struct {
	Total          float64 `json:"total"`
	Semantic       float64 `json:"semantic"`
	Regularization float64 `json:"regularization"`
}

// Refinement is one picture on its way down its gradient.
type Refinement struct {
	work    *Work
	picture *Picture // as it was before
	steps   int
	noise   NoiseMode

	best          []float32 // [Z] of its lowest total loss so far, which may be the one it began with
	before, after Loss      // of the first z and of best
	rounds        int       // how many z were judged: N steps are taken and judged in N + 1 rounds
	seconds       float64   // its share of the device's time

	z, m, v    []float32 // [Z]: where it is, and Adam's moments
	imageEmbed []float32 // [E], eq. 9's CIE_in as in training: the mapper's input
	key        uint64
}

// Refined compares a picture before and after its refinement.
type Refined struct {
	Steps            int     `json:"steps"`
	SimilarityBefore float64 `json:"clip_similarity_before"`
	Before           Loss    `json:"losses_before"`
	After            Loss    `json:"losses_after"`
	// Drawn counts the pictures that were drawn, all but the last with a gradient.
	Drawn int `json:"pictures_drawn"`
}

// NewRefinement begins at z [Z], towards an image embedding [E].
func NewRefinement(z, imageEmbed []float32, key uint64, noise NoiseMode, steps int) *Refinement {
	return &Refinement{
		steps: steps, noise: noise, imageEmbed: imageEmbed, key: key,
		best: slices.Clone(z), z: slices.Clone(z), m: make([]float32, len(z)), v: make([]float32, len(z)),
	}
}

// Steps is the number of steps in all.
func (r *Refinement) Steps() int { return r.steps }

// Done reports whether all steps are taken and judged.
func (r *Refinement) Done() bool { return r.rounds > r.steps }

// Step judges the z of each refinement and takes one step from it. The pictures may have come differently far; their
// noise mode must be one. What a last step leads to is not judged: a refinement of N steps has N + 1 rounds, and what
// the last one moves is thrown away. Pictures of one batch do not influence each other, and the same call gives the
// same bits.
func Step(ctx context.Context, n *pipeline.Networks, refinements []*Refinement) error {
	if err := n.NeedFrozen(); err != nil {
		return err
	}
	began := time.Now()
	o := stepGraph{noise: refinements[0].noise}
	var z, m, v, embeds, rates, bounds []float32
	var keys []uint64
	for _, r := range refinements {
		z, m, v = append(z, r.z...), append(m, r.m...), append(v, r.v...)
		embeds, keys = append(embeds, r.imageEmbed...), append(keys, r.key)
		rate, bound := AdamRate(refineRate, r.rounds+1)
		rates, bounds = append(rates, float32(rate)), append(bounds, float32(bound))
	}
	dim := n.Generator.StyleDim
	out, err := batch.Run(ctx, n.Runner, o.name(), o.build(n), refineAtOnce,
		batch.Rows(z, dim), batch.Rows(m, dim), batch.Rows(v, dim),
		batch.Rows(embeds, n.CLIP.ProjectionDim), batch.Rows(keys),
		batch.Scalar(refineWeight), batch.Rows(rates, 1), batch.Rows(bounds, 1))
	if err != nil {
		return fmt.Errorf("refine: %w", err)
	}
	for i, r := range refinements {
		semantic, regularization := float64(out[3][i]), float64(out[4][i])
		r.judge(Loss{semantic + refineWeight*regularization, semantic, regularization})
		r.z, r.m, r.v = out[0][i*dim:(i+1)*dim], out[1][i*dim:(i+1)*dim], out[2][i*dim:(i+1)*dim]
		r.seconds += time.Since(began).Seconds() / float64(len(refinements))
	}
	return nil
}

// judge counts a round in which z has the given loss.
func (r *Refinement) judge(loss Loss) {
	switch {
	case r.rounds == 0:
		r.before, r.after = loss, loss
	case loss.Total < r.after.Total:
		r.after = loss
		copy(r.best, r.z)
	}
	r.rounds++
}

// stepGraph holds what decides a step's graph.
type stepGraph struct{ noise NoiseMode }

// name names the program.
func (o stepGraph) name() string {
	return fmt.Sprintf("refine with noise %s", o.noise)
}

// build is one step on z [B,Z] with Adam's moments m and v [B,Z]. It returns the new z, m and v, and eq. 9 and eq. 10
// [B] at the z given. Its inputs are z, m, v, image embeddings [B,E], noise keys [B], the regularization's weight, and
// rate and bound [B,1] as AdamRate returns them for each picture's step.
func (o stepGraph) build(n *pipeline.Networks) func(*model.Scope, []*Node) []*Node {
	return func(scope *model.Scope, in []*Node) []*Node {
		z, m, v, imageEmbeds, keys, weight, rate, bound := in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]
		semantics, regularizations := o.losses(scope, n, z, imageEmbeds, keys)
		// A sum, not a mean: the gradient of a picture does not depend on how many there are.
		total := ReduceAllSum(Add(semantics, Mul(weight, regularizations)))
		z, m, v = AdamStep(z, m, v, Gradient(total, z)[0], rate, bound)
		return []*Node{z, m, v, semantics, regularizations}
	}
}

// losses are eq. 9 and eq. 10 of each picture [B].
func (o stepGraph) losses(
	scope *model.Scope, n *pipeline.Networks, z, imageEmbeds, keys *Node,
) (semantics, regularizations *Node) {
	embeds := n.ImageEmbeds(scope, z, stylegan2.Noise{Mode: o.noise, Keys: keys})
	return losses.Semantics(imageEmbeds, embeds), losses.Regularizations(z)
}

// AdamStep is one step of Adam (Kingma and Ba 2015, algorithm 1). GoMLX's moves variables, whose number of rows is
// fixed; here the rows of any batch are moved, each by itself.
func AdamStep(z, m, v, gradient, rate, bound *Node) (newZ, newM, newV *Node) {
	m = Add(MulScalar(m, beta1), MulScalar(gradient, 1-beta1))
	v = Add(MulScalar(v, beta2), MulScalar(Square(gradient), 1-beta2))
	return Sub(z, Mul(rate, Div(m, Add(Sqrt(v), bound)))), m, v
}

// AdamRate returns learning rate and epsilon of step number t, from 1, with the bias corrections of both moments in
// them.
func AdamRate(learningRate float64, t int) (rate, bound float64) {
	root := math.Sqrt(1 - math.Pow(beta2, float64(t)))
	return learningRate * root / (1 - math.Pow(beta1, float64(t))), epsilon * root
}
