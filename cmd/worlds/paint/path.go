// Package paint fills shapes of straight and curved lines in pictures: what the domains' drawings are made of.
package paint

import "math"

// A Point is a place on a canvas: x to the right, y down.
type Point struct{ X, Y float32 }

type verb byte

const (
	move verb = iota
	line
	cube
)

// A Path is a list of outlines, each closed when it is filled. Overlapping outlines of one direction fill their union.
type Path struct {
	verbs  []verb
	points []Point
}

// Move starts an outline.
func (p *Path) Move(x, y float32) *Path { return p.add(move, Point{x, y}) }

// Line draws a straight line.
func (p *Path) Line(x, y float32) *Path { return p.add(line, Point{x, y}) }

// Quad draws a quadratic curve through the control point to x, y.
func (p *Path) Quad(cx, cy, x, y float32) *Path {
	from := p.points[len(p.points)-1]
	return p.Cube(from.X+(cx-from.X)*2/3, from.Y+(cy-from.Y)*2/3, x+(cx-x)*2/3, y+(cy-y)*2/3, x, y)
}

// Cube draws a cubic curve with two control points to x, y.
func (p *Path) Cube(ax, ay, bx, by, x, y float32) *Path {
	return p.add(cube, Point{ax, ay}, Point{bx, by}, Point{x, y})
}

// Append adds the outlines of other paths.
func (p *Path) Append(others ...*Path) *Path {
	for _, o := range others {
		p.verbs = append(p.verbs, o.verbs...)
		p.points = append(p.points, o.points...)
	}
	return p
}

func (p *Path) add(v verb, points ...Point) *Path {
	p.verbs = append(p.verbs, v)
	p.points = append(p.points, points...)
	return p
}

// Map returns the path with each point moved by m.
func (p *Path) Map(m Matrix) *Path {
	moved := &Path{verbs: p.verbs, points: make([]Point, len(p.points))}
	for i, at := range p.points {
		moved.points[i] = m.Apply(at)
	}
	return moved
}

// Polygon returns the outline through the points x, y, x, y, …
func Polygon(xy ...float32) *Path {
	p := new(Path).Move(xy[0], xy[1])
	for i := 2; i < len(xy); i += 2 {
		p.Line(xy[i], xy[i+1])
	}
	return p
}

// Rect returns a rectangle by its upper left corner and its size.
func Rect(x, y, width, height float32) *Path {
	return Polygon(x, y, x+width, y, x+width, y+height, x, y+height)
}

// kappa places the control points of a quarter of a circle.
const kappa = 0.5522847

// Ellipse returns an ellipse by its centre and radii.
func Ellipse(x, y, rx, ry float32) *Path {
	kx, ky := rx*kappa, ry*kappa
	return new(Path).Move(x+rx, y).
		Cube(x+rx, y+ky, x+kx, y+ry, x, y+ry).Cube(x-kx, y+ry, x-rx, y+ky, x-rx, y).
		Cube(x-rx, y-ky, x-kx, y-ry, x, y-ry).Cube(x+kx, y-ry, x+rx, y-ky, x+rx, y)
}

// Blob returns the smooth closed outline through the points x, y, x, y, …
func Blob(xy ...float32) *Path {
	n := len(xy) / 2
	at := func(i int) Point { i = (i + n) % n; return Point{xy[2*i], xy[2*i+1]} }
	p := new(Path).Move(xy[0], xy[1])
	for i := range n {
		before, from, to, after := at(i-1), at(i), at(i+1), at(i+2)
		p.Cube(from.X+(to.X-before.X)/6, from.Y+(to.Y-before.Y)/6, to.X-(after.X-from.X)/6, to.Y-(after.Y-from.Y)/6, to.X,
			to.Y)
	}
	return p
}

// Stroke returns a line of the given width through the points x, y, x, y, …, with round ends and joints.
func Stroke(width float32, xy ...float32) *Path {
	triples := make([]float32, 0, len(xy)/2*3)
	for i := 0; i < len(xy); i += 2 {
		triples = append(triples, xy[i], xy[i+1], width/2)
	}
	return Limb(triples...)
}

// Limb returns a line of changing width through the points x, y, radius, x, y, radius, …, with round ends and joints.
func Limb(xyr ...float32) *Path {
	p := new(Path)
	for i := 0; i < len(xyr); i += 3 {
		p.Append(Ellipse(xyr[i], xyr[i+1], xyr[i+2], xyr[i+2]))
		if i == 0 {
			continue
		}
		ax, ay, ar, bx, by, br := xyr[i-3], xyr[i-2], xyr[i-1], xyr[i], xyr[i+1], xyr[i+2]
		dx, dy := bx-ax, by-ay
		length := float32(math.Hypot(float64(dx), float64(dy)))
		if length == 0 {
			continue
		}
		nx, ny := -dy/length, dx/length // with Ellipse's direction
		p.Append(Polygon(ax-nx*ar, ay-ny*ar, bx-nx*br, by-ny*br, bx+nx*br, by+ny*br, ax+nx*ar, ay+ny*ar))
	}
	return p
}

// Bow returns points on the quadratic curve from a through the control point to b, as Stroke and Limb take them.
func Bow(ax, ay, cx, cy, bx, by float32) []float32 {
	const steps = 8
	points := make([]float32, 0, 2*steps+2)
	for i := range steps + 1 {
		t := float32(i) / steps
		u := 1 - t
		points = append(points, u*u*ax+2*u*t*cx+t*t*bx, u*u*ay+2*u*t*cy+t*t*by)
	}
	return points
}
