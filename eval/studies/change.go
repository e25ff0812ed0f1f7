package studies

import (
	"cmp"
	"context"

	"illustrator/draw"
	"illustrator/eval"
	"illustrator/models/pipeline"
)

// embedTargets embeds the texts that pictures are changed towards, and the domain's text prompt, which says what all of
// the origins show.
func (w *worker) embedTargets(ctx context.Context) (err error) {
	networks := w.session.networks
	if w.origin, err = networks.EmbedTextPrompt(ctx, w.session.domain.TextPrompt); err != nil {
		return err
	}
	texts := make([]string, len(w.texts))
	for i, t := range w.texts {
		texts[i] = t.Text
	}
	w.targets, err = networks.EmbedTexts(ctx, texts)
	return err
}

// manipulate judges a cell of a study of manipulations: r says how pictures are drawn, its Alpha is eq. 11's.
func (w *worker) manipulate(ctx context.Context, c cell, d drawing) error {
	r, keep := d.plan, cmp.Or(c.variant.Draw.Keep, draw.KeepNothing)
	bar := w.env.Progress("Manipulating pictures", len(r.Seeds))
	result, err := eval.Manipulate(ctx, w.session.networks, eval.Manipulation{
		Texts: w.texts, Seeds: r.Seeds, Alpha: r.Alpha, Keep: keep, TextEmbeds: w.targets, TextPrompt: w.origin,
		Synthesis: pipeline.Synthesis{NoiseMode: r.NoiseMode, TruncationPsi: r.TruncationPsi}, Folder: c.folder,
	}, func(done, _ int) { bar.Set(done, "") })
	bar.Done()
	if err != nil {
		return err
	}
	if len(w.Show) > 0 {
		if err := w.showManipulated(ctx, c, d, keep); err != nil {
			return err
		}
	}
	return result.Write(c.folder)
}

// showManipulated changes the picture of the cell's first seed towards the texts that the report shows.
func (w *worker) showManipulated(ctx context.Context, c cell, d drawing, keep draw.Keep) error {
	seed := d.plan.Seeds[0]
	origin, _, err := d.Origin(ctx, draw.Source{Seed: &seed}, d.plan.Manner)
	if err != nil {
		return err
	}
	origin.TextEmbed, origin.Keep = w.origin, keep
	recipes := make([]draw.Recipe, len(w.Show))
	for i := range recipes {
		recipes[i] = draw.Recipe{TextEmbed: w.shown(i), Origin: origin, Manner: d.plan.Manner, Seed: seed}
	}
	results, err := d.Draw(ctx, recipes...)
	if err != nil {
		return err
	}
	return w.writeShown(c, results)
}
