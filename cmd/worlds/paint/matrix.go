package paint

import "math"

// A Matrix moves points: x' = A x + B y + C, y' = D x + E y + F.
type Matrix struct{ A, B, C, D, E, F float32 }

// Apply returns the moved point.
func (m Matrix) Apply(p Point) Point {
	return Point{m.A*p.X + m.B*p.Y + m.C, m.D*p.X + m.E*p.Y + m.F}
}

// After returns the matrix that applies first, then m.
func (m Matrix) After(first Matrix) Matrix {
	return Matrix{
		m.A*first.A + m.B*first.D, m.A*first.B + m.B*first.E, m.A*first.C + m.B*first.F + m.C,
		m.D*first.A + m.E*first.D, m.D*first.B + m.E*first.E, m.D*first.C + m.E*first.F + m.F,
	}
}

// Scale returns the matrix that scales about x, y.
func Scale(sx, sy, x, y float32) Matrix { return Matrix{sx, 0, x - sx*x, 0, sy, y - sy*y} }

// Move returns the matrix that moves by x, y.
func Move(x, y float32) Matrix { return Matrix{1, 0, x, 0, 1, y} }

// Rotate returns the matrix that turns clockwise by angle, in radians, about x, y.
func Rotate(angle, x, y float32) Matrix {
	sin, cos := math.Sincos(float64(angle))
	s, c := float32(sin), float32(cos)
	return Matrix{c, -s, x - c*x + s*y, s, c, y - s*x - c*y}
}
