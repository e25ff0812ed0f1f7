package world

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"illustrator/cmd/worlds/scene"
	"illustrator/internal/fault"
	"illustrator/models/clip"
	"illustrator/train"
)

// Captioned are pictures with captions that a CLIP is trained on: a domain's renders, or others.
type Captioned interface {
	// Name names them in messages.
	Name() string
	// Len is the number of pictures to train on, HeldOut that of those that follow them, to measure on.
	Len() int
	HeldOut() int
	// Pictures reads pictures, [len(rows),H,H,3] in 0 to 255.
	Pictures(rows []int) ([]uint8, error)
	// Caption returns one of the captions of picture row.
	Caption(row int, random *rand.Rand) string
}

// renderCaptions are a domain's renders with its captions.
type renderCaptions struct {
	*Renders
	heldOut int
}

func (c renderCaptions) renders() *Renders { return c.Renders }

func (c renderCaptions) Name() string { return c.Domain.Name() }
func (c renderCaptions) Len() int     { return c.Count - c.heldOut }
func (c renderCaptions) HeldOut() int { return c.heldOut }

func (c renderCaptions) Caption(row int, random *rand.Rand) string {
	return c.Domain.Caption(c.Sample(row).Scene, random)
}

// Share is a source of captioned pictures and its share of each batch.
type Share struct {
	Captioned
	Share float64
}

// mixture makes batches of captioned pictures from several sources, in fixed shares.
type mixture struct {
	sources []Captioned
	rows    []int // of each source in a batch
	orders  []*train.Order
	labels  labels
	seed    uint64
}

// newMixture divides a batch among sources by their shares; rounding is in favour of the first.
func newMixture(shares []Share, batch int, seed uint64) (*mixture, error) {
	mix, left, sum := &mixture{seed: seed, labels: newLabels(shares)}, batch, 0.0
	for _, s := range shares {
		sum += s.Share
	}
	for i, s := range shares {
		n := int(float64(batch) * s.Share / sum)
		mix.sources, mix.rows = append(mix.sources, s.Captioned), append(mix.rows, n)
		mix.orders = append(mix.orders, train.NewOrder(seed+uint64(i), s.Len()))
		left -= n
	}
	mix.rows[0] += left
	for i, s := range mix.sources {
		if mix.rows[i] > s.Len() {
			return nil, fault.Field(s.Name()+": pictures", s.Len(), "at least %d, its share of a batch of %d",
				mix.rows[i], batch)
		}
	}
	return mix, nil
}

// rowsAt returns the rows of source i in step at.
func (m *mixture) rowsAt(at, i int) []int {
	rows := make([]int, m.rows[i])
	for j := range rows {
		rows[j] = m.orders[i].At(at*len(rows) + j)
	}
	return rows
}

// batch returns the pictures of step at.
func (m *mixture) batch(at int) (*captionedBatch, error) {
	b, random := &captionedBatch{labels: m.labels, seen: map[string]bool{}}, scene.Random(m.seed, at)
	for i, source := range m.sources {
		rows := m.rowsAt(at, i)
		b.labelled = len(rows) >= leastLabelled
		var err error
		if paired, ok := source.(twins); ok {
			err = paired.add(b, rows, random)
		} else {
			err = b.add(source, rows, random)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// captionedBatch holds the pictures of a step with their captions and labels. Captions differ from each other, because
// the loss takes every other caption as wrong; where captionTries do not find a new one, a picture keeps a caption that
// occurs twice.
type captionedBatch struct {
	labels   labels
	pictures []uint8
	captions []string
	values   []int32 // of labels, a line for each picture
	labelled bool    // whether the source has leastLabelled pictures in the batch
	seen     map[string]bool
}

// captionTries is the number of times that a caption is drawn again which the batch has already.
const captionTries = 20

func (b *captionedBatch) isNew(caption string) bool { return !b.seen[caption] }

// take marks a caption as one of the batch.
func (b *captionedBatch) take(caption string) string {
	b.seen[caption] = true
	return caption
}

// caption takes a caption of a source's picture row.
func (b *captionedBatch) caption(source Captioned, row int, random *rand.Rand) string {
	caption := source.Caption(row, random)
	for try := 0; b.seen[caption] && try < captionTries; try++ {
		caption = source.Caption(row, random)
	}
	return b.take(caption)
}

// add appends pictures of a source with captions.
func (b *captionedBatch) add(source Captioned, rows []int, random *rand.Rand) error {
	pictures, err := source.Pictures(rows)
	if err != nil {
		return err
	}
	b.pictures = append(b.pictures, pictures...)
	for _, row := range rows {
		b.captions = append(b.captions, b.caption(source, row, random))
		if own, ok := source.(renderSource); ok {
			b.label(own.renders(), own.renders().Sample(row).Scene)
		} else {
			b.values = append(b.values, b.labels.none()...)
		}
	}
	return nil
}

// label appends the label of a scene's picture, an empty one where the source is not labelled.
func (b *captionedBatch) label(r *Renders, s scene.Scene) {
	if b.labelled {
		b.values = append(b.values, b.labels.of(r.Domain.Name(), r.visible(s))...)
	} else {
		b.values = append(b.values, b.labels.none()...)
	}
}

// vocabulary learns the tokenizer's vocabulary from captions of all sources.
func (m *Maker) vocabulary(shares []Share) (vocabJSON, mergesTXT []byte, err error) {
	var texts []string
	for i, s := range shares {
		random := m.vocabularyRandom(i)
		for j := range m.Plan.VocabularyCaptions {
			texts = append(texts, s.Caption(j%s.Len(), random))
		}
	}
	return clip.LearnVocabulary(texts, m.Plan.Vocabulary)
}

// vocabularyRandom draws the captions of source i that the vocabulary is learned from.
func (m *Maker) vocabularyRandom(i int) *rand.Rand { return scene.Random(m.Plan.Seed+10, i) }

// maxPieces is the number of tokens that a word of the captions may have.
const maxPieces = 4

// checkCaption returns an error if a text is too long for the tokenizer, or has a word that falls into more than
// maxPieces tokens: the captions that the CLIP in folder was trained on then lacked that word.
func checkCaption(t *clip.Tokenizer, folder, source, caption string) error {
	if lost := t.Encode(caption).Lost; lost != "" {
		return fault.Usage(fmt.Errorf("a caption of %s is longer than the CLIP's %d tokens: %q", source, t.Context(),
			caption), "shorten the captions, or give the CLIP a longer context")
	}
	for _, word := range strings.Fields(caption) {
		if pieces := slices.Index(t.Encode(word).IDs[1:], t.EndID()); pieces < 0 || pieces > maxPieces {
			return fault.Usage(fmt.Errorf("a caption of %s has the word %q, which the CLIP's vocabulary lacks", source,
				word), "remove %s and run `worlds` again, which trains a CLIP on captions with that word", folder)
		}
	}
	return nil
}
