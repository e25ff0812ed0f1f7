package main

import (
	"context"
	"fmt"
	"image"
	"path/filepath"

	"illustrator/data"
	"illustrator/eval"
	"illustrator/models/pipeline"
)

const (
	// drawAtOnce is the number of pictures that are drawn before they are written: few are held in memory.
	drawAtOnce = 32
	// gridPictures is the number of pictures that a grid shows at most: more do not fit on a sheet that viewers open.
	gridPictures = 480
)

// album is what was drawn, a picture for each text and seed. texts and scores have all of them, pictures the grid's.
type album struct {
	texts    []data.Text
	pictures []image.Image
	scores   []eval.Score
}

// drawTexts draws the texts batch by batch and writes each picture when it is done.
func (o *globalOptions) drawTexts(ctx context.Context, s *session, g generateOptions, request pipeline.Request, embeds []float32) (*album, error) {
	var a album
	dim, seeds := s.networks.CLIP.ProjectionDim, request.Seeds
	bar := o.newProgress("Drawing pictures", len(g.texts)*len(seeds))
	defer bar.Done()
	textsAtOnce := max(1, drawAtOnce/len(seeds))
	for from := 0; from < len(g.texts); from += textsAtOnce {
		to := min(from+textsAtOnce, len(g.texts))
		for first := 0; first < len(seeds); first += drawAtOnce {
			last := min(first+drawAtOnce, len(seeds))
			request.TextEmbeds, request.Seeds, request.RandomZ = embeds[from*dim:to*dim], seeds[first:last], nil
			for _, seed := range request.Seeds {
				request.RandomZ = append(request.RandomZ, data.Z(seed, s.networks.Generator.StyleDim)...)
			}
			if err := a.draw(ctx, s, g, request, from); err != nil {
				return nil, err
			}
			bar.Set(len(a.scores), "")
		}
	}
	return &a, nil
}

// draw adds the pictures of a request, whose first text is number from, and writes them.
func (a *album) draw(ctx context.Context, s *session, g generateOptions, request pipeline.Request, from int) error {
	generated, err := s.networks.Generate(ctx, request)
	if err != nil {
		return err
	}
	size, dim := s.networks.Generator.Size, s.networks.CLIP.ProjectionDim
	pictures, err := data.SplitPictures(generated.Images, size, size)
	if err != nil {
		return err
	}
	var texts []data.Text
	var textEmbeds []float32
	for i := range pictures {
		text := i / len(request.Seeds)
		texts = append(texts, g.texts[from+text])
		textEmbeds = append(textEmbeds, request.TextEmbeds[text*dim:(text+1)*dim]...)
	}
	scores, err := eval.Pictures(ctx, s.networks, texts, textEmbeds, generated.Images)
	if err != nil {
		return err
	}
	for i, p := range pictures {
		seed, img := request.Seeds[i%len(request.Seeds)], p.Image()
		info := pictureInfo{
			Text: texts[i], Seed: seed, NoiseMode: g.noiseMode, TruncationPsi: g.truncationPsi, InjectIndex: g.injectIndex,
			Domain: s.domain.Name, Networks: s.networks.Hashes, Score: scores[i],
		}
		if request.Prompts != nil {
			info.Alpha = &request.Alpha
		}
		if err := info.write(filepath.Join(g.out, pictureName(from+i/len(request.Seeds), texts[i].Text, seed)), img); err != nil {
			return err
		}
		if len(a.pictures) < gridPictures {
			a.pictures = append(a.pictures, img)
		}
	}
	a.texts, a.scores = append(a.texts, texts...), append(a.scores, scores...)
	return nil
}

// pictureInfo is the JSON beside a picture.
type pictureInfo struct {
	data.Text                       // with its kind and labels, where they are known
	Seed          uint64            `json:"seed"`
	Alpha         *float64          `json:"alpha"` // null without projection
	NoiseMode     string            `json:"noise_mode"`
	TruncationPsi float64           `json:"truncation_psi"`
	InjectIndex   int               `json:"inject_index"`
	Domain        string            `json:"domain"`
	Networks      map[string]string `json:"networks_sha256"`
	Score         eval.Score        `json:"score"`
}

// write writes a picture with its metadata, and the same as JSON beside it.
func (p pictureInfo) write(base string, img image.Image) error {
	meta := []data.Meta{
		{Key: "Description", Value: p.Text.Text}, {Key: "Software", Value: createdBy()},
		{Key: "Seed", Value: fmt.Sprint(p.Seed)}, {Key: "Domain", Value: p.Domain},
	}
	if p.Alpha != nil {
		meta = append(meta, data.Meta{Key: "Alpha", Value: fmt.Sprint(*p.Alpha)})
	}
	for _, name := range sortedKeys(p.Networks) {
		meta = append(meta, data.Meta{Key: name + "-SHA256", Value: p.Networks[name]})
	}
	if err := data.WritePNG(base+".png", img, meta); err != nil {
		return err
	}
	return writeJSON(base+".json", p)
}

// writeGrid writes the pictures on one labelled sheet: a row for each text where there are several seeds.
func (a *album) writeGrid(path string, seeds int, summary eval.Summary) error {
	columns, labels, notes := min(10, len(a.pictures)), make([]string, len(a.pictures)), make([]string, len(a.pictures))
	if seeds > 1 {
		columns = min(seeds, 12)
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
	img, err := data.Grid(a.pictures, labels, columns, data.GridOptions{Title: title, Subtitle: subtitle, Notes: notes})
	if err != nil {
		return err
	}
	return data.WritePNG(path, img, []data.Meta{{Key: "Software", Value: createdBy()}})
}

// pictureName is the file name, without extension, of text number i's picture.
func pictureName(i int, text string, seed uint64) string {
	if text = data.Slug(text); text != "" {
		text = "-" + text
	}
	return fmt.Sprintf("%04d%s-seed%d", i+1, text, seed)
}
