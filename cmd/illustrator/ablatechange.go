package main

import (
	"context"

	"illustrator/data/seeds"
	"illustrator/eval"
	"illustrator/models/pipeline"
)

// embedTargets embeds the texts that pictures are changed towards, and the domain's text prompt, which says what all of the
// origins show.
func (w *worker) embedTargets(ctx context.Context) (err error) {
	networks := w.session.networks
	if w.origin, err = networks.EmbedTextPrompt(ctx, w.session.domain.TextPrompt); err != nil {
		return err
	}
	texts := make([]string, len(w.texts))
	for i, t := range w.texts {
		texts[i] = t.Text
	}
	w.targets, _, err = networks.EmbedTexts(ctx, texts)
	return err
}

// manipulate judges a cell of a study of manipulations: r says how pictures are drawn, its Alpha is eq. 11's.
func (w *worker) manipulate(ctx context.Context, c cell, r pipeline.Request) error {
	keep := pipeline.KeepNothing
	if c.variant.Draw.Keep != "" {
		keep = pipeline.KeepW
	}
	bar := w.NewProgress("Manipulating pictures", len(r.Seeds))
	result, err := eval.Manipulate(ctx, w.session.networks, eval.Manipulation{
		Texts: w.texts, Seeds: r.Seeds, Alpha: r.Alpha, Keep: keep, TextEmbeds: w.targets, TextPrompt: w.origin, Synthesis: r.Synthesis, Folder: c.folder,
	}, func(done, _ int) { bar.Set(done, "") })
	bar.Done()
	if err != nil {
		return err
	}
	if len(w.Show) > 0 {
		if err := w.showManipulated(ctx, c, r, keep); err != nil {
			return err
		}
	}
	return result.Write(c.folder)
}

// showManipulated changes the picture of the cell's first seed towards the texts that the report shows.
func (w *worker) showManipulated(ctx context.Context, c cell, r pipeline.Request, keep pipeline.Keep) error {
	networks, seed := w.session.networks, r.Seeds[0]
	origin, err := networks.ZOrigin(ctx, seeds.Z(seed, networks.Generator.StyleDim), seed, w.origin, r.Synthesis)
	if err != nil {
		return err
	}
	alphas := make([]float64, len(w.Show))
	for i := range alphas {
		alphas[i] = r.Alpha
	}
	changed, err := networks.Manipulate(ctx, pipeline.ManipulateRequest{Origin: origin, TextEmbed: w.show, Alphas: alphas, Keep: keep, Synthesis: r.Synthesis})
	if err != nil {
		return err
	}
	return w.writeShown(c, changed.Images)
}
