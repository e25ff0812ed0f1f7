package chapel

import (
	"image/color"

	"illustrator/cmd/worlds/paint"
)

var (
	wallColors = []color.RGBA{paint.Hex(0xf7f3ea), paint.Hex(0x9c9d9b), paint.Hex(0xb94f3c), paint.Hex(0xecc75e),
		paint.Hex(0x7b5032)}
	roofColors = []color.RGBA{
		paint.Hex(0x232329), paint.Hex(0xc02b26), paint.Hex(0x744420), paint.Hex(0x2f9560), paint.Hex(0x2b5fc0),
		paint.Hex(0xf0b41e),
	}
)

// The church stands on y = 0, its middle at x = 0; y is negative above.

// measures holds the sizes that the style gives to the nave.
type measures struct {
	half  float32 // half of the nave's length
	eaves float32
	ridge float32
	gable float32 // half of the gable's width
	peak  float32
}

func (p *painter) measures() measures {
	half := 25 + p.vary(length, 1.5)
	switch value(p.scene, style) {
	case "gothic":
		return measures{half, -22, -40, 8.5, -47}
	case "romanesque":
		return measures{half, -22, -32, 9.5, -35}
	default:
		return measures{half, -19, -36, 9, -39}
	}
}

func (p *painter) wallColor() color.RGBA {
	return paint.Light(wallColors[p.scene.Values[wall]], 1+float64(p.vary(wallShade, 0.025)))
}

func (p *painter) roofColor() color.RGBA { return roofColors[p.scene.Values[roof]] }

// church paints towers behind the nave, the nave, and the gable before it.
func (p *painter) church() {
	m := p.measures()
	p.Fill(paint.Ellipse(0, 1, m.half+8, 3), paint.Fade(paint.Hex(0x101020), 0.22))
	if p.is(towers, "three") {
		p.tower(0, 1.12)
	}
	if p.is(style, "romanesque") {
		p.apse(m)
	}
	p.nave(m)
	switch value(p.scene, towers) {
	case "one":
		p.tower(-m.half+2, 1)
	case "two", "three":
		p.tower(-m.half+2, 1)
		p.tower(m.half-2, 1)
	}
	p.gable(m)
}

func (p *painter) nave(m measures) {
	body := paint.Rect(-m.half, m.eaves, 2*m.half, -m.eaves)
	p.wall(body, m.eaves)
	over := float32(1.5)
	if p.is(style, "wooden") {
		over = 3
	}
	slant := float32(3)
	roof := paint.Polygon(-m.half-over, m.eaves+1, -m.half+slant, m.ridge, m.half-slant, m.ridge, m.half+over, m.eaves+1)
	p.blend(roof, paint.Light(p.roofColor(), 1.12), paint.Light(p.roofColor(), 0.9))
	p.shingles(roof, m)
	if p.is(season, "winter") {
		p.fill(paint.Stroke(1.4, -m.half+slant, m.ridge, m.half-slant, m.ridge), paint.Hex(0xffffff))
	}
	for _, x := range []float32{-m.half + 12.5, m.half - 12.5} {
		p.window(x, m.eaves*0.32, 4, -m.eaves*0.5)
	}
	switch value(p.scene, style) {
	case "gothic":
		for _, x := range []float32{-m.half + 7.5, -m.half + 16.8, m.half - 16.8, m.half - 7.5} {
			p.buttress(x, m.eaves)
		}
	case "romanesque":
		p.frieze(-m.half, m.half, m.eaves+1)
	}
}

// wall fills a wall with its color and the texture of its material: bricks where red, stones where grey, boards on a
// wooden church, plaster otherwise.
func (p *painter) wall(body *paint.Path, upper float32) {
	c := p.wallColor()
	p.blend(body, c, paint.Light(c, 0.93))
	dark := paint.Fade(paint.Filter(paint.Light(c, 0.55), p.light), 0.5)
	p.Clip(body, func() {
		switch {
		case p.is(style, "wooden"):
			for y := float32(-2.5); y > upper; y -= 2.6 {
				p.Fill(paint.Rect(-40, y, 80, 0.7), dark)
			}
		case p.is(wall, "red") || p.is(wall, "grey"):
			bricks := new(paint.Path)
			row := 0
			for y := float32(-3.2); y > upper; y -= 3.2 {
				bricks.Append(paint.Rect(-40, y, 80, 0.45))
				for x := float32(-40) + float32(row%2)*2.6; x < 40; x += 5.2 {
					bricks.Append(paint.Rect(x, y, 0.5, 3.2))
				}
				row++
			}
			p.Fill(bricks, paint.Fade(dark, 0.35))
		}
	})
}

func (p *painter) shingles(roof *paint.Path, m measures) {
	dark := paint.Fade(paint.Filter(paint.Light(p.roofColor(), 0.6), p.light), 0.4)
	p.Clip(roof, func() {
		for y := m.eaves - 3.5; y > m.ridge; y -= 4.2 {
			p.Fill(paint.Rect(-40, y, 80, 0.7), dark)
		}
	})
}

// gable paints the front with its door, and the rose or the small window above.
func (p *painter) gable(m measures) {
	eaves := m.eaves + 1
	front := paint.Polygon(-m.gable, 0, -m.gable, eaves, 0, m.peak+2, m.gable, eaves, m.gable, 0)
	p.wall(front, m.peak)
	width := float32(2)
	if p.is(style, "wooden") {
		width = 2.6
	}
	edge := paint.Stroke(width, -m.gable-1.4, eaves+1.2, 0, m.peak+1).
		Append(paint.Stroke(width, m.gable+1.4, eaves+1.2, 0, m.peak+1))
	p.fill(edge, p.roofColor())
	p.door()
	switch value(p.scene, style) {
	case "gothic":
		p.rose(0, -22.5, 5)
	case "romanesque":
		p.window(-3.4, -15, 3, 8)
		p.window(3.4, -15, 3, 8)
		p.rose(0, -26.5, 2.4)
	default:
		p.window(0, -15.5, 5.5, 7)
	}
	p.cross(0, m.peak, 1)
}

func (p *painter) cross(x, y, scale float32) {
	c := paint.Hex(0xf3d27a)
	p.fill(paint.Stroke(1.2*scale, x, y+1, x, y-5.5*scale).Append(paint.Stroke(1.2*scale, x-2*scale, y-3.6*scale,
		x+2*scale, y-3.6*scale)), c)
}

// buttress paints a pillar with a pinnacle, as Gothic walls have.
func (p *painter) buttress(x, eaves float32) {
	p.fill(paint.Rect(x-1, eaves-1, 2, -eaves+1), paint.Light(p.wallColor(), 0.8))
	p.fill(paint.Polygon(x-1.6, eaves-1, x, eaves-9, x+1.6, eaves-1), paint.Light(p.wallColor(), 0.68))
}

// frieze paints a row of small round arches, as Romanesque walls have below the roof.
func (p *painter) frieze(from, to, y float32) {
	arches := new(paint.Path)
	for x := from + 2; x < to-1; x += 3.4 {
		arches.Append(paint.Ellipse(x, y+1.6, 1.1, 1.6))
	}
	p.fill(arches, paint.Light(p.wallColor(), 0.58))
}

// apse paints the round end of a Romanesque nave.
func (p *painter) apse(m measures) {
	x := m.half
	c := p.wallColor()
	p.blend(paint.Rect(x-4, m.eaves+5, 11, -m.eaves-5), paint.Light(c, 0.9), paint.Light(c, 0.8))
	p.fill(new(paint.Path).Move(x-5, m.eaves+5.5).Cube(x-3, m.eaves-5, x+6, m.eaves-3, x+8, m.eaves+5.5),
		paint.Light(p.roofColor(), 0.92))
}
