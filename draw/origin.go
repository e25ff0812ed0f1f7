package draw

import (
	"context"
	"image"

	"illustrator/data/pictures"
	"illustrator/data/seeds"
	"illustrator/data/texts"
)

// Source names a picture to begin with: one of a text, of a seed, or of a file.
type Source struct {
	Text  *texts.Text
	Seed  *uint64
	Image image.Image // of any size
}

// Begin returns the recipe of a source. A picture is drawn as the mapper sees it: what comes out is like it.
func (m Model) Begin(ctx context.Context, s Source, manner Manner) (Recipe, error) {
	r := Recipe{Manner: manner}
	switch {
	case s.Seed != nil:
		r.Z, r.Seed = seeds.Z(*s.Seed, m.Generator.StyleDim), *s.Seed
	case s.Image != nil:
		embed, err := m.EmbedImages(ctx, m.Preprocessor.Fit(s.Image), m.Preprocessor.Size, m.Preprocessor.Size)
		r.ImageEmbed = embed
		return r, err
	default:
		r.Text = *s.Text
	}
	return r, nil
}

// Origin returns a source as eq. 11 begins with it, without the text that says what it shows, and its picture: a
// file's is brought to the generator's size. A text's embedding is that after eq. 3, the others' that of the picture
// itself.
func (m Model) Origin(ctx context.Context, s Source, manner Manner) (*Origin, *Picture, error) {
	r, err := m.Begin(ctx, s, manner)
	if err != nil {
		return nil, nil, err
	}
	if s.Image != nil {
		p, err := m.fitted(ctx, s.Image)
		return &Origin{ImageEmbed: r.ImageEmbed}, p, err
	}
	r.embed, r.Attributes = true, m.Classifier != nil
	all, err := m.Draw(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	p := all[0]
	if s.Seed != nil {
		return &Origin{ImageEmbed: p.Embed, Z: p.Z}, p, nil
	}
	return &Origin{ImageEmbed: p.ImageEmbed, Z: p.Z}, p, nil
}

// fitted brings a picture to the generator's size, as CLIP's preprocessor does to CLIP's, embeds and classifies it.
func (m Model) fitted(ctx context.Context, img image.Image) (*Picture, error) {
	of := pictures.FromImage(m.Preprocessor.FitImage(img, m.Generator.Size))
	p := &Picture{Recipe: &Recipe{embed: true, Attributes: m.Classifier != nil}, Pixels: of.Pixels}
	d := drawing{Networks: m.Networks, recipes: []*Recipe{p.Recipe}, images: of.Pixels}
	return p, d.score(ctx, []*Picture{p})
}

// Toward returns the recipe of eq. 11 from the origin towards a text, with the noise of seed.
func (o *Origin) Toward(text texts.Text, manner Manner, seed uint64) Recipe {
	return Recipe{Text: text, Origin: o, Manner: manner, Seed: seed, Score: true}
}
