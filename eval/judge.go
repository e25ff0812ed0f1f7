package eval

import (
	"context"
	"fmt"
	"maps"

	"illustrator/data/pictures"
	"illustrator/data/seeds"
	"illustrator/models/pipeline"
)

// judgeBatch draws or reads pictures and judges them. rows are those of the pictures that are not skipped.
func (m *measurement) judgeBatch(ctx context.Context, batch []File) ([]PictureScore, rows, error) {
	scores := make([]PictureScore, len(batch))
	for i, f := range batch {
		scores[i] = PictureScore{Text: f.Text, Seed: f.Seed, File: f.Path, Skipped: f.Skip}
	}
	images, height, width, err := m.pixels(ctx, batch, scores)
	if err != nil || len(images) == 0 {
		return scores, rows{}, err
	}
	var judged []*PictureScore
	for i := range scores {
		if scores[i].Skipped == "" {
			judged = append(judged, &scores[i])
		}
	}
	if err := m.show(judged, images, height, width); err != nil {
		return nil, rows{}, err
	}
	r, err := m.embed(ctx, images, height, width)
	if err != nil {
		return nil, rows{}, err
	}
	for i, s := range judged {
		s.CLIPSimilarity = m.own.cosine(m.own.plain, s.Text, r.own, i)
		s.PrefixedCosine = m.own.cosine(m.own.prefixed, s.Text, r.own, i)
		if m.Judges.CLIP != nil {
			plain, prefixed := m.judge.cosine(m.judge.plain, s.Text, r.judge, i), m.judge.cosine(m.judge.prefixed, s.Text, r.judge, i)
			s.Judge, s.JudgePrefixed = &plain, &prefixed
		}
	}
	if err := m.lookForAttributes(ctx, judged, images, height, width); err != nil {
		return nil, rows{}, err
	}
	return scores, r, m.compareNeighbours(ctx, judged, images, height, width)
}

// show gives the pictures to whoever asked for them.
func (m *measurement) show(judged []*PictureScore, images []float32, height, width int) error {
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
func (m *measurement) pixels(ctx context.Context, batch []File, scores []PictureScore) (images []float32, height, width int, err error) {
	if len(m.Files) == 0 {
		images, err = m.draw(ctx, batch)
		return images, m.networks.Generator.Size, m.networks.Generator.Size, err
	}
	for i, f := range batch {
		if f.Skip != "" {
			continue
		}
		p, err := pictures.Read(ctx, f.Path)
		switch {
		case err != nil:
			scores[i].Skipped = err.Error()
		case width != 0 && (p.Width != width || p.Height != height):
			scores[i].Skipped = fmt.Sprintf("it has %d×%d pixels, the others %d×%d", p.Width, p.Height, width, height)
		default:
			images, height, width = append(images, p.Pixels...), p.Height, p.Width
		}
	}
	return images, height, width, nil
}

// draw draws a batch: all seeds of some texts, or some seeds of one.
func (m *measurement) draw(ctx context.Context, batch []File) ([]float32, error) {
	r := pipeline.Request{Prompts: m.Prompts, Alpha: m.Alpha, InjectIndex: m.InjectIndex, Synthesis: m.Synthesis}
	first, last := batch[0].Text, batch[len(batch)-1].Text
	r.TextEmbeds = m.own.plain[first*m.own.dim : (last+1)*m.own.dim]
	for _, f := range batch {
		if f.Text == first {
			r.Seeds = append(r.Seeds, f.Seed)
			r.RandomZ = append(r.RandomZ, seeds.Z(f.Seed, m.networks.Generator.StyleDim)...)
		}
	}
	if len(r.Seeds)*(last-first+1) != len(batch) {
		return nil, fmt.Errorf("internal: %d pictures of %d texts and %d seeds", len(batch), last-first+1, len(r.Seeds))
	}
	generated, err := m.networks.Generate(ctx, r)
	return generated.Images, err
}

// embed makes the rows of pictures.
func (m *measurement) embed(ctx context.Context, images []float32, height, width int) (r rows, err error) {
	if r, err = m.features(ctx, images, height, width); err != nil || m.Judges.CLIP == nil {
		return r, err
	}
	r.judge, err = m.Judges.CLIP.EmbedImages(ctx, images, height, width)
	return r, err
}

// lookForAttributes has the classifier look for the attributes that texts name.
func (m *measurement) lookForAttributes(ctx context.Context, judged []*PictureScore, images []float32, height, width int) error {
	cfg := m.networks.Classifier
	if m.lacks(m.networks, "attribute_accuracy") != "" || height != cfg.ImageSize || width != cfg.ImageSize {
		return nil
	}
	seen, err := m.networks.Classify(ctx, images)
	if err != nil {
		return err
	}
	for i, s := range judged {
		text := m.Texts[s.Text]
		if !named(text) {
			continue
		}
		s.Attributes = maps.Collect(look(*cfg, text, seen[i]))
	}
	return nil
}

// neighbours is with how many pictures of the same text before it a picture is compared: with all, up to 8 pictures a text.
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
func (m *measurement) compareNeighbours(ctx context.Context, judged []*PictureScore, images []float32, height, width int) error {
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
