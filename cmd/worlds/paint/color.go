package paint

import (
	"image/color"
	"math"
)

// Hex returns the opaque color of 0xRRGGBB.
func Hex(rgb uint32) color.RGBA {
	return color.RGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 255}
}

// Mix returns a color between a (share 0) and b (share 1).
func Mix(a, b color.RGBA, share float64) color.RGBA {
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a) + (float64(b)-float64(a))*share)) }
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), mix(a.A, b.A)}
}

// Light returns the color with its channels multiplied by factor and clamped.
func Light(c color.RGBA, factor float64) color.RGBA {
	times := func(x uint8) uint8 { return uint8(max(0, min(255, float64(x)*factor))) }
	return color.RGBA{times(c.R), times(c.G), times(c.B), c.A}
}

// Filter returns the color as a light of color l shows it: the product of both.
func Filter(c, l color.RGBA) color.RGBA {
	times := func(x, y uint8) uint8 { return uint8((uint32(x)*uint32(y) + 127) / 255) }
	return color.RGBA{times(c.R, l.R), times(c.G, l.G), times(c.B, l.B), c.A}
}

// Fade returns the color with an opacity from 0 to 1.
func Fade(c color.RGBA, opacity float64) color.RGBA {
	c.A = uint8(math.Round(opacity * 255))
	return c
}
