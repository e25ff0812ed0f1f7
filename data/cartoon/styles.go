package cartoon

import (
	"fmt"
	"image/color"
	"strings"

	"illustrator/internal/fault"
)

// Params make a classical style. A zero field omits its step; the fields are in the order of the work. Lengths are in
// thousandths of the picture's longer side; strokes along edges are at least as wide as the picture's own pixels.
type Params struct {
	// Smooth is the deviation of the smoothing that stops at edges, a length. Edge is the step of colour, in [0,1] and
	// summed over the channels, that is as far for it as Smooth.
	Smooth, Edge float64
	// Saturation and Contrast multiply distances from gray and from middle gray.
	Saturation, Contrast float64
	// Colors is the size of the palette that is taken from the picture. Tones are a palette in its place, from dark to
	// light, that luminance chooses from. Rounding is a length: borders between colours are as smooth as after a blur by
	// it.
	Colors   int
	Tones    []color.NRGBA
	Rounding float64
	Wash     Wash
	Dots     Dots
	Pencil   Pencil
	Lines    Lines
	Paper    Paper
}

// Wash is watercolour: pigment that gathers within Length of borders, by Edges, and lies unevenly, by Blots.
type Wash struct{ Edges, Blots, Length float64 }

// Dots are a print's: four inks, or with Shade only light areas, as dots of one stronger colour. Pitch is the length
// between two.
type Dots struct {
	Pitch float64
	Shade bool
}

// Pencil draws shades as strokes, Strokes wide. Length is that of the blur that contours are measured against.
type Pencil struct{ Length, Strokes float64 }

// Lines are ink along edges: differences of Gaussians. Width is the deviation of the narrower, a length. Amount is how
// strongly faint edges show. Fill is the luminance below which areas are solid ink.
type Lines struct {
	Width, Amount, Fill float64
	Only                bool // no colours below them
	Color               color.NRGBA
}

// Paper describes the ground: its colour, multiplied into the picture, and the strength of its grain.
type Paper struct {
	Color color.NRGBA
	Grain float64
}

// Info describes a style to a user.
type Info struct{ Name, Description string }

// Styles lists the classical styles.
func Styles() []Info {
	return []Info{
		{"smooth", "soft areas of few colours, no lines"},
		{"comic", "flat colours and dark ink lines"},
		{"ink", "black ink on paper: lines and solid shadows"},
		{"pencil", "pencil strokes on warm paper"},
		{"watercolor", "washes with darker borders on grained paper"},
		{"poster", "four tones from dark blue to cream, and dark blue lines"},
		{"halftone", "a colour print's dots in cyan, magenta, yellow and black; best with a scale of 4 or more at 64 pixels"},
		{"popart", "loud flat colours, dots between them and thick lines"},
	}
}

// Classical returns the parameters of the style called name.
func Classical(name string) (Params, error) {
	black, paper := hex(0x1a1410), hex(0xfbf4e6)
	switch name {
	case "smooth":
		return Params{Smooth: 20, Edge: 0.12, Saturation: 1.1, Contrast: 1.05, Colors: 24, Rounding: 3}, nil
	case "comic":
		return Params{Smooth: 16, Edge: 0.15, Saturation: 1.3, Contrast: 1.1, Colors: 12, Rounding: 4,
			Lines: Lines{Width: 3.5, Amount: 1.5, Color: black}}, nil
	case "ink":
		return Params{Smooth: 10, Edge: 0.2, Lines: Lines{Width: 3.5, Amount: 1.5, Fill: 0.25, Only: true, Color: black},
			Paper: Paper{Color: paper}}, nil
	case "pencil":
		return Params{Smooth: 6, Edge: 0.2, Pencil: Pencil{Length: 16, Strokes: 4},
			Paper: Paper{Color: hex(0xf6ead2), Grain: 0.05}}, nil
	case "watercolor":
		return Params{Smooth: 25, Edge: 0.15, Saturation: 1.3, Colors: 16, Rounding: 5,
			Wash: Wash{Edges: 0.5, Blots: 0.25, Length: 6}, Paper: Paper{Color: hex(0xfdf9f0), Grain: 0.06}}, nil
	case "poster":
		return Params{Smooth: 32, Edge: 0.2, Contrast: 1.15, Rounding: 6,
			Lines: Lines{Width: 3.5, Amount: 1.3, Color: hex(0x0b2f4a)},
			Tones: []color.NRGBA{hex(0x0b2f4a), hex(0xc8342c), hex(0x6f9fa8), hex(0xfbe6b4)}}, nil
	case "halftone":
		return Params{Saturation: 1.15, Dots: Dots{Pitch: 11}, Paper: Paper{Color: paper}}, nil
	case "popart":
		return Params{Smooth: 16, Edge: 0.15, Saturation: 1.7, Contrast: 1.2, Colors: 7, Rounding: 5,
			Dots:  Dots{Pitch: 13, Shade: true},
			Lines: Lines{Width: 5, Amount: 1.3, Fill: 0.12, Color: black}, Paper: Paper{Color: paper}}, nil
	}
	var names []string
	for _, s := range Styles() {
		names = append(names, s.Name)
	}
	err := fmt.Errorf("style %q is unknown", name)
	if near := fault.Nearest(name, names); near != "" {
		return Params{}, fault.Usage(err, "did you mean %s?", near)
	}
	return Params{}, fault.Usage(err, "the styles are %s; a network is named by the path of its .yaml file",
		strings.Join(names, ", "))
}

func hex(rgb uint32) color.NRGBA {
	return color.NRGBA{R: uint8(rgb >> 16), G: uint8(rgb >> 8), B: uint8(rgb), A: 255}
}

// Names lists the names of the classical styles.
func Names() []string {
	var names []string
	for _, s := range Styles() {
		names = append(names, s.Name)
	}
	return names
}
