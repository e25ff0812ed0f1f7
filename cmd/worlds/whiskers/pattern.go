package whiskers

import "illustrator/cmd/worlds/paint"

// coat paints the pattern of the body, which clips it.
func (p *painter) coat(f figure) {
	x, y, rx, ry := f.middleX, f.middleY, f.radiusX, f.radiusY
	p.Fill(paint.Ellipse(x, y+ry*1.1, rx*1.1, ry*0.45), paint.Fade(p.outline, 0.25))
	switch value(p.scene, pattern) {
	case "striped":
		p.stripes(f)
	case "spotted":
		for i, at := range []float32{-0.75, -0.35, 0.1, 0.55, -0.55, -0.1, 0.35, 0.8, -0.8, 0.65, -0.3, 0.15} {
			row := float32(i/4)*0.55 - 0.6
			p.Fill(paint.Ellipse(x+at*rx, y+row*ry, 3.1, 2.7), p.mark)
		}
	case "two-coloured":
		if p.is(coat, "white") {
			p.Fill(paint.Ellipse(x+rx*0.55, y-ry*0.45, rx*0.55, ry*0.6), p.second)
			p.Fill(paint.Ellipse(x-rx*0.8, y+ry*0.25, rx*0.4, ry*0.42), p.second)
			return
		}
		if p.is(pose, "sitting") {
			p.Fill(paint.Ellipse(x, y+2, rx*0.58, ry*0.95), p.second)
			return
		}
		p.Fill(paint.Ellipse(x-rx*0.35, y+ry*0.75, rx*0.95, ry*0.62), p.second)
	}
}

func (p *painter) stripes(f figure) {
	x, y, rx, ry := f.middleX, f.middleY, f.radiusX, f.radiusY
	if p.is(pose, "sitting") {
		for row := float32(-0.7); row < 0.9; row += 0.38 {
			for _, side := range []float32{-1, 1} {
				from, to := side*rx*1.4, side*rx*0.42
				bow := paint.Bow(x+from, y+row*ry-1, x+side*rx*0.8, y+row*ry, x+to, y+row*ry+2.5)
				p.Fill(paint.Stroke(3, bow...), p.mark)
			}
		}
		return
	}
	for column := float32(-0.7); column < 0.95; column += 0.28 {
		p.Fill(paint.Stroke(3, paint.Bow(x+column*rx, y-ry*1.3, x+column*rx+3, y-ry*0.4, x+column*rx, y+ry*0.35)...), p.mark)
	}
}

// headPattern paints the pattern of the head, which clips it.
func (p *painter) headPattern(x, y, rx, ry float32) {
	switch value(p.scene, pattern) {
	case "striped":
		marks := paint.Stroke(2.4, x, y-ry, x, y-ry*0.5).
			Append(paint.Stroke(2.4, x-5.4, y-ry, x-4.6, y-ry*0.55), paint.Stroke(2.4, x+5.4, y-ry, x+4.6, y-ry*0.55))
		for _, side := range []float32{-1, 1} {
			marks.Append(paint.Stroke(2.2, x+side*rx, y+1.5, x+side*rx*0.68, y+2.5),
				paint.Stroke(2.2, x+side*rx, y+6, x+side*rx*0.66, y+6.4))
		}
		p.Fill(marks, p.mark)
	case "spotted":
		for i, at := range []float32{-7.5, 0, 7.5, -13.5, 13.5} {
			p.Fill(paint.Ellipse(x+at, y-ry*0.68+float32(i/3)*11, 2.2, 2), p.mark)
		}
	case "two-coloured":
		if p.is(coat, "white") {
			p.Fill(paint.Ellipse(x+rx*0.62, y-ry*0.4, rx*0.6, ry*0.72), p.second)
			return
		}
		blaze := new(paint.Path).Move(x, y-ry*0.95).Quad(x+1.5, y-2, x+9.5, y+5).Quad(x+11, y+ry, x, y+ry+1).
			Quad(x-11, y+ry, x-9.5, y+5).Quad(x-1.5, y-2, x, y-ry*0.95)
		p.Fill(blaze, p.second)
	}
}
