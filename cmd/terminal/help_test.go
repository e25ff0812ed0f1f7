package terminal

import (
	"strings"
	"testing"

	"github.com/rivo/uniseg"
)

// TestFoldHelp folds a help text: paragraphs and meanings fit, every word stays, examples stay as they are.
func TestFoldHelp(t *testing.T) {
	const example = `  illustrator generate "a punk rocker" --count 4 --alphas 0.5,0.9,1.3 --out a-folder-with-a-long-name`
	const help = `Draws one picture for each text and seed, with a JSON beside it, a labelled grid (grid.png) and
a summary. They differ in:
  noise  the generator's noise, which is a long sentence that goes beyond the first line of this list
         and has another line
  z      √(1-s²) times z

Usage:
  illustrator generate TEXT... [flags]

Examples:
` + example + `

Flags:
      --alphas numbers   a row for each alpha and a column for each seed, of all texts that are given here
  -h, --help             help for generate
`
	for _, columns := range []int{40, 60, 80, 119} {
		folded := foldHelp(help, columns)
		if got, want := strings.Fields(folded), strings.Fields(help); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%d columns: other words: %q", columns, folded)
		}
		for line := range strings.SplitSeq(folded, "\n") {
			if width := uniseg.StringWidth(line); width > columns && line != example {
				t.Errorf("%d columns: a line of %d: %q", columns, width, line)
			}
		}
	}
	narrow := foldHelp(help, 60)
	for _, want := range []string{
		"a labelled grid (grid.png) and a summary. They differ\nin:\n", "\n         that goes beyond",
		"\n  z      √(1-s²) times z\n",
		"and a column\n                         for each seed,",
	} {
		if !strings.Contains(narrow, want) {
			t.Errorf("without %q:\n%s", want, narrow)
		}
	}
}
