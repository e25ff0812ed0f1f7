// Package album draws the pictures of texts into a folder: each with its record beside it, a grid, and a summary of how
// well they match.
package album

import (
	"context"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"time"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/eval/metrics"
	"illustrator/internal/jsonfile"
	"illustrator/internal/version"
	"illustrator/models/host"
	"illustrator/models/pipeline"
)

// gridPictures is the number of pictures that a grid shows at most: more do not fit on a sheet that viewers open.
const gridPictures = 480

// Album says what is drawn, and how.
type Album struct {
	Env   host.Env
	Model draw.Model
	// Requests differ in seeds and alpha alone.
	Requests []draw.Request
	Tokens   pipeline.Tokens // of the requests' texts
	AtOnce   int             // pictures drawn together
	Redraw   draw.Redraw
	// Redraws are those of texts that name a style, by its name.
	Redraws map[string]draw.Redraw
	Out     string // the folder
	// Sheet writes the grid with a row for each text, which all have an alpha, and a column for each seed.
	Sheet   bool
	Replace bool // pictures of earlier calls in the folder are removed
	Arrays  bool // z, w and the pictures' values are written as arrays too
	// Far are the texts that lie far from the domain's descriptions, for the summary.
	Far []draw.Novelty

	earlier []string // pictures of earlier calls, without extension
}

// Summary is summary.json.
type Summary struct {
	draw.Summary
	// Diversity is the mean cosine distance between the embeddings of two pictures of one text, mean over texts; left out
	// where texts have one picture each.
	Diversity *float64 `json:"diversity,omitempty"`
	draw.Gains
	// Far are the texts that lie far from the domain's descriptions.
	Far     []draw.Novelty `json:"far,omitempty"`
	Seconds float64        `json:"seconds"`
	Grid    string         `json:"grid"`
}

// Draw draws and writes the pictures of all texts, the grid and the summary, on a device that is started, into the
// folder that OwnFolder chose.
func (a Album) Draw(ctx context.Context) (s Summary, err error) {
	began := time.Now()
	if err := os.MkdirAll(a.Out, 0o777); err != nil {
		return s, err
	}
	p, err := a.draw(ctx)
	if err != nil {
		return s, err
	}
	if s, err = p.summarize(); err != nil {
		return s, err
	}
	s.Far = a.Far
	if err := a.removeEarlier(); err != nil {
		return s, err
	}
	s.Seconds = time.Since(began).Seconds()
	return s, jsonfile.Write(filepath.Join(a.Out, SummaryFile), s)
}

// SummaryFile is the summary's name in the folder.
const SummaryFile = "summary.json"

// kept holds what is known of the pictures that were drawn. Texts to imageEmbeds have all pictures, text by text;
// pictures has those of the grid.
type kept struct {
	Album
	texts       []texts.Text
	places      []int // of the texts in the command's list
	scores      []draw.Score
	imageEmbeds []float32 // [N,E]
	pictures    []image.Image
	gains       *draw.Gains
	arrays      *arrayFiles // nil where none are written
}

// draw draws the texts and writes each picture when it is done.
func (a Album) draw(ctx context.Context) (*kept, error) {
	part, plan := Part(a.Model, a.Requests), a.Requests[0].Plan
	bar := a.Env.Stage("Drawing pictures", part)
	defer bar.Done()
	k := &kept{Album: a, gains: draw.NewGains(plan)}
	if a.Arrays {
		var err error
		if k.arrays, err = newArrayFiles(a.Out, a.Model, part.Units); err != nil {
			return nil, err
		}
		defer k.arrays.Cleanup() // does nothing once the files have their names
	}
	show := func(done int, refining *draw.Progress) {
		note := ""
		if refining != nil {
			note = fmt.Sprintf("refined by %d of %d steps", refining.Done*plan.Refine/refining.Of, plan.Refine)
		}
		bar.Set(done, note)
	}
	for p, err := range draw.Run(ctx, []draw.Model{a.Model}, a.Requests,
		draw.Options{AtOnce: a.AtOnce, Tokens: a.Tokens, Score: true, Progress: show}) {
		if err != nil {
			return nil, err
		}
		if err := k.add(ctx, p); err != nil {
			return nil, err
		}
	}
	if k.arrays != nil {
		return k, k.arrays.close()
	}
	return k, nil
}

// Part is the drawing of an album's pictures, for estimates.
func Part(m draw.Model, requests []draw.Request) host.Part {
	plan := requests[0].Plan
	p := host.Part{Kind: fmt.Sprintf("draw generator=%.12s clip=%.12s best_of=%d refine=%d",
		m.Hashes["generator"], m.Hashes["clip"], plan.BestOf, plan.Refine)}
	for _, q := range requests {
		p.Units += len(q.Seeds)
	}
	return p
}

// add writes a picture, redrawn, with its record beside it.
func (a *kept) add(ctx context.Context, p *draw.Picture) error {
	record := a.Model.Record(*p.Recipe).With(p)
	redraw, ok := a.Redraws[record.Text.Style]
	if !ok {
		redraw = a.Redraw
	}
	record.Cartoon = redraw.Record()
	name := draw.FileName(p.Request, record.Text.Text, record.Seed)
	img, err := redraw.File(ctx, a.Out, name, a.Model.Image(p))
	if err != nil {
		return err
	}
	base := filepath.Join(a.Out, name)
	if err := pictures.WritePNG(base+".png", img, record.Meta(version.Program())); err != nil {
		return err
	}
	if err := jsonfile.Write(base+".json", record); err != nil {
		return err
	}
	if len(a.pictures) < gridPictures {
		a.pictures = append(a.pictures, img)
	}
	if a.arrays != nil {
		if err := a.arrays.add(p); err != nil {
			return err
		}
	}
	a.texts, a.places, a.scores = append(a.texts, record.Text), append(a.places, p.Request), append(a.scores, *p.Score)
	a.imageEmbeds = append(a.imageEmbeds, p.Embed...)
	a.gains.Add(p)
	return nil
}

// summarize takes the means and writes the grid.
func (a *kept) summarize() (s Summary, err error) {
	if len(a.pictures) < len(a.scores) {
		a.Env.Log.Warn(fmt.Sprintf("the grid shows the first %d of %d pictures", len(a.pictures), len(a.scores)))
	}
	a.gains.Close()
	s = Summary{Summary: draw.Summarize(a.texts, a.scores), Gains: *a.gains, Grid: filepath.Join(a.Out, "grid.png")}
	if s.Diversity, err = a.diversity(); err != nil {
		return s, err
	}
	return s, a.writeGrid(s.Grid, len(a.scores)/(a.places[len(a.places)-1]+1), s)
}

// diversity returns the difference of a text's pictures, mean over texts; nil with one picture per text.
func (a *kept) diversity() (*float64, error) {
	if len(a.places) < 2 || a.places[0] != a.places[1] {
		return nil, nil
	}
	x, err := metrics.Rows(a.imageEmbeds, a.Model.CLIP.ProjectionDim)
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
func (a *kept) writeGrid(path string, perText int, summary Summary) error {
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
	title, subtitle := fmt.Sprintf("%d pictures", len(a.scores)),
		fmt.Sprintf("CLIP similarity %.3f", summary.CLIPSimilarity)
	if len(a.pictures) < len(a.scores) {
		title = fmt.Sprintf("The first %d of %d pictures", len(a.pictures), len(a.scores))
	}
	if summary.AttributeAccuracy != nil {
		subtitle += fmt.Sprintf(", named attributes found %.1f %%", 100**summary.AttributeAccuracy)
	}
	if summary.Diversity != nil {
		subtitle += fmt.Sprintf(", diversity %.3f", *summary.Diversity)
	}
	var img image.Image
	var err error
	if rows, seeds := draw.Texts(a.Requests), a.Requests[0].Seeds; a.Sheet && len(a.pictures) == len(rows)*len(seeds) {
		if rows[0].Text == rows[len(rows)-1].Text {
			title = rows[0].Text
		}
		img, err = draw.Sheet(a.pictures, rows, seeds, title, subtitle)
	} else {
		img, err = pictures.Grid(a.pictures, labels, columns,
			pictures.GridOptions{Title: title, Subtitle: subtitle, Notes: notes})
	}
	if err != nil {
		return err
	}
	return pictures.WritePNG(path, img, []pictures.Meta{{Key: "Software", Value: version.Program()}})
}
