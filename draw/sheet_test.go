package draw

import (
	"errors"
	"image"
	"testing"

	"illustrator/data/texts"
)

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
	img, err := Sheet([]image.Image{square(1), square(2), square(3), square(4)}, rows[:2], []uint64{3, 4}, "a", "b")
	if err != nil || img.Bounds().Dx() < 300 {
		t.Errorf("%v", err)
	}
	if _, err := Sheet([]image.Image{square(1)}, rows[:2], []uint64{3, 4}, "a", "b"); err == nil {
		t.Error("a sheet with a missing picture")
	}
}

func square(v uint8) image.Image {
	img := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range img.Pix {
		img.Pix[i] = v
	}
	return img
}
