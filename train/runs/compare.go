package runs

import (
	"fmt"
	"slices"

	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/internal/yamlfile"
	"illustrator/losses"
	"illustrator/train"
)

// ReadAll reads the runs that a user names, each once.
func ReadAll(refs []string) (runs []Run, err error) {
	for _, ref := range refs {
		folder, err := Find(ref)
		if err != nil {
			return nil, err
		}
		run, err := Read(folder)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(runs, func(other Run) bool { return other.Folder == run.Folder }) {
			return nil, fault.Usage(fmt.Errorf("run %s is named twice", run.Folder), "name runs that differ")
		}
		runs = append(runs, run)
	}
	return runs, nil
}

// Differences returns a table of all settings and circumstances in which runs differ, and their results.
func Differences(runs []Run) ([][]string, error) {
	files := make([][]byte, len(runs))
	for i, run := range runs {
		text, err := yamlfile.Read(run.Config())
		if err != nil {
			return nil, notARun(err)
		}
		files[i] = text
	}
	settings, err := configs.Settings(files...)
	if err != nil {
		return nil, fmt.Errorf("compare settings: %w", err)
	}
	for _, s := range settings {
		resolve(s, runs)
	}
	settings = append(settings, circumstances(runs)...)
	table := [][]string{{""}}
	for _, run := range runs {
		table[0] = append(table[0], run.name())
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
	same, err := sameWeights(runs)
	return append(table, outcomes(runs, same)...), err
}

// resolve sets the paths among the values of a setting of runs, which the runs' files store relative to their folders,
// to those that open from the working directory.
func resolve(s configs.Setting, runs []Run) {
	if !s.IsPath() {
		return
	}
	for i, run := range runs {
		config, err := configs.OpenRun(run.Config(), nil)
		switch {
		case err != nil || s.Values[i] == "": // another version's run, or one without the setting
		case s.Key == "domain":
			s.Values[i] = config.Domain
		default:
			s.Values[i] = config.Init
		}
	}
}

// circumstances list what a run's settings don't say.
func circumstances(runs []Run) []configs.Setting {
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

func networkNames(runs []Run) (names []string) {
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

// outcomes are rows that stand in the table even where they agree. The losses are those of the best validation, without
// their weights; the total stands there where all runs sum it by the same weights.
func outcomes(runs []Run, sameWeights bool) [][]string {
	status, step, at, total := []string{"status"}, []string{"step"}, []string{"best at step"}, []string{"total"}
	var each [][]string
	for _, l := range losses.All {
		each = append(each, []string{l.Name})
	}
	for _, run := range runs {
		i := run.Info
		status, step = append(status, i.Status), append(step, fmt.Sprintf("%d/%d", i.Step, i.Steps))
		for l, value := range bestLosses(i.Best) {
			each[l] = append(each[l], value)
		}
		if i.Best == nil {
			at, total = append(at, "-"), append(total, "-")
			continue
		}
		at, total = append(at, fmt.Sprint(i.Best.Step)), append(total, fmt.Sprintf("%.4f", i.Best.Losses.Total))
	}
	rows := append([][]string{status, step, at}, each...)
	if sameWeights {
		rows = append(rows, total)
	}
	return rows
}

// sameWeights reports whether the last stages of all runs have the same loss weights, so that their totals compare.
func sameWeights(runs []Run) (bool, error) {
	var first *losses.Weights
	for _, run := range runs {
		w, err := weightsOf(string(run.Folder))
		if err != nil {
			return false, err
		}
		if first == nil {
			first = w
		}
		if *w != *first {
			return false, nil
		}
	}
	return true, nil
}
