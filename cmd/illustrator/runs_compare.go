package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/eval/chart"
	"illustrator/internal/fault"
	"illustrator/train/runs"
)

type compareOptions struct {
	out    string
	linear bool
}

func newRunsCompareCommand(opts *terminal.Options) *cobra.Command {
	var c compareOptions
	cmd := &cobra.Command{
		Use:   "compare RUN...",
		Short: "Compare settings and losses of runs",
		Long: `Prints all settings in which runs differ, and their losses: as a small chart of the validations, or with
--out as a picture of training and validation. Of one run the curves alone. The total is left out where runs have
different loss weights: such totals don't compare.`,
		Example: `  illustrator runs compare examples/runs/first examples/runs/second
  illustrator runs compare examples/runs/first examples/runs/second --out curves.png`,
		Args: terminal.SomeArgs("the runs to compare"),
		RunE: func(_ *cobra.Command, args []string) error { return runRunsCompare(opts, args, c) },
	}
	cmd.Flags().StringVarP(&c.out, "out", "o", "", "write the curves to this .png or .svg file")
	cmd.Flags().BoolVar(&c.linear, "linear", false, "linear axes instead of logarithmic ones")
	return cmd
}

func runRunsCompare(opts *terminal.Options, refs []string, c compareOptions) error {
	if c.out != "" {
		if err := terminal.CheckOutputFile(c.out, chart.Formats...); err != nil {
			return err
		}
	}
	compared, err := runs.ReadAll(refs)
	if err != nil {
		return err
	}
	if len(compared) > 1 {
		table, err := runs.Differences(compared)
		if err != nil {
			return err
		}
		if err := terminal.PrintTable(opts.Stdout, table); err != nil {
			return err
		}
	}
	figure, err := lossFigure(compared, !c.linear)
	if err != nil {
		return err
	}
	switch {
	case c.out == "":
		return printCurves(opts.Stdout, figure)
	case len(figure.Panels) == 0:
		return fault.Hint(fmt.Errorf("draw %q: none of the runs has written down a loss yet", c.out),
			"wait until they have trained some steps")
	}
	if err := figure.Write(c.out); err != nil {
		return err
	}
	return opts.Printf("\n%s\n", c.out)
}

// printCurves draws the strong lines of each panel in characters.
func printCurves(w io.Writer, figure chart.Figure) error {
	for _, panel := range figure.Panels {
		text, err := panel.Text(terminal.Room(w, 72, 10), 10, terminal.HasColours(w))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "\n%s\n", strings.TrimRight(text, "\n")); err != nil {
			return err
		}
	}
	return nil
}
