package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"illustrator/cmd/terminal"
	"illustrator/data/texts"
	"illustrator/eval/ablation"
	"illustrator/eval/chart"
	"illustrator/eval/metrics"
	"illustrator/eval/report"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/internal/version"
	"illustrator/train"
	"illustrator/train/runs"
)

// studyResult is study.json.
type studyResult struct {
	Study       string               `json:"study"`
	Table       report.Table         `json:"table"`
	Differences report.Table         `json:"differences"`
	Claims      []ablation.Judgement `json:"claims,omitempty"`
	Versions    map[string]string    `json:"versions"`
}

// report writes the results of a study, prints its table and verdicts, and returns them in short.
func (s *study) report() (section report.Section, err error) {
	var outcomes []ablation.Outcome
	failed, seconds := 0, 0.0
	for _, c := range s.cells() {
		o, ok, err := s.outcome(c)
		if err != nil {
			return section, err
		}
		if !ok {
			continue
		}
		outcomes, seconds = append(outcomes, o), seconds+o.Seconds
		if o.Result == nil {
			failed++
		}
	}
	analysis, err := ablation.Analyse(s.Study, outcomes, metrics.Bootstrap{})
	if err != nil {
		return section, err
	}
	if err := analysis.CheckColumns(); err != nil {
		return section, err
	}
	document, err := s.document(analysis, seconds)
	if err != nil {
		return section, err
	}
	result := studyResult{Study: s.name, Table: analysis.Table(s.name), Differences: analysis.Differences(s.name + "-differences"), Versions: version.Read().Fields()}
	if result.Claims, err = analysis.Judge(); err != nil {
		return section, err
	}
	if err := s.write(result, analysis, document); err != nil {
		return section, err
	}
	section = report.Section{Heading: s.Title, Blocks: []report.Block{report.List(document.Findings), result.Table, report.Paragraph("All of it: `" + s.name + "/report.html`.")}}
	if err := s.print(result, document.Findings); err != nil || failed == 0 {
		return section, err
	}
	return section, fmt.Errorf("%d of %d cells failed; --retry does them again: %w", failed, len(s.cells()), fault.ErrPartial)
}

// reportAll writes one report of several studies, in short, beside their folders.
func (o *globalOptions) reportAll(folder string, studies []report.Section) error {
	path := filepath.Join(folder, "report.html")
	d := report.Document{Title: "Studies", Facts: report.Facts("illustrator " + strings.Join(os.Args[1:], " ")), Sections: studies}
	if err := d.WriteHTML(path); err != nil {
		return err
	}
	_, err := fmt.Fprintln(o.stdout, path)
	return err
}

// document is the study's report.
func (s *study) document(analysis *ablation.Analysis, seconds float64) (report.Document, error) {
	texts := fmt.Sprintf("%d", len(s.texts))
	if s.Pictures > 1 {
		texts += fmt.Sprintf(", %d pictures of each and seed", s.Pictures)
	}
	facts := append(report.Facts("illustrator "+strings.Join(os.Args[1:], " ")),
		report.Fact{Name: "Domain", Value: s.domain}, report.Fact{Name: "Run", Value: s.Base}, report.Fact{Name: "Texts", Value: texts},
		report.Fact{Name: "Seeds", Value: strings.Trim(fmt.Sprint(s.Seeds), "[]")},
		report.Fact{Name: "Time of all cells", Value: terminal.RoundDuration(time.Duration(seconds * float64(time.Second))).String()})
	if len(s.Set) > 0 {
		facts = append(facts, report.Fact{Name: "Overrides of all variants", Value: strings.Join(s.Set, " "), Code: true})
	}
	curves, err := s.curves()
	if err != nil {
		return report.Document{}, err
	}
	return analysis.Document(facts, curves)
}

// curves are the losses of the trainings by the first seed, nil where there are none.
func (s *study) curves() (*chart.Figure, error) {
	if !s.Train {
		return nil, nil
	}
	var trained []runs.Run
	for _, c := range s.cells()[:len(s.Variants())] {
		info, err := s.read(c)
		if err != nil {
			return nil, err
		}
		if info != nil && info.Done {
			trained = append(trained, runs.Run{Folder: train.Folder(info.Training), Label: c.variant.Name})
		}
	}
	if len(trained) == 0 {
		return nil, nil
	}
	figure, err := lossFigure(trained, false)
	return &figure, err
}

// write writes tables, charts and the report.
func (s *study) write(result studyResult, analysis *ablation.Analysis, document report.Document) error {
	if err := jsonfile.Write(filepath.Join(s.out, "study.json"), result); err != nil {
		return err
	}
	for _, t := range []report.Table{result.Table, result.Differences} {
		for _, format := range []string{".md", ".csv", ".tex"} {
			if err := t.Write(filepath.Join(s.out, t.Name+format)); err != nil {
				return err
			}
		}
	}
	charts := filepath.Join(s.out, "charts")
	if err := terminal.CreateFolder(charts); err != nil {
		return err
	}
	for _, g := range s.Groups {
		if figure, ok := analysis.Chart(g); ok {
			if err := figure.Write(filepath.Join(charts, texts.Slug(g.Name)+".png")); err != nil {
				return err
			}
		}
	}
	return document.WriteHTML(filepath.Join(s.out, "report.html"))
}

func (s *study) print(result studyResult, findings []string) error {
	if s.options.asJSON {
		return jsonfile.Print(s.stdout, result)
	}
	rows, notes, err := result.Table.Plain()
	if err == nil {
		err = terminal.PrintTable(s.stdout, rows)
	}
	if err != nil {
		return err
	}
	lines := slices.Concat(notes, findings, []string{filepath.Join(s.out, "report.html")})
	_, err = fmt.Fprintln(s.stdout, strings.Join(lines, "\n"))
	return err
}
