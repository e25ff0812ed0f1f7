package whiskers

import (
	"image/color"

	"illustrator/cmd/worlds/paint"
)

var irises = []color.RGBA{paint.Hex(0x3fc24a), paint.Hex(0xffcf1f), paint.Hex(0x3d9bff)}

// face paints eyes, nose, mouth and whiskers.
func (p *painter) face(x, y float32) {
	p.eye(x-7.6, y-2, -1)
	p.eye(x+7.6, y-2, 1)
	p.mouth(x, y+6)
	p.Fill(paint.Blob(x-2.3, y+3.2, x, y+2.6, x+2.3, y+3.2, x, y+5.8), paint.Hex(0xf07f8f))
	hair := paint.Fade(paint.Hex(0xffffff), 0.85)
	if p.is(coat, "white") || p.is(pattern, "two-coloured") {
		hair = paint.Fade(paint.Hex(0x4a3f3a), 0.7)
	}
	for _, side := range []float32{-1, 1} {
		for _, dy := range []float32{-2, 1.2, 4.4} {
			p.Fill(paint.Stroke(0.6, x+side*9, y+6.4+dy*0.4, x+side*23, y+5.4+dy*1.5), hair)
		}
	}
}

func (p *painter) eye(x, y, side float32) {
	iris := irises[p.scene.Values[eyeColor]]
	black, look := paint.Hex(0x0d0b0c), p.vary(gaze, 0.6)
	frame := paint.Mix(p.outline, black, 0.6)
	switch value(p.scene, eyes) {
	case "wide":
		p.Fill(paint.Ellipse(x, y, 5.5, 5.9), frame)
		p.Fill(paint.Ellipse(x, y, 4.7, 5.1), iris)
		p.Fill(paint.Ellipse(x+look, y+0.2, 2.1, 3.3), black)
		p.Fill(paint.Ellipse(x+look+1.1, y-2, 1.2, 1.2), paint.Hex(0xffffff))
	case "narrow":
		p.Fill(paint.Blob(x-6, y+0.4, x, y-2.6, x+6, y+0.4, x, y+3), frame)
		p.Fill(paint.Blob(x-4.9, y+0.5, x, y-1.3, x+4.9, y+0.5, x, y+2.3), iris)
		p.Fill(paint.Ellipse(x+look, y+0.4, 0.9, 1.8), black)
		p.Fill(paint.Stroke(1.6, paint.Bow(x-6, y-0.2, x, y-4.2, x+6, y-0.2)...), frame)
	default:
		p.Fill(paint.Stroke(1.7, paint.Bow(x-4.8, y+0.2, x, y+4.8, x+4.8, y+0.2)...), p.ink)
	}
	if p.is(mood, "grumpy") {
		p.Fill(paint.Stroke(2.5, x-side*5, y-4, x+side*5.4, y-8.8), p.ink)
	}
}

// mouth paints the mouth, which the mood shapes, below the nose.
func (p *painter) mouth(x, y float32) {
	ink := p.ink
	if p.is(coat, "black") && p.is(pattern, "two-coloured") {
		ink = paint.Hex(0x2a1c18)
	}
	switch value(p.scene, mood) {
	case "calm":
		p.Fill(paint.Stroke(1, paint.Bow(x, y-0.5, x-1.6, y+2.6, x-3.6, y+1)...).
			Append(paint.Stroke(1, paint.Bow(x, y-0.5, x+1.6, y+2.6, x+3.6, y+1)...)), ink)
	case "happy":
		open := new(paint.Path).Move(x-6.4, y+0.4).Cube(x-5.4, y+9.6, x+5.4, y+9.6, x+6.4, y+0.4)
		p.Fill(open, paint.Hex(0x8c1a2c))
		p.Fill(paint.Ellipse(x, y+5.6, 3.4, 1.7), paint.Hex(0xff8fa0))
		p.Fill(paint.Stroke(1.2, paint.Bow(x, y-0.3, x-3.2, y+2.6, x-7, y-0.8)...).
			Append(paint.Stroke(1.2, paint.Bow(x, y-0.3, x+3.2, y+2.6, x+7, y-0.8)...)), ink)
		blush := paint.Ellipse(x-13, y-0.5, 3, 1.9).Append(paint.Ellipse(x+13, y-0.5, 3, 1.9))
		p.Fill(blush, paint.Fade(paint.Hex(0xff5f7a), 0.7))
	case "grumpy":
		p.Fill(paint.Stroke(1.8, paint.Bow(x-6, y+6, x, y-1.4, x+6, y+6)...), ink)
	default:
		p.Fill(paint.Ellipse(x, y+4.4, 4.2, 5.2), ink)
		p.Fill(paint.Ellipse(x, y+4.4, 3.2, 4.2), paint.Hex(0x5a0c1a))
		p.Fill(paint.Ellipse(x, y+6.9, 2.2, 1.5), paint.Hex(0xff8fa0))
	}
}
