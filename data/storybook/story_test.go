package storybook

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"illustrator/internal/fault"
)

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		want Story
	}{
		"story.txt": {
			"\uFEFF  One line,\r\nand its second. \n \n\n# Not a heading\n\n\n",
			Story{Paragraphs: []Paragraph{{"", "One line, and its second."}, {"", "# Not a heading"}}},
		},
		"story.MD": {
			"# The *title*\n\nIt was **dark**\nand `cold`. ![a picture](x.png)\n\n## One\n\n```\ncode\n```\n\n    more " +
				"code\n\n> A quotation, [linked](http://x.y).\n\n" +
				"<div>html</div>\n\n- first\n- second <b>item</b>\n\n| a | b |\n|---|---|\n| c | d |\n\nTwo\n===\n\nEnd &amp; " +
				"\\*out\\*: <http://x.y>\n\n![only a picture](y.png)\n",
			Story{"The title", []Paragraph{
				{"", "It was dark and cold."}, {"One", "A quotation, linked."}, {"", "first"}, {"", "second item"},
				{"Two", "End & *out*: http://x.y"},
			}},
		},
		"notes.md": {"A wizard[^1] came.[^note]\n\n[^1]: He is old.\n[^note]:\n    Late.\n\nThe end.\n",
			Story{"", []Paragraph{{"", "A wizard came."}, {"", "The end."}}}},
		"late.md": {"Before.\n\n# Chapter\n\nAfter.", Story{"", []Paragraph{{"", "Before."}, {"Chapter", "After."}}}},
	} {
		got, err := Parse(name, []byte(c.raw))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestReadMistakes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.txt"):                  "no such file",
		dir:                                             "not a regular file",
		write("latin.txt", "caf\xe9"):                   "not a text in UTF-8",
		write("nul.txt", "a\x00b"):                      "not a text in UTF-8",
		write("empty.txt", " \n\n"):                     "no paragraph",
		write("code.md", "# Title\n\n```\nx\n```\n"):    "no paragraph",
		write("long.txt", strings.Repeat("a\n\n", 501)): "501 paragraphs",
		write("quotes.md", "a\n\n"+strings.Repeat(">", 400_000)+" b\n"):   "line 3 nests more than 100",
		write("lists.md", strings.Repeat("- ", 200_000)+"b"):              "line 1 nests more than 100",
		write("numbers.markdown", strings.Repeat("1. > * ", 100_000)+"b"): "line 1 nests more than 100",
		write("big.txt", strings.Repeat("word ", 3e5)):                    "more than 1048576 bytes",
	} {
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) ||
			fault.HintOf(err) == "" {
			t.Errorf("got %v (hint %q), want %q", err, fault.HintOf(err), want)
		}
	}
}

// Whole sentences where one fits, else words; nothing is lost between what is kept and what is left.
func TestReduce(t *testing.T) {
	words := func(n int) func(string) bool { return func(s string) bool { return len(strings.Fields(s)) <= n } }
	for _, c := range []struct {
		text       string
		n          int
		kept, left string
	}{
		{"He sat. She came in! Then Mr. Brown left.", 9, "He sat. She came in! Then Mr. Brown left.", ""},
		{"He sat. She came in! Then it rained.", 5, "He sat. She came in!", "Then it rained."},
		{"He sat. She came in! Then it rained.", 4, "He sat.", "She came in! Then it rained."},
		{"A very long first sentence. Then two.", 3, "A very long", "first sentence. Then two."},
		{"Indivisible", 0, "Indivisible", ""},
		{"Wörter ohne Ende. Ja?", 3, "Wörter ohne Ende.", "Ja?"},
	} {
		if kept, left := Reduce(c.text, words(c.n)); kept != c.kept || left != c.left {
			t.Errorf("%q to %d words: %q, %q; want %q, %q", c.text, c.n, kept, left, c.kept, c.left)
		}
	}
}
