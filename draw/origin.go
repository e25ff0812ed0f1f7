package draw

import (
	"context"
	"image"

	xdraw "golang.org/x/image/draw"

	"illustrator/data/pictures"
	"illustrator/data/seeds"
	"illustrator/data/texts"
)

// Source names a picture to begin with: one of a text, of a seed, or of a file.
type Source struct {
	Text    *texts.Text
	Seed    *uint64
	Picture *pictures.Picture // of any size
}

// Begin returns the recipe of a source. A picture is drawn as the mapper sees it: what comes out is like it.
func (m Model) Begin(ctx context.Context, s Source, manner Manner) (Recipe, error) {
	r := Recipe{Manner: manner}
	switch {
	case s.Seed != nil:
		r.Z, r.Seed = seeds.Z(*s.Seed, m.Generator.StyleDim), *s.Seed
	case s.Picture != nil:
		embed, err := m.EmbedImages(ctx, s.Picture.Pixels, s.Picture.Height, s.Picture.Width)
		r.ImageEmbed = embed
		return r, err
	default:
		r.Text = *s.Text
	}
	return r, nil
}

// Origin returns a source as eq. 11 begins with it, without the text that says what it shows, and its picture: a file's is brought
// to the generator's size. A text's embedding is that after eq. 3, the others' that of the picture itself.
func (m Model) Origin(ctx context.Context, s Source, manner Manner) (*Origin, *Picture, error) {
	r, err := m.Begin(ctx, s, manner)
	if err != nil {
		return nil, nil, err
	}
	if s.Picture != nil {
		p, err := m.fitted(ctx, *s.Picture)
		return &Origin{ImageEmbed: r.ImageEmbed}, p, err
	}
	r.embed, r.Attributes = true, m.Classifier != nil
	drawn, err := m.Draw(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	p := drawn[0]
	if s.Seed != nil {
		return &Origin{ImageEmbed: p.Embed, Z: p.Z}, p, nil
	}
	return &Origin{ImageEmbed: p.ImageEmbed, Z: p.Z}, p, nil
}

// fitted brings a picture to the generator's size, embeds and classifies it.
func (m Model) fitted(ctx context.Context, of pictures.Picture) (*Picture, error) {
	size := m.Generator.Size
	if of.Width != size || of.Height != size {
		scaled, img := image.NewNRGBA(image.Rect(0, 0, size, size)), of.Image()
		xdraw.CatmullRom.Scale(scaled, scaled.Bounds(), img, img.Bounds(), xdraw.Src, nil)
		of = pictures.FromImage(scaled)
	}
	p := &Picture{Recipe: &Recipe{embed: true, Attributes: m.Classifier != nil}, Pixels: of.Pixels}
	d := drawing{Networks: m.Networks, recipes: []*Recipe{p.Recipe}, images: of.Pixels}
	return p, d.score(ctx, []*Picture{p})
}

// Toward returns the recipe of eq. 11 from the origin towards a text, with the noise of seed.
func (o *Origin) Toward(text texts.Text, manner Manner, seed uint64) Recipe {
	return Recipe{Text: text, Origin: o, Manner: manner, Seed: seed, Score: true}
}
