package chart

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	margin = vg.Length(14)
	gap    = vg.Length(18) // between panels
)

// draw lays out title, note, panels and legend from top to bottom.
func (f Figure) draw(c draw.Canvas) {
	c.SetColor(white)
	c.Fill(c.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)
	c.Max.Y -= line(c, titleStyle(16), f.Title)
	c.Max.Y -= line(c, textStyle(10.5, gray), f.Note)
	c.Min.Y += f.legend(c)

	columns := columns(len(f.Panels))
	rows := (len(f.Panels) + columns - 1) / columns
	tiles := draw.Tiles{Rows: rows, Cols: columns, PadX: gap, PadY: gap}
	plots := make([][]*plot.Plot, rows)
	for row := range plots {
		plots[row] = make([]*plot.Plot, columns)
		for column := range columns {
			if i := row*columns + column; i < len(f.Panels) {
				plots[row][column] = f.Panels[i].plot(f.names())
			}
		}
	}
	if f.SharedX {
		shareX(plots)
	}
	for row, canvases := range plot.Align(plots, tiles, c) {
		for column, canvas := range canvases {
			if p := plots[row][column]; p != nil {
				p.Draw(canvas)
			}
		}
	}
}

// shareX widens the X axes of all charts to the range of them all; places without a chart are nil.
func shareX(plots [][]*plot.Plot) {
	all := slices.DeleteFunc(slices.Concat(plots...), func(p *plot.Plot) bool { return p == nil })
	low, high := all[0].X.Min, all[0].X.Max
	for _, p := range all {
		low, high = min(low, p.X.Min), max(high, p.X.Max)
	}
	for _, p := range all {
		p.X.Min, p.X.Max = low, high
	}
}

// columns is the number of panels side by side: charts wider than high read best.
func columns(panels int) int {
	return int(math.Ceil(math.Sqrt(float64(panels))))
}

// line writes text at the top left of c and returns the height it took, with the space below; nothing for no text.
func line(c draw.Canvas, style text.Style, s string) vg.Length {
	if s == "" {
		return 0
	}
	style.YAlign = text.YTop
	c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y}, s)
	return style.FontExtents().Height + 8
}

// legend writes the names of all lines at the bottom of c, in as many rows as they need, and returns the height it
// took. A single nameless line has no legend.
func (f Figure) legend(c draw.Canvas) vg.Length {
	names := f.names()
	if len(names) == 1 && names[0] == "" {
		return 0
	}
	const sample, space = vg.Length(26), vg.Length(20) // the piece of line before a name, and what follows it
	style := textStyle(11, black)
	style.YAlign = text.YCenter
	rows, x := [][]int{nil}, vg.Length(0)
	for i, name := range names {
		width := sample + style.Width(name) + space
		if x+width > c.Size().X && x > 0 {
			rows, x = append(rows, nil), 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], i)
		x += width
	}
	height := style.FontExtents().Height + 4
	slices.Reverse(rows) // drawn from the bottom up
	for up, row := range rows {
		x, y := c.Min.X, c.Min.Y+height*(vg.Length(up)+0.5)
		for _, i := range row {
			c.StrokeLine2(lineStyle(i, false), x, y, x+sample-6, y)
			c.DrawGlyph(glyphStyle(i), vg.Point{X: x + (sample-6)/2, Y: y})
			c.FillText(style, vg.Point{X: x + sample, Y: y}, names[i])
			x += sample + style.Width(names[i]) + space
		}
	}
	return height*vg.Length(len(rows)) + 8
}
