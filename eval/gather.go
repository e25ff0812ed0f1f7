package eval

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"illustrator/draw"
	"illustrator/eval/metrics"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
)

// atOnce is the number of pictures held at once.
const atOnce = 32

// measurement is an evaluation under way.
type measurement struct {
	Request
	networks *pipeline.Networks
	result   *Result

	own, judge embedded  // texts, by the domain's CLIP and by the judge's
	z          []float32 // [T,Z] predicted; nil with files
	scores     []pictureScore
	rows       rows
}

func newMeasurement(n *pipeline.Networks, r Request) *measurement {
	if r.Progress == nil {
		r.Progress = func(string, int, int) {}
	}
	return &measurement{Request: r, networks: n, result: &Result{Samples: map[string][]metrics.Sample{}}}
}

// pictureScore is one line of scores.jsonl: what is known of one picture.
type pictureScore struct {
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
	// LPIPS are the distances to up to neighbours pictures of the same text before this one, the nearest first, of those
	// that were in one batch with it.
	LPIPS []float64 `json:"lpips,omitempty"`
	// Attributes are those that the text names.
	Attributes map[string]draw.SeenAttribute `json:"attributes,omitempty"`
}

func (s pictureScore) skipped() bool { return s.Skipped != "" }

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
	m.rows.grow(total, m.widths())
	defer m.fix(batches)()
	if done < len(batches) {
		m.Progress(Judging, len(m.scores), total)
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
		m.Progress(Judging, len(m.scores), total)
	}
	for _, s := range m.scores {
		if s.Skipped != "" {
			m.result.Skipped = append(m.result.Skipped, Skipped{s.File, s.Skipped})
		} else {
			m.result.Pictures++
		}
	}
	if m.result.Pictures == 0 {
		return fault.Hint(errors.New("no picture could be judged: "+m.result.Skipped[0].File+": "+m.result.Skipped[0].Reason),
			"give pictures that can be read, all of one size")
	}
	return nil
}

// openKept opens what is kept of the pictures' scores.
func (m *measurement) openKept() (*kept[pictureScore], error) {
	if m.Keep == "" {
		return nil, nil
	}
	if err := m.claim(m.networks); err != nil {
		return nil, err
	}
	return openKept[pictureScore](filepath.Join(m.Keep, ScoresFile), filepath.Join(m.Keep, featuresFile), m.widths())
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

// fix has programs take as many rows as the largest of batches has, so that no figure depends on where an evaluation
// was stopped, or on what was run before. It returns what undoes that.
func (m *measurement) fix(batches [][]File) (undo func()) {
	most, pairs := 0, 0
	for _, b := range batches {
		texts := make([]int, len(b))
		for i, f := range b {
			texts[i] = f.Text
		}
		most, pairs = max(most, len(b)), max(pairs, len(neighbouring(texts)))
	}
	undo = m.fixRows(most)
	if m.Judges.LPIPS != nil {
		m.Judges.LPIPS.Fix(pairs)
	}
	return undo
}

// fixRows is fix for a number of rows, without distances.
func (m *measurement) fixRows(n int) (undo func()) {
	undo = fixed(m.networks, n)
	if m.Judges.CLIP != nil {
		undo = both(fixed(m.Judges.CLIP, n), undo)
	}
	if m.Judges.Inception != nil {
		m.Judges.Inception.Fix(n)
	}
	return undo
}

func fixed(n *pipeline.Networks, rows int) (undo func()) {
	before := n.Shapes
	n.Shapes = []int{rows}
	return func() { n.Shapes = before }
}

func both(a, b func()) func() { return func() { a(); b() } }

// stopped says how far the judging came and how to go on.
func (m *measurement) stopped(err error, total int) error {
	if m.Keep == "" {
		return err
	}
	return fault.Hint(fmt.Errorf("%d of %d pictures are judged and kept in %s: %w", len(m.scores), total, m.Keep, err),
		"the same command resumes from there")
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
