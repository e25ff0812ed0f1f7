// Package chart draws metrics, as lines or at named categories, with error bars: as PNG or SVG with panels side by side
// that share one legend. Lines are drawn in characters too.
package chart

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// Figure is a picture of one or more charts.
type Figure struct {
	Title string
	Note  string // a line below the title, such as what thin lines are
	// Panels are the charts, from left to right and top to bottom.
	Panels []Panel
	// SharedX gives the X axes of all panels the same range.
	SharedX bool
	// Width and Height are the size in pixels; 0 is 1200 and 700.
	Width, Height int
}

// Panel is one chart.
type Panel struct {
	Title string
	X, Y  string // what the axes measure
	LogX  bool   // a logarithmic X axis; not with Categories, or as text
	// FromZero begins the X axis at 0, as a count of steps does.
	FromZero bool
	LogY     bool // a logarithmic Y axis; all values must be above 0
	// Series are drawn in their order, later ones over earlier ones.
	Series []Series
	// Categories make a chart of named things instead of lines: their names stand on the left, in order, values lie along
	// the horizontal axis, and series beside each other. A point's X is the place of its category, 0 the first. X names
	// the categories and Y the values, as everywhere.
	Categories []string
	Bars       bool // categories have bars, from 0, instead of points
}

// Series is one line.
type Series struct {
	// Name stands in the legend. Series of one name have one colour in all panels, and one place in the legend.
	Name   string
	Points []Point // joined in their order
	// Intervals are error bars, one for each point; nil for none.
	Intervals []Interval
	// Faint makes a thin pale line, for what is noisy; other lines mark their points.
	Faint bool
}

// Point is a value Y measured at X.
type Point struct{ X, Y float64 }

// Interval is the range of a point's value, in the units of the Y axis.
type Interval struct{ Low, High float64 }

// Formats are the extensions of the files that Write makes.
var Formats = []string{".png", ".svg"}

// Write draws the figure to a file, whose extension says the format.
func (f Figure) Write(path string) error {
	content, err := f.Encode(strings.ToLower(filepath.Ext(path)))
	if err != nil {
		return fmt.Errorf("draw %q: %w", path, err)
	}
	return files.WriteFile(path, content, 0o666)
}

// Encode returns the file of the figure in one of Formats. A figure without points, and values that cannot be drawn,
// are errors.
func (f Figure) Encode(format string) ([]byte, error) {
	if !slices.Contains(Formats, format) {
		return nil, fault.Usage(fmt.Errorf("charts have no format %q", format), "the formats are %s",
			strings.Join(Formats, " and "))
	}
	if err := f.validate(); err != nil {
		return nil, err
	}
	const point = vg.Length(0.75) // of a pixel, at 96 an inch
	width, height := vg.Length(cmp.Or(f.Width, 1200))*point, vg.Length(cmp.Or(f.Height, 700))*point
	var file bytes.Buffer
	if format == ".svg" {
		canvas := vgsvg.New(width, height)
		f.draw(draw.New(canvas))
		if _, err := canvas.WriteTo(&file); err != nil {
			return nil, err
		}
		return withFallbackFonts(file.Bytes()), nil
	}
	canvas := vgimg.New(width, height)
	f.draw(draw.New(canvas))
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(&file); err != nil {
		return nil, err
	}
	return file.Bytes(), nil
}

func (f Figure) validate() error {
	if len(f.Panels) == 0 {
		return fmt.Errorf("the figure has no panels")
	}
	for _, p := range f.Panels {
		if err := p.validateCategories(); err != nil {
			return fmt.Errorf("panel %q: %w", p.Title, err)
		}
		points := 0
		for _, s := range p.Series {
			if err := s.validate(p.LogX, p.LogY); err != nil {
				return fmt.Errorf("panel %q: series %q: %w", p.Title, s.Name, err)
			}
			points += len(s.Points)
		}
		if points == 0 {
			return fmt.Errorf("panel %q has no points", p.Title)
		}
	}
	return nil
}

func (s Series) validate(logX, logY bool) error {
	if s.Intervals != nil && len(s.Intervals) != len(s.Points) {
		return fmt.Errorf("%d intervals for %d points", len(s.Intervals), len(s.Points))
	}
	for i, p := range s.Points {
		values := []float64{p.X, p.Y}
		if s.Intervals != nil {
			at := s.Intervals[i]
			if !(at.Low <= p.Y && p.Y <= at.High) {
				return fmt.Errorf("the interval from %g to %g at %g does not hold the value %g", at.Low, at.High, p.X, p.Y)
			}
			values = append(values, at.Low, at.High)
		}
		for _, v := range values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("point %d has the value %g", i, v)
			}
		}
		if lowest := slices.Min(values[1:]); logY && lowest <= 0 {
			return fmt.Errorf("the value %g at %g is not above 0, as a logarithmic axis needs it", lowest, p.X)
		}
		if logX && p.X <= 0 {
			return fmt.Errorf("point %d is at %g, which is not above 0, as a logarithmic axis needs it", i, p.X)
		}
	}
	return nil
}

// names lists the names of all series in the order of their first lines.
func (f Figure) names() []string {
	var names []string
	for _, p := range f.Panels {
		for _, s := range p.Series {
			if !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	return names
}
