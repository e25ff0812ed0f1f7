package chapel

import (
	"image/color"

	"illustrator/cmd/worlds/paint"
)

// By season: spring, summer, autumn, winter.
var (
	grounds = []color.RGBA{paint.Hex(0x8fd45c), paint.Hex(0x4f9a3c), paint.Hex(0xc98a38), paint.Hex(0xf4f8fc)}
	leaves  = []color.RGBA{paint.Hex(0xf4a8c4), paint.Hex(0x2f7a34), paint.Hex(0xe0661c), paint.Hex(0xdbe6f2)}
	petals  = []color.RGBA{paint.Hex(0xff5c93), paint.Hex(0xfff04a), paint.Hex(0xffffff)}
)

// ground paints the meadow with what lies on it.
func (p *painter) ground() {
	y, c := p.floor(), grounds[p.scene.Values[season]]
	p.blend(paint.Blob(-20, y+60, -12, y+2, 25, y-1.5, 75, y+1, 112, y-1, 120, y+60), c, paint.Light(c, 0.82))
	switch value(p.scene, season) {
	case "spring":
		p.scatter(petals, 1.05)
	case "autumn":
		p.scatter([]color.RGBA{paint.Hex(0xe8541a), paint.Hex(0xf2b632), paint.Hex(0x8a4a1c)}, 1.2)
	case "winter":
		p.fill(paint.Ellipse(18, y+16, 26, 3), paint.Hex(0xdde7f3))
		p.fill(paint.Ellipse(82, y+20, 30, 3), paint.Hex(0xdde7f3))
	}
}

// scatter paints small dots over the meadow, larger in front.
func (p *painter) scatter(colors []color.RGBA, radius float32) {
	y := p.floor()
	for i := range 30 {
		// The golden ratio spreads the dots evenly.
		across, depth := float32(i)*0.618034, float32(i)/30
		x := (across - float32(int(across))) * 104
		r := radius * (0.65 + 0.6*depth)
		p.fill(paint.Ellipse(x-2, y+4+depth*20, r, r*0.85), colors[i%len(colors)])
	}
}

// distantTrees paints the trees on both sides of the church.
func (p *painter) distantTrees() {
	y := p.floor() + 3
	grow := 1 + p.vary(growth, 0.06)
	places := []float32{8, 1, 91, 1.1, 18, 0.75}
	if p.side(grove) > 0 {
		places = []float32{93, 1, 9, 1.15, 82, 0.75}
	}
	for i := 0; i < len(places); i += 2 {
		p.tree(places[i], y+float32(i)*0.5, grow*places[i+1])
	}
}

func (p *painter) tree(x, y, scale float32) {
	at := func(dx, dy float32) (float32, float32) { return x + dx*scale, y + dy*scale }
	trunk := paint.Hex(0x5d3f28)
	switch value(p.scene, trees) {
	case "firs":
		p.fill(paint.Rect(x-1.2*scale, y-6*scale, 2.4*scale, 7*scale), trunk)
		for i, width := range []float32{9, 7.4, 5.4} {
			base := float32(-4 - 8.5*float32(i))
			lx, ly := at(-width, base)
			tx, ty := at(0, base-14)
			rx, ry := at(width, base)
			p.fill(paint.Polygon(lx, ly, tx, ty, rx, ry), paint.Light(paint.Hex(0x1f6a44), 1-0.08*float64(i)))
			if p.is(season, "winter") {
				p.fill(paint.Polygon(tx-width*0.42*scale, ty+6*scale, tx, ty, tx+width*0.42*scale, ty+6*scale), paint.Hex(0xffffff))
			}
		}
	case "leafy":
		c := leaves[p.scene.Values[season]]
		p.fill(paint.Rect(x-1.6*scale, y-14*scale, 3.2*scale, 15*scale), trunk)
		p.crown(x, y, scale, c, paint.Light(c, 0.84))
	case "bare":
		c := paint.Hex(0x4a3424)
		branch := new(paint.Path)
		for _, b := range [][6]float32{
			{0, 1, 2, 0, -16, 1.3}, {0, -10, 1.1, -7, -22, 0.5}, {0, -12, 1.1, 7, -24, 0.5}, {0, -16, 1.2, 1, -31, 0.5},
			{-4, -17, 0.7, -9, -18, 0.5}, {4, -18, 0.7, 9, -18, 0.5}, {0.4, -22, 0.7, -4, -29, 0.5},
			{0.6, -22, 0.7, 5, -30, 0.5},
		} {
			ax, ay := at(b[0], b[1])
			bx, by := at(b[3], b[4])
			branch.Append(paint.Limb(ax, ay, b[2]*scale, bx, by, b[5]*scale))
		}
		p.fill(branch, c)
	}
}

func (p *painter) crown(x, y, scale float32, light, dark color.RGBA) {
	puff := func(dx, dy, r float32) *paint.Path { return paint.Ellipse(x+dx*scale, y+dy*scale, r*scale, r*scale) }
	p.fill(puff(-5, -15, 6.5).Append(puff(5.2, -14.5, 6), puff(0, -21, 7.5)), dark)
	p.fill(puff(-4.6, -17, 5).Append(puff(0.2, -23, 5.4), puff(4.2, -16.5, 4.4)), light)
}

// foreground paints the churchyard.
func (p *painter) foreground() {
	y := p.floor()
	middle := 50 + p.vary(placeX, 2.5)
	switch value(p.scene, yard) {
	case "path":
		c := paint.Hex(0xdcc296)
		p.fill(new(paint.Path).Move(middle-3.4, y+5).Cube(middle-5, y+12, 34, y+13, 30, 102).Line(60, 102).
			Cube(56, y+14, middle+5, y+12, middle+3.4, y+5), c)
	case "graves":
		for i, x := range []float32{12, 28, 66, 86, 76} {
			p.grave(x, y+12+float32(i%2)*6, i%2 == 0)
		}
	case "fence":
		c := paint.Hex(0xfffdf4)
		if p.is(season, "winter") {
			c = paint.Hex(0x8a5a34)
		}
		fence := paint.Rect(-2, 88.5, 104, 1.7).Append(paint.Rect(-2, 94, 104, 1.7))
		for x := float32(3); x < 100; x += 8.5 {
			fence.Append(paint.Polygon(x-1.6, 101, x-1.6, 86.5, x, 84, x+1.6, 86.5, x+1.6, 101))
		}
		p.fill(fence, c)
	}
}

func (p *painter) grave(x, y float32, slab bool) {
	stone := paint.Hex(0x7d8288)
	p.Fill(paint.Ellipse(x+0.5, y, 5, 1.2), paint.Fade(paint.Hex(0x101020), 0.25))
	if slab {
		p.fill(new(paint.Path).Move(x-3.6, y).Line(x-3.6, y-6).Cube(x-3.6, y-11, x+3.6, y-11, x+3.6, y-6).Line(x+3.6, y),
			stone)
		p.fill(paint.Rect(x-1.8, y-6, 3.6, 0.9), paint.Light(stone, 0.6))
		return
	}
	p.fill(paint.Rect(x-1, y-11, 2.1, 11).Append(paint.Rect(x-3.4, y-8.6, 6.9, 2)), paint.Light(stone, 0.85))
}
