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
	got, err := ParsePrompts(path, raw, networks, "A person.")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Text, want.Text) || !slices.Equal(got.Image, want.Image) || got.TextPrompt != want.TextPrompt ||
		got.Source != want.Source {
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
		if _, err := ParsePrompts(path, raw, networks, "A person."); err == nil || fault.IsUsage(err) ||
			!strings.Contains(err.Error(), message) || !strings.Contains(err.Error(), path) ||
			fault.CodeOf(err) == "" {
			t.Errorf("error %v, hint %q; want %q and the file", err, fault.HintOf(err), message)
		}
	}
}

// An image prompt of the official release is scaled to the length √E and goes with the domain's text prompt.
func TestReleasedImagePrompt(t *testing.T) {
	networks := &Networks{CLIP: clip.Config{ProjectionDim: 3}, Hashes: map[string]string{"clip": "aa11"}}
	for name, want := range map[string][]float32{"image_prompt.pth": {1, -2, 2}, "image_prompt_half.pth": {1.8, 0, 2.4}} {
		path := filepath.Join("testdata", name)
		p, err := ParsePrompts(path, filestest.Read(t, path), networks, "A Cat.")
		if err != nil {
			t.Fatal(err)
		}
		if p.Text != nil || p.TextPrompt != "A Cat." || p.CLIPSHA256 != "aa11" || p.Source != "the image prompt "+name {
			t.Errorf("%+v", p)
		}
		for i, v := range want {
			v *= float32(math.Sqrt(3) / 3)
			if math.Abs(float64(p.Image[i]-v)) > 1e-6 {
				t.Errorf("%s: element %d is %g, want %g", name, i, p.Image[i], v)
			}
		}
	}
	long, whole := filepath.Join("testdata", "image_prompt_long.pth"),
		filestest.Read(t, filepath.Join("testdata", "image_prompt.pth"))
	for want, raw := range map[string][]byte{"has shape [1 4]; expected [1 3]": filestest.Read(t, long),
		"read PyTorch file": whole[:len(whole)/2]} {
		if _, err := ParsePrompts(long, raw, networks, "A Cat."); err == nil || !strings.Contains(err.Error(), want) ||
			fault.HintOf(err) == "" {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
