// Package whiskers draws cats in a room.
package whiskers

import (
	"image"
	"image/color"
	"math/rand/v2"

	"illustrator/cmd/worlds/paint"
	"illustrator/cmd/worlds/scene"
)

// Domain draws cats. Its zero value is ready.
type Domain struct{}

// The indices of the attributes.
const (
	coat = iota
	pattern
	fur
	build
	ears
	eyes
	eyeColor
	mood
	pose
	wall
	neck
	hat
	beside
)

var attributes = []scene.Attribute{
	{Name: "coat", Values: []string{"orange", "grey", "black", "white", "brown"}},
	{Name: "pattern", Values: []string{"plain", "striped", "spotted", "two-coloured"}},
	{Name: "fur", Values: []string{"short", "long"}},
	{Name: "build", Values: []string{"slim", "fat"}},
	{Name: "ears", Values: []string{"upright", "folded", "sideways"}},
	{Name: "eyes", Values: []string{"wide", "narrow", "closed"}},
	{Name: "eye_color", Values: []string{"green", "yellow", "blue"}},
	{Name: "mood", Values: []string{"calm", "happy", "grumpy", "meowing"}},
	{Name: "pose", Values: []string{"sitting", "lying", "paws in front"}},
	{Name: "wall", Values: []string{"yellow", "blue", "green", "pink", "white", "purple"}},
	{Name: "neck", Values: []string{"none", "collar", "bow"}, ValueOf: []int{0, 0, 1, 2}},
	{Name: "hat", Values: []string{"none", "witch hat", "santa hat", "crown"}, ValueOf: []int{0, 0, 1, 2, 3}},
	{Name: "beside", Values: []string{"none", "yarn", "fish", "plant", "pumpkin"}, ValueOf: []int{0, 0, 1, 2, 3, 4}},
}

// The indices of the variations.
const (
	mirror = iota
	tailUp
	size
	placeX
	placeY
	tilt
	coatShade
	wallShade
	gaze
	floor
	cheeks
)

var variations = []scene.Variation{
	{Name: "mirror", Binary: true}, {Name: "tail", Binary: true}, {Name: "size"}, {Name: "x"}, {Name: "y"}, {Name: "tilt"},
	{Name: "coat shade"}, {Name: "wall shade"}, {Name: "gaze"}, {Name: "floor"}, {Name: "cheeks"},
}

// Name returns "whiskers".
func (Domain) Name() string { return "whiskers" }

// Seed returns the seed of the rotation.
func (Domain) Seed() int64 { return 630 }

// Attributes returns the cats' attributes.
func (Domain) Attributes() []scene.Attribute { return attributes }

// Continuous returns the cats' variations.
func (Domain) Continuous() []scene.Variation { return variations }

// Visible reports false for the color of closed eyes.
func (Domain) Visible(s scene.Scene, attribute int) bool {
	return attribute != eyeColor || value(s, eyes) != "closed"
}

// Caption describes a cat.
func (Domain) Caption(s scene.Scene, random *rand.Rand) string { return describe(s, random) }

// Render draws a cat.
func (Domain) Render(s scene.Scene, pixels int) *image.NRGBA {
	const fine = 2
	p := painter{Canvas: paint.New(pixels, fine, color.RGBA{A: 255}), scene: s}
	p.colors()
	p.With(paint.Scale(p.side(mirror), 1, 50, 50), func() {
		p.room()
		scale := 1 + p.vary(size, 0.025)
		place := paint.Move(p.vary(placeX, 1.5), p.vary(placeY, 1)).After(paint.Scale(scale, scale, 50, 90))
		p.With(place, p.cat)
		p.thing()
	})
	return p.Picture()
}

func value(s scene.Scene, attribute int) string {
	return attributes[attribute].Values[s.Values[attribute]]
}

// painter draws one scene.
type painter struct {
	*paint.Canvas
	scene scene.Scene
	// The coat, its pattern, its second color, the lines around it and those on it.
	base, mark, second, outline, ink color.RGBA
}

func (p *painter) is(attribute int, name string) bool { return value(p.scene, attribute) == name }

// vary returns a variation times scale, within two deviations.
func (p *painter) vary(variation int, scale float32) float32 {
	return scale * max(-2, min(2, p.scene.Continuous[variation]))
}

// side returns 1 or -1 by the sign of a binary variation.
func (p *painter) side(variation int) float32 {
	if p.scene.Continuous[variation] > 0 {
		return 1
	}
	return -1
}

// fat returns the factor of the body's width.
func (p *painter) fat() float32 {
	if p.is(build, "fat") {
		return 1.42
	}
	return 1
}

// By coat: orange, grey, black, white, brown.
var (
	coats = []color.RGBA{paint.Hex(0xf4953c), paint.Hex(0x949daa), paint.Hex(0x2c2c33), paint.Hex(0xfcf8f2),
		paint.Hex(0x8c5a34)}
	marks = []color.RGBA{paint.Hex(0xb9571a), paint.Hex(0x555d6a), paint.Hex(0x6e6e7a), paint.Hex(0xb9a68e),
		paint.Hex(0x4c2d16)}
	seconds = []color.RGBA{paint.Hex(0xfffaf2), paint.Hex(0xfffaf2), paint.Hex(0xfffaf2), paint.Hex(0x7d8591),
		paint.Hex(0xfffaf2)}
)

func (p *painter) colors() {
	v := p.scene.Values[coat]
	shade := 1 + float64(p.vary(coatShade, 0.025))
	p.base, p.mark, p.second = paint.Light(coats[v], shade), paint.Light(marks[v], shade), seconds[v]
	p.outline = paint.Light(p.base, 0.62)
	p.ink = paint.Hex(0x2a1c18)
	if p.is(coat, "black") {
		p.outline, p.ink = paint.Hex(0x0c0c10), paint.Hex(0xd9cfc8)
	}
}

// shape fills a path with an outline: the path enlarged about its middle.
func (p *painter) shape(path *paint.Path, c color.RGBA, x, y, radius float32) {
	grow := (radius + 0.9) / radius
	p.Fill(path.Map(paint.Scale(grow, grow, x, y)), p.outline)
	p.Fill(path, c)
}
