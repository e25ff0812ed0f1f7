package terminal

import (
	"strings"
	"testing"
	"time"
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

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 59 * time.Second: "59s", 60 * time.Minute: "1h", 47 * time.Hour: "47h", 48 * time.Hour: "2d",
		119 * time.Second: "1m",
	} {
		if got := Age(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}
