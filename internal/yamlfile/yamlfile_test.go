package yamlfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"illustrator/internal/fault"
)

type sample struct {
	Name  string         `yaml:"name"`
	List  []string       `yaml:"list"`
	Inner map[string]any `yaml:"inner"`
}

func TestDecode(t *testing.T) {
	var got sample
	if err := Decode([]byte("name: a\nlist: &l [x, y]\ninner: {again: *l}\n"), &got); err != nil {
		t.Fatal(err)
	}
	if want := "{a [x y] map[again:[x y]]}"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	if err := Decode([]byte("# nothing\n"), &got); !errors.Is(err, ErrEmpty) {
		t.Error(err)
	}
	for text, want := range map[string]string{
		"name: a\n---\nname: b\n": "a second YAML document", "nmae: a\n": "field nmae not found",
		"name: [a]\n":        "cannot unmarshal",
		"name: a\nname: b\n": "already defined",
	} {
		if err := Decode([]byte(text), &got); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// doubled is a text whose aliases stand for 2^n values.
func doubled(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x]\n")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [*a%d, *a%d]\n", i, i, i-1, i-1)
	}
	return b.String()
}

// lines are n numbered lines.
func lines(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

var hostile = map[string][2]string{
	"keys":       {lines(40_000, "k%d: 1\n"), "a mapping has 40000 keys"},
	"same keys":  {strings.Repeat("k: 1\n", 40_000), "a mapping has 40000 keys"},
	"equal keys": {strings.Repeat("k: 1\n", 1000), `line 2: key "k" is already defined at line 1`},
	"values":     {lines(30_000, "- %d\n"), "more than 20000 keys and values"},
	"aliases":    {"a: &a 1\n" + lines(200, "k%d: *a\n"), "more than 100 aliases"},
	"doubled":    {doubled(30), "more than 100 aliases"},
	"cycle":      {"a: &a [1, *a]\n", "stands within what it names"},
	"deep":       {strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "nests more than 32 deep"},
	"deeper":     {strings.Repeat("[", 500_000), "max depth"},
	"indented":   {strings.Repeat("- ", 40) + "a", "nests more than 32 deep"},
	"list key":   {"a: &l [x]\n*l : b\n", "line 2: a key is a list or a mapping"},
	"key of two": {"? {a: 1}\n: b\n", "line 1: a key is a list or a mapping"},
	"long":       {"a: " + strings.Repeat("x", 1<<20), "bytes"},
}

// Documents that would take long are refused before they are decoded. The library takes 10 s for the first of these.
func TestHostileDocuments(t *testing.T) {
	for name, c := range hostile {
		began := time.Now()
		var got any
		err := Decode([]byte(c[0]), &got)
		if err == nil || !strings.Contains(err.Error(), c[1]) ||
			name != "deeper" && (!fault.IsUsage(err) || fault.HintOf(err) == "") {
			t.Errorf("%s: %v, want %q with a hint", name, err, c[1])
		}
		t.Logf("%s: %v", name, time.Since(began))
	}
}

func TestRead(t *testing.T) {
	folder := t.TempDir()
	if _, err := Read(folder); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Error(err)
	}
	path := filepath.Join(folder, "a.yaml")
	if err := os.WriteFile(path, make([]byte, maxBytes), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := Read(path); len(data) != maxBytes || err != nil {
		t.Error(len(data), err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil || !strings.Contains(err.Error(), "1099511627776 bytes") {
		t.Error(err)
	}
}

// Whatever stands in a file is decoded or refused without a panic.
func FuzzDecode(f *testing.F) {
	for _, c := range hostile {
		if len(c[0]) < 4<<10 {
			f.Add([]byte(c[0]))
		}
	}
	f.Add([]byte("name: a\nlist: &l [x, y]\ninner: {again: *l, <<: {b: 1}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got sample
		if err := Decode(data, &got); err != nil && strings.Contains(err.Error(), "runtime error") {
			t.Error(err)
		}
	})
}
