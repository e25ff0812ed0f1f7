package paint

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ParseSVG returns the path that an SVG path's d attribute describes. The library oksvg 0.2.0 draws repeated arcs
// with the radii of the first, and does not read flags of arcs without spaces between them.
func ParseSVG(d string) (*Path, error) {
	p := svgParser{rest: d}
	for p.err == nil {
		p.skip()
		if p.rest == "" {
			return &p.path, nil
		}
		if !p.atNumber() {
			p.command, p.rest = p.rest[0], p.rest[1:]
		}
		p.segment()
	}
	return nil, fmt.Errorf("SVG path %.40q: %w", d, p.err)
}

// svgParser reads the commands of a path one after the other.
type svgParser struct {
	path    Path
	rest    string
	command byte
	last    byte    // the command before, in capitals
	x, y    float64 // the current point
	sx, sy  float64 // the start of the outline
	cx, cy  float64 // the last control point
	err     error
}

func (p *svgParser) skip() { p.rest = strings.TrimLeft(p.rest, " ,\t\r\n") }

func (p *svgParser) atNumber() bool { return strings.IndexByte("+-.0123456789", p.rest[0]) >= 0 }

// number reads a number; flag reads 0 or 1, after which no space is needed.
func (p *svgParser) number() float64 {
	p.skip()
	end, dot, exponent := 0, false, false
scan:
	for ; end < len(p.rest); end++ {
		switch c := p.rest[end]; {
		case c >= '0' && c <= '9':
		case (c == '-' || c == '+') && (end == 0 || p.rest[end-1]|0x20 == 'e'):
		case c == '.' && !dot && !exponent:
			dot = true
		case c|0x20 == 'e' && !exponent && end > 0:
			exponent = true
		default:
			break scan
		}
	}
	value, err := strconv.ParseFloat(p.rest[:end], 64)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("a number is missing at %.10q", p.rest)
	}
	p.rest = p.rest[end:]
	return value
}

func (p *svgParser) flag() bool {
	p.skip()
	if p.rest == "" || p.rest[0] != '0' && p.rest[0] != '1' {
		p.err = fmt.Errorf("a flag is missing at %.10q", p.rest)
		return false
	}
	set := p.rest[0] == '1'
	p.rest = p.rest[1:]
	return set
}

// point reads a point, relative to the current one where the command is in small letters.
func (p *svgParser) point() (x, y float64) {
	x, y = p.number(), p.number()
	if p.command >= 'a' {
		x, y = x+p.x, y+p.y
	}
	return x, y
}

// mirror returns the last control point mirrored at the current point if the command before was one of those given.
func (p *svgParser) mirror(commands string) (x, y float64) {
	if strings.IndexByte(commands, p.last) < 0 {
		return p.x, p.y
	}
	return 2*p.x - p.cx, 2*p.y - p.cy
}

// segment reads the points of one command and draws it.
func (p *svgParser) segment() {
	command := p.command &^ 0x20
	switch command {
	case 'M':
		p.x, p.y = p.point()
		p.sx, p.sy = p.x, p.y
		p.path.Move(float32(p.x), float32(p.y))
		p.command-- // further points are lines
	case 'L':
		p.line(p.point())
	case 'H':
		x := p.number()
		if p.command == 'h' {
			x += p.x
		}
		p.line(x, p.y)
	case 'V':
		y := p.number()
		if p.command == 'v' {
			y += p.y
		}
		p.line(p.x, y)
	case 'C', 'S', 'Q', 'T', 'A':
		p.curve(command)
	case 'Z':
		p.x, p.y = p.sx, p.sy
		p.path.Line(float32(p.x), float32(p.y))
		p.skip()
		if p.rest != "" && p.atNumber() {
			p.err = fmt.Errorf("a command is missing at %.10q", p.rest)
		}
	default:
		p.err = fmt.Errorf("unknown command %q", p.command)
	}
	p.last = command
}

// curve reads a segment of a curve.
func (p *svgParser) curve(command byte) {
	switch command {
	case 'C', 'S':
		ax, ay := p.mirror("CS")
		if command == 'C' {
			ax, ay = p.point()
		}
		p.cx, p.cy = p.point()
		x, y := p.point()
		p.cube(ax, ay, p.cx, p.cy, x, y)
	case 'Q', 'T':
		cx, cy := p.mirror("QT")
		if command == 'Q' {
			cx, cy = p.point()
		}
		p.cx, p.cy = cx, cy
		p.x, p.y = p.quad(p.point())
	case 'A':
		rx, ry, angle := p.number(), p.number(), p.number()
		large, sweep := p.flag(), p.flag()
		x, y := p.point()
		p.arc(math.Abs(rx), math.Abs(ry), angle*math.Pi/180, large, sweep, x, y)
	}
}

func (p *svgParser) line(x, y float64) {
	p.x, p.y = x, y
	p.path.Line(float32(x), float32(y))
}

func (p *svgParser) quad(x, y float64) (float64, float64) {
	p.path.Quad(float32(p.cx), float32(p.cy), float32(x), float32(y))
	return x, y
}

func (p *svgParser) cube(ax, ay, bx, by, x, y float64) {
	p.x, p.y = x, y
	p.path.Cube(float32(ax), float32(ay), float32(bx), float32(by), float32(x), float32(y))
}

// arc draws an elliptical arc in curves of at most a quarter, as the SVG standard's appendix on arcs places its centre.
func (p *svgParser) arc(rx, ry, angle float64, large, sweep bool, x, y float64) {
	if rx == 0 || ry == 0 || (x == p.x && y == p.y) {
		p.line(x, y)
		return
	}
	sin, cos := math.Sincos(angle)
	dx, dy := (p.x-x)/2, (p.y-y)/2
	hx, hy := cos*dx+sin*dy, cos*dy-sin*dx
	if over := hx*hx/(rx*rx) + hy*hy/(ry*ry); over > 1 {
		rx, ry = rx*math.Sqrt(over), ry*math.Sqrt(over)
	}
	far := rx*rx*hy*hy + ry*ry*hx*hx
	scale := math.Sqrt(max(0, (rx*rx*ry*ry-far)/far))
	if large == sweep {
		scale = -scale
	}
	ex, ey := scale*rx*hy/ry, -scale*ry*hx/rx
	from := math.Atan2((hy-ey)/ry, (hx-ex)/rx)
	turn := math.Atan2((-hy-ey)/ry, (-hx-ex)/rx) - from
	switch {
	case sweep && turn < 0:
		turn += 2 * math.Pi
	case !sweep && turn > 0:
		turn -= 2 * math.Pi
	}
	mx, my := cos*ex-sin*ey+(p.x+x)/2, sin*ex+cos*ey+(p.y+y)/2
	at := func(u, v float64) (float64, float64) { return cos*rx*u - sin*ry*v + mx, sin*rx*u + cos*ry*v + my }
	pieces := math.Ceil(math.Abs(turn) / (math.Pi / 2))
	step := turn / pieces
	k := 4. / 3 * math.Tan(step/4)
	for i := range int(pieces) {
		sa, ca := math.Sincos(from + step*float64(i))
		sb, cb := math.Sincos(from + step*float64(i+1))
		ax, ay := at(ca-k*sa, sa+k*ca)
		bx, by := at(cb+k*sb, sb-k*cb)
		ex, ey := at(cb, sb)
		p.cube(ax, ay, bx, by, ex, ey)
	}
	p.x, p.y = x, y
}

// SVG returns the path as an SVG path's d attribute, in absolute coordinates.
func (p *Path) SVG() string {
	var d strings.Builder
	points := p.points
	for i, v := range p.verbs {
		if v == move && i > 0 {
			d.WriteByte('Z')
		}
		d.WriteByte("MLC"[v])
		count := 1
		if v == cube {
			count = 3
		}
		for _, at := range points[:count] {
			fmt.Fprintf(&d, " %.4f %.4f", at.X, at.Y)
		}
		points = points[count:]
	}
	d.WriteByte('Z')
	return d.String()
}
