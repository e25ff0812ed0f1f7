package chart

import (
	"bytes"
	"image/color"

	stdfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// palette is that of Okabe and Ito, "Color Universal Design" (2008), which the colour-blind can tell apart, without its
// yellow, which is too pale on white.
var palette = []color.NRGBA{
	{R: 0x00, G: 0x72, B: 0xb2, A: 0xff}, // blue
	{R: 0xd5, G: 0x5e, B: 0x00, A: 0xff}, // vermilion
	{R: 0x00, G: 0x9e, B: 0x73, A: 0xff}, // bluish green
	{R: 0xcc, G: 0x79, B: 0xa7, A: 0xff}, // reddish purple
	{R: 0x56, G: 0xb4, B: 0xe9, A: 0xff}, // sky blue
	{R: 0xe6, G: 0x9f, B: 0x00, A: 0xff}, // orange
	{R: 0x33, G: 0x33, B: 0x33, A: 0xff}, // nearly black
}

// glyphs tell lines apart where colours don't. Their number and that of the colours have no common divisor: 28 lines
// differ before the first pair comes again.
var glyphs = []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.RingGlyph{}}

var (
	white = color.Gray{Y: 0xff}
	black = color.Gray{Y: 0x22}
	gray  = color.Gray{Y: 0x66}

	gridStyle = draw.LineStyle{Color: color.Gray{Y: 0xe4}, Width: 0.75}
)

// lineStyle is that of the line at a place in the legend.
func lineStyle(place int, faint bool) draw.LineStyle {
	c := palette[place%len(palette)]
	if faint {
		c.A = 0x66
		return draw.LineStyle{Color: c, Width: 1}
	}
	return draw.LineStyle{Color: c, Width: 1.75}
}

func barStyle(place int) draw.LineStyle {
	return draw.LineStyle{Color: palette[place%len(palette)], Width: 1}
}

// errorStyle is that of error bars across categories, where no line needs the eye.
func errorStyle(place int) draw.LineStyle {
	style := barStyle(place)
	style.Width = 1.5
	return style
}

// paleOf is the colour of a bar, which error bars must be seen on.
func paleOf(place int) color.Color {
	c := palette[place%len(palette)]
	c.A = 0x70
	return c
}

func glyphStyle(place int) draw.GlyphStyle {
	return draw.GlyphStyle{Color: palette[place%len(palette)], Radius: 2.75, Shape: glyphs[place%len(glyphs)]}
}

func sans(size vg.Length) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
}

func textStyle(size vg.Length, c color.Color) text.Style {
	return text.Style{Color: c, Font: sans(size), Handler: plot.DefaultTextHandler}
}

func titleStyle(size vg.Length) text.Style {
	style := textStyle(size, black)
	style.Font.Weight = stdfont.WeightBold
	return style
}

// withFallbackFonts names, after the font that the text was measured in, those of the same widths that a viewer may
// have.
func withFallbackFonts(svg []byte) []byte {
	const font = "font-family:Liberation Sans"
	return bytes.ReplaceAll(svg, []byte(font), []byte(font+",Arial,Helvetica,sans-serif"))
}
