package vectors

import (
	"math"
	"testing"
)

func TestCosine(t *testing.T) {
	for _, c := range []struct {
		a, b []float32
		want float64
	}{
		{[]float32{3, 4}, []float32{6, 8}, 1},
		{[]float32{3, 4}, []float32{-3, -4}, -1},
		{[]float32{1, 0}, []float32{0, 5}, 0},
		{[]float32{1, 0}, []float32{1, 1}, math.Sqrt2 / 2},
		{[]float32{0, 0}, []float32{1, 1}, 0}, // no direction, and no division by zero
		{[]float32{1e30, 1e30}, []float32{1e30, 1e30}, 1},
		{[]float32{1e-20, 0}, []float32{1e-20, 0}, 1},
	} {
		if got := Cosine(c.a, c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("cosine of %v and %v is %g, want %g", c.a, c.b, got, c.want)
		}
	}
}
