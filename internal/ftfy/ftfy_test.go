package ftfy

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// golden is the output of testdata/golden.py.
type golden struct {
	Cases                 []struct{ Text, Fixed, Unescaped string }
	Words, Spaces, Pieces []string
	Limits                []uint64
	Ranges                [][2]uint64
	Random, Unescaped     string
	state                 uint64
}

// below is splitmix64, modulo n.
func (g *golden) below(n int) int {
	g.state += 0x9e3779b97f4a7c15
	z := g.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}

func (g *golden) character() string {
	for {
		c := uint64(g.below(int(g.Limits[g.below(len(g.Limits))])))
		if slices.ContainsFunc(g.Ranges, func(r [2]uint64) bool { return r[0] <= c && c <= r[1] }) {
			return string(rune(c))
		}
	}
}

// text makes the script's next random text.
func (g *golden) text() string {
	pick := func(list []string) string { return list[g.below(len(list))] }
	var b strings.Builder
	for range 1 + g.below(6) {
		switch kind := g.below(100); {
		case kind < 30:
			b.WriteString(pick(g.Words))
		case kind < 75:
			b.WriteString(pick(g.Pieces))
		default:
			for range 1 + g.below(3) {
				b.WriteString(g.character())
			}
		}
		if g.below(100) < 50 {
			b.WriteString(pick(g.Spaces))
		}
	}
	return b.String()
}

// Texts become what ftfy.fix_text and html.unescape make of them: nasty ones, and 20,000 random ones of mojibake in all
// encodings, entities and characters of all kinds.
func TestFixEqualsFtfy(t *testing.T) {
	raw, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	g := golden{state: 7}
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
		text := g.text()
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
