package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/internal/machine"
	"illustrator/losses"
	"illustrator/train"
	"illustrator/train/runs"
)

func newRunsShowCommand(opts *terminal.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "show RUN",
		Short: "Show one run",
		Long: `Shows a run's settings that differ from the paper's, its networks, pairs, losses and files, and the command
that resumes it.`,
		Example: `  illustrator runs show 3
  illustrator runs show runs/00003-lorelei`,
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

// zoned is time.DateTime with the time zone.
const zoned = time.DateTime + " MST"

func showRun(w io.Writer, run runs.Run) error {
	details, err := run.Details()
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
	rows = append(rows, lossRows(run, details)...)
	rows = append(rows, titled("settings", details.Settings)...)
	rows = append(rows, titled("files", fileLines(details.Files))...)
	return terminal.PrintTable(w, append(rows, nextRows(run)...))
}

// titled puts lines into rows, of which the first has a title.
func titled(title string, lines []string) (rows [][]string) {
	for _, line := range lines {
		rows = append(rows, []string{title, line})
		title = ""
	}
	return rows
}

// lossRows show the best validation, and the last validation and training step.
func lossRows(run runs.Run, details runs.Details) (rows [][]string) {
	if best := run.Info.Best; best != nil {
		rows = append(rows, []string{"best", fmt.Sprintf("step %d: %s", best.Step, lossList(best.Losses))})
	}
	if line := details.Validation; line != nil {
		v := line.Validation
		text := fmt.Sprintf("step %d: %s, z mean %.3f, z deviation %.3f", line.Step, lossList(v.FixedNoise), v.ZMean, v.ZStd)
		if v.Cosine != nil {
			text += fmt.Sprintf(", CLIP cosine %.3f", *v.Cosine)
		}
		rows = append(rows, []string{"last validation", text})
	}
	if line := details.Step; line != nil {
		rows = append(rows, []string{"last training", fmt.Sprintf("step %d: %s", line.Step, lossList(*line.Losses))})
	}
	return rows
}

// lossList names the measured losses: those without a weight are 0.
func lossList(v losses.Values) string {
	notes := []string{fmt.Sprintf("total %.4f", v.Total)}
	for _, l := range losses.All {
		if value := l.Value(v); value != 0 {
			notes = append(notes, fmt.Sprintf("%s %.4f", l.Name, value))
		}
	}
	return strings.Join(notes, ", ")
}

func fileLines(files []runs.File) (lines []string) {
	for _, f := range files {
		if f.Folder {
			lines = append(lines, fmt.Sprintf("%s/: %s, files: %d", f.Name, machine.ByteSize(f.Bytes), f.Files))
		} else {
			lines = append(lines, fmt.Sprintf("%s: %s", f.Name, machine.ByteSize(f.Bytes)))
		}
	}
	return lines
}

// nextRows show the commands that continue from here.
func nextRows(run runs.Run) [][]string {
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
