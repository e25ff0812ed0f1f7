package embeddings

import (
	"strings"
	"testing"

	"illustrator/data/arrays"
)

// Arrays that are not pictures in [-1,1] are refused: bytes would be embedded as something else.
func TestCheckArray(t *testing.T) {
	picture := func(value float32, shape ...int) *arrays.Array {
		a := &arrays.Array{Shape: shape, Data: make([]float32, 1)}
		for _, d := range shape {
			a.Data = make([]float32, len(a.Data)*d)
		}
		if len(a.Data) > 0 {
			a.Data[len(a.Data)-1] = value
		}
		return a
	}
	for want, a := range map[string]*arrays.Array{
		"":                                   picture(1.5, 2, 3, 4, 4),
		"x.npy has shape [2 4 4 3]":          picture(1, 2, 4, 4, 3),
		"x.npy has shape [0 3 4 4]":          picture(1, 0, 3, 4, 4),
		"x.npy has shape [3 4 4]":            picture(1, 3, 4, 4),
		"x.npy: picture 1 has the value 255": picture(255, 2, 3, 4, 4),
	} {
		err := checkArray("x.npy", a)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v; want %q", a.Shape, err, want)
		}
	}
}
