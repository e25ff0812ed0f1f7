package ablation

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"illustrator/eval/chart"
	"illustrator/eval/metrics"
	"illustrator/eval/report"
)

// Document is the report of a study. facts say how the results came about; curves, which may be nil, are the losses of
// its trainings.
func (a *Analysis) Document(facts []report.Fact, curves *chart.Figure) (report.Document, error) {
	d := report.Document{Title: a.Study.Title, Facts: facts}
	judged, err := a.Judge()
	if err != nil {
		return d, err
	}
	d.Sections = append(d.Sections, report.Section{Heading: "Variants",
		Blocks: append(paragraphs(a.Study.About), a.legend())})
	for _, g := range a.Study.Groups {
		section, err := a.groupSection(g)
		if err != nil {
			return d, fmt.Errorf("%s: %w", g.Name, err)
		}
		d.Sections = append(d.Sections, section)
	}
	if len(judged) > 0 {
		section := report.Section{Heading: "What the figures say of the paper's claims",
			Blocks: []report.Block{report.Paragraph(testOfClaims)}}
		for _, j := range judged {
			d.Findings = append(d.Findings, j.sentence())
			section.Blocks = append(section.Blocks, report.Paragraph(strings.TrimSpace(j.sentence()+" "+j.Because)))
		}
		d.Sections = append(d.Sections, section)
	}
	if differences := a.Differences(""); len(differences.Rows) > 0 {
		d.Sections = append(d.Sections, report.Section{Heading: "Differences", Blocks: []report.Block{differences}})
	}
	if grid, ok := a.grid(); ok {
		d.Sections = append(d.Sections, report.Section{Heading: "Pictures", Blocks: []report.Block{grid}})
	}
	if curves != nil {
		const caption = "Losses of the trainings by the first seed, one line for each variant."
		figure, err := report.Chart(*curves, caption, caption)
		if err != nil {
			return d, err
		}
		d.Sections = append(d.Sections, report.Section{Heading: "Trainings", Blocks: []report.Block{figure}})
	}
	if failures := a.failures(); len(failures) > 0 {
		d.Sections = append(d.Sections, report.Section{Heading: "Failures", Blocks: []report.Block{failures}})
	}
	return d, nil
}

// legend says how to read the tables.
func (a *Analysis) legend() (list report.List) {
	for _, n := range a.notes() {
		text := n.Text
		if n.Mark != "" {
			text = n.Mark + " " + text
		}
		list = append(list, text)
	}
	return list
}

func paragraphs(text string) (blocks []report.Block) {
	for _, p := range strings.Split(text, "\n\n") {
		if p = strings.TrimSpace(strings.ReplaceAll(p, "\n", " ")); p != "" {
			blocks = append(blocks, report.Paragraph(p))
		}
	}
	return blocks
}

func (a *Analysis) groupSection(g Group) (report.Section, error) {
	section := report.Section{Heading: g.Name, Blocks: append(paragraphs(g.About), a.groupTable(g))}
	figure, ok := a.Chart(g)
	if !ok {
		return section, nil
	}
	var charted []string
	for _, name := range a.charted() {
		charted = append(charted, metrics.Label(name))
	}
	caption := fmt.Sprintf("%s, with 95 %% intervals.", strings.Join(charted, ", "))
	picture, err := report.Chart(figure, caption, g.Name+": "+caption)
	section.Blocks = append(section.Blocks, picture)
	return section, err
}

// Chart is a group's chart: a panel for each figure, over the group's axis or with the variants side by side. It is
// false where there is nothing to draw.
func (a *Analysis) Chart(g Group) (chart.Figure, bool) {
	f := chart.Figure{Title: g.Name, Width: 1200, Height: 440}
	if g.Axis == "" {
		f.Height = 150 + 36*len(g.Variants)
	}
	for _, name := range a.charted() {
		series, categories := chart.Series{}, []string(nil)
		for _, v := range g.Variants {
			figure, ok := a.row(v.Name).Figures[name]
			if !ok {
				continue
			}
			x := float64(len(categories))
			if g.Axis != "" {
				x = *v.X
			}
			categories = append(categories, v.Name)
			series.Points = append(series.Points, chart.Point{X: x, Y: figure.Value})
			series.Intervals = append(series.Intervals, intervalOf(figure))
		}
		if len(series.Points) == 0 {
			continue
		}
		label := metrics.Label(name)
		panel := chart.Panel{Title: label, X: g.Axis, Y: label, LogX: g.LogAxis, Series: []chart.Series{series}}
		if g.Axis == "" {
			panel.Categories = categories
		}
		f.Panels = append(f.Panels, panel)
	}
	f.Height *= (len(f.Panels) + 1) / 2 // two stand in a row
	return f, len(f.Panels) > 0
}

func intervalOf(m metrics.Metric) chart.Interval {
	if m.Interval == nil {
		return chart.Interval{Low: m.Value, High: m.Value}
	}
	return chart.Interval{Low: math.Min(m.Interval.Low, m.Value), High: math.Max(m.Interval.High, m.Value)}
}

// grid is the sheet of pictures: a row for each variant, a column for each text, the first seed.
func (a *Analysis) grid() (report.Grid, bool) {
	g := report.Grid{Caption: "The same texts and seed by each variant.", Corner: "variant", Columns: a.Study.Show}
	for _, row := range a.Rows {
		if len(a.Study.Show) == 0 || len(row.Done) == 0 || len(row.Done[0].Pictures) != len(a.Study.Show) {
			continue
		}
		line := report.GridRow{Label: row.Name}
		for _, p := range row.Done[0].Pictures {
			line.Cells = append(line.Cells, report.GridCell{Pictures: [][]byte{p}})
		}
		g.Rows = append(g.Rows, line)
	}
	return g, len(g.Rows) > 0
}

// failures lists what failed.
func (a *Analysis) failures() (list report.List) {
	for _, row := range a.Rows {
		for _, o := range row.Failed {
			list = append(list, fmt.Sprintf("%s, seed %d: %s", row.Name, o.Seed, o.Failed))
		}
	}
	return list
}

// testOfClaims says how verdicts come about.
const testOfClaims = "A verdict is by one test: the P that is printed, adjusted by Holm's method for all claims of " +
	"the study, is below 0.05 or the claim is undecided. The unit of analysis is named with it: texts and seeds are " +
	"taken as drawn at random, so that a verdict holds for new ones; with one seed it holds for new texts alone, and " +
	"a figure of whole sets has seeds alone. The smallest difference that could be found is the one that the test " +
	"finds with a chance of 80 % at the level of its strictest adjustment: (t(1 - 0.025 / claims) + t(0.8)) standard " +
	"errors."

// sentence says how a claim fared.
func (j Judgement) sentence() string {
	text := fmt.Sprintf("%s: %s.", j.Verdict, strings.TrimSuffix(j.Text, "."))
	if j.Verdict == Unknown {
		return text
	}
	d := j.Difference
	n := report.Number{Value: d.Value, Interval: d.Interval}
	value, interval := n.Format(n.Decimals())
	if interval != "" {
		interval = " " + interval
	}
	if n.Value > 0 {
		value = "+" + value
	}
	text += fmt.Sprintf(" %s of %q: %s%s against %q. P %.2g, adjusted for %d claims; by %s (%s).", capital(j.Label),
		j.Claim.Better, value, interval, j.Than, j.Adjusted, j.Claims, j.Unit, units(d))
	if j.Detectable != nil {
		text += fmt.Sprintf(" The smallest difference that could be found: %s.",
			strconv.FormatFloat(*j.Detectable, 'f', n.Decimals(), 64))
	}
	return text
}

// capital begins a label as a sentence does.
func capital(label string) string {
	first, size := utf8.DecodeRuneInString(label)
	return string(unicode.ToUpper(first)) + label[size:]
}

// units counts what the test takes as drawn at random, and what it doesn't.
func units(d metrics.Difference) string {
	seeds := "1 seed"
	if d.Seeds > 1 {
		seeds = fmt.Sprintf("%d seeds", d.Seeds)
	}
	if d.Texts == 0 {
		return seeds
	}
	return fmt.Sprintf("%d texts, %s", d.Texts, seeds)
}
