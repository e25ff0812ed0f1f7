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
		"cafe\u0301 na\u0308ive":    "café-näive",
		"नमस्ते दुनिया":             "नमस्ते-दुनिया",
		"ไทย นํ้า":                  "ไทย-นํ้า",
		"\u0301x ❤\ufe0f \u0301y":   "x-y",
		strings.Repeat("word ", 20): "word-word-word-word-word-word-word-word",
	} {
		if got := Slug(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	// A character is not cut from its marks, and a name stays below the 255 bytes of file systems.
	long := Slug(strings.Repeat("ক্ষি", 60))
	if !strings.HasSuffix(long, "ি") || len(long) > 160 || long == "" {
		t.Errorf("%q has %d bytes", long, len(long))
	}
}
