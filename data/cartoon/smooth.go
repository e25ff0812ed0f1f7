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
	// Eq. 14: deviations that halve from pass to pass and sum up to sigma. A weight, eq. 21's a to the power of the
	// distance, is squared with each.
	first := sigma * math.Sqrt(3) * math.Pow(2, smoothPasses-1) / math.Sqrt(math.Pow(4, smoothPasses)-1)
	across.weigh(first)
	down.weigh(first)
	for pass := range smoothPasses {
		if pass > 0 {
			across.square()
			down.square()
		}
		rows(h, func(y int) { c.smoothRow(across, y) })
		parts(w, func(from, to int) {
			for x := from; x < to; x += smoothColumns {
				c.smoothDown(down, x, min(x+smoothColumns, to))
			}
		})
	}
}

// weigh replaces distances by what they weigh at a deviation.
func (p plane) weigh(deviation float64) {
	logA := float32(-math.Sqrt2 / deviation)
	parts(len(p.v), func(from, to int) {
		for i := from; i < to; i++ {
			p.v[i] = float32(math.Exp(float64(logA * p.v[i])))
		}
	})
}

func (p plane) square() {
	parts(len(p.v), func(from, to int) {
		for i := from; i < to; i++ {
			p.v[i] *= p.v[i]
		}
	})
}

// smoothRow smooths row y forwards and back. weights are those of the pixel before.
func (c canvas) smoothRow(weights plane, y int) {
	from, to := y*weights.w, (y+1)*weights.w
	weigh, r, g, b := weights.v[from:to], c[0].v[from:to], c[1].v[from:to], c[2].v[from:to]
	n := len(weigh)
	r, g, b = r[:n], g[:n], b[:n]
	for j := 1; j < n; j++ {
		w := weigh[j]
		r[j] += w * (r[j-1] - r[j])
		g[j] += w * (g[j-1] - g[j])
		b[j] += w * (b[j-1] - b[j])
	}
	for j := n - 1; j > 0; j-- {
		w := weigh[j]
		r[j-1] += w * (r[j] - r[j-1])
		g[j-1] += w * (g[j] - g[j-1])
		b[j-1] += w * (b[j] - b[j-1])
	}
}

// smoothColumns is the number of columns that are smoothed together: by themselves each pixel would be in another line
// of the processor's memory.
const smoothColumns = 32

// smoothDown smooths columns from to to as smoothRow a row.
func (c canvas) smoothDown(weights plane, from, to int) {
	w := weights.w
	for k := range c {
		v := c[k].v
		for at := w; at < len(v); at += w {
			towards(v[at+from:at+to], v[at-w+from:], weights.v[at+from:])
		}
		for at := len(v) - w; at > 0; at -= w {
			towards(v[at-w+from:at-w+to], v[at+from:], weights.v[at+from:])
		}
	}
}

// towards moves values towards others by their weights.
func towards(v, other, weights []float32) {
	other, weights = other[:len(v)], weights[:len(v)]
	for j := range v {
		v[j] += weights[j] * (other[j] - v[j])
	}
}

func abs(v float32) float32 { return max(v, -v) }
