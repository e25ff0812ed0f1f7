package terminal

import (
	"strings"
	"testing"
)

func TestPrintTable(t *testing.T) {
	var out strings.Builder
	rows := [][]string{{"name", "steps", "loss"}, {"größer", "7", "0.1"}, {"x", "this failed for a long reason"}, {},
		{"", "", "fix: it"}}
	want := "name    steps  loss\n" +
		"größer  7      0.1\n" +
		"x       this failed for a long reason\n" +
		"\n" +
		"               fix: it\n"
	if err := PrintTable(&out, rows); err != nil || out.String() != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out.String(), want)
	}
}
