package studies

import (
	"context"
	"math/rand/v2"

	"illustrator/data/pairs"
	"illustrator/draw"
	"illustrator/eval/ablation"
	"illustrator/eval/methods"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// drawing says how a cell's pictures are drawn.
type drawing struct {
	draw.Model
	plan   draw.Plan
	artist methods.Artist // nil where the mapper alone draws
}

// drawing returns how a cell's pictures are drawn, with the mapper of a run, or of the domain, loaded.
func (w *worker) drawing(ctx context.Context, c cell, run string) (d drawing, err error) {
	d.Model = w.session.model()
	spec := w.drawSpec(c.variant, c.seed)
	if d.plan, err = d.Plan(spec, draw.DefaultLimits()); err != nil {
		return d, err
	}
	if !needsModel(c.variant.Draw) {
		d.artist, err = w.artist(ctx, c, d)
		return d, err
	}
	d.Model, err = w.options.Trainer.OpenModel(ctx, w.session.domain, w.session.networks, run, spec.NoProjection)
	if err == nil && !spec.NoProjection {
		d.Prompts, err = w.prompts(ctx, c, d.Prompts)
	}
	if err != nil {
		return d, err
	}
	d.artist, err = w.artist(ctx, c, d)
	return d, err
}

// drawSpec says what is drawn of each text by a variant and seed.
func (s *Study) drawSpec(variant ablation.Variant, seed uint64) draw.Spec {
	v := variant.Draw
	spec := draw.Spec{Settings: draw.Settings{
		Alpha: v.Alpha, TruncationPsi: v.TruncationPsi, NoProjection: v.Projection != "", NoiseMode: v.NoiseMode,
	}}
	if v.InjectIndex > 0 {
		spec.InjectIndex = &v.InjectIndex
	}
	spec.Spread = v.Spread
	if spec.NoiseMode == "" && s.Pictures == 1 {
		spec.NoiseMode = stylegan2.NoiseConst
	}
	for i := range s.Pictures {
		spec.Seeds = append(spec.Seeds, seed*uint64(s.Pictures)+uint64(i))
	}
	return spec
}

// prompts replaces those of p that the variant has of its own.
func (w *worker) prompts(ctx context.Context, c cell, p pipeline.Prompts) (_ pipeline.Prompts, err error) {
	d := c.variant.Draw
	if d.TextPrompt != nil {
		if p.Text, err = w.session.networks.EmbedTextPrompt(ctx, w.textPrompt(d)); err != nil {
			return p, err
		}
	}
	samples, err := d.Samples()
	if err != nil {
		return p, err
	}
	random := rand.New(rand.NewPCG(c.seed, 3))
	switch {
	case samples > 0:
		p.Image, err = w.sampledPrompt(samples, random)
	case d.ImagePrompt == ablation.NoisePrompt:
		size := w.session.networks.Generator.Size
		pixels := make([]float32, 3*size*size)
		for i := range pixels {
			pixels[i] = 2*random.Float32() - 1
		}
		p.Image, err = w.session.networks.EmbedImages(ctx, pixels, size, size)
	}
	return p, err
}

// textPrompt is the text prompt that d gives in place of the domain's.
func (s *Study) textPrompt(d ablation.Draw) string {
	if n, _ := d.PromptText(); n > 0 {
		return s.texts[n-1].Text
	}
	return *d.TextPrompt
}

// sampledPrompt is eq. 4-7 over some of the study's pairs.
func (w *worker) sampledPrompt(samples int, random *rand.Rand) ([]float32, error) {
	set, err := w.openPairs(samples, "an image prompt of %d samples")
	if err != nil {
		return nil, err
	}
	defer set.Close()
	networks := w.session.networks
	rows := random.Perm(set.Len())[:samples]
	z, embeds := make([]float32, samples*networks.Generator.StyleDim), make([]float32, samples*networks.CLIP.ProjectionDim)
	if err := set.Read(rows, z, embeds); err != nil {
		return nil, err
	}
	return pairs.ImagePrompt(embeds, networks.CLIP.ProjectionDim)
}
