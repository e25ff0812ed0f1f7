package caption_test

import (
	"strings"
	"testing"

	"illustrator/cmd/worlds/caption"
	"illustrator/cmd/worlds/scene"
	"illustrator/cmd/worlds/scene/scenetest"
)

func TestWord(t *testing.T) {
	for wording, want := range map[string]caption.Phrase{
		"+fat":               {Kind: caption.Adjective, Text: "fat"},
		"with a black roof":  {Kind: caption.With, Text: "a black roof"},
		"under a clear sky":  {Kind: caption.Plain, Text: "under a clear sky"},
		"without any towers": {Kind: caption.Plain, Text: "without any towers"},
	} {
		if got := caption.Word(wording); got != want {
			t.Errorf("%q: %+v, want %+v", wording, got, want)
		}
	}
}

// Sentences have every phrase, and "an" before a vowel.
func TestSentence(t *testing.T) {
	phrases := []caption.Phrase{
		caption.Word("+orange"), caption.Word("with a bow"), caption.Word("with upright ears"), caption.Word("asleep"),
	}
	forms := make(map[string]bool)
	for i := range 400 {
		text := strings.TrimRight(strings.ToLower(caption.Sentence(scene.Random(1, i), "cat", phrases)), ".")
		forms[text] = true
		for _, p := range phrases {
			if !strings.Contains(text, p.Text) {
				t.Errorf("%q lacks %q", text, p.Text)
			}
		}
	}
	for _, want := range []string{
		"an orange cat with a bow and upright ears asleep", "an orange cat with a bow and upright ears, asleep",
		"a cat, orange, a bow, upright ears, asleep",
	} {
		if !forms[want] {
			t.Errorf("no sentence %q", want)
		}
	}
}

func TestWithout(t *testing.T) {
	texts := []string{"A red disc.", "a disc", "A RED DISC on a white wall"}
	d := caption.Without(scenetest.Toy{}, texts)
	s := scene.Scene{Values: []int{0, 0, 0}, Continuous: make([]float32, 3)}
	for i := range 200 {
		for _, text := range texts {
			if got := d.Caption(s, scene.Random(1, i)); strings.EqualFold(strings.TrimRight(text, "."), got) {
				t.Errorf("caption %q is kept to judge by", got)
			}
		}
	}
}

func TestFit(t *testing.T) {
	concepts := []caption.Concept{
		{Words: []string{"sun"}, Needs: map[int][]string{0: {"disc"}, 1: {"yellow", "red"}}},
		{Words: []string{"night"}, Needs: map[int][]string{2: {"black"}}},
	}
	for _, c := range []struct {
		values []int
		want   string
	}{{[]int{0, 3, 0}, "sun"}, {[]int{0, 2, 0}, ""}, {[]int{1, 3, 1}, "night"}, {[]int{3, 3, 1}, ""}} {
		if got := strings.Join(caption.Fit(scenetest.Toy{}, concepts, scene.Scene{Values: c.values}), " "); got != c.want {
			t.Errorf("%v: %q, want %q", c.values, got, c.want)
		}
	}
}
