package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"illustrator/internal/jsonfile"
	"illustrator/internal/version"
)

func newVersionCommand(opts *globalOptions) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions that this binary was built from",
		Example: `  illustrator version
  illustrator version --json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return jsonfile.Print(opts.stdout, version.Read())
			}
			_, err := fmt.Fprint(opts.stdout, versionText())
			return err
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
