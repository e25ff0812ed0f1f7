package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/eval/chart"
	"illustrator/internal/fault"
	"illustrator/train"
)

type compareOptions struct {
	out    string
	linear bool
}

func newRunsCompareCommand(opts *globalOptions) *cobra.Command {
	var c compareOptions
	cmd := &cobra.Command{
		Use:   "compare RUN...",
		Short: "Compare settings and losses of runs",
		Long: `Prints all settings in which runs differ, and their losses: as a small chart of the validations, or with --out as a
picture of training and validation. Of one run the curves alone.`,
		Example: `  illustrator runs compare 3 4
  illustrator runs compare runs/00003-lorelei runs/00004-wide --out curves.png`,
		Args: terminal.SomeArgs("the runs to compare"),
		RunE: func(_ *cobra.Command, args []string) error { return runRunsCompare(opts, args, c) },
	}
	cmd.Flags().StringVarP(&c.out, "out", "o", "", "write the curves to this .png or .svg file")
	cmd.Flags().BoolVar(&c.linear, "linear", false, "linear axes instead of logarithmic ones")
	return cmd
}

func runRunsCompare(opts *globalOptions, refs []string, c compareOptions) error {
	if c.out != "" {
		if err := terminal.CheckOutputFile(c.out, chart.Formats...); err != nil {
			return err
		}
	}
	runs, err := readRuns(refs)
	if err != nil {
		return err
	}
	if len(runs) > 1 {
		table, err := differences(runs)
		if err != nil {
			return err
		}
		if err := terminal.PrintTable(opts.stdout, table); err != nil {
			return err
		}
	}
	figure, err := curvesOf(runs, !c.linear)
	if err != nil {
		return err
	}
	switch {
	case c.out == "":
		return printCurves(opts.stdout, figure)
	case len(figure.Panels) == 0:
		return fault.Hint(fmt.Errorf("draw %q: none of the runs has written down a loss yet", c.out), "wait until they have trained some steps")
	}
	if err := figure.Write(c.out); err != nil {
		return err
	}
	_, err = fmt.Fprintf(opts.stdout, "\n%s\n", c.out)
	return err
}

// readRuns reads the runs that a user names, each once.
func readRuns(refs []string) (runs []storedRun, err error) {
	for _, ref := range refs {
		folder, err := findRun(ref)
		if err != nil {
			return nil, err
		}
		run, err := readRun(folder)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(runs, func(other storedRun) bool { return other.Folder == run.Folder }) {
			return nil, fault.Usage(fmt.Errorf("run %s is named twice", run.Folder), "name runs that differ")
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// differences is a table of all settings and circumstances in which runs differ, and what came of them.
func differences(runs []storedRun) ([][]string, error) {
	files := make([][]byte, len(runs))
	for i, run := range runs {
		text, err := os.ReadFile(run.Config())
		if err != nil {
			return nil, fault.Hint(err, "name folders of runs that `illustrator train` began")
		}
		files[i] = text
	}
	settings, err := configs.Settings(files...)
	if err != nil {
		return nil, fmt.Errorf("compare settings: %w", err)
	}
	settings = append(settings, circumstances(runs)...)
	table := [][]string{{""}}
	for _, run := range runs {
		table[0] = append(table[0], run.Name())
	}
	for _, s := range settings {
		if !s.Differ() {
			continue
		}
		row := []string{s.Key}
		for _, value := range s.Values {
			if value == "" {
				value = "-"
			}
			row = append(row, value)
		}
		table = append(table, row)
	}
	return append(table, outcomes(runs)...), nil
}

// circumstances are what a run's settings don't say.
func circumstances(runs []storedRun) []configs.Setting {
	var all []configs.Setting
	add := func(key string, of func(train.Info) string) {
		s := configs.Setting{Key: key}
		for _, run := range runs {
			s.Values = append(s.Values, of(run.Info))
		}
		all = append(all, s)
	}
	for _, name := range networkNames(runs) {
		add("network "+name, func(i train.Info) string { return fmt.Sprintf("%.12s", i.Networks[name]) })
	}
	add("pairs", func(i train.Info) string { return i.Pairs })
	add("pairs' SHA-256", func(i train.Info) string { return fmt.Sprintf("%.12s", i.PairsSHA256) })
	add("commit", func(i train.Info) string { return fmt.Sprintf("%.12s", i.Versions["commit"]) })
	add("device", func(i train.Info) string { return i.Device })
	return all
}

func networkNames(runs []storedRun) (names []string) {
	for _, run := range runs {
		for name := range run.Info.Networks {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// outcomes are rows that stand in the table even where they agree.
func outcomes(runs []storedRun) [][]string {
	status, step, best, at := []string{"status"}, []string{"step"}, []string{"best"}, []string{"at step"}
	for _, run := range runs {
		i := run.Info
		status, step = append(status, i.Status), append(step, fmt.Sprintf("%d/%d", i.Step, i.Steps))
		if i.Best == nil {
			best, at = append(best, "-"), append(at, "-")
			continue
		}
		best, at = append(best, fmt.Sprintf("%.4f", i.Best.Losses.Total)), append(at, fmt.Sprint(i.Best.Step))
	}
	return [][]string{status, step, best, at}
}

// printCurves draws the strong lines of each panel in characters.
func printCurves(w io.Writer, figure chart.Figure) error {
	for _, panel := range figure.Panels {
		text, err := panel.Text(72, 10, terminal.HasColours(w))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "\n%s\n", strings.TrimRight(text, "\n")); err != nil {
			return err
		}
	}
	return nil
}
