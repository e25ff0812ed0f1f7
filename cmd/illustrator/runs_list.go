package main

import (
	"time"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/train/runs"
)

func newRunsListCommand(opts *terminal.Options) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [FOLDER]",
		Short: "List the runs in a folder",
		Long: `Lists the runs in a folder (default runs), by name, with the losses of their best validation, each without its
weight and with the generator's noise held fixed; totals of different weights would not compare. A run is killed if its
process ended without a word; what cannot be read is listed with the reason.`,
		Example: `  illustrator runs list
  illustrator runs list examples/runs --json`,
		Args: terminal.OptionalArg("one folder of runs, or none"),
		RunE: func(_ *cobra.Command, args []string) error {
			folder := runs.DefaultFolder
			if len(args) == 1 {
				folder = args[0]
			}
			rows, err := runs.List(folder)
			if err != nil {
				return err
			}
			if len(rows) == 0 {
				return opts.PrintResult(asJSON, rows, "no runs")
			}
			return opts.PrintRows(asJSON, rows, runs.ListTable(rows, time.Now()))
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
