package chapel

import (
	"image/color"

	"illustrator/cmd/worlds/paint"
)

var panes = []color.RGBA{paint.Hex(0xe5352f), paint.Hex(0x2f6fe8), paint.Hex(0xf7cf2f), paint.Hex(0x35b558),
	paint.Hex(0xb44fd0)}

// window paints a window whose sill is at y, in the arch of the church's style.
func (p *painter) window(x, y, width, height float32) {
	frame := paint.Light(p.wallColor(), 0.6)
	if p.is(style, "wooden") {
		frame = paint.Hex(0xfdfdf5)
		if p.is(wall, "white") {
			frame = paint.Hex(0x6f8f8a)
		}
	}
	p.fill(p.opening(x, y+0.7, width+1.6, height+1.5), frame)
	p.glass(p.opening(x, y, width, height), x, y, width, height)
}

// opening returns the outline of a window or door: pointed, round, or straight.
func (p *painter) opening(x, y, width, height float32) *paint.Path {
	half, upper := width/2, y-height
	switch value(p.scene, style) {
	case "gothic":
		spring := upper + width*0.95
		return new(paint.Path).Move(x-half, y).Line(x-half, spring).Quad(x-half, upper+width*0.4, x, upper).
			Quad(x+half, upper+width*0.4, x+half, spring).Line(x+half, y)
	case "romanesque":
		spring := upper + half
		return new(paint.Path).Move(x-half, y).Line(x-half, spring).
			Cube(x-half, upper-half*0.3, x+half, upper-half*0.3, x+half, spring).Line(x+half, y)
	default:
		return paint.Rect(x-half, upper, width, height)
	}
}

// glass fills an opening with darkness, light or panes of many colors. Lit windows ignore the light of the sky.
func (p *painter) glass(path *paint.Path, x, y, width, height float32) {
	switch value(p.scene, windows) {
	case "dark":
		p.fill(path, paint.Hex(0x1d2029))
	case "lit":
		p.Fill(path, paint.Hex(0xffdf5e))
	default:
		bright := paint.Mix(p.light, paint.Hex(0xffffff), 0.6)
		p.Clip(path, func() {
			rows := float32(3)
			for i := range 6 {
				column, row := float32(i%2), float32(i/2)
				pane := paint.Rect(x-width/2+column*width/2, y-height+row*height/rows, width/2, height/rows+0.1)
				p.Fill(pane, paint.Filter(panes[(i*3+int(row))%len(panes)], bright))
			}
		})
		return
	}
	if p.is(style, "wooden") {
		bar := paint.Rect(x-0.35, y-height, 0.7, height).Append(paint.Rect(x-width/2, y-height/2-0.35, width, 0.7))
		p.fill(bar, paint.Hex(0xe8e4da))
	}
}

// rose paints a round window.
func (p *painter) rose(x, y, radius float32) {
	p.fill(paint.Ellipse(x, y, radius+0.9, radius+0.9), paint.Light(p.wallColor(), 0.6))
	path := paint.Ellipse(x, y, radius, radius)
	p.glass(path, x, y+radius, 2*radius, 2*radius)
	if radius > 3 {
		spokes := paint.Stroke(0.6, x-radius, y, x+radius, y).Append(paint.Stroke(0.6, x, y-radius, x, y+radius))
		p.fill(spokes, paint.Light(p.wallColor(), 0.75))
	}
}

func (p *painter) door() {
	p.fill(p.opening(0, 0.3, 7, 10.8), paint.Light(p.wallColor(), 0.6))
	p.fill(p.opening(0, 0.3, 5.2, 9.6), paint.Hex(0x4a2c18))
	p.fill(paint.Rect(-0.3, -9, 0.6, 9.2), paint.Hex(0x2a180c))
}
