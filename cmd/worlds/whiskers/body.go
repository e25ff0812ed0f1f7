package whiskers

import (
	"math"

	"illustrator/cmd/worlds/paint"
)

// figure holds the shapes of a pose.
type figure struct {
	headX, headY float32
	body         *paint.Path
	middleX      float32 // of the body
	middleY      float32
	radiusX      float32
	radiusY      float32
	tail         []float32 // of paint.Stroke
	legs         [][]float32
	paws         []float32 // x, y of each
}

func (p *painter) figure() figure {
	f := p.fat()
	up := p.side(tailUp) > 0
	switch value(p.scene, pose) {
	case "sitting":
		tail := paint.Bow(50+12*f, 86, 96, 95, 84, 62)
		if !up {
			tail = paint.Bow(50+11*f, 87, 60+20*f, 94, 46+34*f, 84)
		}
		return figure{
			50, 35, p.outlineOf(50, 71, 16*f, 21, 0.25), 50, 71, 16 * f, 21, tail,
			[][]float32{{45.4, 66, 4, 44.4, 87, 4}, {54.6, 66, 4, 55.6, 87, 4}}, []float32{43.6, 89.5, 56.4, 89.5},
		}
	case "lying":
		ry := 13.5 * (0.5 + 0.5*f*f*0.86)
		tail := paint.Bow(84, 82, 100, 96, 64, 92)
		if up {
			tail = paint.Bow(84, 80, 99, 78, 93, 58)
		}
		return figure{
			33, 58, p.outlineOf(57, 91-ry, 28, ry, 0), 57, 91 - ry, 28, ry, tail, nil, []float32{29, 89.5, 41, 90},
		}
	default:
		ry := 13.5 * (0.5 + 0.5*f*f*0.86)
		tail := paint.Bow(84, 80, 99, 76, 92, 54)
		if !up {
			tail = paint.Bow(82, 86, 96, 94, 98, 84)
		}
		return figure{
			44, 50, p.outlineOf(63, 91-ry, 24, ry, 0), 63, 91 - ry, 24, ry, tail,
			[][]float32{{50, 80, 5, 14, 85, 4.4}, {52, 86, 5, 18, 91.5, 4.4}}, []float32{12, 85, 16, 91.5},
		}
	}
}

// outlineOf returns an ellipse that is wider below by taper; fringes stand out of it where the fur is long.
func (p *painter) outlineOf(x, y, rx, ry, taper float32) *paint.Path {
	long := p.is(fur, "long")
	steps := 16
	if long {
		steps = 36
	}
	points := make([]float32, 0, 2*steps)
	for i := range steps {
		sin, cos := math.Sincos(float64(i) * 2 * math.Pi / float64(steps))
		far := float32(1)
		if long && i%2 == 1 {
			far += 5.6 / max(rx, ry)
		}
		width := rx * (1 + taper*float32(sin))
		points = append(points, x+width*far*float32(cos), y+ry*far*float32(sin))
	}
	if long {
		return paint.Polygon(points...)
	}
	return paint.Blob(points...)
}

// cat paints the whole cat.
func (p *painter) cat() {
	f := p.figure()
	p.Fill(paint.Ellipse(f.middleX, 91, f.radiusX+8, 4), paint.Fade(paint.Hex(0x2a1a10), 0.25))
	p.tail(f)
	p.shape(f.body, p.base, f.middleX, f.middleY, f.radiusX)
	p.Clip(f.body, func() { p.coat(f) })
	p.legs(f)
	if p.is(pose, "sitting") {
		p.ruff(f)
	}
	p.neckwear(f)
	turn := p.vary(tilt, 0.045)
	p.With(paint.Rotate(turn, f.headX, f.headY+12), func() { p.head(f.headX, f.headY) })
}

// tail paints the tail, thick where the fur is long.
func (p *painter) tail(f figure) {
	width := float32(6.4)
	if p.is(fur, "long") {
		width = 12
	}
	c := p.base
	if p.is(pattern, "two-coloured") && p.is(coat, "white") {
		c = p.second
	}
	p.Fill(paint.Stroke(width+1.8, f.tail...), p.outline)
	p.Fill(paint.Stroke(width, f.tail...), c)
	last := len(f.tail) - 2
	switch {
	case p.is(pattern, "striped"):
		for i := 4; i < last; i += 4 {
			dx, dy := f.tail[i+2]-f.tail[i-2], f.tail[i+3]-f.tail[i-1]
			length := float32(math.Hypot(float64(dx), float64(dy)))
			nx, ny := -dy/length*width*0.42, dx/length*width*0.42
			p.Fill(paint.Stroke(2.2, f.tail[i]-nx, f.tail[i+1]-ny, f.tail[i]+nx, f.tail[i+1]+ny), p.mark)
		}
	case p.is(pattern, "two-coloured") && !p.is(coat, "white"):
		p.Fill(paint.Stroke(width, f.tail[last-2:]...), p.second)
	}
}

func (p *painter) legs(f figure) {
	c := p.base
	for _, leg := range f.legs {
		wide := append([]float32(nil), leg...)
		wide[2], wide[5] = wide[2]+0.9, wide[5]+0.9
		p.Fill(paint.Limb(wide...), p.outline)
		p.Fill(paint.Limb(leg...), c)
		if p.is(pattern, "striped") {
			for _, at := range []float32{0.4, 0.65} {
				x, y := leg[0]+(leg[3]-leg[0])*at, leg[1]+(leg[4]-leg[1])*at
				if p.is(pose, "sitting") {
					p.Fill(paint.Stroke(2, x-3, y, x+3, y), p.mark)
				} else {
					p.Fill(paint.Stroke(2, x, y-3, x, y+3), p.mark)
				}
			}
		}
	}
	if p.is(pattern, "two-coloured") {
		c = p.second
		if p.is(coat, "white") {
			c = p.base
		}
	}
	for i := 0; i < len(f.paws); i += 2 {
		x, y := f.paws[i], f.paws[i+1]
		p.shape(paint.Ellipse(x, y, 5.6, 3.9), c, x, y, 4.6)
		toes := paint.Stroke(0.7, x-1.8, y+0.6, x-1.8, y+3).Append(paint.Stroke(0.7, x+1.8, y+0.6, x+1.8, y+3))
		p.Fill(toes, p.outline)
	}
}

// ruff paints the long fur of the chest.
func (p *painter) ruff(f figure) {
	if !p.is(fur, "long") {
		return
	}
	c := paint.Mix(p.base, paint.Hex(0xffffff), 0.25)
	if p.is(pattern, "two-coloured") && !p.is(coat, "white") {
		c = p.second
	}
	x, y := f.headX, f.headY+12
	p.Fill(paint.Polygon(x-13, y, x-13, y+9, x-9, y+7, x-8, y+15, x-4, y+11.5, x, y+20, x+4, y+11.5, x+8, y+15, x+9, y+7,
		x+13, y+9, x+13, y), c)
}
