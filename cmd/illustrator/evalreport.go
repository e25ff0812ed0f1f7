package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"

	"illustrator/eval"
	"illustrator/eval/metrics"
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
		ReferenceSamples: e.referenceSamples, Resamples: e.resamples, Versions: readVersions().fields(),
	}
}

// partial is an error if pictures were skipped, or nothing was measured of a metric that was asked for by name.
func (r *evalReport) partial() error {
	if skipped := r.SkippedReference; len(skipped) > 0 {
		return fmt.Errorf("%d pictures of the reference and %d of %d others were skipped, the first is %s: %s: %w", len(skipped), len(r.Skipped),
			len(r.Skipped)+r.Pictures, skipped[0].File, oneLine(skipped[0].Reason), errPartial)
	}
	if len(r.Skipped) > 0 {
		return fmt.Errorf("%d of %d pictures were skipped, the first is %s: %s: %w",
			len(r.Skipped), len(r.Skipped)+r.Pictures, r.Skipped[0].File, oneLine(r.Skipped[0].Reason), errPartial)
	}
	for _, name := range r.Asked {
		if slices.ContainsFunc(r.Metrics, func(m metrics.Metric) bool { return strings.HasPrefix(m.Name, name) }) {
			continue
		}
		for _, refused := range r.Refused {
			if strings.HasPrefix(refused.Metric, name) {
				return fmt.Errorf("%s could not be measured: %s: %w", refused.Metric, oneLine(refused.Reason), errPartial)
			}
		}
	}
	return nil
}

// print writes the figures as a table, and below it what they are not worth.
func (r *evalReport) print(w io.Writer) error {
	rows, notes := [][]string{{"metric", "value", "95 % interval", "n", ""}}, []string(nil)
	for _, m := range r.Metrics {
		mark := ""
		if m.Caveat != "" {
			at := slices.Index(notes, m.Caveat)
			if at < 0 {
				at, notes = len(notes), append(notes, m.Caveat)
			}
			mark = fmt.Sprintf("(%d)", at+1)
		}
		value, interval := figure(m)
		rows = append(rows, []string{m.Name, value, interval, strconv.Itoa(m.N), mark})
	}
	if err := printTable(w, rows); err != nil {
		return err
	}
	for i, note := range notes {
		if _, err := fmt.Fprintf(w, "(%d) %s\n", i+1, note); err != nil {
			return err
		}
	}
	for _, refused := range r.Refused {
		if _, err := fmt.Fprintf(w, "not measured: %s: %s\n", refused.Metric, oneLine(refused.Reason)); err != nil {
			return err
		}
	}
	return nil
}

// figure prints a value and its interval: two digits of the interval's half-width, or four digits of the value, and never
// more than six decimals.
func figure(m metrics.Metric) (value, interval string) {
	digits, scale := 4, math.Abs(m.Value)
	if m.Interval != nil && m.Interval.High > m.Interval.Low {
		digits, scale = 2, (m.Interval.High-m.Interval.Low)/2
	}
	decimals := 0
	if scale > 0 {
		decimals = min(max(digits-1-int(math.Floor(math.Log10(scale))), 0), 6)
	}
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', decimals, 64) }
	if m.Interval == nil {
		return number(m.Value), ""
	}
	return number(m.Value), fmt.Sprintf("[%s, %s]", number(m.Interval.Low), number(m.Interval.High))
}

// write writes eval.json, eval.md and eval.csv.
func (r *evalReport) write(folder string) error {
	if err := writeJSON(filepath.Join(folder, "eval.json"), r); err != nil {
		return err
	}
	if err := renameio.WriteFile(filepath.Join(folder, "eval.md"), r.markdown(), 0o666); err != nil {
		return err
	}
	table, err := r.csv()
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(folder, "eval.csv"), table, 0o666)
}

var cellEscapes = strings.NewReplacer(`\`, `\\`, "|", `\|`, "_", `\_`, "*", `\*`, "`", "\\`", "<", "&lt;", ">", "&gt;", "\n", " ", "\r", " ")

func (r *evalReport) markdown() []byte {
	var b bytes.Buffer
	escape := cellEscapes.Replace
	fmt.Fprintf(&b, "# Evaluation of %s\n\n%d pictures.\n\n| metric | value | 95 %% interval | n | caveat |\n|---|---|---|---|---|\n", escape(r.Source), r.Pictures)
	for _, m := range r.Metrics {
		value, interval := figure(m)
		arrow := map[metrics.Better]string{metrics.Higher: " ↑", metrics.Lower: " ↓"}[m.Better]
		fmt.Fprintf(&b, "| %s%s | %s | %s | %d | %s |\n", escape(m.Name), arrow, value, interval, m.N, escape(m.Caveat))
	}
	for _, refused := range r.Refused {
		fmt.Fprintf(&b, "\nNot measured: %s: %s\n", escape(refused.Metric), escape(refused.Reason))
	}
	for _, skipped := range slices.Concat(r.Skipped, r.SkippedReference) {
		fmt.Fprintf(&b, "\nSkipped: %s: %s\n", escape(skipped.File), escape(skipped.Reason))
	}
	return b.Bytes()
}

func (r *evalReport) csv() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	exact := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	lines := [][]string{{"metric", "value", "low", "high", "n", "unit", "better", "caveat", "failure"}}
	for _, m := range r.Metrics {
		low, high := "", ""
		if m.Interval != nil {
			low, high = exact(m.Interval.Low), exact(m.Interval.High)
		}
		lines = append(lines, []string{m.Name, exact(m.Value), low, high, strconv.Itoa(m.N), m.Unit, string(m.Better), m.Caveat, ""})
	}
	for _, refused := range r.Refused {
		lines = append(lines, []string{refused.Metric, "", "", "", "", "", "", "", refused.Reason})
	}
	err := w.WriteAll(lines)
	return b.Bytes(), err
}
