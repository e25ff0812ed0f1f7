package world

import (
	"math/rand/v2"
	"slices"
	"strings"

	"illustrator/cmd/worlds/scene"
)

// twins are a domain's renders. Three of four pictures are one of a pair, a render and its twin: a picture of the same
// scene with another value of one attribute. The captions of both name that attribute, and differ in that place alone,
// so that the most similar wrong captions and pictures differ in one detail. NegCLIP's wrong captions (Yuksekgonul et
// al. 2023) have the same purpose. The other pictures have captions of their own, some of which are a concept's:
// twins' captions seldom are.
type twins struct{ renderCaptions }

// twinTries is the number of times that an attribute and a caption are drawn for a picture's twin.
const twinTries = 60

// twin returns a scene that differs from s in one visible attribute, and captions of both that tell them apart.
// isNew tells captions that can be taken. ok is false where twinTries found none.
func (t twins) twin(s scene.Scene, random *rand.Rand, isNew func(string) bool) (other scene.Scene, captions [2]string,
	ok bool) {
	attributes := t.Domain.Attributes()
	for range twinTries {
		k, seed := random.IntN(len(attributes)), random.Uint64()
		other = scene.Scene{Values: slices.Clone(s.Values), Continuous: s.Continuous}
		other.Values[k] = (s.Values[k] + 1 + random.IntN(len(attributes[k].Values)-1)) % len(attributes[k].Values)
		if !t.Domain.Visible(s, k) || !t.Domain.Visible(other, k) {
			continue
		}
		captions = [2]string{t.Domain.Caption(s, scene.Random(seed, 0)), t.Domain.Caption(other, scene.Random(seed, 0))}
		if differInOnePlace(captions[0], captions[1]) && isNew(captions[0]) && isNew(captions[1]) {
			return other, captions, true
		}
	}
	return other, captions, false
}

// differInOnePlace reports whether two captions differ in one phrase: from the first to the last word that differs, the
// longer has no more words than the captions share. Captions of one wording may differ elsewhere, and be right for both
// pictures, where a value takes other random numbers.
func differInOnePlace(a, b string) bool {
	one, two := words(a), words(b)
	shared := 0
	for len(one) > 0 && len(two) > 0 && one[0] == two[0] {
		one, two, shared = one[1:], two[1:], shared+1
	}
	for len(one) > 0 && len(two) > 0 && one[len(one)-1] == two[len(two)-1] {
		one, two, shared = one[:len(one)-1], two[:len(two)-1], shared+1
	}
	place := max(len(one), len(two))
	return place > 0 && place <= shared
}

// words are those of a text, without upper case, commas and full stops.
func words(text string) []string {
	return strings.Fields(strings.ToLower(strings.NewReplacer(",", " ", ".", " ").Replace(text)))
}

// add appends len(rows) pictures with captions: those of the first rows and a twin of each, and others with captions of
// their own. Two of the latter take the place of a pair whose twin is not found.
func (t twins) add(b *captionedBatch, rows []int, random *rand.Rand) error {
	var slots []int
	var scenes []scene.Scene
	pairs := 3 * len(rows) / 8
	for i, row := range rows[:pairs] {
		other, captions, ok := t.twin(t.Sample(row).Scene, random, b.isNew)
		if !ok {
			if err := b.add(t, []int{row, rows[pairs+i]}, random); err != nil {
				return err
			}
			continue
		}
		picture, err := t.Pictures([]int{row})
		if err != nil {
			return err
		}
		b.captions = append(b.captions, b.take(captions[0]), b.take(captions[1]))
		b.label(t.Renders, t.Sample(row).Scene)
		b.label(t.Renders, other)
		slots, scenes = append(slots, len(b.pictures)+len(picture)), append(scenes, other)
		b.pictures = append(append(b.pictures, picture...), picture...) // the twin is drawn over the second
	}
	parallel(len(slots), func(i int) {
		copyRGB(b.pictures[slots[i]:slots[i]+t.bytes()], t.Domain.Render(scenes[i], t.Size))
	})
	return b.add(t, rows[2*pairs:], random)
}
