package draw

import (
	"fmt"
	"image"
	"slices"

	"illustrator/data/pictures"
	"illustrator/data/texts"
)

// Sheet draws pictures row by row: a row for each alpha, a column for each seed.
func Sheet(of []image.Image, rows []texts.Text, seeds []uint64, title, subtitle string) (image.Image, error) {
	o := pictures.GridOptions{Title: title, Subtitle: subtitle}
	for _, seed := range seeds {
		o.ColumnHeaders = append(o.ColumnHeaders, fmt.Sprintf("seed %d", seed))
	}
	several := slices.ContainsFunc(rows, func(t texts.Text) bool { return t.Text != rows[0].Text })
	for _, row := range rows {
		header := fmt.Sprintf("strength (α) %g", *row.Alpha)
		if several {
			header = row.Text + ", " + header
		}
		o.RowHeaders = append(o.RowHeaders, header)
	}
	return pictures.Grid(of, nil, len(seeds), o)
}
