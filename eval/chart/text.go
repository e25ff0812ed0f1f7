package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/guptarohit/asciigraph"
)

// textMarks draw lines where there are no colours; the first is made of box characters.
var textMarks = []string{"", "x", "o", "+", "*", "#", "%", "@", "="}

// textColours are near those of the palette, in its order.
var textColours = []asciigraph.AnsiColor{
	asciigraph.Blue, asciigraph.Red, asciigraph.Green, asciigraph.Magenta, asciigraph.Cyan, asciigraph.Yellow,
	asciigraph.Default,
}

// Text draws the chart in characters, for a terminal: width by height of them, and the axes, title and legend. Lines
// have colours or, without those, characters of their own. A faint line is drawn only where its name has no other.
func (p Panel) Text(width, height int, colour bool) (string, error) {
	if err := (Figure{Panels: []Panel{p}}).validate(); err != nil {
		return "", err
	}
	if len(p.Categories) > 0 {
		return "", fmt.Errorf("panel %q has categories, which are not drawn in characters", p.Title)
	}
	if p.LogX {
		return "", fmt.Errorf("panel %q has a logarithmic X axis, which is not drawn in characters", p.Title)
	}
	shown := p.shown()
	low, high := math.Inf(1), math.Inf(-1)
	for _, s := range shown {
		for _, point := range s.Points {
			low, high = min(low, point.X), max(high, point.X)
		}
	}
	if p.FromZero {
		low = 0
	}
	label := func(v float64) string { return number(v, 3) }
	if p.LogY {
		label = func(v float64) string { return number(math.Pow(10, v), 3) }
	}
	options := []asciigraph.Option{
		asciigraph.Height(height), asciigraph.XAxisRange(low, high), asciigraph.YAxisValueFormatter(label),
		asciigraph.XAxisValueFormatter(func(v float64) string { return number(v, 6) }),
	}
	lines := make([][]float64, len(shown))
	legend := make([]string, len(shown))
	var colours []asciigraph.AnsiColor
	var characters []asciigraph.CharSet
	for i, s := range shown {
		lines[i] = s.sampled(low, high, width, p.LogY)
		mark := textMarks[i%len(textMarks)]
		set := asciigraph.DefaultCharSet
		if mark != "" && !colour {
			set = asciigraph.CreateCharSet(mark)
		} else {
			mark = "─"
		}
		characters = append(characters, set)
		legend[i] = mark + " " + s.Name
		if colour {
			c := textColours[i%len(textColours)]
			colours = append(colours, c)
			legend[i] = fmt.Sprintf("%s%s%s %s", c, mark, asciigraph.Default, s.Name)
		}
	}
	options = append(options, asciigraph.SeriesColors(colours...), asciigraph.SeriesChars(characters...))
	return p.Title + "\n" + asciigraph.PlotMany(lines, options...) + "\n" + strings.Join(legend, "   "), nil
}

// shown is one line for each name that has points.
func (p Panel) shown() (lines []Series) {
	for _, s := range p.Series {
		if len(s.Points) == 0 {
			continue
		}
		at := slices.IndexFunc(lines, func(other Series) bool { return other.Name == s.Name })
		switch {
		case at < 0:
			lines = append(lines, s)
		case lines[at].Faint:
			lines[at] = s
		}
	}
	return lines
}

// sampled are n values of the line at equal distances from low to high, read off between its points; not a number where
// the line has none. With log they are decimal logarithms.
func (s Series) sampled(low, high float64, n int, log bool) []float64 {
	value := func(p Point) float64 {
		if log {
			return math.Log10(p.Y)
		}
		return p.Y
	}
	points := slices.Clone(s.Points)
	slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
	values := make([]float64, n)
	half := (high - low) / float64(n-1) / 2
	for i := range values {
		x := low + (high-low)*float64(i)/float64(n-1)
		after := slices.IndexFunc(points, func(p Point) bool { return p.X >= x })
		switch {
		case after > 0:
			a, b := points[after-1], points[after]
			share := (x - a.X) / (b.X - a.X)
			values[i] = value(a) + share*(value(b)-value(a))
		case after == 0 && points[0].X-x <= half:
			values[i] = value(points[0])
		case after < 0 && x-points[len(points)-1].X <= half:
			values[i] = value(points[len(points)-1])
		default:
			values[i] = math.NaN()
		}
	}
	return values
}
