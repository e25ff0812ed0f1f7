package main

import (
	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
)

func newBenchCommand(opts *terminal.Options) *cobra.Command {
	return terminal.Group(&cobra.Command{
		Use:   "bench",
		Short: "Measure the speed of this machine",
		Example: `  illustrator bench batch
  illustrator bench plan --pairs 1000000 --devices 1,8`,
	}, newBenchBatchCommand(opts), newBenchPlanCommand(opts))
}
