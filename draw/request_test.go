package draw

import (
	"errors"
	"slices"
	"testing"

	"illustrator/data/texts"
)

// Texts share a plan but for their own seed and alpha; the first wrong field, text or attribute is an error.
func TestRequests(t *testing.T) {
	m := undrawn()
	m.Classifier = &people
	seed, alpha, wrong := uint64(7), 0.5, 11.0
	own := texts.Text{Text: "a king", Seed: &seed, Alpha: &alpha}
	got, err := m.Requests(Spec{Seeds: []uint64{1, 2}}, nil, DefaultLimits(), say("a wizard"), own)
	if err != nil || len(got) != 2 || !slices.Equal(got[0].Seeds, []uint64{1, 2}) || got[0].Alpha != m.Alpha ||
		!slices.Equal(got[1].Seeds, []uint64{7}) || got[1].Alpha != 0.5 || Texts(got)[1].Text != "a king" {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = m.Requests(Spec{}, []float64{1, 2}, DefaultLimits(), say("a wizard"), say("a clown"))
	if err != nil || len(got) != 4 || got[1].Alpha != 2 || got[2].Alpha != 1 || got[2].Text.Text != "a clown" {
		t.Errorf("%+v, %v", got, err)
	}
	count, field := 0, (*FieldError)(nil)
	own.Alpha = &wrong
	_, err = m.Requests(Spec{}, nil, DefaultLimits(), say("a wizard"), own)
	if !errors.As(err, &field) || field.Field != "alpha" || err.Error() != "text 2: alpha is 11" {
		t.Errorf("a wrong alpha of a text: %v", err)
	}
	_, err = m.Requests(Spec{Count: &count}, nil, DefaultLimits(), own)
	if !errors.As(err, &field) || field.Field != "count" {
		t.Errorf("a wrong count: %v", err)
	}
	_, err = m.Requests(Spec{}, []float64{1, 1}, DefaultLimits(), own)
	if !errors.As(err, &field) || field.Field != "alphas" {
		t.Errorf("an alpha that is given twice: %v", err)
	}
	unknown := texts.Text{Text: "a clown", Attributes: map[string][]string{"nose": {"red"}}}
	if _, err = m.Requests(Spec{}, nil, DefaultLimits(), unknown); err == nil {
		t.Error("an attribute that the classifier does not know")
	}
}

func TestAtStrengths(t *testing.T) {
	of := []texts.Text{{Text: "one"}, {Text: "two"}}
	rows, err := atStrengths(of, []float64{0.5, 1}, Spec{})
	if err != nil || len(rows) != 4 || rows[1].Text != "one" || *rows[1].Alpha != 1 || *rows[2].Alpha != 0.5 ||
		of[0].Alpha != nil {
		t.Errorf("%+v, %v", rows, err)
	}
	if same, err := atStrengths(of, nil, Spec{}); err != nil || len(same) != 2 {
		t.Errorf("%+v, %v", same, err)
	}
	alpha, best := 1.0, 2
	for _, c := range []struct {
		alphas []float64
		spec   Spec
		other  string
	}{
		{[]float64{1}, Spec{Settings: Settings{Alpha: &alpha}}, "alpha"},
		{[]float64{1}, Spec{Settings: Settings{NoProjection: true}}, "no_projection"},
		{[]float64{1}, Spec{BestOf: &best}, "best_of"},
		{[]float64{1, 1}, Spec{}, ""},
		{make([]float64, 33), Spec{}, ""},
	} {
		var field *FieldError
		if _, err := atStrengths(of, c.alphas, c.spec); !errors.As(err, &field) || field.Field != "alphas" ||
			field.Other != c.other {
			t.Errorf("%v: %v", c, err)
		}
	}
}
