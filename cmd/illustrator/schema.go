package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs/schemas"
	"illustrator/internal/fault"
)

func newSchemaCommand(opts *terminal.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "schema KIND",
		Short: "Print the JSON Schema of a kind of YAML file",
		Long: `Prints the JSON Schema of a domain's, a run's or a study's YAML file, with the meaning of every key. Editors
with a YAML language server complete and check a file whose first line names it: # yaml-language-server: $schema=PATH.`,
		Example: `  illustrator schema run
  illustrator schema domain`,
		Args: terminal.ExactArgs(1, "one of "+strings.Join(schemas.Kinds, ", ")),
		RunE: func(_ *cobra.Command, args []string) error {
			raw, err := schemas.Read(args[0])
			if err != nil {
				return fault.Usage(err, "the kinds are %s", strings.Join(schemas.Kinds, ", "))
			}
			_, err = fmt.Fprint(opts.Stdout, string(raw))
			return err
		},
	}
}
