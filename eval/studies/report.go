package studies

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"illustrator/data/texts"
	"illustrator/eval/ablation"
	"illustrator/eval/chart"
	"illustrator/eval/report"
	"illustrator/internal/jsonfile"
	"illustrator/internal/version"
)

// Result is study.json.
type Result struct {
	Study       string               `json:"study"`
	Rehearsal   string               `json:"rehearsal,omitempty"` // what it has less of than the study's file asks for
	Table       report.Table         `json:"table"`
	Differences report.Table         `json:"differences"`
	Claims      []ablation.Judgement `json:"claims,omitempty"`
	Versions    map[string]string    `json:"versions"`
}

// Results holds a study's results.
type Results struct {
	Result
	title    string
	Findings []string
	Report   string // the path of report.html
	Cells    int
	Failed   int // of the cells
}

// section returns the results in short.
func (r *Results) section() report.Section {
	blocks := []report.Block{report.List(r.Findings), r.Table, report.Paragraph("All of it:"),
		report.Links{r.Study + "/report.html", r.Study + "/" + r.Study + ".csv"}}
	if r.Rehearsal != "" {
		blocks = append([]report.Block{report.Paragraph(r.Rehearsal)}, blocks...)
	}
	return report.Section{Heading: r.title, Blocks: blocks}
}

// report writes the results of a study and returns them.
func (s *Study) report() (*Results, error) {
	var outcomes []ablation.Outcome
	failed, seconds := 0, 0.0
	for _, c := range s.cells() {
		o, ok, err := s.outcome(c)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		outcomes, seconds = append(outcomes, o), seconds+o.Seconds
		if o.Result == nil {
			failed++
		}
	}
	analysis, err := ablation.Analyse(s.Study, outcomes)
	if err != nil {
		return nil, err
	}
	if err := analysis.CheckColumns(); err != nil {
		return nil, err
	}
	document, err := s.document(analysis, seconds)
	if err != nil {
		return nil, err
	}
	result := Result{Study: s.Name, Rehearsal: s.rehearsal, Table: analysis.Table(s.Name),
		Differences: analysis.Differences(s.Name + "-differences"), Versions: version.Read().Fields()}
	if result.Claims, err = analysis.Judge(); err != nil {
		return nil, err
	}
	results := &Results{Result: result, title: s.Title, Findings: document.Findings,
		Report: filepath.Join(s.out, "report.html"), Cells: len(s.cells()), Failed: failed}
	return results, s.write(result, analysis, document)
}

// ReportAll writes one report of several studies, in short, into their folder, and returns its path.
func ReportAll(folder, command string, studies []*Results) (path string, err error) {
	path = filepath.Join(folder, "report.html")
	d := report.Document{Title: "Studies", Facts: report.Facts(command)}
	for _, r := range studies {
		d.Sections = append(d.Sections, r.section())
		if r.Rehearsal != "" {
			d.Subtitle = "This is a rehearsal: studies below have less than their files ask for."
		}
	}
	return path, d.WriteHTML(path)
}

// document is the study's report.
func (s *Study) document(analysis *ablation.Analysis, seconds float64) (report.Document, error) {
	texts := fmt.Sprintf("%d", len(s.texts))
	if s.Pictures > 1 {
		texts += fmt.Sprintf(", %d pictures of each and seed", s.Pictures)
	}
	facts := append(report.Facts(s.options.Command),
		report.Fact{Name: "Domain", Value: s.domain}, report.Fact{Name: "Run", Value: s.Base},
		report.Fact{Name: "Texts", Value: texts},
		report.Fact{Name: "Seeds", Value: strings.Trim(fmt.Sprint(s.Seeds), "[]")},
		report.Fact{Name: "Time of all cells", Value: roundSeconds(seconds).String()})
	if s.judgeless {
		facts = append(facts, report.Fact{Name: "Second judge", Value: withoutJudge})
	}
	if len(s.Set) > 0 {
		facts = append(facts, report.Fact{Name: "Overrides of all variants", Value: strings.Join(s.Set, " "), Code: true})
	}
	curves, err := s.curves()
	if err != nil {
		return report.Document{}, err
	}
	d, err := analysis.Document(facts, curves)
	if err != nil {
		return d, err
	}
	d.Subtitle = s.rehearsal
	session, err := openSession(s.domain)
	if err != nil {
		return d, err
	}
	settings, err := s.settings(session)
	if err != nil {
		return d, err
	}
	links := report.Links{s.Name + ".csv", s.Name + "-differences.csv", "study.json"}
	d.Sections = append(d.Sections, settings, report.Section{Heading: "Files",
		Blocks: []report.Block{report.Paragraph("The tables with exact values, and all figures and verdicts:"), links}})
	return d, nil
}

// curves are the losses of the trainings by the first seed, nil where there are none.
func (s *Study) curves() (*chart.Figure, error) {
	if !s.Train {
		return nil, nil
	}
	var trained []Training
	for _, c := range s.cells()[:len(s.Variants())] {
		info, err := s.read(c)
		if err != nil {
			return nil, err
		}
		of := func(t Training) bool { return t.Folder == info.Training }
		if info != nil && info.Done && info.Training != "" && !slices.ContainsFunc(trained, of) {
			before, err := s.sharedFolder(c)
			if err != nil {
				return nil, err
			}
			trained = append(trained, Training{info.Training, c.variant.Name, before})
		}
	}
	if len(trained) == 0 {
		return nil, nil
	}
	figure, err := s.options.Trainer.Losses(trained)
	return &figure, err
}

// write writes tables, charts and the report.
func (s *Study) write(result Result, analysis *ablation.Analysis, document report.Document) error {
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
	if err := os.MkdirAll(charts, 0o777); err != nil {
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

// roundSeconds rounds a time as people read it.
func roundSeconds(seconds float64) time.Duration {
	d := time.Duration(seconds * float64(time.Second))
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Second)
}
