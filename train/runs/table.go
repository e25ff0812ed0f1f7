package runs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"illustrator/internal/fault"
	"illustrator/internal/machine"
	"illustrator/losses"
)

// Table shows a run in rows of a title and a text; command is the command that began it.
func (r Run) Table(command string) ([][]string, error) {
	d, err := r.details()
	if err != nil {
		return nil, err
	}
	i := r.Info
	status := fmt.Sprintf("%s after %d of %d steps, %s", i.Status, i.Step, i.Steps, wholeSeconds(i.Seconds))
	if i.Error != "" {
		status += ": " + fault.OneLine(i.Error)
	}
	rows := [][]string{
		{"run", string(r.Folder)},
		{"status", status},
		{"started", i.Started.Local().Format(zoned)},
		{"updated", i.Updated.Local().Format(zoned)},
		{"command", command},
		{"versions", versionList(i.Versions)},
		{"device", fmt.Sprintf("%s on %s", i.Device, i.Host)},
		{"pairs", i.Pairs},
		{"mapper", fmt.Sprintf("%d parameters", i.Parameters)},
	}
	for _, name := range slices.Sorted(maps.Keys(i.Networks)) {
		rows = append(rows, []string{"network", name + ", SHA-256 " + i.Networks[name]})
	}
	rows = append(rows, r.lossRows(d)...)
	rows = append(rows, titled("settings", d.settings)...)
	return append(rows, titled("files", fileLines(d.files))...), nil
}

// zoned is time.DateTime with the time zone.
const zoned = time.DateTime + " MST"

// titled puts lines into rows, of which the first has a title.
func titled(title string, lines []string) (rows [][]string) {
	for _, line := range lines {
		rows = append(rows, []string{title, line})
		title = ""
	}
	return rows
}

// lossRows show the best validation, and the last validation and training step.
func (r Run) lossRows(d details) (rows [][]string) {
	if best := r.Info.Best; best != nil {
		rows = append(rows, []string{"best", fmt.Sprintf("step %d: %s", best.Step, lossList(best.Losses))})
	}
	if line := d.validation; line != nil {
		v := line.Validation
		text := fmt.Sprintf("step %d: %s, z mean %.3f, z deviation %.3f", line.Step, lossList(v.FixedNoise), v.ZMean, v.ZStd)
		if v.Cosine != nil {
			text += fmt.Sprintf(", CLIP cosine %.3f", *v.Cosine)
		}
		rows = append(rows, []string{"last validation", text})
	}
	if line := d.step; line != nil {
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

func fileLines(files []file) (lines []string) {
	for _, f := range files {
		if f.folder {
			lines = append(lines, fmt.Sprintf("%s/: %s, files: %d", f.name, machine.ByteSize(f.bytes), f.files))
		} else {
			lines = append(lines, fmt.Sprintf("%s: %s", f.name, machine.ByteSize(f.bytes)))
		}
	}
	return lines
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
