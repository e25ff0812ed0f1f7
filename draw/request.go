package draw

import (
	"fmt"

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

// Texts returns the texts of requests.
func Texts(requests []Request) []texts.Text {
	all := make([]texts.Text, len(requests))
	for i, q := range requests {
		all[i] = q.Text
	}
	return all
}
