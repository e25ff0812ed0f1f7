package chapel

import (
	"image/color"

	"illustrator/cmd/worlds/paint"
)

// By sky: day, dusk, sunset, night, grey.
var (
	lights = []color.RGBA{
		paint.Hex(0xffffff), paint.Hex(0xc9b08c), paint.Hex(0xffcfb8), paint.Hex(0x7f88c4), paint.Hex(0xd2d7da),
	}
	zeniths = []color.RGBA{paint.Hex(0x2277dd), paint.Hex(0x5a5560), paint.Hex(0x7a3f92), paint.Hex(0x070c2a),
		paint.Hex(0x858d94)}
	horizons = []color.RGBA{paint.Hex(0xa9dbfa), paint.Hex(0xe0b040), paint.Hex(0xff8a50), paint.Hex(0x26326b),
		paint.Hex(0xbcc2c6)}
	fewClouds = []color.RGBA{paint.Hex(0xffffff), paint.Hex(0xcfb491), paint.Hex(0xffb39a), paint.Hex(0x56639a),
		paint.Hex(0xe9edef)}
	distances = []color.RGBA{paint.Hex(0x86b7d6), paint.Hex(0x7a6a58), paint.Hex(0xa0587a), paint.Hex(0x1b2550),
		paint.Hex(0x98a2a6)}
	starPlaces = []float32{8, 10, 22, 24, 33, 8, 47, 15, 60, 6, 71, 19, 88, 9, 94, 28, 14, 38, 84, 40, 40, 30, 62, 31}
)

// sky paints the sky with its sun, moon, stars and clouds.
func (p *painter) sky() {
	v := p.scene.Values[sky]
	shade := 1 + float64(p.vary(skyShade, 0.04))
	const below = 20 // the gradient ends where the ground begins
	p.Blend(paint.Rect(0, 0, 100, 100-below), paint.Light(zeniths[v], shade), paint.Light(horizons[v], shade))
	x := 50 + p.vary(sun, 16)
	switch value(p.scene, sky) {
	case "day":
		p.Fill(paint.Ellipse(x, 12, 9, 9), paint.Fade(paint.Hex(0xfff3b0), 0.4))
		p.Fill(paint.Ellipse(x, 12, 6, 6), paint.Hex(0xffe95a))
	case "sunset":
		p.Fill(paint.Ellipse(x, 56, 19, 19), paint.Fade(paint.Hex(0xffe08a), 0.45))
		p.Fill(paint.Ellipse(x, 56, 13, 13), paint.Hex(0xfff09a))
	case "night":
		for i := 0; i < len(starPlaces); i += 2 {
			p.Fill(paint.Ellipse(starPlaces[i], starPlaces[i+1], 0.8, 0.8), paint.Hex(0xfdfbe0))
		}
		p.Fill(paint.Ellipse(x, 12, 10, 10), paint.Fade(paint.Hex(0xb9c4f0), 0.25))
		p.Fill(paint.Ellipse(x, 12, 7, 7), paint.Hex(0xf6f2c8))
		p.Fill(paint.Ellipse(x-2, 10.5, 1.6, 1.6).Append(paint.Ellipse(x+2.2, 13.6, 2, 2)), paint.Hex(0xdcd6a4))
	}
	p.clouds()
}

func (p *painter) clouds() {
	shift := p.vary(wind, 5)
	paints := fewClouds[p.scene.Values[sky]]
	switch value(p.scene, clouds) {
	case "few":
		p.cloud(18+shift, 22, 1, paints)
		p.cloud(80+shift, 30, 0.9, paints)
	case "many":
		dark := paint.Mix(paints, distances[p.scene.Values[sky]], 0.35)
		p.Fill(paint.Rect(0, 0, 100, 8), dark)
		for i, x := range []float32{-4, 22, 48, 76, 102} {
			p.cloud(x+shift, 6+float32(i%2)*4, 1.7, dark)
		}
		for i, x := range []float32{8, 36, 66, 92} {
			p.cloud(x+shift, 20+float32(i%2)*5, 1.35, paints)
		}
	}
}

func (p *painter) cloud(x, y, scale float32, c color.RGBA) {
	puff := func(dx, dy, r float32) *paint.Path {
		return paint.Ellipse(x+dx*scale, y+dy*scale, r*scale, r*scale*0.85)
	}
	p.Fill(puff(-7, 1, 4.5).Append(puff(-1, -2, 6.5), puff(6, 0, 5.2), paint.Rect(x-8*scale, y, 16*scale, 4.6*scale)), c)
}

// hills paints the distance.
func (p *painter) hills() {
	y, v := p.floor(), p.scene.Values[sky]
	far, near := distances[v], paint.Mix(distances[v], paint.Filter(grounds[p.scene.Values[season]], p.light), 0.5)
	h := p.vary(hills, 3)
	p.Fill(paint.Blob(-20, y+20, -10, y-6, 16, y-13-h, 44, y-5, 70, y-11+h, 112, y-4, 120, y+20), far)
	p.Fill(paint.Blob(-20, y+20, -10, y-2, 20, y-3, 60, y-6-h/2, 88, y-7, 112, y-1, 120, y+20), near)
}
