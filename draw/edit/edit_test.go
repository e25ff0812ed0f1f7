package edit

import (
	"slices"
	"strings"
	"testing"

	"illustrator/draw"
	"illustrator/internal/fault"
)

func TestParseStrengths(t *testing.T) {
	if got, err := ParseStrengths("0, 0.5,-1,1e1"); err != nil || !slices.Equal(got, []float64{0, 0.5, -1, 10}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, wrong := range []string{"", "1,", "1,x", "NaN", "inf", "101", "1,1", "0-3", "1;2", strings.Repeat("1,", 200)} {
		if got, err := ParseStrengths(wrong); !fault.IsUsage(err) || fault.HintOf(err) == "" {
			t.Errorf("%q: %v, %v", wrong, got, err)
		}
	}
}

// A source is a seed, a picture file or a text; a mistake has a hint.
func TestReadSource(t *testing.T) {
	if s, err := ReadSource(t.Context(), "Seed:7"); err != nil || s.Seed == nil || *s.Seed != 7 {
		t.Errorf("a seed: %+v, %v", s, err)
	}
	if s, err := ReadSource(t.Context(), " a wizard "); err != nil || s.Text == nil || s.Text.Text != "a wizard" {
		t.Errorf("a text: %+v, %v", s, err)
	}
	for wrong, want := range map[string]string{"seed:-1": `"-1" is not a seed`, "none.png": "none.png", " ": ""} {
		if _, err := ReadSource(t.Context(), wrong); err == nil || !strings.Contains(err.Error(), want) ||
			fault.HintOf(err) == "" {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestSummaryText(t *testing.T) {
	half := 0.5
	s := Summary{Strip: "out/strip.png",
		Pictures: []Manipulated{{Alpha: &half, CLIPSimilarity: 0.25, OriginSimilarity: 1}}}
	want := "1 pictures, strip out/strip.png\n" +
		"strength 0.5: CLIP similarity to the text 0.250 (origin 0.000), to the origin 1.000"
	if s.String() != want {
		t.Errorf("%s\nwant\n%s", s, want)
	}
	s.Pictures[0].Change = &draw.Change{Found: 1, Named: 2, Kept: 3, Others: 4,
		Changed: map[string]string{"hat": "no → yes", "beard": "no → yes"}}
	want += "; 1 of 2 named attributes found; 3 of 4 others kept, beard: no → yes, hat: no → yes"
	if s.String() != want {
		t.Errorf("%s\nwant\n%s", s, want)
	}
}

func TestOutIsFile(t *testing.T) {
	for out, want := range map[string]bool{"a.png": true, "a.GIF": true, "a.apng": true, "a": false, "a.b/c": false} {
		if IsFile(out) != want {
			t.Errorf("%s: %v", out, !want)
		}
	}
}
