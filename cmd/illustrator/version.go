package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// versions says what this binary was built from.
type versions struct {
	Illustrator string `json:"illustrator"`
	Commit      string `json:"commit,omitempty"`
	Go          string `json:"go"`
	Platform    string `json:"platform"`
	GoMLX       string `json:"gomlx"`
	GoXLA       string `json:"go_xla"`
}

func readVersions() versions {
	v := versions{Illustrator: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH, GoMLX: "unknown", GoXLA: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Illustrator = info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Commit = s.Value
		}
	}
	for _, dep := range info.Deps {
		switch dep.Path {
		case "github.com/gomlx/gomlx":
			v.GoMLX = dep.Version
		case "github.com/gomlx/go-xla":
			v.GoXLA = dep.Version
		}
	}
	return v
}

// fields are the versions by their names in JSON.
func (v versions) fields() map[string]string {
	return map[string]string{
		"illustrator": v.Illustrator, "commit": v.Commit, "go": v.Go, "platform": v.Platform, "gomlx": v.GoMLX, "go_xla": v.GoXLA,
	}
}

func newVersionCommand(opts *globalOptions) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions that this binary was built from",
		Example: `  illustrator version
  illustrator version --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := readVersions()
			if asJSON {
				return printJSON(opts.stdout, v)
			}
			_, err := fmt.Fprintf(opts.stdout, "illustrator %s (%s, %s)\ngomlx %s\ngo-xla %s\n", v.Illustrator, v.Go, v.Platform, v.GoMLX, v.GoXLA)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printJSON writes v as indented JSON.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
