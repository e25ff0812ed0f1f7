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
			v := version.Read()
			if asJSON {
				return jsonfile.Print(opts.stdout, v)
			}
			_, err := fmt.Fprintf(opts.stdout, "illustrator %s (%s, %s)\ngomlx %s\ngo-xla %s\n", v.Illustrator, v.Go, v.Platform, v.GoMLX, v.GoXLA)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
