package cartoon

import (
	"image/color"
	"math"
	"testing"
)

// A dot becomes nearly a Gaussian: the same sum, the variance that was asked for, and nowhere farther from it than 12 %
// of its peak, the most at the peak itself, which three boxes make blunt; 19 % for deviations below a pixel.
func TestBlurIsGaussian(t *testing.T) {
	const size = 201
	for sigma, tolerance := range map[float64]float64{0.7: 0.19, 1: 0.12, 2.3: 0.12, 8: 0.12, 20: 0.12} {
		p := newPlane(size, size)
		p.v[size*(size/2)+size/2] = 1
		got := p.blur(sigma)
		peak := 1 / (2 * math.Pi * sigma * sigma)
		var sum, variance, worst float64
		for y := range size {
			for x := range size {
				v, dx, dy := float64(got.v[y*size+x]), float64(x-size/2), float64(y-size/2)
				sum += v
				variance += v * dx * dx
				worst = max(worst, math.Abs(v-peak*math.Exp(-(dx*dx+dy*dy)/(2*sigma*sigma)))/peak)
			}
		}
		if math.Abs(sum-1) > 1e-4 || math.Abs(variance-sigma*sigma) > 1e-3*sigma*sigma || worst > tolerance {
			t.Errorf("sigma %g: sum %g, variance %g, off by %.3f of the peak", sigma, sum, variance, worst)
		}
	}
	flat := newPlane(7, 3)
	for i := range flat.v {
		flat.v[i] = 0.25
	}
	for _, v := range flat.blur(40).v {
		if math.Abs(float64(v)-0.25) > 1e-6 {
			t.Fatalf("an even plane becomes %g: edges are not repeated", v)
		}
	}
}

// Ripples go, a step stays.
func TestSmoothStopsAtEdges(t *testing.T) {
	const w, h = 60, 20
	c := canvas{newPlane(w, h), newPlane(w, h), newPlane(w, h)}
	for i := range w * h {
		for k := range c {
			c[k].v[i] = 0.2 + 0.02*float32(i%w%2)
			if i%w >= w/2 {
				c[k].v[i] += 0.6
			}
		}
	}
	c.smooth(8, 0.15)
	row := c[1].v[10*w : 11*w]
	if step := row[w/2] - row[w/2-1]; step < 0.55 {
		t.Errorf("a step of 0.6 becomes %g", step)
	}
	if ripple := abs(row[10] - row[11]); ripple > 0.004 {
		t.Errorf("ripples of 0.02 become %g", ripple)
	}
}

// Dots cover as much of the plane as the tone says.
func TestScreenCoversItsTone(t *testing.T) {
	const pitch = 9.37 // no whole number: few places in a dot would be met otherwise
	for _, degrees := range []float64{0, 15, 45, 75} {
		s := newScreen(pitch, degrees)
		for _, tone := range []float32{0.1, 0.3, 0.5, 0.8, 0.95} {
			sum := 0.0
			for y := range 180 {
				for x := range 180 {
					if s.threshold(x, y) < tone {
						sum++
					}
				}
			}
			if share := sum / (180 * 180); math.Abs(share-float64(tone)) > 0.03 {
				t.Errorf("at %g degrees a tone of %g covers %.3f", degrees, tone, share)
			}
		}
	}
	white := canvas{newPlane(40, 40), newPlane(40, 40), newPlane(40, 40)}
	for k := range white {
		for i := range white[k].v {
			white[k].v[i] = 1
		}
	}
	white.halftone(pitch)
	for k := range white {
		for i, v := range white[k].v {
			if v != 1 {
				t.Fatalf("white is printed on: channel %d of pixel %d is %g", k, i, v)
			}
		}
	}
}

// A picture of a few flat colours keeps them, however small an area they have.
func TestPaletteFindsColours(t *testing.T) {
	const w, h = 64, 64
	c := canvas{newPlane(w, h), newPlane(w, h), newPlane(w, h)}
	colours := []color.NRGBA{{255, 255, 255, 255}, {220, 60, 40, 255}, {30, 30, 120, 255}, {250, 210, 60, 255}}
	at := func(x, y int) color.NRGBA {
		switch {
		case x < 12 && y < 12:
			return colours[1]
		case x > 50 && y < 12:
			return colours[2]
		case x > 50 && y > 50:
			return colours[3]
		}
		return colours[0]
	}
	for i := range w * h {
		c.mix(i, at(i%w, i/w), 1)
	}
	c.toPalette(6, 0.5)
	for _, p := range [][2]int{{30, 30}, {4, 4}, {60, 4}, {60, 60}} {
		want, i := at(p[0], p[1]), p[1]*w+p[0]
		for k, v := range [3]uint8{want.R, want.G, want.B} {
			if math.Abs(float64(c[k].v[i])*255-float64(v)) > 3 {
				t.Errorf("at %v channel %d is %.0f; want %d", p, k, c[k].v[i]*255, v)
			}
		}
	}
}

// Lines lie on the dark side of an edge, also where only the colour changes, and nowhere else.
func TestLinesLieOnEdges(t *testing.T) {
	const w, h = 100, 20
	c := canvas{newPlane(w, h), newPlane(w, h), newPlane(w, h)}
	for i := range w * h {
		left, right := color.NRGBA{250, 220, 60, 255}, color.NRGBA{250, 240, 255, 255} // yellow, nearly white: blue differs
		if i%w < w/2 {
			c.mix(i, left, 1)
		} else {
			c.mix(i, right, 1)
		}
	}
	ink := c.lines(Lines{Amount: 1}, 2)
	row := ink.v[10*w : 11*w]
	if row[w/2-2] < 0.9 {
		t.Errorf("the yellow side of the edge has %g of ink", row[w/2-2])
	}
	for _, x := range []int{0, 20, w/2 + 2, 80, w - 1} {
		if row[x] > 0.01 {
			t.Errorf("at %d of %d lies %g of ink", x, w, row[x])
		}
	}
}
