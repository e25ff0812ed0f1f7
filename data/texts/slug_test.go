package texts

import (
	"strings"
	"testing"
)

func TestSlug(t *testing.T) {
	for text, want := range map[string]string{
		"A wizard, with 2 hats!":    "a-wizard-with-2-hats",
		"../../etc/passwd":          "etc-passwd",
		"魔法使い":                      "魔法使い",
		"!!!":                       "",
		strings.Repeat("word ", 20): "word-word-word-word-word-word-word-word",
	} {
		if got := Slug(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
