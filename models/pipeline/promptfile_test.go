package pipeline

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"illustrator/internal/fault"
	"illustrator/internal/files/filestest"
	"illustrator/models/clip"
)

func TestPromptsRoundTripAndRefuse(t *testing.T) {
	networks := &Networks{CLIP: clip.Config{ProjectionDim: 3}, Hashes: map[string]string{"clip": "aa11"}}
	path := filepath.Join(t.TempDir(), "p.safetensors")
	want := PromptFile{
		Prompts:    Prompts{Text: []float32{1, 2, 3}, Image: []float32{-1, 0.5, 7}},
		TextPrompt: "A person “here”.", Source: "3 pictures", CLIPSHA256: "aa11",
	}
	write := func(p PromptFile) []byte {
		t.Helper()
		if err := WritePrompts(path, p); err != nil {
			t.Fatal(err)
		}
		return filestest.Read(t, path)
	}
	raw := write(want)
	got, err := ParsePrompts(path, raw, networks)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Text, want.Text) || !slices.Equal(got.Image, want.Image) || got.TextPrompt != want.TextPrompt || got.Source != want.Source {
		t.Errorf("%+v, want %+v", got, want)
	}
	if !slices.Equal(raw, write(want)) {
		t.Error("the same prompts give other bytes")
	}
	foreign, short, infinite := want, want, want
	foreign.CLIPSHA256 = "bb22"
	short.Prompts = Prompts{Text: []float32{1, 2}, Image: []float32{1, 2}}
	infinite.Prompts = Prompts{Text: []float32{1, 2, 3}, Image: []float32{1, 2, float32(math.Inf(1))}}
	for message, raw := range map[string][]byte{
		"were made with CLIP bb22; this domain has aa11": write(foreign),
		"has shape [2]; expected [3]":                    write(short),
		"element 5":                                      write(infinite),
		"read prompts":                                   raw[:20],
	} {
		if _, err := ParsePrompts(path, raw, networks); err == nil || fault.IsUsage(err) || !strings.Contains(err.Error(), message) || !strings.Contains(err.Error(), path) ||
			!strings.Contains(fault.HintOf(err), "illustrator prompt") {
			t.Errorf("error %v, hint %q; want %q and the file", err, fault.HintOf(err), message)
		}
	}
}
