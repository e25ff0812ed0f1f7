package draw

import "testing"

// A row of z whose square is infinite would draw the picture of z = 0.
func TestTooLongZ(t *testing.T) {
	for _, c := range []struct {
		z    []float32
		want int
	}{{[]float32{1, -2, 3, 4}, -1}, {[]float32{1, 1e18, -1e18, 0}, -1}, {[]float32{1, 1, 0, 3e38}, 1}, {nil, -1}} {
		if got := tooLong(c.z, 2); got != c.want {
			t.Errorf("%v: row %d; want %d", c.z, got, c.want)
		}
	}
}
