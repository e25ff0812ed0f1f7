package ablation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"illustrator/eval/metrics"
	"illustrator/eval/report"
)

// significant marks a figure that differs from the reference's.
const significant = "*"

// Table is the table of all variants, for files.
func (a *Analysis) Table(name string) report.Table {
	t := a.table(name, a.Study.Title, a.Rows)
	t.Notes = a.notes()
	return t
}

// groupTable is the table of one group's variants; the reference is shown with them.
func (a *Analysis) groupTable(g Group) report.Table {
	var rows []*Row
	for _, v := range g.Variants {
		rows = append(rows, a.row(v.Name))
	}
	return a.table("", g.Name, rows)
}

// table has a row for each variant and a column for each of the study's figures.
func (a *Analysis) table(name, caption string, rows []*Row) report.Table {
	t := report.Table{Name: name, Caption: caption, Columns: []report.Column{{Header: "variant", Align: report.Left}}}
	figures := a.columns()
	for _, f := range figures {
		t.Columns = append(t.Columns, report.Column{Header: metrics.Label(f.Name), Key: f.Name, Align: report.Right,
			Better: f.Better})
	}
	t.Columns = append(t.Columns, report.Column{Header: "seeds", Align: report.Right},
		report.Column{Header: "failed", DataOnly: true}, report.Column{Header: "seconds", DataOnly: true})
	for _, row := range rows {
		t.Rows = append(t.Rows, a.tableRow(row, figures))
	}
	t.MarkBest()
	return t
}

// notes say how to read the tables.
func (a *Analysis) notes() []report.Note {
	return append([]report.Note{
		{Text: "[95 % interval] for new texts and new seeds"},
		{Text: "the best of a column is bold", Styled: true},
		{Mark: significant,
			Text: fmt.Sprintf("differs from %q: paired, P below 0.05 after Holm's adjustment over all variants",
				a.Study.Reference)},
	}, caveats(a.columns())...)
}

// caveats are notes on figures, one for each caveat.
func caveats(figures []metrics.Metric) (notes []report.Note) {
	of := map[string][]string{}
	var all []string
	for _, f := range figures {
		if f.Caveat == "" {
			continue
		}
		if of[f.Caveat] == nil {
			all = append(all, f.Caveat)
		}
		of[f.Caveat] = append(of[f.Caveat], metrics.Label(f.Name))
	}
	for _, caveat := range all {
		notes = append(notes, report.Note{Text: strings.Join(of[caveat], ", ") + ": " + caveat})
	}
	return notes
}

// columns are the figures of tables, as some row has them.
func (a *Analysis) columns() []metrics.Metric {
	var figures []metrics.Metric
	for _, name := range a.shown() {
		for _, row := range a.Rows {
			if f, ok := row.Figures[name]; ok {
				figures = append(figures, f)
				break
			}
		}
	}
	return figures
}

// shown names the figures of tables: the study's columns, else those of its metrics. A metric that stands for several
// figures, such as r_precision, gives all of them.
func (a *Analysis) shown() []string {
	if len(a.Study.Columns) > 0 {
		return a.Study.Columns
	}
	var names []string
	for _, metric := range a.Study.Shown() {
		of := map[string]bool{}
		for _, row := range a.Rows {
			for name := range row.Figures {
				of[name] = of[name] || name == metric || strings.HasPrefix(name, metric+"_1_of_") ||
					strings.HasPrefix(name, metric+" (")
			}
		}
		maps.DeleteFunc(of, func(_ string, is bool) bool { return !is })
		if of[metric] {
			names = append(names, metric)
			continue
		}
		names = append(names, slices.Sorted(maps.Keys(of))...)
	}
	return names
}

// charted names the figures of charts.
func (a *Analysis) charted() []string {
	if len(a.Study.Chart) > 0 {
		return a.Study.Chart
	}
	shown := a.shown()
	return shown[:min(2, len(shown))]
}

func (a *Analysis) tableRow(row *Row, figures []metrics.Metric) report.Row {
	label := row.Name
	if row.Name == a.Study.Reference {
		label += " (reference)"
	}
	cells := []report.Cell{report.Text(label)}
	for _, f := range figures {
		figure, ok := row.Figures[f.Name]
		switch {
		case ok:
			cell := report.Measured(figure.Value, figure.Interval)
			if row.Against[f.Name].significant() {
				cell = cell.Marked(significant)
			}
			cells = append(cells, cell)
		case len(row.Failed) > 0:
			cells = append(cells, report.Failed(row.Failed[0].Failed))
		default:
			cells = append(cells, report.Failed("not measured"))
		}
	}
	seconds := 0.0
	for _, o := range row.Done {
		seconds += o.Seconds
	}
	failures := make([]string, len(row.Failed))
	for i, f := range row.Failed {
		failures[i] = fmt.Sprintf("seed %d: %s", f.Seed, f.Failed)
	}
	return report.Row{Cells: append(cells, report.Text(a.count(row)), report.Text(strings.Join(failures, "; ")),
		report.Text(fmt.Sprintf("%.0f", seconds)))}
}

// count says of how many seeds a row is.
func (a *Analysis) count(row *Row) string {
	if len(row.Done) == len(a.Study.Seeds) {
		return fmt.Sprint(len(row.Done))
	}
	return fmt.Sprintf("%d of %d", len(row.Done), len(a.Study.Seeds))
}

// Differences is the table of all variants' differences from the reference.
func (a *Analysis) Differences(name string) report.Table {
	t := report.Table{Name: name, Caption: fmt.Sprintf("Differences from %q, paired by text and seed", a.Study.Reference),
		Columns: []report.Column{{Header: "variant", Align: report.Left}}}
	figures := a.columns()
	for _, f := range figures {
		label := metrics.Label(f.Name)
		t.Columns = append(t.Columns, report.Column{Header: label, Key: f.Name, Align: report.Right},
			report.Column{Header: label + ", P", Key: f.Name + "_p", DataOnly: true},
			report.Column{Header: label + ", adjusted P", Key: f.Name + "_p_holm", DataOnly: true},
			report.Column{Header: label + ", smallest difference that could be found", Key: f.Name + "_detectable",
				DataOnly: true},
			report.Column{Header: label + ", unit of the test", Key: f.Name + "_unit", DataOnly: true})
	}
	for _, row := range a.Rows {
		if row.Against == nil {
			continue
		}
		cells := []report.Cell{report.Text(row.Name)}
		for _, f := range figures {
			d, ok := row.Against[f.Name]
			if !ok {
				cells = append(cells, report.Failed("not compared"), report.Text(""), report.Text(""), report.Text(""),
					report.Text(""))
				continue
			}
			cell, smallest := report.Measured(d.Value, d.Interval), ""
			if d.significant() {
				cell = cell.Marked(significant)
			}
			if s, ok := d.Detectable(level / float64(max(1, len(a.Rows)-1))); ok {
				smallest = fmt.Sprintf("%.4g", s)
			}
			cells = append(cells, cell, report.Text(fmt.Sprintf("%.4g", d.P)), report.Text(fmt.Sprintf("%.4g", d.Adjusted)),
				report.Text(smallest), report.Text(d.Unit()))
		}
		t.Rows = append(t.Rows, report.Row{Cells: cells})
	}
	t.Notes = []report.Note{{Mark: significant,
		Text: "P below 0.05 after Holm's adjustment over all variants; intervals are before the adjustment"}}
	return t
}
