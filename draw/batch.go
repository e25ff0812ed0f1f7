package draw

import (
	"cmp"
	"context"
	"time"

	"illustrator/data/seeds"
	"illustrator/models/clip"
	"illustrator/models/mapper"
	"illustrator/models/pipeline"
)

// drawing is some recipes on their way through the networks.
type drawing struct {
	*pipeline.Networks // frozen ones: of the first model
	models             []Model
	recipes            []*Recipe
	sources            []*Recipe // whose styles are needed: the recipes, or both ends of a way
	ends               [][2]int  // sources of each recipe

	texts     map[string][]float32  // embeddings [E]
	origins   map[*Origin][]float32 // embeddings [E]
	ideas     rows[idea]            // [.,E], what mappers take
	z         rows[place]           // [.,Z]
	known     map[*float32][]float32
	styles    rows[style] // [.,L,Z], of which those behind predicted are of seeds
	predicted int
	parts     []parts     // of each source
	used      [][]float32 // styles [L,Z] of the recipes
	images    []float32   // [recipes,3,Size,Size]
}

// Batch draws recipes together, in as few calls of the device as they allow. The models share their frozen networks.
func Batch(ctx context.Context, models []Model, recipes []*Recipe) ([]*Picture, error) {
	began := time.Now()
	b := drawing{Networks: models[0].Networks, models: models, recipes: recipes}
	b.findSources()
	if err := b.findRows(); err != nil {
		return nil, err
	}
	for _, stage := range []func(context.Context) error{
		b.embedTexts, b.embedOrigins, b.project, b.mapToZ, b.mapToStyles, b.render,
	} {
		if err := stage(ctx); err != nil {
			return nil, err
		}
	}
	all := make([]*Picture, len(recipes))
	for i := range recipes {
		all[i] = b.picture(i)
	}
	if err := b.score(ctx, all); err != nil {
		return nil, err
	}
	for _, p := range all {
		p.seconds = time.Since(began).Seconds() / float64(len(all))
	}
	return all, nil
}

// picture collects what is known of a recipe's picture.
func (b *drawing) picture(i int) *Picture {
	r := b.recipes[i]
	width := 3 * b.Generator.Size * b.Generator.Size
	p := &Picture{
		Recipe: r, Place: i, Index: i, Pixels: row(b.images, width, i), Styles: b.used[i], TextEmbed: b.textEmbed(r),
	}
	if r.Way != nil {
		return p
	}
	part := b.parts[b.ends[i][0]]
	z := b.styles.keys[part.own].z
	p.Z, p.ImageEmbed = b.z.row(z), r.ImageEmbed
	if idea := b.z.keys[z].idea; idea != none {
		p.ImageEmbed = b.ideas.row(idea)
	}
	if part.random == none && part.kept == none {
		p.w = b.styles.row(part.own)[:b.Generator.StyleDim]
	}
	return p
}

// textEmbed returns the embedding of a recipe's text; nil where nothing needed it.
func (b *drawing) textEmbed(r *Recipe) []float32 {
	if r.TextEmbed != nil {
		return r.TextEmbed
	}
	return b.texts[r.Text.Text]
}

// embedTexts embeds each text once that is needed and has no embedding yet.
func (b *drawing) embedTexts(ctx context.Context) error {
	b.texts = map[string][]float32{}
	var distinct []string
	var tokens pipeline.Tokens
	add := func(text string, of *clip.Encoding) error {
		if _, known := b.texts[text]; known {
			return nil
		}
		b.texts[text] = nil
		distinct = append(distinct, text)
		if of != nil {
			tokens = append(tokens, *of)
			return nil
		}
		all, err := b.Tokenize([]string{text})
		tokens = append(tokens, all...)
		return err
	}
	for _, r := range b.sources {
		mapped := r.Z == nil && r.ImageEmbed == nil
		if r.TextEmbed == nil && (mapped || r.Score) {
			if err := add(r.Text.Text, r.Tokens); err != nil {
				return err
			}
		}
		if r.Origin != nil && r.Origin.TextEmbed == nil && mapped {
			if err := add(r.Origin.Text, nil); err != nil {
				return err
			}
		}
	}
	if len(distinct) == 0 {
		return nil
	}
	embeds, err := b.EmbedTokens(ctx, tokens)
	if err != nil {
		return err
	}
	for i, text := range distinct {
		b.texts[text] = row(embeds, b.CLIP.ProjectionDim, i)
	}
	return nil
}

// embedOrigins embeds the pictures of origins that have no embedding.
func (b *drawing) embedOrigins(ctx context.Context) error {
	b.origins = map[*Origin][]float32{}
	for _, r := range b.sources {
		o := r.Origin
		if o == nil || b.origins[o] != nil {
			continue
		}
		if b.origins[o] = o.ImageEmbed; o.ImageEmbed != nil {
			continue
		}
		side := cmp.Or(o.Side, b.Generator.Size)
		embed, err := b.EmbedImages(ctx, o.Pixels, side, side)
		if err != nil {
			return err
		}
		b.origins[o] = embed
	}
	return nil
}

// project moves the texts of ideas to image embeddings: by eq. 3, or by eq. 11 from an origin.
func (b *drawing) project(ctx context.Context) error {
	makers := map[idea]*Recipe{}
	for _, r := range b.sources {
		if r.Z == nil {
			makers[r.idea()] = r
		}
	}
	dim := b.CLIP.ProjectionDim
	b.ideas.fill(dim)
	var group []int
	var texts, textAnchors, imageAnchors, alphas []float32
	for i, idea := range b.ideas.keys {
		switch r := makers[idea]; {
		case r == nil:
			copy(b.ideas.row(i), b.origins[idea.origin])
		case r.ImageEmbed != nil:
			copy(b.ideas.row(i), r.ImageEmbed)
		case idea.plain:
			copy(b.ideas.row(i), b.textEmbed(r))
		default:
			textAnchor, imageAnchor := b.anchors(r)
			group, alphas = append(group, i), append(alphas, float32(r.Alpha))
			texts = append(texts, b.textEmbed(r)...)
			textAnchors, imageAnchors = append(textAnchors, textAnchor...), append(imageAnchors, imageAnchor...)
		}
	}
	if len(group) == 0 {
		return nil
	}
	embeds, err := b.ProjectEach(ctx, texts, textAnchors, imageAnchors, alphas)
	if err != nil {
		return err
	}
	for at, i := range group {
		copy(b.ideas.row(i), row(embeds, dim, at))
	}
	return nil
}

// anchors are the embeddings that a recipe's text is compared with and moved from: the prompts', or the origin's.
func (b *drawing) anchors(r *Recipe) (text, image []float32) {
	o := r.Origin
	switch {
	case o == nil:
		prompts := b.models[r.Model].Prompts
		return prompts.Text, prompts.Image
	case o.TextEmbed != nil:
		return o.TextEmbed, b.origins[o]
	}
	return b.texts[o.Text], b.origins[o]
}

// sampleZ draws z of the places whose model's mapper is a prior and whose pictures differ in z: their spread mixes the
// seed's random z into the noise that the prior begins with.
func (b *drawing) sampleZ(ctx context.Context) (map[int][]float32, error) {
	dim, all := b.Generator.StyleDim, map[int][]float32{}
	for i, m := range b.models {
		if m.Mapper == nil || m.Mapper.Arch != mapper.Prior {
			continue
		}
		start := mapper.StartNoise(*m.Mapper)
		var group []int
		var embeds, noise []float32
		for at, p := range b.z.keys {
			if p.idea != none && p.spread > 0 && b.ideas.keys[p.idea].model == i {
				group, embeds = append(group, at), append(embeds, b.ideas.row(p.idea)...)
				noise = append(noise, spreadZ(start, seeds.Z(p.seed, dim), p.spread)...)
			}
		}
		if len(group) == 0 {
			continue
		}
		z, err := m.SampleZ(ctx, embeds, noise)
		if err != nil {
			return nil, err
		}
		for at, i := range group {
			all[i] = row(z, dim, at)
		}
	}
	return all, nil
}

// mapToZ predicts the z of all ideas, and mixes a seed's random z into it where pictures differ by that. A manipulated
// picture has its origin's seed and spread, so that an alpha of 0 gives the origin.
func (b *drawing) mapToZ(ctx context.Context) error {
	dim := b.Generator.StyleDim
	mapped := make([]float32, len(b.ideas.keys)*dim)
	for i, m := range b.models {
		var group []int
		for at, idea := range b.ideas.keys {
			if idea.model == i {
				group = append(group, at)
			}
		}
		if len(group) == 0 {
			continue
		}
		z, err := m.MapToZ(ctx, gather(b.ideas.values, b.ideas.width, group))
		if err != nil {
			return err
		}
		for at, i := range group {
			copy(row(mapped, dim, i), row(z, dim, at))
		}
	}
	b.z.fill(dim)
	sampled, err := b.sampleZ(ctx)
	if err != nil {
		return err
	}
	for i, p := range b.z.keys {
		switch z := b.z.row(i); {
		case sampled[i] != nil:
			copy(z, sampled[i])
		case p.z != nil:
			copy(z, b.known[p.z])
		case p.idea == none:
			copy(z, seeds.Z(p.seed, dim))
		case p.spread > 0:
			copy(z, spreadZ(row(mapped, dim, p.idea), seeds.Z(p.seed, dim), p.spread))
		default:
			copy(z, row(mapped, dim, p.idea))
		}
	}
	return nil
}
