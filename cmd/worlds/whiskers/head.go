package whiskers

import (
	"image/color"
	"math"

	"illustrator/cmd/worlds/paint"
)

// head paints the head, whose middle is at x, y.
func (p *painter) head(x, y float32) {
	rx, ry := 18+p.vary(cheeks, 0.4), float32(16)
	if p.is(build, "fat") {
		rx += 3.2
	}
	p.ear(x, y, rx, -1)
	p.ear(x, y, rx, 1)
	path := p.headOutline(x, y, rx, ry)
	p.shape(path, p.base, x, y, rx)
	p.Clip(path, func() { p.headPattern(x, y, rx, ry) })
	if p.is(ears, "folded") {
		p.flap(x, y, -1)
		p.flap(x, y, 1)
	}
	p.face(x, y)
	p.headwear(x, y-ry)
}

// headOutline returns the head's outline, with tufts on the cheeks where the fur is long.
func (p *painter) headOutline(x, y, rx, ry float32) *paint.Path {
	if !p.is(fur, "long") {
		return paint.Ellipse(x, y, rx, ry)
	}
	const steps = 40
	points := make([]float32, 0, 2*steps)
	for i := range steps {
		angle := float64(i) * 2 * math.Pi / steps
		sin, cos := math.Sincos(angle)
		far := float32(1)
		if i%2 == 1 && sin > -0.35 {
			far = 1.24 + 0.12*float32(math.Abs(cos))
		}
		points = append(points, x+rx*far*float32(cos), y+ry*far*float32(sin))
	}
	return paint.Polygon(points...)
}

// earColor returns the color of the ear on a side: white cats of two colors have one in the second.
func (p *painter) earColor(side float32) color.RGBA {
	if side > 0 && p.is(pattern, "two-coloured") && p.is(coat, "white") {
		return p.second
	}
	return p.base
}

func (p *painter) ear(x, y, rx, side float32) {
	c, inner := p.earColor(side), paint.Hex(0xf09aa4)
	at := func(dx, dy float32) (float32, float32) { return x + side*dx, y + dy }
	triangle := func(ax, ay, bx, by, cx, cy float32) *paint.Path {
		ax, ay = at(ax, ay)
		bx, by = at(bx, by)
		cx, cy = at(cx, cy)
		return paint.Polygon(ax, ay, bx, by, cx, cy)
	}
	switch value(p.scene, ears) {
	case "upright":
		mx, my := at(11.5, -16)
		p.shape(triangle(2.5, -12, 14.5, -29, rx-0.6, -4), c, mx, my, 7)
		p.Fill(triangle(6.5, -13, 13.6, -24.5, rx-3.4, -8), inner)
	case "sideways":
		mx, my := at(rx+1, -8)
		p.shape(triangle(8, -13.5, rx+12.5, -12.5, rx-1, 0.5), c, mx, my, 7)
		p.Fill(triangle(13, -11.5, rx+8.6, -11, rx+0.5, -3.5), inner)
	}
}

// flap paints an ear that is folded to the front.
func (p *painter) flap(x, y, side float32) {
	c := p.earColor(side)
	cx, cy := x+side*11.5, y-11.5
	path := paint.Blob(cx-side*7, cy-2.4, cx-side*1.5, cy-5, cx+side*5.5, cy-1.2, cx+side*3.4, cy+5.6, cx-side*2.6, cy+2)
	p.Fill(path.Map(paint.Scale(1.16, 1.16, cx, cy)), p.outline)
	p.Fill(path, paint.Mix(c, p.outline, 0.18))
}
