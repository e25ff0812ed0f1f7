package lorelei

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"image/color"

	"illustrator/cmd/worlds/paint"
)

// partsJSON holds the parts that the domain uses, of src/lorelei.json in npm package @dicebear/styles 10.6.0 (CC0 1.0).
//
//go:embed parts.json
var partsJSON []byte

// A part is a filled path, a place for a component, or a group of parts.
type part struct {
	Component string     `json:"component"`
	D         string     `json:"d"`
	Fill      string     `json:"fill"`
	Opacity   *float64   `json:"opacity"`
	Move      [2]float32 `json:"move"`
	Parts     []part     `json:"parts"`

	path *paint.Path
}

type drawing struct {
	Canvas     []part                       `json:"canvas"`
	Components map[string]map[string][]part `json:"components"`
}

var (
	style = loadStyle()
	torso = mustParse("M100 1030C110 880 210 820 330 810Q420 880 510 810C640 820 720 880 740 1030Z")
)

// loadStyle reads the embedded parts. A test opens them all.
func loadStyle() drawing {
	var d drawing
	if err := json.Unmarshal(partsJSON, &d); err != nil {
		panic(fmt.Sprintf("embedded parts of Lorelei: %v", err))
	}
	parse(d.Canvas)
	for _, variants := range d.Components {
		for _, parts := range variants {
			parse(parts)
		}
	}
	return d
}

func parse(parts []part) {
	for i := range parts {
		if parts[i].D != "" {
			parts[i].path = mustParse(parts[i].D)
		}
		parse(parts[i].Parts)
	}
}

func mustParse(d string) *paint.Path {
	path, err := paint.ParseSVG(d)
	if err != nil {
		panic(fmt.Sprintf("embedded parts of Lorelei: %v", err))
	}
	return path
}

// drawParts fills the parts in order, and those of the chosen components at their places.
func drawParts(canvas *paint.Canvas, parts []part, chosen map[string]string, colors map[string]color.RGBA) {
	for _, p := range parts {
		canvas.With(paint.Move(p.Move[0], p.Move[1]), func() {
			switch {
			case p.Component != "":
				drawParts(canvas, style.Components[p.Component][chosen[p.Component]], chosen, colors)
			case p.path != nil:
				fill := colors[p.Fill]
				if p.Opacity != nil {
					fill = paint.Fade(fill, *p.Opacity)
				}
				canvas.Fill(p.path, fill)
			default:
				drawParts(canvas, p.Parts, chosen, colors)
			}
		})
	}
}
