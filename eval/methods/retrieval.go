package methods

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"illustrator/data/pairs"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/internal/vectors"
)

// Retrieval draws the pair whose embedding is nearest to the text's. It trains nothing: a mapper that finds no more has
// learned no more than its pairs.
type Retrieval struct {
	// Pairs is the number of pairs to choose from, other ones for each seed; 0 means all.
	Pairs int `yaml:"pairs"`
}

// Validate reports the first invalid field.
func (r Retrieval) Validate() error {
	if r.Pairs < 0 || r.Pairs > pairs.MaxRows {
		return fault.Field("retrieval.pairs", r.Pairs, "from 1 to %d, or 0 for all", pairs.MaxRows)
	}
	return nil
}

// Retriever draws by retrieval. The pictures of a text are its nearest pairs, in this order.
type Retriever struct {
	draw.Model
	z, embeds []float32 // [N,Z], [N,E]
	first     uint64    // the seed of a text's first picture
	// The pictures of a text come one after the other: its order is kept for them.
	of     []float32 // the embedding that ordered is of
	ranked []int
}

// NewRetriever reads the rows of a set of pairs to choose from. first is the seed of a text's nearest pair, first + 1
// that of the next one.
func NewRetriever(m draw.Model, set *pairs.Set, rows []int, first uint64) (*Retriever, error) {
	r := &Retriever{
		Model: m, first: first,
		z:      make([]float32, len(rows)*m.Generator.StyleDim),
		embeds: make([]float32, len(rows)*m.CLIP.ProjectionDim),
	}
	return r, set.Read(rows, r.z, r.embeds)
}

// Gradients implements Artist.
func (*Retriever) Gradients() int { return 0 }

// Draw implements Artist.
func (r *Retriever) Draw(ctx context.Context, recipes ...draw.Recipe) ([]*draw.Picture, error) {
	wanted, err := targets(ctx, r.Model, recipes)
	if err != nil {
		return nil, err
	}
	zDim, dim := r.Generator.StyleDim, r.CLIP.ProjectionDim
	nearest := slices.Clone(recipes)
	for i, recipe := range recipes {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		rank := int(recipe.Seed - r.first)
		if rank >= len(r.z)/zDim {
			return nil, fmt.Errorf("picture %d of a text needs as many pairs; there are %d", rank+1, len(r.z)/zDim)
		}
		if embed := wanted[i*dim : (i+1)*dim]; !slices.Equal(r.of, embed) {
			r.of, r.ranked = slices.Clone(embed), r.order(embed)
		}
		at := r.ranked[rank]
		nearest[i].Z, nearest[i].Spread = r.z[at*zDim:(at+1)*zDim], 0
	}
	return r.Model.Draw(ctx, nearest...)
}

// order returns the rows by their cosine with an embedding [E], the nearest first.
func (r *Retriever) order(embed []float32) []int {
	dim := len(embed)
	cosines := make([]float64, len(r.embeds)/dim)
	order := make([]int, len(cosines))
	for i := range cosines {
		cosines[i], order[i] = vectors.Cosine(embed, r.embeds[i*dim:(i+1)*dim]), i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Or(cmp.Compare(cosines[b], cosines[a]), cmp.Compare(a, b)) })
	return order
}
