// Package scenetest has a small domain for tests, and checks that every domain must pass.
package scenetest

import (
	"image"
	"image/color"
	"math/rand/v2"

	"illustrator/cmd/worlds/scene"
)

// Toy draws one shape on a background: quick enough for tests of trainings.
type Toy struct{}

var (
	shapes = []string{"disc", "square", "cross", "frame"}
	paints = []color.NRGBA{{210, 40, 40, 255}, {40, 150, 60, 255}, {40, 70, 200, 255}, {240, 200, 40, 255}}
	names  = []string{"red", "green", "blue", "yellow"}
	walls  = []color.NRGBA{{250, 250, 250, 255}, {20, 20, 20, 255}}
)

// Name returns "toy".
func (Toy) Name() string { return "toy" }

// Seed returns the seed of the rotation.
func (Toy) Seed() int64 { return 7 }

// Attributes returns shape, color and wall. No wall is seen where the shape is a frame.
func (Toy) Attributes() []scene.Attribute {
	return []scene.Attribute{
		{Name: "shape", Values: shapes},
		{Name: "color", Values: names},
		{Name: "wall", Values: []string{"white", "black"}, ValueOf: []int{0, 0, 1}},
	}
}

// Continuous returns the shape's size and place.
func (Toy) Continuous() []scene.Variation {
	return []scene.Variation{{Name: "size"}, {Name: "x"}, {Name: "y"}}
}

// Visible reports true for all but the wall behind a frame.
func (Toy) Visible(s scene.Scene, attribute int) bool {
	return attribute != 2 || shapes[s.Values[0]] != "frame"
}

// Caption names the shape, and its color and the wall at times.
func (d Toy) Caption(s scene.Scene, random *rand.Rand) string {
	text := "a "
	if random.IntN(4) > 0 {
		text += names[s.Values[1]] + " "
	}
	text += shapes[s.Values[0]]
	if d.Visible(s, 2) && random.IntN(2) > 0 {
		text += " on a " + d.Attributes()[2].Values[s.Values[2]] + " wall"
	}
	return text
}

// Render draws the scene; edges are not smooth.
func (Toy) Render(s scene.Scene, size int) *image.NRGBA {
	clamp := func(x float32) float64 { return float64(max(-2, min(2, x))) }
	radius := float64(size) * (0.3 + 0.04*clamp(s.Continuous[0]))
	x0 := float64(size) * (0.5 + 0.04*clamp(s.Continuous[1]))
	y0 := float64(size) * (0.5 + 0.04*clamp(s.Continuous[2]))
	picture := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			dx, dy := (float64(x)+0.5-x0)/radius, (float64(y)+0.5-y0)/radius
			paint := walls[s.Values[2]]
			if inside(shapes[s.Values[0]], dx, dy) {
				paint = paints[s.Values[1]]
			}
			picture.SetNRGBA(x, y, paint)
		}
	}
	return picture
}

func inside(shape string, dx, dy float64) bool {
	ax, ay := max(dx, -dx), max(dy, -dy)
	switch shape {
	case "disc":
		return dx*dx+dy*dy < 1
	case "square":
		return max(ax, ay) < 1
	case "cross":
		return min(ax, ay) < 0.35 && max(ax, ay) < 1
	default: // a frame fills what surrounds it
		return max(ax, ay) > 0.6
	}
}
