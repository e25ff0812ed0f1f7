package configs

import (
	"fmt"
	"strings"
	"testing"
)

func TestDifference(t *testing.T) {
	base := "a: 1\nb: {c: x, d: [1, {e: 2}]}\n"
	for other, want := range map[string]string{
		"a: 2\nb: {c: x, d: [1, {e: 2}]}\n":    "a is 1 there, 2 here",
		"a: 1\nb: {c: x, d: [1, {e: 3}]}\n":    "b.d[1].e is 2 there, 3 here",
		"a: 1\nb: {c: x, d: [1]}\n":            "b.d[1].e is 2 there, missing here",
		"a: 1\nb: {c: x, f: [1, {e: 2}]}\n":    "b.f[0] is missing there, 1 here",
		"a: 1\n":                               "b.c is x there, missing here",
		"a: 1\nb: 2\n":                         "b is missing there, 2 here",
		"":                                     "a is 1 there, missing here",
		"a: 1\nb:\n  c: x\n  d: [1, {e: 2}]\n": "only in how the file is written",
		"a: [":                                 "its file is not YAML",
	} {
		if got := Difference([]byte(base), []byte(other)); got != want {
			t.Errorf("%q: %q, want %q", other, got, want)
		}
	}
}

func TestSettings(t *testing.T) {
	settings, err := Settings([]byte("a: 1\nb: {c: x}\nz: []\n"), []byte("a: 1\nb: {c: y, d: &n {e: ''}}\nf: *n\nz: {}\n"),
		[]byte("b: {c: x}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, s := range settings {
		lines = append(lines, fmt.Sprintf("%s %s %v", s.Key, strings.Join(s.Values, "|"), s.Differ()))
	}
	const want = `a 1|1| true
b.c x|y|x true
b.d.e |""| true
f |*n| true
z []|{}| true`
	if got := strings.Join(lines, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := Settings([]byte("a: &a [*a]\n")); err == nil || !strings.Contains(err.Error(), "stands within") {
		t.Errorf("what contains itself: %v", err)
	}
	if same, _ := Settings([]byte("a: 1"), []byte("a: 1")); same[0].Differ() {
		t.Error("equal values differ")
	}
}
