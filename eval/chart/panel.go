package chart

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// plot builds the chart of a panel; names are those of the figure's legend. The values are valid.
func (p Panel) plot(names []string) *plot.Plot {
	chart := plot.New()
	chart.Title.Text, chart.Title.Padding, chart.Title.TextStyle = p.Title, 6, titleStyle(12)
	chart.Title.TextStyle.XAlign, chart.Title.TextStyle.YAlign = draw.XCenter, draw.YTop
	for _, axis := range []*plot.Axis{&chart.X, &chart.Y} {
		axis.LineStyle = draw.LineStyle{Color: gray, Width: 0.75}
		axis.Padding = 0
		axis.Tick.LineStyle = axis.LineStyle
		axis.Tick.Length = 4
		axis.Tick.Marker = linearTicks{}
		axis.Tick.Label.Font, axis.Tick.Label.Color = sans(10), black
		axis.Label.TextStyle.Font, axis.Label.TextStyle.Color = sans(11), black
		axis.Label.Padding = 4
	}
	values := &chart.Y
	chart.X.Label.Text, chart.Y.Label.Text = p.X, p.Y
	if len(p.Categories) > 0 {
		values = &chart.X
		chart.X.Label.Text, chart.Y.Label.Text = p.Y, p.X
	}
	if p.LogY {
		values.Scale, values.Tick.Marker = plot.LogScale{}, logTicks{}
	}
	if p.LogX {
		chart.X.Scale, chart.X.Tick.Marker = plot.LogScale{}, logTicks{}
	}
	place := func(s Series) int { return slices.Index(names, s.Name) }
	if len(p.Categories) > 0 {
		p.plotCategories(chart, place)
		return chart
	}
	chart.Add(&plotter.Grid{Vertical: gridStyle, Horizontal: gridStyle})
	for _, s := range p.Series {
		s.add(chart, place(s))
	}
	p.setRanges(chart)
	return chart
}

// add draws the line, its error bars and its points into a chart, in the colour of place in the legend.
func (s Series) add(chart *plot.Plot, place int) {
	if len(s.Points) == 0 {
		return
	}
	points := make(plotter.XYs, len(s.Points))
	for i, p := range s.Points {
		points[i] = plotter.XY(p)
	}
	chart.Add(&plotter.Line{XYs: points, LineStyle: lineStyle(place, s.Faint)})
	if s.Intervals != nil {
		bars := make(plotter.YErrors, len(points))
		for i, at := range s.Intervals {
			bars[i].Low, bars[i].High = points[i].Y-at.Low, at.High-points[i].Y
		}
		chart.Add(&plotter.YErrorBars{XYs: points, YErrors: bars, LineStyle: barStyle(place), CapWidth: 6})
	}
	if !s.Faint || len(points) == 1 { // a line of one point would not be seen
		chart.Add(&plotter.Scatter{XYs: points, GlyphStyle: glyphStyle(place)})
	}
}

// setRanges gives the axes a little room around the data.
func (p Panel) setRanges(chart *plot.Plot) {
	if p.FromZero {
		chart.X.Min = 0
	}
	chart.X.Min, chart.X.Max = widenedOn(p.LogX, chart.X.Min, chart.X.Max, 0.02)
	chart.Y.Min, chart.Y.Max = widenedOn(p.LogY, chart.Y.Min, chart.Y.Max, 0.06)
}

// widenedOn is widened on an axis that may be logarithmic.
func widenedOn(log bool, low, high, share float64) (float64, float64) {
	if !log {
		return widened(low, high, share)
	}
	low, high = widened(math.Log(low), math.Log(high), share)
	return math.Exp(low), math.Exp(high)
}

// widened adds a share of a range's length at both ends; a range of one value becomes one that holds it in the middle.
func widened(low, high, share float64) (float64, float64) {
	room := (high - low) * share
	if room == 0 {
		room = max(math.Abs(low)*0.1, 1e-3)
	}
	return low - room, high + room
}
