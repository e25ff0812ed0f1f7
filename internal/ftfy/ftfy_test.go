package ftfy

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"illustrator/internal/pytools"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// golden is the output of testdata/golden.py.
type golden struct {
	pytools.RandomTexts
	Cases             []struct{ Text, Fixed, Unescaped string }
	Random, Unescaped string
}

// Texts become what ftfy.fix_text and html.unescape make of them: nasty ones, and 20,000 random ones of mojibake in all
// encodings, entities and characters of all kinds.
func TestFixEqualsFtfy(t *testing.T) {
	raw, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	g := golden{RandomTexts: pytools.RandomTexts{Seed: 7, Word: 30, Piece: 75, Space: 50}}
	if err := json.Unmarshal(raw, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Cases) < 30 || len(g.Random) != 160_000 || len(g.Unescaped) != len(g.Random) {
		t.Fatalf("%d cases, %d digits", len(g.Cases), len(g.Random))
	}
	for _, c := range g.Cases {
		if got := Fix(c.Text); got != c.Fixed {
			t.Errorf("%q\n got %q\nwant %q", c.Text, got, c.Fixed)
		}
		if got := Unescape(c.Text); got != c.Unescaped {
			t.Errorf("unescaped %q\n got %q\nwant %q", c.Text, got, c.Unescaped)
		}
	}
	wrong := 0
	for i := range len(g.Random) / 8 {
		text := g.Text()
		crc := func(s string) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE([]byte(s))) }
		if got := Fix(text); crc(got) != g.Random[8*i:8*i+8] {
			t.Errorf("text %d, %q: %q is not ftfy's", i, text, got)
			wrong++
		}
		if got := Unescape(text); crc(got) != g.Unescaped[8*i:8*i+8] {
			t.Errorf("text %d, %q: %q is not html.unescape's", i, text, got)
			wrong++
		}
		if wrong > 20 {
			t.FailNow()
		}
	}
}

func FuzzFix(f *testing.F) {
	f.Add("cafÃ© &amp; “x”")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ToValidUTF8(text, "\ufffd")
		if fixed := Fix(text); !utf8.ValidString(fixed) {
			t.Errorf("%q becomes %q", text, fixed)
		}
	})
}
