// Package lorelei draws portraits from parts of the style "Lorelei" by Lisa Wischofsky (CC0 1.0).
package lorelei

import (
	"image"
	"image/color"
	"math/rand/v2"

	"illustrator/cmd/worlds/paint"
	"illustrator/cmd/worlds/scene"
)

// Domain draws portraits. Its zero value is ready.
type Domain struct{}

// The indices of the attributes.
const (
	hair = iota
	hairColor
	skin
	background
	shirt
	glasses
	beard
	mouth
	eyes
	flower
)

var attributes = []scene.Attribute{
	{Name: "hair", Values: []string{
		"bald", "buzz", "short", "spiky", "curly", "afro", "bob", "long straight", "long wavy", "ponytail", "bun",
		"space buns", "mohawk", "pigtails",
	}},
	{Name: "hair_color", Values: []string{"black", "brown", "blond", "red", "white", "blue", "pink", "green", "purple"}},
	{Name: "skin", Values: []string{"pale", "tan", "brown", "dark"}},
	{Name: "background", Values: []string{"blue", "purple", "pink", "orange", "white", "green"}},
	{Name: "shirt", Values: []string{"red", "blue", "green", "yellow", "black", "white"}},
	{Name: "glasses", Values: []string{"none", "round", "square", "sunglasses"}, ValueOf: []int{0, 0, 0, 1, 2, 3}},
	{Name: "beard", Values: []string{"none", "beard"}, ValueOf: []int{0, 0, 1}},
	{Name: "mouth", Values: []string{"smile", "surprised", "frown", "grin"}},
	{Name: "eyes", Values: []string{"open", "closed", "wide"}, ValueOf: []int{0, 0, 1, 2}},
	{Name: "flower", Values: []string{"none", "flower"}, ValueOf: []int{0, 0, 1}},
}

// The indices of the variations.
const (
	hairVariant = iota
	headVariant
	mouthVariant
	eyesVariant
	beardVariant
	hairShade
	skinShade
	backgroundShade
	size
	tilt
	placeX
	placeY
)

var variations = []scene.Variation{
	{Name: "hair", Binary: true}, {Name: "head", Binary: true}, {Name: "mouth", Binary: true},
	{Name: "eyes", Binary: true},
	{Name: "beard", Binary: true}, {Name: "hair shade"}, {Name: "skin shade"}, {Name: "background shade"}, {Name: "size"},
	{Name: "tilt"}, {Name: "x"}, {Name: "y"},
}

// Name returns "lorelei".
func (Domain) Name() string { return "lorelei" }

// Seed returns the seed of the rotation that the embedded networks were trained with.
func (Domain) Seed() int64 { return 628 }

// Attributes returns the portraits' attributes.
func (Domain) Attributes() []scene.Attribute { return attributes }

// Continuous returns the portraits' variations.
func (Domain) Continuous() []scene.Variation { return variations }

// Visible reports false for the mouth behind a beard, the eyes behind sunglasses, and the color of a bald head's hair.
func (Domain) Visible(s scene.Scene, attribute int) bool {
	v := s.Values
	switch attribute {
	case mouth:
		return v[beard] == 0
	case eyes:
		return attributes[glasses].Values[v[glasses]] != "sunglasses"
	case hairColor:
		return attributes[hair].Values[v[hair]] != "bald" || v[beard] != 0
	}
	return true
}

// The colors and the parts of each value.
var (
	hairColors       = []uint32{0x1d1a1c, 0x6b4226, 0xe8c65a, 0xc8401a, 0xeeeeea, 0x3d8fe0, 0xf27fb2, 0x37b06f, 0x8455d0}
	skinColors       = []uint32{0xffe3cc, 0xeebb8f, 0xb9783f, 0x6b4428}
	backgroundColors = []uint32{0x9fd3f5, 0xbda4ea, 0xffc2d0, 0xffcf87, 0xffffff, 0xa3dca0}
	shirtColors      = []uint32{0xd8303c, 0x2560c8, 0x2e9e4f, 0xf4c20d, 0x262626, 0xf2f2f2}

	hairParts = [][2]string{
		{"34", "34"}, {"28", "47"}, {"01", "08"}, {"04", "20"}, {"05", "39"}, {"24", "24"}, {"19", "23"}, {"15", "21"},
		{"35", "18"}, {"31", "33"}, {"38", "32"}, {"26", "26"}, {"27", "27"}, {"30", "30"},
	}
	mouthParts   = [][2]string{{"happy01", "happy02"}, {"sad01", "sad01"}, {"sad04", "sad05"}, {"happy05", "happy16"}}
	eyesParts    = [][2]string{{"04", "02"}, {"19", "01"}, {"09", "09"}}
	glassesParts = []string{"", "01", "04", "02"}
	beardParts   = [2]string{"01", "02"}
	headParts    = [2]string{"01", "03"}
)

// choose returns the part of each component that the scene shows.
func choose(s scene.Scene) map[string]string {
	v := s.Values
	side := func(variation int) int {
		if s.Continuous[variation] > 0 {
			return 1
		}
		return 0
	}
	parts := map[string]string{
		"hair":  "variant" + hairParts[v[hair]][side(hairVariant)],
		"head":  "variant" + headParts[side(headVariant)],
		"mouth": mouthParts[v[mouth]][side(mouthVariant)],
		"eyes":  "variant" + eyesParts[v[eyes]][side(eyesVariant)], "eyebrows": "variant01", "nose": "variant01",
	}
	if v[glasses] > 0 {
		parts["glasses"] = "variant" + glassesParts[v[glasses]]
	}
	if v[beard] > 0 {
		parts["beard"] = "variant" + beardParts[side(beardVariant)]
	}
	if v[flower] > 0 {
		parts["hairAccessories"] = "flowers"
	}
	return parts
}

// paints returns the colors that the parts' fills name.
func paints(s scene.Scene) map[string]color.RGBA {
	v, u := s.Values, s.Continuous
	black := paint.Hex(0)
	hair := paint.Light(paint.Hex(hairColors[v[hairColor]]), 1+0.06*float64(u[hairShade]))
	frames := paint.Hex(0x1c3f94)
	if attributes[glasses].Values[v[glasses]] == "sunglasses" {
		frames = paint.Hex(0x101010)
	}
	return map[string]color.RGBA{
		"hair": hair, "skin": paint.Light(paint.Hex(skinColors[v[skin]]), 1+0.03*float64(u[skinShade])),
		"glasses": frames, "hairAccessories": paint.Hex(0xff5a8a), "mouth": paint.Hex(0xa01030),
		"outline": black, "eyes": black, "eyebrows": black, "nose": black, "#000000": black, "#ffffff": paint.Hex(0xffffff),
	}
}

// Render draws a portrait.
func (Domain) Render(s scene.Scene, pixels int) *image.NRGBA {
	v, u := s.Values, s.Continuous
	ground := paint.Light(paint.Hex(backgroundColors[v[background]]), 1+0.02*float64(u[backgroundShade]))
	canvas := paint.New(pixels, 1, ground)
	canvas.With(frame(u), func() {
		parts, colors := choose(s), paints(s)
		drawParts(canvas, style.Canvas, parts, colors)
		canvas.Fill(torso, paint.Hex(shirtColors[v[shirt]]))
	})
	return canvas.Picture()
}

// frame returns the matrix from the parts' units to the canvas.
func frame(u []float32) paint.Matrix {
	clamp := func(x, limit float32) float32 { return max(-limit, min(limit, x)) }
	const centre, units = 400, 800
	scale := 0.86 + clamp(0.03*u[size], 0.08)
	place := paint.Move(centre+clamp(14*u[placeX], 36), centre+clamp(10*u[placeY], 26)-8)
	turn := paint.Scale(scale, scale, 0, 0).After(paint.Rotate(clamp(0.05*u[tilt], 0.12), 0, 0))
	fit := paint.Scale(float32(paint.Extent)/units, float32(paint.Extent)/units, 0, 0)
	return fit.After(place).After(turn).After(paint.Move(-130-centre, -20-centre))
}

// Caption describes a portrait.
func (Domain) Caption(s scene.Scene, random *rand.Rand) string { return describeScene(s, random) }
