package runs

import (
	"slices"
	"testing"
)

// Runs that are served together are told apart by as much of their paths as that needs.
func TestNamesOfRuns(t *testing.T) {
	for _, c := range []struct{ refs, want []string }{
		{[]string{"runs/first", "runs/00002-second/"}, []string{"first", "00002-second"}},
		{[]string{"a/first", "b/first", "c/second"}, []string{"a/first", "b/first", "second"}},
		{[]string{"a/x/first", "b/x/first", "first"}, []string{"a/x/first", "b/x/first", "first"}},
		{[]string{"a/first", "a/first"}, []string{"first", "first"}},
		{[]string{"hf-hub:org/name@main", "runs/main"}, []string{"org/name@main", "main"}},
	} {
		if got := names(c.refs, c.refs); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.refs, got, c.want)
		}
	}
}
