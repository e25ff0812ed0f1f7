package runs

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/losses"
	"illustrator/train"
)

// Listed is one row of the list: a run, or why it cannot be read.
type Listed struct {
	Name   string      `json:"name"`
	Folder string      `json:"folder"`
	Status string      `json:"status"` // "unreadable" with an Error
	Error  string      `json:"error,omitempty"`
	Step   int         `json:"step"`
	Steps  int         `json:"steps"`
	Best   *train.Best `json:"best,omitempty"`
	// Weights are the last stage's, by which the total of Best was summed: totals of other weights don't compare.
	Weights *losses.Weights `json:"weights,omitempty"`
	Seconds float64         `json:"seconds"`
	Updated *time.Time      `json:"updated,omitempty"`
}

// List reads the runs in a folder, sorted by name, which begins with their number.
func List(folder string) ([]Listed, error) {
	names, err := folders(folder)
	if errors.Is(err, fs.ErrNotExist) && folder == DefaultFolder {
		return []Listed{}, nil
	}
	if err != nil {
		return nil, fault.Hint(err, "give a folder that holds folders of runs")
	}
	if _, err := Read(train.Folder(folder)); err == nil {
		return nil, &Error{Code: OneRun, Text: fmt.Sprintf("%s is a run, not a folder of runs", folder), Folder: folder}
	}
	slices.Sort(names)
	rows := make([]Listed, len(names))
	for i, name := range names {
		path := filepath.Join(folder, name)
		row := Listed{Name: name, Folder: path, Status: "unreadable"}
		if run, err := Read(train.Folder(path)); err != nil {
			row.Error = fault.OneLine(err.Error())
		} else {
			at := run.Info
			row.Status, row.Step, row.Steps, row.Best = at.Status, at.Step, at.Steps, at.Best
			row.Seconds, row.Updated = at.Seconds, &at.Updated
			row.Weights, _ = weightsOf(path)
		}
		rows[i] = row
	}
	return rows, nil
}

func wholeSeconds(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second)
}

// weightsOf returns the loss weights of a run's last stage, by which all its validations are summed.
func weightsOf(path string) (*losses.Weights, error) {
	run, err := configs.OpenRun(train.Folder(path).Config(), nil)
	if err != nil {
		return nil, err
	}
	return &run.Train.Stages[len(run.Train.Stages)-1].Losses, nil
}

// bestLosses prints the losses of a run's best validation, each without its weight, so that they compare across runs;
// "-" stands for a loss that the run did not measure.
func bestLosses(best *train.Best) []string {
	row := make([]string, len(losses.All))
	for i, l := range losses.All {
		row[i] = "-"
		if best != nil && l.Value(best.Losses) != 0 {
			row[i] = fmt.Sprintf("%.4f", l.Value(best.Losses))
		}
	}
	return row
}

// ListTable shows listed runs as they are at now, below a row of titles.
func ListTable(rows []Listed, now time.Time) [][]string {
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
		row := append([]string{r.Name, r.Status, fmt.Sprintf("%d/%d", r.Step, r.Steps)}, bestLosses(r.Best)...)
		table = append(table, append(row, at, wholeSeconds(r.Seconds).String(), age(now.Sub(*r.Updated))))
	}
	return table
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
