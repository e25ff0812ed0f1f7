package cartoon

import "math"

// lines returns how much ink lies on each pixel, at edges as wide as sigma pixels. Edges are where a Gaussian falls
// below one 1.6 times as wide, in any channel: that is on their dark side. Winnemöller et al., "XDoG: An eXtended
// difference-of-Gaussians compendium" (2012).
func (c canvas) lines(l Lines, sigma float64) plane {
	ink, luminance := newPlane(c[0].w, c[0].h), newPlane(c[0].w, c[0].h)
	for k, weight := range luma {
		narrow, wide := c[k].blur(sigma), c[k].blur(1.6*sigma)
		parts(len(ink.v), func(from, to int) {
			for i := from; i < to; i++ {
				ink.v[i] = max(ink.v[i], wide.v[i]-narrow.v[i])
				luminance.v[i] += weight * narrow.v[i]
			}
		})
	}
	parts(len(ink.v), func(from, to int) {
		for i := from; i < to; i++ {
			ink.v[i] = smoothstep(0.02, 0.05, float32(l.Amount)*ink.v[i])
			if fill := float32(l.Fill); fill > 0 {
				ink.v[i] = max(ink.v[i], 1-smoothstep(fill-0.03, fill+0.03, luminance.v[i]))
			}
		}
	})
	return ink
}

// ink draws lines over the canvas.
func (c canvas) ink(lines plane, l Lines) {
	parts(len(lines.v), func(from, to int) {
		for i := from; i < to; i++ {
			if l.Only {
				c[0].v[i], c[1].v[i], c[2].v[i] = 1, 1, 1
			}
			c.mix(i, l.Color, lines.v[i])
		}
	})
}

// pencil replaces colours by strokes: contours where a pixel is darker than what lies around it, hatching by luminance.
func (c canvas) pencil(p Pencil) {
	luminance := c.luminance()
	around := luminance.blur(p.Length * c.unit())
	w, unit := luminance.w, c.unit()
	rows(luminance.h, func(y int) {
		for x := range w {
			i := y*w + x
			contour := clamp01(luminance.v[i] / max(around.v[i], 0.02))
			contour *= contour
			contour *= contour
			// Strokes lie at 45 degrees: noise that is long in one direction and narrow across it.
			u, v := float64(x+y)/unit, float64(x-y)/unit
			stroke := noise(u/90, v/p.Strokes, 1)*0.6 + noise(u/60, v/(p.Strokes*0.45), 2)*0.4
			dark := 1 - luminance.v[i]
			hatch := 1 - 0.85*smoothstep(-0.12, 0.12, dark*dark*0.9+dark*0.15-float32(stroke))
			shade := 0.22 + 0.78*contour*(0.35+0.65*hatch)
			for k := range c {
				c[k].v[i] = shade
			}
		}
	})
}

// noise is value noise in [0,1]: random numbers at whole coordinates, and smooth between.
func noise(x, y float64, seed uint32) float64 {
	x0, y0 := math.Floor(x), math.Floor(y)
	tx, ty := ease(x-x0), ease(y-y0)
	i, j := int32(x0), int32(y0)
	top := lerp(random(i, j, seed), random(i+1, j, seed), tx)
	bottom := lerp(random(i, j+1, seed), random(i+1, j+1, seed), tx)
	return lerp(top, bottom, ty)
}

func ease(t float64) float64       { return t * t * (3 - 2*t) }
func lerp(a, b, t float64) float64 { return a + t*(b-a) }

// random is a number in [0,1] that follows from a place alone. Its steps are those of MurmurHash3's finalizer.
func random(x, y int32, seed uint32) float64 {
	h := uint32(x)*0x9e3779b1 ^ uint32(y)*0x85ebca77 ^ seed*0xc2b2ae3d
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return float64(h^h>>16) / math.MaxUint32
}
