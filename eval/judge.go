package eval

import (
	"context"
	"fmt"
	"maps"

	"illustrator/data/pictures"
	"illustrator/draw"
)

// judgeBatch draws or reads pictures and judges them. rows are those of the pictures that are not skipped.
func (m *measurement) judgeBatch(ctx context.Context, batch []File) ([]pictureScore, rows, error) {
	scores := make([]pictureScore, len(batch))
	for i, f := range batch {
		scores[i] = pictureScore{Text: f.Text, Seed: f.Seed, File: f.Path, Skipped: f.Skip}
	}
	p, err := m.pixels(ctx, batch, scores)
	if err != nil || len(p.images) == 0 {
		return scores, rows{}, err
	}
	var judged []*pictureScore
	for i := range scores {
		if scores[i].Skipped == "" {
			judged = append(judged, &scores[i])
		}
	}
	if err := m.show(judged, p.images, p.height, p.width); err != nil {
		return nil, rows{}, err
	}
	r, err := m.embed(ctx, p)
	if err != nil {
		return nil, rows{}, err
	}
	for i, s := range judged {
		s.CLIPSimilarity = m.own.cosine(m.own.plain, s.Text, r.own, i)
		s.PrefixedCosine = m.own.cosine(m.own.prefixed, s.Text, r.own, i)
		if m.Judges.CLIP != nil {
			plain, prefixed := m.judge.cosine(m.judge.plain, s.Text, r.judge, i),
				m.judge.cosine(m.judge.prefixed, s.Text, r.judge, i)
			s.Judge, s.JudgePrefixed = &plain, &prefixed
		}
	}
	if err := m.lookForAttributes(ctx, judged, p); err != nil {
		return nil, rows{}, err
	}
	return scores, r, m.compareNeighbours(ctx, judged, p.images, p.height, p.width)
}

// show gives the pictures to whoever asked for them.
func (m *measurement) show(judged []*pictureScore, images []float32, height, width int) error {
	if m.Picture == nil {
		return nil
	}
	pictures, err := pictures.Split(images, height, width)
	if err != nil {
		return err
	}
	for i, s := range judged {
		if err := m.Picture(s.Text, s.Seed, pictures[i]); err != nil {
			return err
		}
	}
	return nil
}

// pixels are the pictures [N,3,H,W] of a batch. Files that cannot be read are marked in scores and left out.
func (m *measurement) pixels(ctx context.Context, batch []File, scores []pictureScore) (p pixels, err error) {
	if len(m.Files) == 0 {
		images, err := m.draw(ctx, batch)
		return m.pixelsOf(images), err
	}
	for i, f := range batch {
		if f.Skip != "" {
			continue
		}
		img, err := pictures.ReadImage(ctx, f.Path)
		switch {
		case err != nil:
			scores[i].Skipped = err.Error()
		case p.width != 0 && !p.fits(img):
			scores[i].Skipped = fmt.Sprintf("it has %d×%d pixels, the others %d×%d", img.Rect.Dx(), img.Rect.Dy(), p.width,
				p.height)
		default:
			p.add(m, img)
		}
	}
	return p, nil
}

// draw draws a batch: all seeds of some texts, or some seeds of one.
func (m *measurement) draw(ctx context.Context, batch []File) ([]float32, error) {
	recipes := make([]draw.Recipe, len(batch))
	for i, f := range batch {
		embed := m.own.plain[f.Text*m.own.dim : (f.Text+1)*m.own.dim]
		recipes[i] = draw.Recipe{Text: m.Texts[f.Text], TextEmbed: embed, Manner: m.Manner, Seed: f.Seed}
	}
	artist := m.Artist
	if artist == nil {
		artist = draw.Model{Networks: m.networks, Prompts: m.Prompts}
	}
	results, err := artist.Draw(ctx, recipes...)
	if err != nil {
		return nil, err
	}
	var images []float32
	for _, p := range results {
		images = append(images, p.Pixels...)
	}
	return images, nil
}

// embed makes the rows of pictures.
func (m *measurement) embed(ctx context.Context, p pixels) (r rows, err error) {
	if r, err = m.features(ctx, p); err != nil || m.Judges.CLIP == nil {
		return r, err
	}
	r.judge, err = p.embed(ctx, m.Judges.CLIP, p.judge)
	return r, err
}

// lookForAttributes has the classifier look for the attributes that texts name.
func (m *measurement) lookForAttributes(ctx context.Context, judged []*pictureScore, p pixels) error {
	cfg := m.networks.Classifier
	if m.lacks(m.networks, "attribute_accuracy") != "" || p.height != cfg.ImageSize || p.width != cfg.ImageSize {
		return nil
	}
	seen, err := m.networks.Classify(ctx, p.images)
	if err != nil {
		return err
	}
	for i, s := range judged {
		text := m.Texts[s.Text]
		if !named(text) {
			continue
		}
		s.Attributes = maps.Collect(draw.Named(*cfg, text, seen[i]))
	}
	return nil
}

// neighbours is with how many pictures of the same text before it a picture is compared: with all, up to 8 pictures a
// text.
const neighbours = 7

// neighbouring lists the places [later, earlier] of pictures that are compared. texts are those of the pictures.
func neighbouring(texts []int) (pairs [][2]int) {
	for i := range texts {
		for j := i - 1; j >= max(0, i-neighbours) && texts[j] == texts[i]; j-- {
			pairs = append(pairs, [2]int{i, j})
		}
	}
	return pairs
}

// compareNeighbours measures how different each picture looks from those of the same text before it.
func (m *measurement) compareNeighbours(ctx context.Context, judged []*pictureScore, images []float32, height,
	width int) error {
	if m.Judges.LPIPS == nil {
		return nil
	}
	texts := make([]int, len(judged))
	for i, s := range judged {
		texts[i] = s.Text
	}
	pairs := neighbouring(texts)
	if len(pairs) == 0 {
		return nil
	}
	var a, b []float32
	size := 3 * height * width
	for _, p := range pairs {
		a, b = append(a, images[p[1]*size:(p[1]+1)*size]...), append(b, images[p[0]*size:(p[0]+1)*size]...)
	}
	distances, err := m.Judges.LPIPS.Distances(ctx, a, b, height, width)
	if err != nil {
		return err
	}
	for i, p := range pairs {
		judged[p[0]].LPIPS = append(judged[p[0]].LPIPS, float64(distances[i]))
	}
	return nil
}
