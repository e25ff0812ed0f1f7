package report

import (
	"fmt"
	"slices"
	"strings"

	"illustrator/eval/metrics"
)

// missing stands where a cell has no number.
const missing = "–"

var arrows = map[metrics.Better]string{metrics.Higher: "↑", metrics.Lower: "↓"}

// Plain returns the header and the rows as texts, for a terminal, and the lines below them.
func (t Table) Plain() (rows [][]string, notes []string, err error) {
	if err := t.validate(); err != nil {
		return nil, nil, err
	}
	var header []string
	for _, c := range t.shown() {
		header = append(header, t.Columns[c].title())
	}
	rows = append(rows, header)
	for _, row := range t.Rows {
		var texts []string
		for _, c := range t.shown() {
			texts = append(texts, join(" ", t.parts(c, row.Cells[c]).all()...))
		}
		rows = append(rows, texts)
	}
	for _, n := range t.notes() {
		if !n.Styled {
			notes = append(notes, join(" ", n.Mark, n.Text))
		}
	}
	return rows, notes, nil
}

// shown are the places of the columns that people read.
func (t Table) shown() (columns []int) {
	for i, c := range t.Columns {
		if !c.DataOnly {
			columns = append(columns, i)
		}
	}
	return columns
}

// title is the header with the arrow of its direction.
func (c Column) title() string { return join(" ", c.Header, arrows[c.Better]) }

// align returns the alignment of a column's cells.
func (t Table) align(column int) Align {
	if a := t.Columns[column].Align; a != "" {
		return a
	}
	if t.hasNumbers(column) {
		return Right
	}
	return Left
}

// hasNumbers says whether a column has a number, or a failure to get one.
func (t Table) hasNumbers(column int) bool {
	return slices.ContainsFunc(t.Rows, func(r Row) bool {
		return r.Cells[column].Number != nil ||
			r.Cells[column].Failed != ""
	})
}

// parts are the pieces of a cell as they are printed, not yet escaped.
type parts struct {
	value, interval, mark string
}

func (p parts) all() []string { return []string{p.value, p.interval, p.mark} }

func (t Table) parts(column int, cell Cell) parts {
	p := parts{value: cell.Text, mark: cell.Mark}
	switch {
	case cell.Number != nil:
		p.value, p.interval = cell.Number.Format(t.decimals(column, &cell))
	case cell.Failed != "":
		p.value = missing
	}
	return p
}

// notes are those of the table, and why cells have no number: for each row once where it is for one reason.
func (t Table) notes() []Note {
	notes := slices.Clone(t.Notes)
	for _, row := range t.Rows {
		var reasons []string
		columns := map[string][]string{}
		for c, cell := range row.Cells {
			if cell.Failed != "" {
				reason := oneLine(cell.Failed)
				if columns[reason] == nil {
					reasons = append(reasons, reason)
				}
				columns[reason] = append(columns[reason], t.Columns[c].Header)
			}
		}
		for _, reason := range reasons {
			what := row.Cells[0].Text
			if numbers := t.numbers(row); len(columns[reason]) < numbers {
				what += ", " + strings.Join(columns[reason], ", ")
			}
			notes = append(notes, Note{Text: fmt.Sprintf("not measured: %s: %s", what, reason)})
		}
	}
	return notes
}

// numbers counts the cells of a row that are or should be numbers.
func (t Table) numbers(row Row) (n int) {
	for _, cell := range row.Cells {
		if cell.Number != nil || cell.Failed != "" {
			n++
		}
	}
	return n
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// join joins those parts that are not empty.
func join(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), separator)
}
