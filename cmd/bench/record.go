package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"illustrator/cmd/bench/compare"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/internal/machine"
	"illustrator/train/bench"
)

// record holds a case in the file of --out: how it was measured, and its results after the last round so far.
type record struct {
	Command  string           `json:"command"`
	Date     string           `json:"date"`
	Commit   string           `json:"commit,omitempty"`
	Machine  string           `json:"machine"`
	Versions string           `json:"versions"`
	Load     string           `json:"load_average"` // before the case
	Rounds   int              `json:"rounds"`       // asked for; a case that was stopped has fewer
	Results  []compare.Result `json:"results"`
}

// records are the cases of a file by name and batch, "full-step-2". A measurement replaces those of its own cases.
type records map[string]record

// readRecords reads the file at path, none if it does not exist.
func readRecords(path string) (records, error) {
	all := records{}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	return all, fault.Hint(wrap(err, path), "name another file in --out, or move that one away")
}

func wrap(err error, path string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read the measurements in %q: %w", path, err)
}

// recordOf returns a case's record without results.
func recordOf(r benchReport, rounds int, args []string) record {
	versions := fmt.Sprintf("GoMLX %s, go-xla %s", r.Versions.GoMLX, r.Versions.GoXLA)
	if r.PyTorch != "" {
		versions += ", PyTorch " + r.PyTorch
	}
	on := fmt.Sprintf("%d cores, %s", r.Cores, machine.Processor())
	if r.GPU != nil {
		on = r.GPU.Name
	}
	command := append([]string{filepath.Base(args[0])}, args[1:]...)
	return record{Command: strings.Join(command, " "), Date: time.Now().Format(time.DateOnly), Commit: r.Versions.Commit,
		Machine: on, Versions: versions, Load: machine.LoadAverage(), Rounds: rounds}
}

// put writes the results of c to the file at path, "" for none.
func (all records) put(path string, c bench.Case, r record, results []compare.Result) error {
	if path == "" {
		return nil
	}
	r.Results = results
	all[fmt.Sprintf("%s-%d", c.Name, c.Batch)] = r
	return jsonfile.Write(path, all)
}

// noRatios returns an error that lists the ratios that noisy or few rounds forbid (exit code 3), nil if there are none.
func noRatios(results []compare.Result) error {
	var missing []string
	for _, r := range results {
		if r.NoRatio != "" {
			missing = append(missing, fmt.Sprintf("%s, %s: %s", r.Case, r.Engine, r.NoRatio))
		}
	}
	if missing == nil {
		return nil
	}
	return fault.Hint(fmt.Errorf("%d ratios are left out: %s: %w", len(missing), strings.Join(missing, "; "),
		fault.ErrPartial), "measure these cases again when no other program runs, with at least %d rounds", compare.MinRounds)
}
