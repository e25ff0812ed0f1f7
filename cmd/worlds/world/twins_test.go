package world

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"illustrator/cmd/worlds/chapel"
	"illustrator/cmd/worlds/lorelei"
	"illustrator/cmd/worlds/scene"
	"illustrator/cmd/worlds/whiskers"
	"illustrator/models/host"
)

type noProgress struct{}

func (noProgress) Set(int, string) {}
func (noProgress) Done()           {}

// renders draws a few small pictures of a domain.
func renders(t *testing.T, d scene.Domain) *Renders {
	t.Helper()
	r, err := Render(t.Context(), d, 3, 16, 60, filepath.Join(t.TempDir(), "renders.rgb"),
		func(string, int) host.Progress { return noProgress{} })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// TestTwins finds a twin of nearly each picture, which differs in one visible attribute, whichever it is.
func TestTwins(t *testing.T) {
	for _, d := range []scene.Domain{lorelei.Domain{}, chapel.Domain{}, whiskers.Domain{}} {
		source, random, count, attributes := twins{renderCaptions{renders(t, d), 0}}, scene.Random(5, 0), 0, map[int]bool{}
		for row := range source.Len() {
			s := source.Sample(row).Scene
			other, captions, ok := source.twin(s, random, func(string) bool { return true })
			if !ok {
				continue
			}
			count++
			var differ []int
			for k := range s.Values {
				if s.Values[k] != other.Values[k] {
					differ = append(differ, k)
				}
			}
			if len(differ) != 1 || !d.Visible(s, differ[0]) || !d.Visible(other, differ[0]) {
				t.Errorf("%s %d: attributes %v differ", d.Name(), row, differ)
			} else {
				attributes[differ[0]] = true
			}
			if !differInOnePlace(captions[0], captions[1]) {
				t.Errorf("captions %q", captions)
			}
		}
		if count < source.Len()*9/10 || len(attributes) < len(d.Attributes())*3/4 {
			t.Errorf("%s: %d of %d pictures have twins, in %d attributes", d.Name(), count, source.Len(), len(attributes))
		}
	}
}

// TestTwinsBatch has three of four pictures beside their twins, as the domain renders them, and then others.
func TestTwinsBatch(t *testing.T) {
	r := renders(t, whiskers.Domain{})
	mix, err := newMixture([]Share{{twins{renderCaptions{r, 10}}, 1}}, 17, 7)
	if err != nil {
		t.Fatal(err)
	}
	b, err := mix.batch(2)
	if err != nil {
		t.Fatal(err)
	}
	again, err := mix.batch(2)
	if err != nil || !bytes.Equal(b.pictures, again.pictures) {
		t.Error("the same step has other pictures")
	}
	pictures, captions := b.pictures, b.captions
	count := len(r.Domain.Attributes())
	if len(captions) != 17 || len(pictures) != 17*r.bytes() || len(b.values) != 17*count {
		t.Fatalf("%d captions, %d bytes, %d values", len(captions), len(pictures), len(b.values))
	}
	const paired = 12
	for i := 0; i < paired; i += 2 {
		one, twin := pictures[i*r.bytes():(i+1)*r.bytes()], pictures[(i+1)*r.bytes():(i+2)*r.bytes()]
		row := mix.orders[0].At(2*17 + i/2)
		if own, err := r.Pictures([]int{row}); err != nil || !bytes.Equal(one, own) {
			t.Errorf("picture %d is not render %d: %v", i, row, err)
		}
		if bytes.Equal(one, twin) || !differInOnePlace(captions[i], captions[i+1]) {
			t.Errorf("no twin beside picture %d: %q, %q", i, captions[i], captions[i+1])
		}
		label, other := b.values[i*count:(i+1)*count], b.values[(i+1)*count:(i+2)*count]
		if !slices.Equal(label, r.Values([]int{row})) || slices.Equal(label, other) {
			t.Errorf("labels of picture %d and its twin: %v, %v", i, label, other)
		}
	}
	for i := paired; i < 17; i++ {
		own, err := r.Pictures([]int{mix.orders[0].At(2*17 + i)})
		if err != nil || !bytes.Equal(pictures[i*r.bytes():(i+1)*r.bytes()], own) {
			t.Errorf("picture %d is not its row's render: %v", i, err)
		}
	}
}

func TestDifferInOnePlace(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"A cat in a blue room.", "a cat in a pink room", true},
		{"a church with two towers", "a church with a tall tower", true},
		{"A romantic chapel.", "a romantic chapel", false},
		{"a cat with a fish and blue eyes", "a cat with a plant and green eyes", true},
		{"a cat with a fish on a wall", "a kitty, green eyes, a plant", false},
		{"a villain cat", "a queen of all cats", false},
	} {
		if got := differInOnePlace(c.a, c.b); got != c.want {
			t.Errorf("%q, %q: %v", c.a, c.b, got)
		}
	}
}
