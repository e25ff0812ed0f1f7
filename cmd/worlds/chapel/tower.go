package chapel

import (
	"image/color"

	"illustrator/cmd/worlds/paint"
)

// tower paints a tower whose foot is at x; scale makes the middle one of three taller.
func (p *painter) tower(x, scale float32) {
	const half = 5.6
	upper := float32(-35) * scale
	if p.is(height, "tall") {
		upper = -49 * scale
	}
	if p.is(top, "flat") {
		upper -= 6
	}
	c := p.wallColor()
	body := paint.Rect(x-half, upper, 2*half, -upper)
	p.wall(body, upper)
	p.Fill(paint.Rect(x+half-3, upper, 3, -upper), paint.Fade(paint.Hex(0x181828), 0.16))
	p.fill(paint.Rect(x-half-0.7, upper+9.5, 2*half+1.4, 1.1), paint.Light(c, 0.72))
	if p.is(style, "romanesque") {
		p.window(x-2.1, upper+7.6, 2.6, 5)
		p.window(x+2.1, upper+7.6, 2.6, 5)
	} else {
		p.window(x, upper+8, 3.8, 6)
	}
	if -upper > 40 {
		p.window(x, upper+20, 3, 6)
	}
	p.towerTop(x, upper, half)
}

func (p *painter) towerTop(x, y, half float32) {
	light, dark := paint.Light(p.roofColor(), 1.18), paint.Light(p.roofColor(), 0.85)
	switch value(p.scene, top) {
	case "spire":
		p.halves(x, paint.Polygon(x-half-1.2, y+0.5, x, y-21, x+half+1.2, y+0.5), light, dark)
		p.cross(x, y-20.5, 0.8)
	case "dome":
		dome := new(paint.Path).Move(x-half-1, y+0.5).Cube(x-half-1, y-10.5, x+half+1, y-10.5, x+half+1, y+0.5)
		p.halves(x, dome, light, dark)
		p.fill(paint.Rect(x-1.3, y-10, 2.6, 3), light)
		p.cross(x, y-10, 0.8)
	case "onion":
		p.halves(x, onion(x, y+0.5, half), light, dark)
		p.cross(x, y-17.5, 0.8)
	default:
		c := p.wallColor()
		p.fill(paint.Rect(x-half-1.2, y-0.5, 2*half+2.4, 3), paint.Light(c, 0.82))
		for i := range 3 {
			left := x - half - 1.2 + float32(i)*(2*half+2.4-3)/2
			p.fill(paint.Rect(left, y-4, 3, 4), c)
			p.fill(paint.Rect(left, y-4.6, 3, 1.2), p.roofColor())
		}
	}
	if p.is(season, "winter") && p.is(top, "flat") {
		p.fill(paint.Rect(x-half-1.2, y-1, 2*half+2.4, 1), paint.Hex(0xffffff))
	}
}

// halves paints a top with its sunny and its shaded side.
func (p *painter) halves(x float32, path *paint.Path, light, dark color.RGBA) {
	p.fill(path, light)
	p.Clip(path, func() { p.fill(paint.Rect(x, -120, 30, 120), dark) })
}

// onion returns a bulb with a point, as Russian and Bavarian towers have.
func onion(x, y, half float32) *paint.Path {
	neck, bulb := half*0.62, half+2.6
	return new(paint.Path).Move(x-half-0.5, y).Line(x-neck, y-1.6).
		Cube(x-bulb-1, y-4, x-bulb, y-9.5, x-3, y-12.5).Quad(x-0.6, y-14.5, x, y-18.5).Quad(x+0.6, y-14.5, x+3, y-12.5).
		Cube(x+bulb, y-9.5, x+bulb+1, y-4, x+neck, y-1.6).Line(x+half+0.5, y)
}
