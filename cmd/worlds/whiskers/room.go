package whiskers

import (
	"image/color"

	"illustrator/cmd/worlds/paint"
)

// By wall: yellow, blue, green, pink, white, purple.
var walls = []color.RGBA{
	paint.Hex(0xf7d048), paint.Hex(0x6fb3ee), paint.Hex(0x93d184), paint.Hex(0xf9aac6), paint.Hex(0xf6f4ef),
	paint.Hex(0xad8ae0),
}

// room paints the wall and the floor, and a plant before the wall.
func (p *painter) room() {
	c := paint.Light(walls[p.scene.Values[wall]], 1+float64(p.vary(wallShade, 0.02)))
	p.Fill(paint.Rect(0, 0, 100, 100), c)
	y := 78 + p.vary(floor, 1.5)
	p.Blend(paint.Rect(0, y, 100, 101-y), paint.Hex(0xb98a5c), paint.Hex(0xd2a777))
	p.Fill(paint.Rect(0, y-2.4, 100, 2.6), paint.Mix(c, paint.Hex(0xffffff), 0.6))
	p.Fill(paint.Rect(0, y, 100, 0.8), paint.Fade(paint.Hex(0x3a2414), 0.4))
	if p.is(beside, "plant") {
		p.plant(87, y+4)
	}
}

func (p *painter) plant(x, y float32) {
	green := paint.Hex(0x2f9a4a)
	for i, tip := range []float32{-9, -4, 1, 6, 10} {
		height := []float32{24, 34, 38, 33, 22}[i]
		leaf := new(paint.Path).Move(x-1, y-9).Quad(x+tip*0.3-4, y-height*0.6, x+tip, y-height).
			Quad(x+tip*0.3+4, y-height*0.6, x+1, y-9)
		p.Fill(leaf, paint.Light(green, 1-0.12*float64(i%2)))
	}
	p.Fill(paint.Polygon(x-7, y-10, x+7, y-10, x+5, y+1, x-5, y+1), paint.Hex(0xc2572c))
	p.Fill(paint.Rect(x-7.8, y-11.5, 15.6, 3), paint.Hex(0xd96c3c))
}

// thing paints what lies before the cat.
func (p *painter) thing() {
	const x, y = 86, 93
	switch value(p.scene, beside) {
	case "yarn":
		c := paint.Hex(0x12a5a0)
		p.Fill(paint.Stroke(1.1, paint.Bow(x-4, y+4, x-20, y+8, x-26, y+2)...), c)
		p.Fill(paint.Ellipse(x, y-3, 9.2, 9.2), paint.Hex(0x0a6f6c))
		p.Fill(paint.Ellipse(x, y-3, 8.4, 8.4), c)
		for _, d := range []float32{-4, 0, 4} {
			p.Fill(paint.Stroke(0.9, paint.Bow(x-7, y-3+d, x, y-8+d, x+7, y-3+d)...), paint.Hex(0x8ff0ea))
		}
	case "fish":
		c := paint.Hex(0x2f6fe0)
		p.Fill(paint.Ellipse(x-1, y+1, 14, 4.4), paint.Hex(0xf4f4f6))
		p.Fill(paint.Ellipse(x-1, y+1.4, 11, 3), paint.Hex(0xd5d8de))
		p.Fill(paint.Blob(x-9, y-3, x-3, y-8, x+4, y-4, x+4, y-2, x-3, y+2), c)
		p.Fill(paint.Polygon(x+2, y-3, x+10, y-8, x+10, y+2), c)
		p.Fill(paint.Ellipse(x-5.5, y-4, 1.1, 1.1), paint.Hex(0xffffff))
	case "pumpkin":
		c := paint.Hex(0xff7a12)
		p.Fill(paint.Ellipse(x, y-3, 11, 9), paint.Hex(0xa8480a))
		p.Fill(paint.Ellipse(x-5, y-3, 5.2, 8.2).Append(paint.Ellipse(x+5, y-3, 5.2, 8.2), paint.Ellipse(x, y-3, 5, 8.6)), c)
		p.Fill(paint.Rect(x-1.2, y-15, 2.6, 4.4), paint.Hex(0x3f7a2a))
		dark := paint.Hex(0x2c1206)
		p.Fill(paint.Polygon(x-6, y-3.5, x-3.4, y-7.5, x-1, y-3.5).
			Append(paint.Polygon(x+1, y-3.5, x+3.4, y-7.5, x+6, y-3.5)), dark)
		p.Fill(paint.Polygon(x-6.5, y-1, x+6.5, y-1, x+3.6, y+3, x+1.2, y+0.8, x-1.2, y+3, x-3.6, y+0.8), dark)
	}
}
