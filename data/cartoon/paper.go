package cartoon

// wash darkens where colours meet and lets pigment lie unevenly. More pigment takes a value v to v - (v - v²)·d:
// Bousseau et al., "Interactive watercolor rendering with temporal coherence and abstraction" (2006).
func (c canvas) wash(wash Wash) {
	luminance := c.luminance()
	around := luminance.blur(wash.Length * c.unit())
	w, unit := luminance.w, c.unit()
	rows(luminance.h, func(y int) {
		for x := range w {
			i := y*w + x
			u, v := float64(x)/unit, float64(y)/unit
			blot := noise(u/120, v/120, 3)*0.5 + noise(u/45, v/45, 4)*0.3 + noise(u/14, v/14, 5)*0.2
			density := float32(wash.Blots)*4*(float32(blot)-0.5) + float32(wash.Edges)*10*abs(luminance.v[i]-around.v[i])
			for k := range c {
				v := c[k].v[i]
				c[k].v[i] = clamp01(v - (v-v*v)*density)
			}
		}
	})
}

// paper multiplies the canvas into paper.
func (c canvas) paper(p Paper) {
	w, unit := c[0].w, c.unit()
	tint := [3]float32{float32(p.Color.R) / 255, float32(p.Color.G) / 255, float32(p.Color.B) / 255}
	rows(c[0].h, func(y int) {
		for x := range w {
			i := y*w + x
			grain := float32(1)
			if p.Grain > 0 {
				u, v := float64(x)/unit, float64(y)/unit
				n := noise(u/3, v/3, 6)*0.6 + noise(u/1.3, v/1.3, 7)*0.4
				grain = 1 + float32(p.Grain)*2*(float32(n)-0.5)
			}
			for k := range c {
				c[k].v[i] *= tint[k] * grain
			}
		}
	})
}
