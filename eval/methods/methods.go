// Package methods holds other ways from a text to a picture than the mapper alone, to compare the mapper with: the best
// of several candidates and refinement, retrieval of a pair, and optimization of the generator's styles.
//
// Axes: B batch, E embedding, Z latent, L layers of the generator, R rows of styles that are optimized: 1 or L.
package methods

import (
	"context"
	"fmt"

	"illustrator/draw"
)

// Artist draws a picture of each recipe, which has a TextEmbed, a Manner and a Seed. Pixels are the caller's.
type Artist interface {
	Draw(ctx context.Context, recipes ...draw.Recipe) ([]*draw.Picture, error)
	// Gradients returns the number of gradients that a picture takes.
	Gradients() int
}

// Mapper draws by the model's mapper.
type Mapper struct{ draw.Model }

// Gradients implements Artist.
func (Mapper) Gradients() int { return 0 }

// Chosen draws by the model's mapper, keeps the best of Spec.BestOf candidates, and refines it by Spec.Refine steps.
// The candidates of a recipe have the seeds from Seed times the number of candidates on.
type Chosen struct {
	draw.Model
	draw.Spec // of which seeds and counts are the recipe's
}

// Gradients implements Artist. The z that the last step leads to is judged by a graph that computes its gradient too.
func (c Chosen) Gradients() int {
	if c.Refine == 0 {
		return 0
	}
	return c.Refine + 1
}

// Draw implements Artist.
func (c Chosen) Draw(ctx context.Context, recipes ...draw.Recipe) ([]*draw.Picture, error) {
	candidates := 1
	if c.BestOf != nil {
		candidates = *c.BestOf
	}
	requests := make([]draw.Request, len(recipes))
	for i, r := range recipes {
		spec := c.Spec
		seed := r.Seed * uint64(candidates)
		spec.Seed, spec.Seeds = &seed, nil
		plan, err := c.Plan(spec, draw.DefaultLimits())
		if err != nil {
			return nil, err
		}
		requests[i] = draw.Request{Text: r.Text, Plan: plan}
	}
	var all []*draw.Picture
	for p, err := range draw.Run(ctx, []draw.Model{c.Model}, requests, draw.Options{}) {
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	if len(all) != len(recipes) {
		return nil, fmt.Errorf("%d pictures of %d texts", len(all), len(recipes))
	}
	return all, nil
}

// targets returns the embedding [E] that each recipe's picture should have: the text's own, or its projection by eq. 3.
func targets(ctx context.Context, m draw.Model, recipes []draw.Recipe) ([]float32, error) {
	var texts []float32
	for _, r := range recipes {
		texts = append(texts, r.TextEmbed...)
	}
	if recipes[0].NoProjection {
		return texts, nil
	}
	return m.Project(ctx, texts, m.Prompts, recipes[0].Alpha)
}
