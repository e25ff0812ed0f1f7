package report

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"slices"
	"strconv"
)

// csv writes all columns, numbers exactly; the last column says why numbers are missing.
func (t Table) csv() ([]byte, error) {
	numbers := 0
	for c := range t.Columns {
		if t.hasNumbers(c) {
			numbers++
		}
	}
	var header []string
	for c, column := range t.Columns {
		key := cmp.Or(column.Key, column.Header)
		header = append(header, key)
		switch {
		case !t.hasNumbers(c):
		case numbers == 1:
			header = append(header, "low", "high")
		default:
			header = append(header, key+"_low", key+"_high")
		}
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	lines := [][]string{append(header, "failure")}
	for _, row := range t.Rows {
		lines = append(lines, t.record(row))
	}
	err := w.WriteAll(lines)
	return b.Bytes(), err
}

func (t Table) record(row Row) []string {
	exact := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	var record, failures []string
	for c, cell := range row.Cells {
		value, low, high := cell.Text, "", ""
		if n := cell.Number; n != nil {
			value = exact(n.Value)
			if n.Interval != nil {
				low, high = exact(n.Interval.Low), exact(n.Interval.High)
			}
		}
		record = append(record, value)
		if t.hasNumbers(c) {
			record = append(record, low, high)
		}
		if cell.Failed != "" {
			failures = append(failures, cell.Failed)
		}
	}
	return append(record, join("; ", unique(failures)...))
}

// unique are the texts without those that were there before.
func unique(texts []string) (once []string) {
	for _, s := range texts {
		if !slices.Contains(once, s) {
			once = append(once, s)
		}
	}
	return once
}
