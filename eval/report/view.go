package report

import (
	"cmp"
	"strings"

	"illustrator/eval/metrics"
)

// tableView is a table as the HTML template reads it.
type tableView struct {
	Caption, Label string
	Wide           bool // it must save space
	Header         []headerView
	Rows           []rowView
	Notes          []Note
}

type headerView struct {
	Text   string
	Align  Align
	Better metrics.Better
}

type rowView struct {
	Class string
	Cells []cellView
}

type cellView struct {
	Value, Interval, Mark string
	Best, Heads           bool // Heads: the cell names its row
	Align                 Align
}

// Arrow shows a direction.
func (h headerView) Arrow() string { return arrows[h.Better] }

func viewOf(t Table) tableView {
	v := tableView{Caption: t.Caption, Label: cmp.Or(t.Caption, t.Name, "table"), Notes: t.notes(),
		Wide: len(t.shown()) > 7}
	for _, c := range t.shown() {
		v.Header = append(v.Header, headerView{Text: t.Columns[c].Header, Align: t.align(c), Better: t.Columns[c].Better})
	}
	for _, row := range t.Rows {
		var classes []string
		if row.Rule {
			classes = append(classes, "rule")
		}
		if row.Reference {
			classes = append(classes, "reference")
		}
		r := rowView{Class: strings.Join(classes, " ")}
		for i, c := range t.shown() {
			p := t.parts(c, row.Cells[c])
			r.Cells = append(r.Cells, cellView{Value: p.value, Interval: p.interval, Mark: p.mark, Best: row.Cells[c].Best,
				Heads: i == 0, Align: t.align(c)})
		}
		v.Rows = append(v.Rows, r)
	}
	return v
}
