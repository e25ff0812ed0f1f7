package scenetest

import (
	"strings"
	"testing"

	"illustrator/cmd/worlds/scene"
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
	for _, word := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return strings.ContainsRune(" ,.;'’-", r) }) {
		set[word] = true
	}
	return set
}
