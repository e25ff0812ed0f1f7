package draw

import (
	"fmt"
	"image"
	"slices"

	"illustrator/data/pictures"
	"illustrator/data/texts"
)

// maxStrengths bounds the rows of a sheet of one text.
const maxStrengths = 32

// atStrengths returns the texts, each once for each alpha of eq. 3, text by text. Without alphas it returns the texts
// as they are. The error is a *FieldError of the field alphas.
func atStrengths(of []texts.Text, alphas []float64, s Spec) ([]texts.Text, error) {
	if len(alphas) == 0 {
		return of, nil
	}
	conflict := func(other, remedy string) error {
		return &FieldError{Code: Conflict, Field: "alphas", Other: other, Remedy: remedy}
	}
	switch {
	case s.Alpha != nil:
		return nil, conflict("alpha", "`alphas` takes the place of `alpha`: leave one of the two out")
	case s.NoProjection:
		return nil, conflict("no_projection", "without projection alpha has no effect: leave one of the two out")
	case value(s.BestOf, 1) > 1:
		return nil, conflict("best_of",
			"a sheet has the same seeds in each row, and `best_of` chooses among seeds: leave one out")
	case len(alphas) > maxStrengths:
		return nil, &FieldError{Code: OutOfRange, Field: "alphas", Value: len(alphas),
			Remedy: fmt.Sprintf("`alphas` must be at most %d numbers", maxStrengths)}
	}
	for i, alpha := range alphas {
		if slices.Contains(alphas[:i], alpha) {
			return nil, &FieldError{Code: OutOfRange, Field: "alphas", Value: alpha,
				Remedy: "`alphas` must name each number once"}
		}
	}
	rows := make([]texts.Text, 0, len(of)*len(alphas))
	for _, text := range of {
		for _, alpha := range alphas {
			text.Alpha = &alpha
			rows = append(rows, text)
		}
	}
	return rows, nil
}

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
