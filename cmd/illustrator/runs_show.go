package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/losses"
	"illustrator/train"
)

func newRunsShowCommand(opts *globalOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "show RUN",
		Short: "Show one run",
		Long: `Shows what a run is and what came of it: settings that differ from the paper's, networks, pairs, losses, files, and the
command that goes on.`,
		Example: `  illustrator runs show 3
  illustrator runs show runs/00003-lorelei`,
		Args: terminal.ExactArgs(1, "one run"),
		RunE: func(_ *cobra.Command, args []string) error {
			folder, err := findRun(args[0])
			if err != nil {
				return err
			}
			run, err := readRun(folder)
			if err != nil {
				return err
			}
			return showRun(opts.stdout, run)
		},
	}
}

// zoned is time.DateTime with the time zone.
const zoned = time.DateTime + " MST"

func showRun(w io.Writer, run storedRun) error {
	settings, err := unlikePaper(run.Folder)
	if err != nil {
		return err
	}
	lines, err := readMetrics(run.Folder)
	if err != nil {
		return err
	}
	i := run.Info
	status := fmt.Sprintf("%s after %d of %d steps, %s", i.Status, i.Step, i.Steps, wholeSeconds(i.Seconds))
	if i.Error != "" {
		status += ": " + terminal.OneLine(i.Error)
	}
	rows := [][]string{
		{"run", string(run.Folder)},
		{"status", status},
		{"started", i.Started.Local().Format(zoned)},
		{"updated", i.Updated.Local().Format(zoned)},
		{"command", commandLine(i.Arguments)},
		{"versions", versionList(i.Versions)},
		{"device", fmt.Sprintf("%s on %s", i.Device, i.Host)},
		{"pairs", i.Pairs},
		{"mapper", fmt.Sprintf("%d parameters", i.Parameters)},
	}
	for _, name := range slices.Sorted(maps.Keys(i.Networks)) {
		rows = append(rows, []string{"network", name + ", SHA-256 " + i.Networks[name]})
	}
	rows = append(rows, lossRows(run, lines)...)
	for n, setting := range settings {
		title := ""
		if n == 0 {
			title = "settings"
		}
		rows = append(rows, []string{title, setting})
	}
	rows = append(rows, fileRows(run.Folder)...)
	return terminal.PrintTable(w, append(rows, nextRows(run)...))
}

// unlikePaper lists the settings of a run that differ from the paper's.
func unlikePaper(folder train.Folder) ([]string, error) {
	text, err := os.ReadFile(folder.Config())
	if err != nil {
		return nil, fault.Hint(err, "name the folder of a run that `illustrator train` began")
	}
	paper, err := configs.Paper().YAML()
	if err != nil {
		return nil, err
	}
	settings, err := configs.Settings(text, paper)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", folder.Config(), err)
	}
	var lines []string
	for _, s := range settings {
		switch {
		case s.Values[0] == "":
			lines = append(lines, fmt.Sprintf("no %s (paper: %s)", s.Key, s.Values[1]))
		case s.Values[1] == "":
			lines = append(lines, fmt.Sprintf("%s %s", s.Key, s.Values[0]))
		case s.Differ():
			lines = append(lines, fmt.Sprintf("%s %s (paper: %s)", s.Key, s.Values[0], s.Values[1]))
		}
	}
	if len(lines) == 0 {
		lines = []string{"the paper's"}
	}
	return lines, nil
}

// lossRows are the best validation, and the last training step and validation that were written down.
func lossRows(run storedRun, lines []train.Line) (rows [][]string) {
	if best := run.Info.Best; best != nil {
		rows = append(rows, []string{"best", fmt.Sprintf("step %d: %s", best.Step, lossList(best.Losses))})
	}
	var step, validation *train.Line
	for i := range lines {
		if lines[i].Losses != nil {
			step = &lines[i]
		}
		if lines[i].Validation != nil {
			validation = &lines[i]
		}
	}
	if validation != nil {
		v := validation.Validation
		text := fmt.Sprintf("step %d: %s, z mean %.3f, z deviation %.3f", validation.Step, lossList(v.FixedNoise), v.ZMean, v.ZStd)
		if v.Cosine != nil {
			text += fmt.Sprintf(", CLIP cosine %.3f", *v.Cosine)
		}
		rows = append(rows, []string{"last validation", text})
	}
	if step != nil {
		rows = append(rows, []string{"last training", fmt.Sprintf("step %d: %s", step.Step, lossList(*step.Losses))})
	}
	return rows
}

// lossList names the losses that were measured: those without a weight are 0.
func lossList(v losses.Values) string {
	notes := []string{fmt.Sprintf("total %.4f", v.Total)}
	for _, l := range losses.All {
		if value := l.Value(v); value != 0 {
			notes = append(notes, fmt.Sprintf("%s %.4f", l.Name, value))
		}
	}
	return strings.Join(notes, ", ")
}

// fileRows lists what is in the run's folder, with sizes.
func fileRows(folder train.Folder) (rows [][]string) {
	entries, err := os.ReadDir(string(folder))
	if err != nil {
		return [][]string{{"files", err.Error()}}
	}
	for _, e := range entries {
		path, title := filepath.Join(string(folder), e.Name()), ""
		if len(rows) == 0 {
			title = "files"
		}
		files, size := sizeOf(path)
		text := fmt.Sprintf("%s: %s", e.Name(), terminal.ByteSize(size))
		if e.IsDir() {
			text = fmt.Sprintf("%s/: %s, files: %d", e.Name(), terminal.ByteSize(size), files)
		}
		rows = append(rows, []string{title, text})
	}
	return rows
}

// sizeOf counts the files at and below path, and their bytes; what cannot be read counts for nothing.
func sizeOf(path string) (files int, bytes int64) {
	_ = filepath.WalkDir(path, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				files, bytes = files+1, bytes+info.Size()
			}
		}
		return nil
	})
	return files, bytes
}

// nextRows are commands that go on from here.
func nextRows(run storedRun) [][]string {
	draw := fmt.Sprintf("illustrator generate --texts texts.txt --run %s --out pictures", run.Folder)
	rows := [][]string{{"draw", draw}}
	if run.Info.Best == nil {
		rows = nil
	}
	if status := run.Info.Status; status != train.Finished && status != train.Running {
		rows = append(rows, []string{"go on", commandLine(run.Info.Arguments)})
	}
	return rows
}

// versionList names the program's commit and versions, by name.
func versionList(versions map[string]string) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		if versions[name] != "" {
			list = append(list, name+" "+versions[name])
		}
	}
	return strings.Join(list, ", ")
}

// commandLine writes this program with arguments as a shell takes it.
func commandLine(arguments []string) string {
	quoted := append([]string{"illustrator"}, arguments...)
	for i, a := range quoted {
		if a == "" || strings.ContainsAny(a, " \t\n\"'`$&|;<>()*?[]{}~#\\!") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		quoted[i] = a
	}
	return strings.Join(quoted, " ")
}
