package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/train"
	"illustrator/train/runs"
)

func newRunsShowCommand(opts *terminal.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "show RUN",
		Short: "Show one run",
		Long: `Shows a run's settings that differ from the paper's, its networks, pairs, losses and files, and the command
that resumes it.`,
		Example: `  illustrator runs show examples/runs/first
  illustrator runs show examples/runs/second`,
		Args: terminal.ExactArgs(1, "one run"),
		RunE: func(_ *cobra.Command, args []string) error {
			folder, err := runs.Find(args[0])
			if err != nil {
				return err
			}
			run, err := runs.Read(folder)
			if err != nil {
				return err
			}
			return showRun(opts.Stdout, run)
		},
	}
}

func showRun(w io.Writer, run runs.Run) error {
	rows, err := run.Table(terminal.CommandLine("illustrator", run.Info.Arguments))
	if err != nil {
		return err
	}
	return terminal.PrintTable(w, append(rows, nextRows(run)...))
}

// nextRows show the commands that continue from here.
func nextRows(run runs.Run) [][]string {
	draw := fmt.Sprintf("illustrator generate %q --run %s --out pictures", run.ExampleText(), run.Folder)
	rows := [][]string{{"draw", draw}}
	if run.Info.Best == nil {
		rows = nil
	}
	if status := run.Info.Status; status != train.Finished && status != train.Running {
		rows = append(rows, []string{"go on", terminal.CommandLine("illustrator", run.Info.Arguments)})
	}
	return rows
}
