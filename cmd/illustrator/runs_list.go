package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/internal/jsonfile"
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
			if asJSON {
				return jsonfile.Print(opts.Stdout, rows)
			}
			return printRuns(opts.Stdout, rows, time.Now())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printRuns(w io.Writer, rows []runs.Listed, now time.Time) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "no runs")
		return err
	}
	table := [][]string{{"run", "status", "step", "l1", "semantic", "regularization", "at step", "time", "age"}}
	for _, r := range rows {
		if r.Error != "" {
			table = append(table, []string{r.Name, r.Status, r.Error})
			continue
		}
		at := "-"
		if r.Best != nil {
			at = fmt.Sprint(r.Best.Step)
		}
		row := append([]string{r.Name, r.Status, fmt.Sprintf("%d/%d", r.Step, r.Steps)}, runs.BestLosses(r.Best)...)
		table = append(table, append(row, at, r.Took().String(), terminal.Age(now.Sub(*r.Updated))))
	}
	return terminal.PrintTable(w, table)
}
