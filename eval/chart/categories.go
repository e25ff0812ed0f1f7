package chart

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// validateCategories returns an error if a point is of no category.
func (p Panel) validateCategories() error {
	if p.Bars && p.LogY {
		return fmt.Errorf("bars begin at 0, which a logarithmic axis does not have")
	}
	if p.Bars && len(p.Categories) == 0 {
		return fmt.Errorf("bars are of categories, and there are none")
	}
	if len(p.Categories) == 0 {
		return nil
	}
	for _, s := range p.Series {
		for i, point := range s.Points {
			if at := point.X; at != math.Trunc(at) || at < 0 || at >= float64(len(p.Categories)) {
				return fmt.Errorf("series %q: point %d is of category %g, of %d", s.Name, i, at, len(p.Categories))
			}
		}
	}
	return nil
}

// plotCategories adds series to a chart whose Y axis names the categories, from top to bottom. The X axis is that of
// the values.
func (p Panel) plotCategories(chart *plot.Plot, place func(Series) int) {
	chart.Add(&plotter.Grid{Vertical: gridStyle, Horizontal: draw.LineStyle{Color: color.Transparent}})
	slot := 0.8 / float64(max(len(p.Series), 1))
	for i, s := range p.Series {
		// The first series stands uppermost in the place of its category.
		s.addCategories(chart, place(s), (float64(len(p.Series)-1)/2-float64(i))*slot, slot, p.Bars)
	}
	low, high := widenedOn(p.LogY, chart.X.Min, chart.X.Max, 0.06)
	switch {
	case p.Bars && chart.X.Min == 0:
		low = 0
	case p.Bars && chart.X.Max == 0:
		high = 0
	}
	chart.X.Min, chart.X.Max = low, high
	chart.Y.Min, chart.Y.Max = float64(1-len(p.Categories))-0.5, 0.5
	chart.Y.Tick.Length = 6 // keeps names off the axis
	chart.Y.Tick.LineStyle.Color = color.Transparent
	ticks := make(plot.ConstantTicks, len(p.Categories))
	for i, name := range p.Categories {
		ticks[i] = plot.Tick{Value: -float64(i), Label: name}
	}
	chart.Y.Tick.Marker = ticks
}

// addCategories draws the points of a series, its error bars and, if wanted, its bars of width slot, shifted upwards
// from the middle of their categories.
func (s Series) addCategories(chart *plot.Plot, place int, shift, slot float64, bars bool) {
	if len(s.Points) == 0 {
		return
	}
	points := make(plotter.XYs, len(s.Points))
	for i, p := range s.Points {
		points[i] = plotter.XY{X: p.Y, Y: shift - p.X}
	}
	if bars {
		chart.Add(barsOf{points, slot * 0.8, place})
	}
	if s.Intervals != nil {
		errors := make(plotter.XErrors, len(points))
		for i, at := range s.Intervals {
			errors[i].Low, errors[i].High = points[i].X-at.Low, at.High-points[i].X
		}
		chart.Add(&plotter.XErrorBars{XYs: points, XErrors: errors, LineStyle: errorStyle(place), CapWidth: 7})
	}
	if !bars {
		style := glyphStyle(place)
		style.Radius = 4
		chart.Add(&plotter.Scatter{XYs: points, GlyphStyle: style})
	}
}

// barsOf draws bars from 0 to the X of points, in the middle of their Y.
type barsOf struct {
	points plotter.XYs
	height float64
	place  int
}

// Plot implements plot.Plotter.
func (b barsOf) Plot(c draw.Canvas, chart *plot.Plot) {
	x, y := chart.Transforms(&c)
	for _, p := range b.points {
		left, right, low, high := x(min(0, p.X)), x(max(0, p.X)), y(p.Y-b.height/2), y(p.Y+b.height/2)
		c.FillPolygon(paleOf(b.place), []vg.Point{{X: left, Y: low}, {X: right, Y: low}, {X: right, Y: high},
			{X: left, Y: high}})
	}
}

// DataRange implements plot.DataRanger.
func (b barsOf) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax, ymin, ymax = plotter.XYRange(b.points)
	return min(0, xmin), max(0, xmax), ymin, ymax
}
