package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/train"
)

func newRunsListCommand(opts *globalOptions) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list [FOLDER]",
		Short: "List the runs in a folder",
		Long: `Lists the runs in a folder (default runs), by name. best is the lowest validation loss, with the generator's noise held
fixed. A run is killed if its process ended without a word; what cannot be read is listed with the reason.`,
		Example: `  illustrator runs list
  illustrator runs list experiments --json`,
		Args: terminal.OptionalArg("one folder of runs, or none"),
		RunE: func(_ *cobra.Command, args []string) error {
			folder := runsFolder
			if len(args) == 1 {
				folder = args[0]
			}
			rows, err := listRuns(folder)
			if err != nil {
				return err
			}
			if asJSON {
				return jsonfile.Print(opts.stdout, rows)
			}
			return printRuns(opts.stdout, rows, time.Now())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// listedRun is one row of the list: a run, or why it cannot be read.
type listedRun struct {
	Name    string      `json:"name"`
	Folder  string      `json:"folder"`
	Status  string      `json:"status"` // "unreadable" with an Error
	Error   string      `json:"error,omitempty"`
	Step    int         `json:"step"`
	Steps   int         `json:"steps"`
	Best    *train.Best `json:"best,omitempty"`
	Seconds float64     `json:"seconds"`
	Updated *time.Time  `json:"updated,omitempty"`
}

// listRuns reads the runs in a folder, sorted by name, which begins with their number.
func listRuns(folder string) ([]listedRun, error) {
	names, err := folders(folder)
	if errors.Is(err, fs.ErrNotExist) && folder == runsFolder {
		return []listedRun{}, nil
	}
	if err != nil {
		return nil, fault.Hint(err, "give a folder that holds folders of runs")
	}
	if _, err := readRun(train.Folder(folder)); err == nil {
		return nil, fault.Usage(fmt.Errorf("%s is a run, not a folder of runs", folder), "`illustrator runs show %s` shows it", folder)
	}
	slices.Sort(names)
	rows := make([]listedRun, len(names))
	for i, name := range names {
		path := filepath.Join(folder, name)
		row := listedRun{Name: name, Folder: path, Status: "unreadable"}
		if run, err := readRun(train.Folder(path)); err != nil {
			row.Error = terminal.OneLine(err.Error())
		} else {
			at := run.Info
			row.Status, row.Step, row.Steps, row.Best, row.Seconds, row.Updated = at.Status, at.Step, at.Steps, at.Best, at.Seconds, &at.Updated
		}
		rows[i] = row
	}
	return rows, nil
}

func printRuns(w io.Writer, rows []listedRun, now time.Time) error {
	if len(rows) == 0 {
		_, err := fmt.Fprintln(w, "no runs")
		return err
	}
	table := [][]string{{"run", "status", "step", "best", "at step", "time", "age"}}
	for _, r := range rows {
		if r.Error != "" {
			table = append(table, []string{r.Name, r.Status, r.Error})
			continue
		}
		best, at := "-", "-"
		if r.Best != nil {
			best, at = fmt.Sprintf("%.4f", r.Best.Losses.Total), fmt.Sprint(r.Best.Step)
		}
		table = append(table, []string{r.Name, r.Status, fmt.Sprintf("%d/%d", r.Step, r.Steps), best, at,
			wholeSeconds(r.Seconds).String(), age(now.Sub(*r.Updated))})
	}
	return terminal.PrintTable(w, table)
}

func wholeSeconds(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second)
}

// age says how long ago something was, by its largest unit.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(max(d, 0).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}
