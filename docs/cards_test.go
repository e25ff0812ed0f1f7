package docs_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"illustrator/checkpoints"
	"illustrator/models/mapper"
)

var (
	cardRow    = regexp.MustCompile("(?m)^\\| `(\\w+)` \\|[^|]*\\| ([0-9,]+)([^|]*)\\|")
	parameters = regexp.MustCompile(`^: ([0-9,]+) parameters`)
)

// The cards of the embedded networks count what the folders hold, and a mapper's parameters as its trainings do.
func TestCardsCount(t *testing.T) {
	number := func(text string) int {
		n, err := strconv.Atoi(strings.ReplaceAll(text, ",", ""))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	rows := 0
	for _, domain := range []string{"lorelei", "chapel", "whiskers"} {
		for _, row := range cardRow.FindAllStringSubmatch(readText(t, "checkpoints/"+domain+"/README.md"), -1) {
			rows++
			folder, err := checkpoints.Open("embedded:" + domain + "/" + row[1])
			if err != nil {
				t.Fatal(err)
			}
			w, err := folder.Weights()
			if err != nil {
				t.Fatal(err)
			}
			values := 0
			for _, tensor := range w.Tensors {
				values += tensor.Elements()
			}
			if got := number(row[2]); got != values {
				t.Errorf("%s/%s has %d values, and %d in its card", domain, row[1], values, got)
			}
			if row[1] != "mapper" {
				continue
			}
			var c mapper.Config
			if err := folder.Config(&c); err != nil {
				t.Fatal(err)
			}
			if m := parameters.FindStringSubmatch(row[3]); m == nil || number(m[1]) != c.Parameters() {
				t.Errorf("%s/mapper has %d parameters; its card says %q", domain, c.Parameters(), row[3])
			}
		}
	}
	if rows != 10 {
		t.Errorf("the cards have %d networks, want 10", rows)
	}
}
