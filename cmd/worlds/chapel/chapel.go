// Package chapel draws churches in a landscape.
package chapel

import (
	"image"
	"image/color"
	"math/rand/v2"

	"illustrator/cmd/worlds/paint"
	"illustrator/cmd/worlds/scene"
)

// Domain draws churches. Its zero value is ready.
type Domain struct{}

// The indices of the attributes.
const (
	sky = iota
	clouds
	style
	wall
	roof
	towers
	height
	top
	windows
	season
	trees
	yard
)

var attributes = []scene.Attribute{
	{Name: "sky", Values: []string{"day", "dusk", "sunset", "night", "grey"}},
	{Name: "clouds", Values: []string{"none", "few", "many"}},
	{Name: "style", Values: []string{"gothic", "romanesque", "wooden"}},
	{Name: "wall", Values: []string{"white", "grey", "red", "yellow", "brown"}},
	{Name: "roof", Values: []string{"black", "red", "brown", "green", "blue", "gold"}},
	{Name: "towers", Values: []string{"none", "one", "two", "three"}, ValueOf: []int{0, 1, 1, 2, 3}},
	{Name: "tower_height", Values: []string{"low", "tall"}},
	{Name: "tower_top", Values: []string{"spire", "dome", "onion", "flat"}},
	{Name: "windows", Values: []string{"dark", "lit", "colorful"}},
	{Name: "season", Values: []string{"spring", "summer", "autumn", "winter"}},
	{Name: "trees", Values: []string{"none", "firs", "leafy", "bare"}},
	{Name: "yard", Values: []string{"none", "path", "graves", "fence"}},
}

// The indices of the variations.
const (
	mirror = iota
	grove
	size
	placeX
	horizon
	length
	skyShade
	wallShade
	sun
	wind
	growth
	hills
)

var variations = []scene.Variation{
	{Name: "mirror", Binary: true}, {Name: "grove", Binary: true}, {Name: "size"}, {Name: "x"}, {Name: "horizon"},
	{Name: "length"}, {Name: "sky shade"}, {Name: "wall shade"}, {Name: "sun"}, {Name: "wind"}, {Name: "growth"},
	{Name: "hills"},
}

// Name returns "chapel".
func (Domain) Name() string { return "chapel" }

// Seed returns the seed of the rotation.
func (Domain) Seed() int64 { return 629 }

// Attributes returns the churches' attributes.
func (Domain) Attributes() []scene.Attribute { return attributes }

// Continuous returns the churches' variations.
func (Domain) Continuous() []scene.Variation { return variations }

// Visible reports false for the height and the tops of towers where there are none.
func (Domain) Visible(s scene.Scene, attribute int) bool {
	return attribute != height && attribute != top || value(s, towers) != "none"
}

// Caption describes a church.
func (Domain) Caption(s scene.Scene, random *rand.Rand) string { return describe(s, random) }

// Render draws a church.
func (Domain) Render(s scene.Scene, pixels int) *image.NRGBA {
	const fine = 2
	p := painter{Canvas: paint.New(pixels, fine, color.RGBA{A: 255}), scene: s, light: lights[s.Values[sky]]}
	p.sky()
	p.hills()
	p.ground()
	p.distantTrees()
	p.With(p.place(), p.church)
	p.foreground()
	return p.Picture()
}

func value(s scene.Scene, attribute int) string {
	return attributes[attribute].Values[s.Values[attribute]]
}

// painter draws one scene. Its colors are seen in the light of the sky.
type painter struct {
	*paint.Canvas
	scene scene.Scene
	light color.RGBA
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

// fill fills a path with a color in the light of the sky.
func (p *painter) fill(path *paint.Path, c color.RGBA) { p.Fill(path, paint.Filter(c, p.light)) }

// blend fills a path with a gradient in the light of the sky.
func (p *painter) blend(path *paint.Path, upper, lower color.RGBA) {
	p.Blend(path, paint.Filter(upper, p.light), paint.Filter(lower, p.light))
}

// floor returns the height at which the ground begins.
func (p *painter) floor() float32 { return 76 + p.vary(horizon, 1.5) }

// place returns the matrix that sizes, mirrors and moves the church.
func (p *painter) place() paint.Matrix {
	scale := 1.06 + p.vary(size, 0.03)
	base := p.floor() + 5
	return paint.Move(50+p.vary(placeX, 2.5), base).After(paint.Scale(scale*p.side(mirror), scale, 0, 0))
}
