package main

import (
	"io"
	"path/filepath"
	"slices"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"illustrator/cmd/terminal"
	"illustrator/internal/files/filestest"
)

// A flag that carries paths is not cut at commas or quotes: only lists of words are.
func TestPathsAreNotCut(t *testing.T) {
	lists := []string{"aspects", "attribute", "metrics"}
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		c.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Value.Type() == "stringSlice" && !slices.Contains(lists, f.Name) {
				t.Errorf("%s --%s is cut at commas: make it a StringArray, or list it here", c.CommandPath(), f.Name)
			}
		})
		for _, sub := range c.Commands() {
			check(sub)
		}
	}
	check(newRootCommand(terminal.NewOptions("illustrator", io.Discard, io.Discard)))
}

func TestDomainsOf(t *testing.T) {
	path := filepath.Join(t.TempDir(), `my, "own".yaml`)
	filestest.Write(t, path, nil)
	if got := domainsOf([]string{"lorelei,a.yaml", path}); !slices.Equal(got, []string{"lorelei", "a.yaml", path}) {
		t.Errorf("%q", got)
	}
}
