package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"

	"illustrator/cmd/terminal"
	"illustrator/eval"
	"illustrator/eval/metrics"
	"illustrator/eval/report"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/internal/version"
)

// evalReport is eval.json.
type evalReport struct {
	Source string `json:"source"` // the run, the folder of pictures, or the domain
	*eval.Result
	Settings         map[string]any    `json:"settings"`
	Asked            []string          `json:"metrics_asked,omitempty"` // none: all
	Reference        string            `json:"reference"`
	ReferenceSamples int               `json:"reference_samples"`
	Resamples        int               `json:"resamples"`
	Versions         map[string]string `json:"versions"`
	Seconds          float64           `json:"seconds"`
}

func newEvalReport(s *session, e evalOptions, r eval.Request, result *eval.Result) *evalReport {
	source, reference := e.run+e.pictures, e.reference
	if source == "" {
		source = "domain " + s.domain.Name
	}
	if reference == "" {
		reference = "the generator's own pictures"
	}
	return &evalReport{
		Source: source, Result: result, Settings: r.Settings(s.networks.Hashes), Asked: e.metrics, Reference: reference,
		ReferenceSamples: e.referenceSamples, Resamples: e.resamples, Versions: version.Read().Fields(),
	}
}

// partial is an error if pictures were skipped, or nothing was measured of a metric that was asked for by name.
func (r *evalReport) partial() error {
	if skipped := r.SkippedReference; len(skipped) > 0 {
		return fmt.Errorf("%d pictures of the reference and %d of %d others were skipped, the first is %s: %s: %w", len(skipped), len(r.Skipped),
			len(r.Skipped)+r.Pictures, skipped[0].File, terminal.OneLine(skipped[0].Reason), fault.ErrPartial)
	}
	if len(r.Skipped) > 0 {
		return fmt.Errorf("%d of %d pictures were skipped, the first is %s: %s: %w",
			len(r.Skipped), len(r.Skipped)+r.Pictures, r.Skipped[0].File, terminal.OneLine(r.Skipped[0].Reason), fault.ErrPartial)
	}
	for _, name := range r.Asked {
		if slices.ContainsFunc(r.Metrics, func(m metrics.Metric) bool { return strings.HasPrefix(m.Name, name) }) {
			continue
		}
		for _, refused := range r.Refused {
			if strings.HasPrefix(refused.Metric, name) {
				return fmt.Errorf("%s could not be measured: %s: %w", refused.Metric, terminal.OneLine(refused.Reason), fault.ErrPartial)
			}
		}
	}
	return nil
}

// table is the figures, what they are not worth, and why there are none of others.
func (r *evalReport) table() report.Table {
	t := report.Table{Name: "eval", Caption: fmt.Sprintf("%s: %d pictures, values with 95 %% intervals.", r.Source, r.Pictures), Columns: []report.Column{
		{Header: "metric"}, {Header: "value", Mixed: true, Align: report.Left}, {Header: "n", Align: report.Right},
		{Header: "unit", DataOnly: true}, {Header: "better"}, {Header: "caveat", DataOnly: true},
	}}
	for _, m := range r.Metrics {
		t.Rows = append(t.Rows, report.Row{Cells: []report.Cell{
			report.Text(m.Name), report.Measured(m.Value, m.Interval).Marked(t.Numbered(m.Caveat)), report.Text(strconv.Itoa(m.N)),
			report.Text(m.Unit), report.Text(string(m.Better)), report.Text(m.Caveat),
		}})
	}
	for _, refused := range r.Refused {
		t.Rows = append(t.Rows, report.Row{Cells: []report.Cell{report.Text(refused.Metric), report.Failed(refused.Reason), {}, {}, {}, {}}})
	}
	return t
}

// print writes the figures as a table, and below it what they are not worth.
func (r *evalReport) print(w io.Writer) error {
	rows, notes, err := r.table().Plain()
	if err != nil {
		return err
	}
	if err := terminal.PrintTable(w, rows); err != nil {
		return err
	}
	for _, note := range notes {
		if _, err := fmt.Fprintln(w, note); err != nil {
			return err
		}
	}
	return nil
}

// write writes eval.json, eval.md, eval.csv and eval.tex.
func (r *evalReport) write(folder string) error {
	if err := jsonfile.Write(filepath.Join(folder, "eval.json"), r); err != nil {
		return err
	}
	table := r.table()
	for _, name := range []string{"eval.csv", "eval.tex"} {
		if err := table.Write(filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	section := report.Section{Heading: "Metrics", Blocks: []report.Block{table}}
	var skipped report.List
	for _, s := range slices.Concat(r.Skipped, r.SkippedReference) {
		skipped = append(skipped, fmt.Sprintf("%s: %s", s.File, s.Reason))
	}
	if len(skipped) > 0 {
		section.Blocks = append(section.Blocks, report.Paragraph("Skipped:"), skipped)
	}
	document := report.Document{Title: "Evaluation of " + r.Source, Sections: []report.Section{section}}
	content, err := document.Markdown()
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(folder, "eval.md"), content, 0o666)
}
