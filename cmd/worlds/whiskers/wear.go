package whiskers

import "illustrator/cmd/worlds/paint"

// neckwear paints what the cat wears around its neck, below the head.
func (p *painter) neckwear(f figure) {
	x, y := f.headX, f.headY+16
	switch value(p.scene, neck) {
	case "collar":
		p.Fill(paint.Stroke(4.2, paint.Bow(x-11, y-2, x, y+5, x+11, y-2)...), paint.Hex(0xd81f2e))
		p.Fill(paint.Ellipse(x, y+5.4, 3.4, 3.4), paint.Hex(0x9c6a00))
		p.Fill(paint.Ellipse(x, y+5.2, 2.8, 2.8), paint.Hex(0xffd23a))
	case "bow":
		c := paint.Hex(0x2456d6)
		for _, side := range []float32{-1, 1} {
			loop := paint.Blob(x+side*1, y+2.5, x+side*11, y-2.5, x+side*12.5, y+3, x+side*11, y+8)
			p.Fill(loop.Map(paint.Scale(1.12, 1.12, x+side*7, y+2.5)), paint.Hex(0x10276e))
			p.Fill(loop, c)
		}
		p.Fill(paint.Ellipse(x, y+2.5, 3, 3.2), paint.Hex(0x7aa4ff))
	}
}

// headwear paints what the cat wears on its head, whose top is at y.
func (p *painter) headwear(x, y float32) {
	switch value(p.scene, hat) {
	case "witch hat":
		c := paint.Hex(0x4b2282)
		p.Fill(paint.Ellipse(x, y+2.5, 16, 3.4), paint.Light(c, 0.75))
		p.Fill(paint.Polygon(x-8.5, y+2, x-1.5, y-12, x+5, y-18, x+4, y-10, x+8.5, y+2), c)
		p.Fill(paint.Polygon(x-8.8, y+2.6, x-7, y-1.6, x+7, y-1.6, x+8.8, y+2.6), paint.Hex(0xff8a1e))
	case "santa hat":
		c := paint.Hex(0xd3202c)
		p.Fill(new(paint.Path).Move(x-10, y+2).Quad(x-6, y-14, x+4, y-15).Quad(x+13, y-14, x+15, y-3).
			Quad(x+10, y-8, x+9, y+2), c)
		p.Fill(paint.Stroke(5.2, paint.Bow(x-10, y+2.4, x, y-0.6, x+10, y+2.4)...), paint.Hex(0xffffff))
		p.Fill(paint.Ellipse(x+15, y-2, 3.8, 3.8), paint.Hex(0xffffff))
	case "crown":
		p.Fill(paint.Polygon(x-10, y+3, x-11.5, y-9, x-5.5, y-3.5, x, y-12, x+5.5, y-3.5, x+11.5, y-9, x+10, y+3),
			paint.Hex(0x9a6200))
		p.Fill(paint.Polygon(x-9, y+2, x-10, y-6.6, x-5.2, y-2, x, y-9.6, x+5.2, y-2, x+10, y-6.6, x+9, y+2),
			paint.Hex(0xffcc2a))
		p.Fill(paint.Ellipse(x, y-0.6, 1.7, 1.7), paint.Hex(0xe0203a))
		p.Fill(paint.Ellipse(x-5.8, y, 1.3, 1.3).Append(paint.Ellipse(x+5.8, y, 1.3, 1.3)), paint.Hex(0x2a7be0))
	}
}
