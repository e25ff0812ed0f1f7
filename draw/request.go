package draw

import (
	"fmt"
	"slices"

	"illustrator/data/texts"
)

// Request asks for the pictures of one text.
type Request struct {
	Text  texts.Text
	Model int // index of the models
	Plan
}

// Requests plans the pictures of texts by s, with the seed and alpha of a text in place of those that all share. With
// alphas each text is requested once for each of them: the rows of a sheet whose columns are seeds. An error is a
// *FieldError, or names an attribute that the domain's classifier does not know.
func (m Model) Requests(s Spec, alphas []float64, l Limits, of ...texts.Text) ([]Request, error) {
	of, err := atStrengths(of, alphas, s)
	if err != nil {
		return nil, err
	}
	shared, err := m.Plan(s, l)
	if err != nil {
		return nil, err
	}
	if m.Classifier != nil {
		if err := CheckTexts(*m.Classifier, of); err != nil {
			return nil, err
		}
	}
	requests := make([]Request, len(of))
	for i, t := range of {
		requests[i] = Request{Text: t, Plan: shared}
		if t.Seed == nil && t.Alpha == nil {
			continue
		}
		if requests[i].Plan, err = m.Plan(s.of(t), l); err != nil {
			return nil, fmt.Errorf("text %d: %w", i+1, err)
		}
	}
	return requests, nil
}

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

// Texts returns the texts of requests.
func Texts(requests []Request) []texts.Text {
	all := make([]texts.Text, len(requests))
	for i, q := range requests {
		all[i] = q.Text
	}
	return all
}
