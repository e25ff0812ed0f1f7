package runs

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"illustrator/internal/fault"
	"illustrator/train"
)

// Listed is one row of the list: a run, or why it cannot be read.
type Listed struct {
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
		}
		rows[i] = row
	}
	return rows, nil
}

// Took returns the time that the training took, in whole seconds.
func (l Listed) Took() time.Duration { return wholeSeconds(l.Seconds) }

func wholeSeconds(seconds float64) time.Duration {
	return time.Duration(seconds * float64(time.Second)).Round(time.Second)
}
