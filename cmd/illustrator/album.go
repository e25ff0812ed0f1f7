package main

import (
	"context"
	"fmt"
	"image"
	"path/filepath"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/eval/metrics"
	"illustrator/internal/jsonfile"
	"illustrator/internal/version"
)

// gridPictures is the number of pictures that a grid shows at most: more do not fit on a sheet that viewers open.
const gridPictures = 480

// album is what was drawn: of each text the pictures that were kept. What is of each picture has all of them, pictures the
// grid's.
type album struct {
	model       draw.Model
	texts       []texts.Text
	places      []int // of the texts in the command's list
	scores      []draw.Score
	imageEmbeds []float32 // [N,E]
	pictures    []image.Image
	gains       *draw.Gains
}

// draw draws the texts and writes each picture when it is done.
func (o *globalOptions) draw(ctx context.Context, m draw.Model, g generateOptions, plans []draw.Plan) (*album, error) {
	requests := make([]draw.Request, len(g.texts))
	all := 0
	for i, text := range g.texts {
		requests[i] = draw.Request{Text: text, Plan: plans[i]}
		all += len(plans[i].Seeds)
	}
	bar := o.NewProgress("Drawing pictures", all)
	defer bar.Done()
	plan := plans[0] // steps and candidates are the same for all
	a := &album{model: m, gains: draw.NewGains(plan)}
	for p, err := range draw.Run(ctx, []draw.Model{m}, requests, draw.Options{AtOnce: g.batch, Score: true, Progress: func(done int, refining *draw.Progress) {
		note := ""
		if refining != nil {
			note = fmt.Sprintf("refined by %d of %d steps", refining.Done*plan.Refine/refining.Of, plan.Refine)
		}
		bar.Set(done, note)
	}}) {
		if err != nil {
			return nil, err
		}
		if err := a.add(ctx, g, p); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// add writes a picture, redrawn in g's style, with its record beside it.
func (a *album) add(ctx context.Context, g generateOptions, p *draw.Picture) error {
	record := a.model.Record(*p.Recipe).Drawn(p)
	style, ok := g.styles[record.Text.Style]
	if !ok {
		style = g.cartoonOptions
	}
	record.Cartoon = style.record()
	name := pictureName(p.Request, record.Text.Text, record.Seed)
	img, err := style.redraw(ctx, g.out, name, a.model.Image(p))
	if err != nil {
		return err
	}
	base := filepath.Join(g.out, name)
	if err := pictures.WritePNG(base+".png", img, record.Meta(version.Program())); err != nil {
		return err
	}
	if err := jsonfile.Write(base+".json", record); err != nil {
		return err
	}
	if len(a.pictures) < gridPictures {
		a.pictures = append(a.pictures, img)
	}
	a.texts, a.places, a.scores = append(a.texts, record.Text), append(a.places, p.Request), append(a.scores, *p.Score)
	a.imageEmbeds = append(a.imageEmbeds, p.Embed...)
	a.gains.Add(p)
	return nil
}

// summarize takes the means and writes the grid.
func (a *album) summarize(o *globalOptions, out string) (s generateSummary, err error) {
	if len(a.pictures) < len(a.scores) {
		o.log.Warn(fmt.Sprintf("the grid shows the first %d of %d pictures", len(a.pictures), len(a.scores)))
	}
	a.gains.Close()
	s = generateSummary{Summary: draw.Summarize(a.texts, a.scores), Gains: *a.gains, Grid: filepath.Join(out, "grid.png")}
	if s.Diversity, err = a.diversity(); err != nil {
		return s, err
	}
	return s, a.writeGrid(s.Grid, len(a.scores)/(a.places[len(a.places)-1]+1), s)
}

// diversity is how different the pictures of one text are, mean over texts; nil where they are one each.
func (a *album) diversity() (*float64, error) {
	if len(a.places) < 2 || a.places[0] != a.places[1] {
		return nil, nil
	}
	x, err := metrics.Rows(a.imageEmbeds, a.model.CLIP.ProjectionDim)
	if err != nil {
		return nil, err
	}
	samples, err := metrics.Diversities(x, a.places)
	if err != nil {
		return nil, err
	}
	mean := 0.0
	for _, s := range samples {
		mean += s.Value / float64(len(samples))
	}
	return &mean, nil
}

// writeGrid writes the pictures on one labelled sheet: a row for each text where there are several seeds.
func (a *album) writeGrid(path string, perText int, summary generateSummary) error {
	columns, labels, notes := min(10, len(a.pictures)), make([]string, len(a.pictures)), make([]string, len(a.pictures))
	if perText > 1 {
		columns = min(perText, 12)
	}
	for i := range a.pictures {
		score := a.scores[i]
		labels[i] = a.texts[i].Text
		notes[i] = fmt.Sprintf("cos %.2f", score.CLIPSimilarity)
		if score.Named > 0 {
			notes[i] = fmt.Sprintf("%d/%d attributes, %s", score.Found, score.Named, notes[i])
		}
	}
	title, subtitle := fmt.Sprintf("%d pictures", len(a.scores)), fmt.Sprintf("CLIP similarity %.3f", summary.CLIPSimilarity)
	if len(a.pictures) < len(a.scores) {
		title = fmt.Sprintf("The first %d of %d pictures", len(a.pictures), len(a.scores))
	}
	if summary.AttributeAccuracy != nil {
		subtitle += fmt.Sprintf(", named attributes found %.1f %%", 100**summary.AttributeAccuracy)
	}
	if summary.Diversity != nil {
		subtitle += fmt.Sprintf(", diversity %.3f", *summary.Diversity)
	}
	img, err := pictures.Grid(a.pictures, labels, columns, pictures.GridOptions{Title: title, Subtitle: subtitle, Notes: notes})
	if err != nil {
		return err
	}
	return pictures.WritePNG(path, img, []pictures.Meta{{Key: "Software", Value: version.Program()}})
}

// pictureName is the file name, without extension, of text number i's picture.
func pictureName(i int, text string, seed uint64) string {
	if text = texts.Slug(text); text != "" {
		text = "-" + text
	}
	return fmt.Sprintf("%04d%s-seed%d", i+1, text, seed)
}
