package main

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
	"time"

	"illustrator/data/pictures"
	"illustrator/data/seeds"
	"illustrator/data/texts"
	"illustrator/eval"
	"illustrator/eval/metrics"
	"illustrator/internal/version"
	"illustrator/models/pipeline"
)

const (
	// drawAtOnce is the number of pictures that are drawn before they are written: few are held in memory.
	drawAtOnce = 32
	// gridPictures is the number of pictures that a grid shows at most: more do not fit on a sheet that viewers open.
	gridPictures = 480
)

// album is what was drawn: of each text the pictures that were kept. What is of each picture has all of them, pictures the
// grid's.
type album struct {
	texts       []texts.Text
	places      []int // of the texts in the command's list
	scores      []eval.Score
	imageEmbeds []float32 // [N,E]
	pictures    []image.Image

	bestOf, refined *improvement // nil where not asked for
}

// drawTexts draws the texts batch by batch and writes each picture when it is done.
func (o *globalOptions) drawTexts(ctx context.Context, s *session, g generateOptions, request pipeline.Request, embeds []float32) (*album, error) {
	a := newAlbum(g)
	dim, list, done := s.networks.CLIP.ProjectionDim, request.Seeds, 0
	bar := o.NewProgress("Drawing pictures", len(g.texts)*len(list))
	defer bar.Done()
	textsAtOnce := max(1, drawAtOnce/len(list))
	for from := 0; from < len(g.texts); from += textsAtOnce {
		to := min(from+textsAtOnce, len(g.texts))
		chosen := newChoice(g)
		for first := 0; first < len(list); first += drawAtOnce {
			last := min(first+drawAtOnce, len(list))
			request.TextEmbeds, request.Seeds, request.RandomZ = embeds[from*dim:to*dim], list[first:last], nil
			for _, seed := range request.Seeds {
				request.RandomZ = append(request.RandomZ, seeds.Z(seed, s.networks.Generator.StyleDim)...)
			}
			drawn, err := a.draw(ctx, s, g, request, from)
			if err != nil {
				return nil, err
			}
			done += len(drawn)
			bar.Set(done, "")
			if chosen.add(drawn); g.bestOf > 1 && last < len(list) {
				continue // the best may be still to come
			}
			if err := a.keep(ctx, s, g, request, chosen.take(), func(note string) { bar.Set(done, note) }); err != nil {
				return nil, err
			}
		}
	}
	return a, nil
}

// draw draws the pictures of a request, whose first text is number from.
func (a *album) draw(ctx context.Context, s *session, g generateOptions, request pipeline.Request, from int) ([]*drawing, error) {
	defer a.bestOf.time(time.Now())
	generated, err := s.networks.Generate(ctx, request)
	if err != nil {
		return nil, err
	}
	dim, embedDim := s.networks.Generator.StyleDim, s.networks.CLIP.ProjectionDim
	drawn := make([]*drawing, len(generated.PictureZ)/dim)
	for i := range drawn {
		text := i / len(request.Seeds)
		drawn[i] = &drawing{
			text: g.texts[from+text], place: from + text, seed: request.Seeds[i%len(request.Seeds)], z: generated.PictureZ[i*dim : (i+1)*dim],
			textEmbed: request.TextEmbeds[text*embedDim : (text+1)*embedDim], target: generated.ImageEmbeds[text*embedDim : (text+1)*embedDim],
		}
	}
	if err := look(ctx, s, drawn, generated.Images); err != nil {
		return nil, err
	}
	a.bestOf.before(drawn, len(drawn))
	return drawn, nil
}

// keep improves the pictures that were chosen, if that is asked for, and writes them.
func (a *album) keep(ctx context.Context, s *session, g generateOptions, request pipeline.Request, chosen []*drawing, note func(string)) error {
	a.bestOf.after(chosen)
	if g.refine > 0 {
		if err := a.refine(ctx, s, g, request, chosen, note); err != nil {
			return err
		}
	}
	size := s.networks.Generator.Size
	for _, d := range chosen {
		name := pictureName(d.place, d.text.Text, d.seed)
		img, err := g.redraw(ctx, g.out, name, pictures.Picture{Width: size, Height: size, Pixels: d.pixels}.Image())
		if err != nil {
			return err
		}
		if err := d.info(s, g, request).write(filepath.Join(g.out, name), img); err != nil {
			return err
		}
		if len(a.pictures) < gridPictures {
			a.pictures = append(a.pictures, img)
		}
		a.texts, a.places, a.scores = append(a.texts, d.text), append(a.places, d.place), append(a.scores, d.score)
		a.imageEmbeds = append(a.imageEmbeds, d.imageEmbed...)
	}
	return nil
}

// diversity is how different the pictures of one text are, mean over texts; nil where they are one each.
func (a *album) diversity(embedDim int) (*float64, error) {
	if len(a.places) < 2 || a.places[0] != a.places[1] {
		return nil, nil
	}
	x, err := metrics.Rows(a.imageEmbeds, embedDim)
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
