package queue

import (
	"context"

	"illustrator/data/seeds"
	"illustrator/eval/metrics"
	"illustrator/models/pipeline"
)

// Model is a mapper under the name that requests choose it by. The networks of all models share the first's frozen ones.
type Model struct {
	Name string
	*pipeline.Networks
	Prompts pipeline.Prompts // of eq. 3
}

// Picture says what one picture is drawn from.
type Picture struct {
	Model int // index of Queue's models
	Text  string
	// Alpha is eq. 3's, or eq. 11's where there is an Origin.
	Alpha float64
	// Origin is the picture that is manipulated towards Text; nil draws Text itself.
	Origin *Origin
	// Seed is the noise key, and the seed of the random z that InjectIndex and Spread draw on, as in pipeline.Request.
	Seed          uint64
	InjectIndex   int
	Spread        float64
	TruncationPsi float64
	// Offset [Z], which may be nil, is added to W: what a refinement changed of the picture that this one comes from.
	Offset []float32
	// Way, where it is not nil, draws the picture at At of it, from 0 to 1, with the noise of Seed; what is above is not used.
	Way *Way
	At  float64
	// Score asks for the cosine of the text's and the picture's embeddings.
	Score bool
	// Refine is the number of steps that z is refined by after the picture was drawn, 0 for none.
	Refine int

	z []float32 // [Z] that a refinement led to
}

// Way is the straight line in W from one picture to another.
type Way struct{ From, To Picture }

// Origin is the picture that eq. 11 begins with.
type Origin struct {
	Text string
	// ImageEmbed [E] is its scaled embedding. Where it is nil, it is that of Pixels [3,Size,Size].
	ImageEmbed, Pixels []float32
}

// Drawn is a picture.
type Drawn struct {
	Index      int       // among those that the job's client gets
	Picture    int       // among those that its job was added with
	Pixels     []float32 // [3,Size,Size] in about [-1,1]
	ImageEmbed []float32 // [E], the mapper's input
	Similarity float64   // of text and picture, where it was asked for
	// Candidates are those that it was chosen from, in their order; Refined is what a refinement did, and Offset [Z] what it
	// changed in W.
	Candidates []Candidate
	Refined    *Refined
	Offset     []float32

	z []float32 // [Z] that it was drawn from
}

// drawing is a batch on its way through the networks: rows of each stage, one a source.
type drawing struct {
	*pipeline.Networks // frozen ones: of the first model
	models             []Model
	pictures           []*Picture
	sources            []*Picture           // what the pictures are drawn from: themselves, or both ends of a way
	ends               [][2]int             // sources of each picture
	texts              map[string][]float32 // their embeddings [E]
	embeds             []float32            // [N,E]
	z                  []float32            // [N,Z]
	offsets            map[int][]float32    // [Z], of those with a refined z
	images             []float32            // [pictures,3,Size,Size]
}

// draw draws pictures of any settings in one batch a stage; the mappers' stage has one for each model.
func draw(ctx context.Context, models []Model, pictures []*Picture) ([]Drawn, error) {
	d := drawing{Networks: models[0].Networks, models: models, pictures: pictures, offsets: map[int][]float32{}}
	d.findSources()
	for _, stage := range []func(context.Context) error{d.embedTexts, d.project, d.mapToZ, d.render} {
		if err := stage(ctx); err != nil {
			return nil, err
		}
	}
	drawn := make([]Drawn, len(pictures))
	for i := range drawn {
		drawn[i].Pixels = row(d.images, 3*d.Generator.Size*d.Generator.Size, i)
		if at := d.ends[i][0]; pictures[i].Way == nil {
			drawn[i].ImageEmbed, drawn[i].z, drawn[i].Offset = row(d.embeds, d.CLIP.ProjectionDim, at), row(d.z, d.Generator.StyleDim, at), d.offsets[at]
		}
	}
	return drawn, d.score(ctx, drawn)
}

// findSources lists the sources, each once: the pictures of a way share its ends.
func (d *drawing) findSources() {
	known := map[*Picture]int{}
	find := func(p *Picture) int {
		at, found := known[p]
		if !found {
			at = len(d.sources)
			known[p], d.sources = at, append(d.sources, p)
		}
		return at
	}
	for _, p := range d.pictures {
		from, to := p, p
		if p.Way != nil {
			from, to = &p.Way.From, &p.Way.To
		}
		d.ends = append(d.ends, [2]int{find(from), find(to)})
	}
}

// row is row i of rows of the given width, cut off from the rest.
func row(rows []float32, width, i int) []float32 { return rows[i*width : (i+1)*width : (i+1)*width] }

// embedTexts embeds each text once.
func (d *drawing) embedTexts(ctx context.Context) error {
	d.texts = map[string][]float32{}
	var distinct []string
	add := func(text string) {
		if _, known := d.texts[text]; !known {
			d.texts[text] = nil
			distinct = append(distinct, text)
		}
	}
	for _, p := range d.sources {
		add(p.Text)
		if p.Origin != nil {
			add(p.Origin.Text)
		}
	}
	embeds, _, err := d.EmbedTexts(ctx, distinct)
	if err != nil {
		return err
	}
	for i, text := range distinct {
		d.texts[text] = row(embeds, d.CLIP.ProjectionDim, i)
	}
	return nil
}

// project moves the texts to image embeddings: by eq. 3, or by eq. 11 from an origin.
func (d *drawing) project(ctx context.Context) (err error) {
	origins, err := d.origins(ctx)
	if err != nil {
		return err
	}
	var texts, textAnchors, imageAnchors, alphas []float32
	for _, p := range d.sources {
		prompts := d.models[p.Model].Prompts
		textAnchor, imageAnchor := prompts.Text, prompts.Image
		if p.Origin != nil {
			textAnchor, imageAnchor = d.texts[p.Origin.Text], origins[p.Origin]
		}
		texts, alphas = append(texts, d.texts[p.Text]...), append(alphas, float32(p.Alpha))
		textAnchors, imageAnchors = append(textAnchors, textAnchor...), append(imageAnchors, imageAnchor...)
	}
	d.embeds, err = d.ProjectEach(ctx, texts, textAnchors, imageAnchors, alphas)
	return err
}

// origins are the embeddings of the origins.
func (d *drawing) origins(ctx context.Context) (map[*Origin][]float32, error) {
	embeds := map[*Origin][]float32{}
	var unknown []*Origin
	var pixels []float32
	for _, p := range d.sources {
		if o := p.Origin; o != nil && embeds[o] == nil {
			embeds[o] = o.ImageEmbed
			if o.ImageEmbed == nil {
				embeds[o] = o.Pixels // until it is embedded
				unknown, pixels = append(unknown, o), append(pixels, o.Pixels...)
			}
		}
	}
	if len(unknown) == 0 {
		return embeds, nil
	}
	found, err := d.EmbedImages(ctx, pixels, d.Generator.Size, d.Generator.Size)
	for i, o := range unknown {
		if err == nil {
			embeds[o] = row(found, d.CLIP.ProjectionDim, i)
		}
	}
	return embeds, err
}

// mapToZ predicts z, and adds a seed's random z where pictures differ by it. A manipulated picture has its origin's seed and
// spread, so that an α of 0 gives the origin.
func (d *drawing) mapToZ(ctx context.Context) error {
	dim := d.Generator.StyleDim
	d.z = make([]float32, len(d.sources)*dim)
	for i, m := range d.models {
		var group []int
		for at, p := range d.sources {
			if p.Model == i {
				group = append(group, at)
			}
		}
		if err := d.mapBy(ctx, m, group); err != nil {
			return err
		}
	}
	for i, p := range d.sources {
		if p.Spread > 0 {
			copy(row(d.z, dim, i), pipeline.SpreadZ(row(d.z, dim, i), seeds.Z(p.Seed, dim), dim, p.Spread))
		}
	}
	return nil
}

// mapBy predicts the z of a group of pictures by one model.
func (d *drawing) mapBy(ctx context.Context, m Model, group []int) error {
	if len(group) == 0 {
		return nil
	}
	z, err := m.MapToZ(ctx, gather(d.embeds, d.CLIP.ProjectionDim, group))
	if err != nil {
		return err
	}
	dim := d.Generator.StyleDim
	for at, i := range group {
		copy(row(d.z, dim, i), row(z, dim, at))
	}
	return nil
}

// score embeds the pictures that are to be compared with their texts.
func (d *drawing) score(ctx context.Context, drawn []Drawn) error {
	var group []int
	for i, p := range d.pictures {
		if p.Score {
			group = append(group, i)
		}
	}
	if len(group) == 0 {
		return nil
	}
	size := d.Generator.Size
	embeds, err := d.EmbedImages(ctx, gather(d.images, 3*size*size, group), size, size)
	if err != nil {
		return err
	}
	for at, i := range group {
		drawn[i].Similarity = metrics.Cosine(d.texts[d.pictures[i].Text], row(embeds, d.CLIP.ProjectionDim, at))
	}
	return nil
}

// gather returns the rows of a group.
func gather(rows []float32, width int, group []int) []float32 {
	out := make([]float32, 0, len(group)*width)
	for _, i := range group {
		out = append(out, row(rows, width, i)...)
	}
	return out
}
