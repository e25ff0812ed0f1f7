package studies

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"illustrator/eval"
	"illustrator/eval/metrics"
	"illustrator/eval/report"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
	"illustrator/internal/version"
	"illustrator/models/host"
	"illustrator/models/pipeline"
	"illustrator/models/xla/programs"
)

// Report is eval.json.
type Report struct {
	Source string `json:"source"` // the run, the folder of pictures, or the domain
	*eval.Result
	Settings         map[string]any    `json:"settings"`
	Asked            []eval.MetricName `json:"metrics_asked,omitempty"` // none: all
	Reference        string            `json:"reference"`               // "" becomes the generator's own pictures
	ReferenceSamples int               `json:"reference_samples"`
	Versions         map[string]string `json:"versions"`
	Seconds          float64           `json:"seconds"`
}

// featureCache keeps features of references where compiled programs are kept.
func featureCache(env host.Env) *eval.FeatureCache {
	if cache := programs.Chosen(env.Log); cache != nil {
		return &eval.FeatureCache{Folder: cache.Beside(eval.FeaturesSuffix, "features"), Log: env.Log}
	}
	return nil
}

// Evaluate judges pictures with networks whose device is started and writes the results into a folder. r says what is
// evaluated; its other fields are set.
func (r *Report) Evaluate(ctx context.Context, env host.Env, n *pipeline.Networks, request eval.Request,
	folder string) (err error) {
	began := time.Now()
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	stages := host.Stages{Env: env}
	request.Keep, request.Progress, request.Reference.Cache = folder, stages.Set, featureCache(env)
	r.Result, err = eval.Evaluate(ctx, n, request)
	stages.Done()
	if err != nil {
		return err
	}
	r.Settings, r.Asked, r.Versions = request.Settings(n), request.Metrics, version.Read().Fields()
	r.ReferenceSamples = request.Reference.Samples
	if r.Reference == "" {
		r.Reference = "the generator's own pictures"
	}
	r.Seconds = time.Since(began).Seconds()
	return r.write(folder)
}

// Partial returns an error if pictures were skipped, or nothing was measured of a metric that was asked for by name.
func (r *Report) Partial() error {
	if skipped := r.SkippedReference; len(skipped) > 0 {
		return fmt.Errorf("%d pictures of the reference and %d of %d others were skipped, the first is %s: %s: %w",
			len(skipped), len(r.Skipped),
			len(r.Skipped)+r.Pictures, skipped[0].File, fault.OneLine(skipped[0].Reason), fault.ErrPartial)
	}
	if len(r.Skipped) > 0 {
		return fmt.Errorf("%d of %d pictures were skipped, the first is %s: %s: %w",
			len(r.Skipped), len(r.Skipped)+r.Pictures, r.Skipped[0].File, fault.OneLine(r.Skipped[0].Reason), fault.ErrPartial)
	}
	for _, metric := range r.Asked {
		name := string(metric)
		if slices.ContainsFunc(r.Metrics, func(m metrics.Metric) bool { return strings.HasPrefix(m.Name, name) }) {
			continue
		}
		for _, refused := range r.Refused {
			if strings.HasPrefix(refused.Metric, name) {
				return fmt.Errorf("%s could not be measured: %s: %w",
					refused.Metric, fault.OneLine(refused.Reason), fault.ErrPartial)
			}
		}
	}
	return nil
}

// Table holds the figures with their caveats, and why others are missing.
func (r *Report) Table() report.Table {
	t := report.Table{Name: "eval", Caption: fmt.Sprintf("%s: %d pictures, values with 95 %% intervals.", r.Source,
		r.Pictures), Columns: []report.Column{
		{Header: "metric"}, {Header: "value", Mixed: true, Align: report.Left}, {Header: "n", Align: report.Right},
		{Header: "unit", DataOnly: true}, {Header: "better"}, {Header: "caveat", DataOnly: true},
	}}
	for _, m := range r.Metrics {
		t.Rows = append(t.Rows, report.Row{Cells: []report.Cell{
			report.Text(m.Name), report.Measured(m.Value, m.Interval).Marked(t.Numbered(m.Caveat)),
			report.Text(strconv.Itoa(m.N)),
			report.Text(string(m.Unit)), report.Text(string(m.Better)), report.Text(m.Caveat),
		}})
	}
	for _, refused := range r.Refused {
		t.Rows = append(t.Rows, report.Row{Cells: []report.Cell{report.Text(refused.Metric), report.Failed(refused.Reason),
			{}, {}, {}, {}}})
	}
	return t
}

// write writes eval.json, eval.md, eval.csv and eval.tex.
func (r *Report) write(folder string) error {
	if err := jsonfile.Write(filepath.Join(folder, "eval.json"), r); err != nil {
		return err
	}
	table := r.Table()
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
	return files.WriteFile(filepath.Join(folder, "eval.md"), content, 0o666)
}
