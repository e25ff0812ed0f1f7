package raters

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"illustrator/eval/chart"
	"illustrator/eval/metrics"
	"illustrator/eval/report"
	"illustrator/internal/jsonfile"
)

// Write writes analysis.json, report.html and the tables as CSV, Markdown and LaTeX into a folder. facts say how the
// analysis came about.
func (a *Analysis) Write(folder string, facts []report.Fact) error {
	document, err := a.Document(facts)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	for _, t := range a.Tables() {
		for _, format := range []string{".csv", ".md", ".tex"} {
			if err := t.Write(filepath.Join(folder, t.Name+format)); err != nil {
				return err
			}
		}
	}
	return errors.Join(jsonfile.Write(filepath.Join(folder, "analysis.json"), a),
		document.WriteHTML(filepath.Join(folder, "report.html")))
}

// Tables are those of all aspects, and of the raters.
func (a *Analysis) Tables() (tables []report.Table) {
	for _, r := range a.Results {
		tables = append(tables, a.systemTable(r), a.pairTable(r))
	}
	return append(tables, a.raterTable())
}

func cell(m *metrics.Metric, missing string, t *report.Table) report.Cell {
	if m == nil {
		return report.Failed(cmp.Or(missing, "nobody judged it"))
	}
	return report.Measured(m.Value, m.Interval).Marked(t.Numbered(m.Caveat))
}

func (a *Analysis) systemTable(r Result) report.Table {
	t := report.Table{
		Name:    "systems-" + string(r.Aspect),
		Caption: fmt.Sprintf("Systems by %s, with 95 %% intervals for new raters and new texts.", r.Aspect.Words()),
		Columns: []report.Column{{Header: "system"}, {Header: "win rate", Key: "win_rate", Better: metrics.Higher},
			{Header: "strength", Better: metrics.Higher}},
	}
	if a.Ask == Ratings {
		t.Columns = append(t.Columns, report.Column{Header: "mean rating", Key: "rating", Better: metrics.Higher})
	}
	t.Columns = append(t.Columns, report.Column{Header: "comparisons", Align: report.Right})
	for _, s := range r.Systems {
		n := 0
		if s.WinRate != nil {
			n = s.WinRate.N
		}
		cells := []report.Cell{report.Text(s.Name), cell(s.WinRate, "", &t), cell(s.Strength, r.NoStrengths, &t)}
		if a.Ask == Ratings {
			cells = append(cells, cell(s.Rating, "", &t))
		}
		t.Rows = append(t.Rows, report.Row{Cells: append(cells, report.Text(fmt.Sprint(n)))})
	}
	t.Notes = append(t.Notes, report.Note{Text: r.agreement()})
	t.MarkBest()
	return t
}

// agreement says in a sentence how far raters agree.
func (r Result) agreement() string {
	if r.Agreement == nil {
		return "agreement of raters: not measured: " + r.NoAgreement
	}
	return fmt.Sprintf("agreement of raters: Krippendorff's alpha %.2f (1 is perfect, 0 is chance)", *r.Agreement)
}

func (a *Analysis) pairTable(r Result) report.Table {
	t := report.Table{
		Name:    "pairs-" + string(r.Aspect),
		Caption: fmt.Sprintf("How often a system wins against another by %s; ties are halves.", r.Aspect.Words()),
		Columns: []report.Column{{Header: "system"}, {Header: "against"}, {Header: "win rate", Key: "win_rate"},
			{Header: "ties", Align: report.Right}, {Header: "comparisons", Align: report.Right}},
	}
	for _, p := range r.Pairs {
		m := p.WinRate
		t.Rows = append(t.Rows, report.Row{Cells: []report.Cell{report.Text(p.First), report.Text(p.Second), cell(&m, "", &t),
			report.Text(fmt.Sprint(p.Ties)), report.Text(fmt.Sprint(m.N))}})
	}
	return t
}

func (a *Analysis) raterTable() report.Table {
	t := report.Table{
		Name: "raters", Caption: "Raters, by their number and name.",
		Columns: []report.Column{{Header: "rater"}, {Header: "name"}, {Header: "answered", Align: report.Right},
			{Header: "controls right", Key: "controls_right", Align: report.Right},
			{Header: "repeats consistent", Key: "repeats_consistent", Align: report.Right},
			{Header: "left chosen", Key: "left_share", Align: report.Right},
			{Header: "seconds an answer", Key: "seconds", Align: report.Right}, {Header: "verdict"}},
		Notes: []report.Note{{Text: "rule: " + a.Rule.String()}},
	}
	for _, r := range a.Raters {
		left := ""
		if r.LeftShare != nil {
			left = fmt.Sprintf("%.2f", *r.LeftShare)
		}
		verdict := "kept"
		if r.Rejected != "" {
			verdict = "rejected: " + r.Rejected
		}
		row := report.Row{}
		for _, text := range []string{fmt.Sprint(r.Rater), r.Name, fmt.Sprintf("%d of %d", r.Answered, r.Asked),
			fmt.Sprintf("%.3g of %d", r.Right, r.Controls), fmt.Sprintf("%.3g of %d", r.Consistent, r.Repeats), left,
			fmt.Sprintf("%.1f", r.Seconds), verdict} {
			row.Cells = append(row.Cells, report.Text(text))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// Document is the report.
func (a *Analysis) Document(facts []report.Fact) (report.Document, error) {
	raters := fmt.Sprintf("%d, of whom %d are rejected", len(a.Raters), len(a.Raters)-a.Kept)
	if a.Missing > 0 {
		raters += fmt.Sprintf("; %d pages have no answers yet", a.Missing)
	}
	d := report.Document{Title: a.Title, Subtitle: "Judgements of people", Findings: a.Findings(),
		Facts: append(facts, report.Fact{Name: "Study", Value: a.Study}, report.Fact{Name: "Raters", Value: raters})}
	d.Sections = append(d.Sections, report.Section{Heading: "Method", Blocks: a.method()})
	for _, r := range a.Results {
		section := report.Section{Heading: "By " + r.Aspect.Words(), Blocks: []report.Block{a.systemTable(r)}}
		if figure, ok := a.Chart(r); ok {
			const caption = "Strengths with 95 % intervals."
			picture, err := report.Chart(figure, caption, caption+" "+r.finding())
			if err != nil {
				return d, err
			}
			section.Blocks = append(section.Blocks, picture)
		}
		section.Blocks = append(section.Blocks, a.pairTable(r))
		d.Sections = append(d.Sections, section)
	}
	d.Sections = append(d.Sections, report.Section{Heading: "Raters", Blocks: []report.Block{a.raterTable()}})
	return d, nil
}

func (a *Analysis) method() []report.Block {
	task := "Raters chose one of two pictures, or no difference; a tie is half a win for each."
	if a.Ask == Ratings {
		task = "Raters rated pictures from 1 to 5. A system wins where the same rater rated its picture of the same text " +
			"higher; equal ratings are ties."
	}
	return []report.Block{
		report.Paragraph(task + " Systems, controls and repeats were not shown, and sides and order were random."),
		report.List{
			"Rule: " + a.Rule.String() + ". Controls and repeats don't count in the results.",
			"Strengths are those of the Bradley-Terry model, with mean 0: a system whose strength is higher by 1 wins 73 % " +
				"of the comparisons.",
			"Intervals are for new raters and new texts: a two-way jackknife with Student's t for strengths and ratings, " +
				"Wilson's interval of as many independent judgements for win rates.",
		},
	}
}

// Chart draws the strengths; false where there are none.
func (a *Analysis) Chart(r Result) (chart.Figure, bool) {
	panel := chart.Panel{X: "system", Y: "strength, by " + r.Aspect.Words()}
	series := chart.Series{}
	for i, s := range r.Systems {
		if s.Strength == nil {
			return chart.Figure{}, false
		}
		panel.Categories = append(panel.Categories, s.Name)
		series.Points = append(series.Points, chart.Point{X: float64(i), Y: s.Strength.Value})
		at := chart.Interval{Low: s.Strength.Value, High: s.Strength.Value}
		if s.Strength.Interval != nil {
			at = chart.Interval(*s.Strength.Interval)
		}
		series.Intervals = append(series.Intervals, at)
	}
	panel.Series = []chart.Series{series}
	return chart.Figure{Panels: []chart.Panel{panel}, Width: 900, Height: 130 + 40*len(r.Systems)}, true
}

// Findings are the main results, a sentence for each aspect.
func (a *Analysis) Findings() (all []string) {
	for _, r := range a.Results {
		all = append(all, r.finding())
	}
	return all
}

// finding says which system wins most, and how sure that is.
func (r Result) finding() string {
	text := fmt.Sprintf("By %s", r.Aspect.Words())
	best := -1
	for i, s := range r.Systems {
		if s.WinRate != nil && (best < 0 || s.WinRate.Value > r.Systems[best].WinRate.Value) {
			best = i
		}
	}
	if best < 0 {
		return text + " nothing was compared."
	}
	m := r.Systems[best].WinRate
	text += fmt.Sprintf(", %q wins %.0f %%", r.Systems[best].Name, 100*m.Value)
	if m.Interval != nil {
		text += fmt.Sprintf(" [%.0f, %.0f]", 100*m.Interval.Low, 100*m.Interval.High)
	}
	text += fmt.Sprintf(" of its %d comparisons", m.N)
	if m.Interval == nil || m.Interval.Low <= 0.5 {
		text += ", which does not tell it from chance"
	}
	return text + "; " + r.agreement() + "."
}
