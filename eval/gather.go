package eval

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"

	"illustrator/data"
	"illustrator/eval/metrics"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
)

// atOnce is how many pictures are held at once.
const atOnce = 32

// measurement is an evaluation under way.
type measurement struct {
	Request
	networks *pipeline.Networks
	result   *Result

	own, judge embedded  // texts, by the domain's CLIP and by the judge's
	z          []float32 // [T,Z] predicted; nil with files
	scores     []PictureScore
	rows       rows
}

func newMeasurement(n *pipeline.Networks, r Request) *measurement {
	if r.Progress == nil {
		r.Progress = func(string, int, int) {}
	}
	return &measurement{Request: r, networks: n, result: &Result{Samples: map[string][]metrics.Sample{}}}
}

// PictureScore is one line of scores.jsonl: what is known of one picture.
type PictureScore struct {
	Text int    `json:"text"` // place in the texts, from 0
	Seed uint64 `json:"seed"`
	File string `json:"file,omitempty"`
	// Skipped is why the picture was not judged; it has no figures then.
	Skipped string `json:"skipped,omitempty"`
	// Cosines with the text, and with the text after CLIPScore's prefix.
	CLIPSimilarity float64  `json:"clip_similarity"`
	PrefixedCosine float64  `json:"prefixed_cosine"`
	Judge          *float64 `json:"judge_similarity,omitempty"`
	JudgePrefixed  *float64 `json:"judge_prefixed_cosine,omitempty"`
	// LPIPS is the distance to the picture of the same text before this one, where both were in one batch.
	LPIPS *float64 `json:"lpips,omitempty"`
	// Attributes are those that the text names.
	Attributes map[string]SeenAttribute `json:"attributes,omitempty"`
}

// SeenAttribute is what the classifier sees of a named attribute.
type SeenAttribute struct {
	Seen    string `json:"seen"`
	Correct bool   `json:"correct"`
}

func (s PictureScore) skipped() bool { return s.Skipped != "" }

// gather judges all pictures, batch by batch, and keeps what was judged.
func (m *measurement) gather(ctx context.Context) error {
	batches := m.batches()
	total := 0
	for _, b := range batches {
		total += len(b)
	}
	kept, err := m.openKept()
	if err != nil {
		return err
	}
	defer kept.close()
	done := 0
	if m.scores, m.rows, done, err = kept.resume(sizes(batches)); err != nil {
		return err
	}
	const stage = "Judging pictures"
	if done < len(batches) {
		m.Progress(stage, len(m.scores), total)
	}
	for _, b := range batches[done:] {
		if err := context.Cause(ctx); err != nil {
			return m.stopped(err, total)
		}
		scores, rows, err := m.judgeBatch(ctx, b)
		if err != nil {
			return m.stopped(err, total)
		}
		if err := kept.append(scores, rows); err != nil {
			return err
		}
		m.scores = append(m.scores, scores...)
		m.rows.append(rows)
		m.Progress(stage, len(m.scores), total)
	}
	for _, s := range m.scores {
		if s.Skipped != "" {
			m.result.Skipped = append(m.result.Skipped, Skipped{s.File, s.Skipped})
		} else {
			m.result.Pictures++
		}
	}
	if m.result.Pictures == 0 {
		return fault.Hint(errors.New("no picture could be judged: "+m.result.Skipped[0].File+": "+m.result.Skipped[0].Reason), "give pictures that can be read, all of one size")
	}
	return nil
}

// openKept opens what is kept of the pictures' scores.
func (m *measurement) openKept() (*kept[PictureScore], error) {
	if m.Keep == "" {
		return nil, nil
	}
	if err := m.claim(m.networks.Hashes); err != nil {
		return nil, err
	}
	return openKept[PictureScore](filepath.Join(m.Keep, ScoresFile), filepath.Join(m.Keep, featuresFile), m.widths())
}

// widths of a picture's row: the domain's CLIP, the judge's, Inception.
func (m *measurement) widths() [3]int {
	w := [3]int{m.networks.CLIP.ProjectionDim}
	if m.Judges.CLIP != nil {
		w[1] = m.Judges.CLIP.CLIP.ProjectionDim
	}
	if m.Judges.Inception != nil {
		w[2] = m.Judges.Inception.Dim
	}
	return w
}

// stopped says how far the judging came and how to go on.
func (m *measurement) stopped(err error, total int) error {
	if m.Keep == "" {
		return err
	}
	return fault.Hint(fmt.Errorf("%d of %d pictures are judged and kept in %s: %w", len(m.scores), total, m.Keep, err), "the same command goes on from there")
}

// batches lists what is judged together: whole texts where they fit, so that pictures of one text can be compared.
func (m *measurement) batches() [][]File {
	all := m.Files
	if len(all) == 0 {
		for t := range m.Texts {
			for _, seed := range m.Seeds {
				all = append(all, File{Text: t, Seed: seed})
			}
		}
	}
	var batches [][]File
	var batch []File
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && to-from < atOnce && all[to].Text == all[from].Text {
			to++
		}
		if len(batch)+to-from > atOnce {
			batches, batch = append(batches, batch), nil
		}
		batch = append(batch, all[from:to]...)
		from = to
	}
	return append(batches, batch)
}

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
	pictures, err := data.SplitPictures(images, height, width)
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
		p, err := data.ReadPicture(f.Path)
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
			r.RandomZ = append(r.RandomZ, data.Z(f.Seed, m.networks.Generator.StyleDim)...)
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

// compareNeighbours measures how different each picture looks from the one of the same text before it.
func (m *measurement) compareNeighbours(ctx context.Context, judged []*PictureScore, images []float32, height, width int) error {
	if m.Judges.LPIPS == nil {
		return nil
	}
	var a, b []float32
	var at []*PictureScore
	size := 3 * height * width
	for i := 1; i < len(judged); i++ {
		if judged[i].Text == judged[i-1].Text {
			a, b = append(a, images[(i-1)*size:i*size]...), append(b, images[i*size:(i+1)*size]...)
			at = append(at, judged[i])
		}
	}
	if len(at) == 0 {
		return nil
	}
	distances, err := m.Judges.LPIPS.Distances(ctx, a, b, height, width)
	if err != nil {
		return err
	}
	for i, s := range at {
		d := float64(distances[i])
		s.LPIPS = &d
	}
	return nil
}
