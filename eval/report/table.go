// Package report writes the results of studies down: tables as Markdown, CSV, LaTeX, HTML and JSON, and documents of
// tables, charts and grids of pictures as one self-contained HTML file. It knows nothing of what was studied.
package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/eval/metrics"
	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// Table holds measurements: a row for each thing, a column for each metric.
type Table struct {
	// Name is short and plain, as in files' names and LaTeX's labels: "losses".
	Name    string   `json:"name,omitempty"`
	Caption string   `json:"caption,omitempty"`
	Columns []Column `json:"columns"`
	Rows    []Row    `json:"rows"`
	// Notes stand below the table, such as what its marks mean.
	Notes []Note `json:"notes,omitempty"`
}

// Column describes the cells below one header.
type Column struct {
	Header string `json:"header"`
	// Key is the header in CSV, such as "clip_similarity"; "" takes Header. The interval is in Key_low and Key_high, or in
	// low and high where a table has one column of numbers.
	Key   string `json:"key,omitempty"`
	Align Align  `json:"align,omitempty"` // default Right for numbers, else Left
	// Better is the direction in which the column's numbers improve: an arrow in the header, and what MarkBest looks for.
	Better metrics.Better `json:"better,omitempty"`
	// Mixed says that the numbers are of different metrics: each is rounded by itself. Otherwise all of a column have
	// equally many decimals.
	Mixed bool `json:"mixed,omitempty"`
	// DataOnly leaves the column out where people read, and keeps it in CSV and JSON.
	DataOnly bool `json:"data_only,omitempty"`
}

// Align is the alignment of a column's cells.
type Align string

// The alignments.
const (
	Left   Align = "left"
	Center Align = "center"
	Right  Align = "right"
)

// Row is one thing measured: a cell for each column.
type Row struct {
	Cells []Cell `json:"cells"`
	// Rule draws a line above the row, between groups of rows.
	Rule bool `json:"rule,omitempty"`
	// Reference says that the row is there to compare with, such as the figures of real pictures: it is never the best.
	Reference bool `json:"reference,omitempty"`
}

// Cell is a text, a number, or the reason for a missing number.
type Cell struct {
	Text   string  `json:"text,omitempty"`
	Number *Number `json:"number,omitempty"`
	Failed string  `json:"failed,omitempty"`
	// Best sets the number in bold; MarkBest sets it.
	Best bool `json:"best,omitempty"`
	// Mark stands behind the cell, such as "*" or "†"; a note says what it means.
	Mark string `json:"mark,omitempty"`
}

// Note is a line below a table. Mark is "" for a general one.
type Note struct {
	Mark string `json:"mark,omitempty"`
	Text string `json:"text"`
	// Styled is true of a note on how a document sets cells, such as bold: plain text has none of it.
	Styled bool `json:"styled,omitempty"`
}

// Text is a cell of text.
func Text(s string) Cell { return Cell{Text: s} }

// Measured is a cell of a value and its interval, nil for none.
func Measured(value float64, interval *metrics.Interval) Cell {
	return Cell{Number: &Number{Value: value, Interval: interval}}
}

// Failed is a cell without a number, and why.
func Failed(reason string) Cell { return Cell{Failed: reason} }

// Marked returns the cell with a mark.
func (c Cell) Marked(mark string) Cell {
	c.Mark = mark
	return c
}

// Numbered returns the mark of a note, "(1)" and so on, which it adds to the table if it isn't there yet; "" for no
// text.
func (t *Table) Numbered(text string) string {
	if text == "" {
		return ""
	}
	next := 1
	for _, n := range t.Notes {
		if n.Text == text && n.Mark != "" {
			return n.Mark
		}
		if strings.HasPrefix(n.Mark, "(") {
			next++
		}
	}
	mark := fmt.Sprintf("(%d)", next)
	t.Notes = append(t.Notes, Note{Mark: mark, Text: text})
	return mark
}

// MarkBest sets Best in each column that has a direction: of its best number, and of those that are printed alike. Rows
// of reference are left out, and a column whose numbers are all alike has no best.
func (t *Table) MarkBest() {
	for c, column := range t.Columns {
		var cells []*Cell
		for r := range t.Rows {
			if cell := &t.Rows[r].Cells[c]; cell.Number != nil && !t.Rows[r].Reference {
				cells = append(cells, cell)
			}
		}
		if column.Better == "" || column.Mixed || len(cells) == 0 {
			continue
		}
		best := slices.MaxFunc(cells, func(a, b *Cell) int {
			if column.Better == metrics.Lower {
				a, b = b, a
			}
			return cmp.Compare(a.Number.Value, b.Number.Value)
		})
		decimals := t.decimals(c, best)
		alike := func(cell *Cell) bool {
			return decimal(cell.Number.Value, decimals) == decimal(best.Number.Value, decimals)
		}
		worse := slices.ContainsFunc(cells, func(cell *Cell) bool { return !alike(cell) })
		for _, cell := range cells {
			cell.Best = worse && alike(cell)
		}
	}
}

// formats are the extensions of the files that Write makes. HTML is a fragment, without a head.
var formats = []string{".md", ".csv", ".tex", ".html", ".json"}

// Write writes the table to a file, whose extension says the format.
func (t Table) Write(path string) error {
	content, err := t.Encode(strings.ToLower(filepath.Ext(path)))
	if err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return files.WriteFile(path, content, 0o666)
}

// Encode returns the file of the table in one of Formats. Rows of the wrong length, and numbers that are none, are
// errors.
func (t Table) Encode(format string) ([]byte, error) {
	if err := t.validate(); err != nil {
		return nil, err
	}
	switch format {
	case ".md":
		return t.markdown(), nil
	case ".csv":
		return t.csv()
	case ".tex":
		return t.latex(), nil
	case ".html":
		return t.fragment()
	case ".json":
		content, err := json.MarshalIndent(t, "", "  ")
		return append(content, '\n'), err
	}
	return nil, fault.Usage(fmt.Errorf("tables have no format %q", format), "the formats are %s",
		strings.Join(formats, ", "))
}

func (t Table) validate() error {
	at := fmt.Sprintf("table %q", t.Name)
	if !slices.ContainsFunc(t.Columns, func(c Column) bool { return !c.DataOnly }) {
		return fmt.Errorf("%s has no columns", at)
	}
	for i, row := range t.Rows {
		if len(row.Cells) != len(t.Columns) {
			return fmt.Errorf("%s: row %d has %d cells for %d columns", at, i, len(row.Cells), len(t.Columns))
		}
		for c, cell := range row.Cells {
			if err := cell.validate(); err != nil {
				return fmt.Errorf("%s: row %d (%s), column %q: %w", at, i, row.Cells[0].Text, t.Columns[c].Header, err)
			}
		}
	}
	for _, c := range t.Columns {
		if !slices.Contains([]Align{"", Left, Center, Right}, c.Align) {
			return fmt.Errorf("%s: column %q has the alignment %q", at, c.Header, c.Align)
		}
	}
	return nil
}

func (c Cell) validate() error {
	kinds := 0
	for _, has := range []bool{c.Text != "", c.Number != nil, c.Failed != ""} {
		if has {
			kinds++
		}
	}
	if kinds > 1 {
		return fmt.Errorf("the cell is more than one of a text, a number and a failure")
	}
	if c.Number == nil {
		return nil
	}
	values := []float64{c.Number.Value}
	if at := c.Number.Interval; at != nil {
		values = append(values, at.Low, at.High)
		if at.Low > at.High {
			return fmt.Errorf("the interval is from %g to %g", at.Low, at.High)
		}
	}
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("the number is %g", v)
		}
	}
	return nil
}
