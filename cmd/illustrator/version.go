package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/internal/version"
)

func newVersionCommand(opts *terminal.Options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions that this binary was built from",
		Example: `  illustrator version
  illustrator version --json`,
		Args: terminal.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return opts.PrintResult(asJSON, version.Read(), strings.TrimSuffix(versionText(), "\n"))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// versionText returns the versions of the program, Go and GoMLX in lines.
func versionText() string {
	v := version.Read()
	return fmt.Sprintf("illustrator %s (%s, %s)\ngomlx %s\ngo-xla %s\n", v.Illustrator, v.Go, v.Platform, v.GoMLX, v.GoXLA)
}
