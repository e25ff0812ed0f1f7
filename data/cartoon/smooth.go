package cartoon

import "math"

// smoothPasses is the number of times that rows and columns are smoothed; the paper's 3 leaves no stripes.
const smoothPasses = 3

// smooth smooths by sigma pixels where colours change little: a step of edge in [0,1] counts as sigma pixels. It is the
// recursive filter of Gastal and Oliveira, "Domain Transform for Edge-Aware Image and Video Processing" (2011), eq. 21.
func (c canvas) smooth(sigma, edge float64) {
	w, h := c[0].w, c[0].h
	across, down := newPlane(w, h), newPlane(w, h)
	ratio := float32(sigma / edge)
	rows(h, func(y int) {
		for x := range w {
			i := y*w + x
			var dx, dy float32
			for k := range c {
				if x > 0 {
					dx += abs(c[k].v[i] - c[k].v[i-1])
				}
				if y > 0 {
					dy += abs(c[k].v[i] - c[k].v[i-w])
				}
			}
			across.v[i], down.v[i] = 1+ratio*dx, 1+ratio*dy
		}
	})
	for pass := range smoothPasses {
		// Eq. 14: deviations that halve from pass to pass and sum up to sigma.
		s := sigma * math.Sqrt(3) * math.Pow(2, float64(smoothPasses-pass-1)) / math.Sqrt(math.Pow(4, smoothPasses)-1)
		a := math.Exp(-math.Sqrt2 / s)
		rows(h, func(y int) { c.smoothLine(across, a, y*w, 1, w) })
		rows(w, func(x int) { c.smoothLine(down, a, x, w, h) })
	}
}

// smoothLine smooths n pixels from the one at from, step apart, forwards and back. distance is that to the pixel before.
func (c canvas) smoothLine(distance plane, a float64, from, step, n int) {
	logA := float32(math.Log(a))
	weights := make([]float32, n)
	for j := range weights {
		weights[j] = float32(math.Exp(float64(logA * distance.v[from+j*step])))
	}
	for k := range c {
		v := c[k].v
		for j := 1; j < n; j++ {
			i := from + j*step
			v[i] += weights[j] * (v[i-step] - v[i])
		}
		for j := n - 2; j >= 0; j-- {
			i := from + j*step
			v[i] += weights[j+1] * (v[i+step] - v[i])
		}
	}
}

func abs(v float32) float32 { return max(v, -v) }
