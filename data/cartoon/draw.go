package cartoon

import "image"

// draw redraws a picture at a size. Its sides must have one pixel at least.
func (p Params) draw(img image.Image, size image.Point) *image.NRGBA {
	c, grain := newCanvas(img, drawnSize(size))
	// Strokes along edges are at least as wide as the picture's own pixels.
	rounding := max(p.Rounding*c.unit(), 0.6*grain)
	lines := plane{}
	if p.Lines.Width > 0 {
		lines = c.lines(p.Lines, max(p.Lines.Width*c.unit(), 0.6*grain))
	}
	if p.Smooth > 0 {
		c.smooth(p.Smooth*c.unit(), p.Edge)
	}
	c.adjust(p.Saturation, p.Contrast)
	switch {
	case len(p.Tones) > 0:
		c.toTones(p.Tones, rounding)
	case p.Colors > 0:
		c.toPalette(p.Colors, rounding)
	}
	if p.Wash.Length > 0 {
		c.wash(p.Wash)
	}
	switch {
	case p.Dots.Pitch > 0 && p.Dots.Shade:
		c.benDay(p.Dots.Pitch * c.unit())
	case p.Dots.Pitch > 0:
		c.halftone(p.Dots.Pitch * c.unit())
	}
	if p.Pencil.Length > 0 {
		c.pencil(p.Pencil)
	}
	if p.Lines.Width > 0 {
		c.ink(lines, p.Lines)
	}
	if p.Paper.Color.A > 0 {
		c.paper(p.Paper)
	}
	return c.image(size)
}

// adjust multiplies distances from gray and from middle gray.
func (c canvas) adjust(saturation, contrast float64) {
	if saturation == 0 {
		saturation = 1
	}
	if contrast == 0 {
		contrast = 1
	}
	s, t := float32(saturation), float32(contrast)
	luminance := c.luminance()
	parts(len(luminance.v), func(from, to int) {
		for i := from; i < to; i++ {
			l := luminance.v[i]
			for k := range c {
				v := l + s*(c[k].v[i]-l)
				c[k].v[i] = clamp01(0.5 + t*(v-0.5))
			}
		}
	})
}
