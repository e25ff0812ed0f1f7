package main

import (
	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
)

func newRunsCommand(opts *terminal.Options) *cobra.Command {
	return terminal.Group(&cobra.Command{
		Use:   "runs",
		Short: "List, show, compare and remove runs",
		Long: `Lists, shows, compares and removes the folders that train writes. A RUN is the path of its folder, or its
number or name in the folder runs: 3, 00003 and 00003-lorelei are the same run.`,
		Example: `  illustrator runs list
  illustrator runs compare examples/runs/first examples/runs/second --out curves.png`,
	}, newRunsListCommand(opts), newRunsShowCommand(opts), newRunsCompareCommand(opts), newRunsRemoveCommand(opts),
		newRunsPackCommand(opts))
}
