package scenetest

import (
	"slices"
	"strings"
	"testing"

	"illustrator/cmd/worlds/scene"
	"illustrator/data/texts"
)

// Captions calls check with the scenes and captions of the first count samples, and returns how often each word occurs.
func Captions(t *testing.T, d scene.Domain, count int, check func(s scene.Scene, text string)) map[string]int {
	t.Helper()
	latent, err := scene.NewLatent(d)
	if err != nil {
		t.Fatal(err)
	}
	words := make(map[string]int)
	for i := range count {
		s := latent.Sample(1, i).Scene
		text := d.Caption(s, scene.Random(2, i))
		if text == "" || text != strings.TrimSpace(text) || strings.Contains(text, "  ") || strings.ContainsAny(text, "{}+") {
			t.Fatalf("caption %q", text)
		}
		for word := range Words(text) {
			words[word]++
			if word == "a" || word == "an" {
				continue
			}
			for _, article := range []string{" a ", " an "} {
				vowel := strings.ContainsRune("aeiou", rune(word[0]))
				if strings.Contains(" "+strings.ToLower(text), article+word) && vowel != (article == " an ") {
					t.Fatalf("caption %q: wrong article", text)
				}
			}
		}
		check(s, text)
	}
	return words
}

// Words returns the words of a text in small letters, without punctuation.
func Words(text string) map[string]bool {
	set := make(map[string]bool)
	for _, word := range strings.FieldsFunc(strings.ToLower(text),
		func(r rune) bool { return strings.ContainsRune(" ,.;'’-", r) }) {
		set[word] = true
	}
	return set
}

// Descriptions checks a domain's labelled descriptions: 100 of limited words and 40 of concepts, each with values
// of the domain, in its captions' words.
func Descriptions(t *testing.T, d scene.Domain, path string) {
	t.Helper()
	descriptions, err := texts.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	known := Captions(t, d, 24000, func(scene.Scene, string) {})
	kinds, seen := make(map[string]int), make(map[string]bool)
	for _, text := range descriptions {
		kinds[text.Kind]++
		if seen[text.Text] {
			t.Errorf("%q occurs twice", text.Text)
		}
		seen[text.Text] = true
		if len(text.Attributes) == 0 {
			t.Errorf("%q names no attribute", text.Text)
		}
		for name, values := range text.Attributes {
			k := scene.Index(d, name)
			if k < 0 {
				t.Errorf("%q: no attribute %q", text.Text, name)
				continue
			}
			for _, value := range values {
				if !slices.Contains(d.Attributes()[k].Values, value) {
					t.Errorf("%q: %s has no value %q", text.Text, name, value)
				}
			}
		}
		for word := range Words(text.Text) {
			if known[word] < 2 {
				t.Errorf("%q: captions have %q %d times", text.Text, word, known[word])
			}
		}
	}
	if kinds["limited"] != 100 || kinds["open-world"] != 40 {
		t.Errorf("kinds %v, want 100 limited and 40 open-world", kinds)
	}
}
