package pictures

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"

	xdraw "golang.org/x/image/draw"

	"illustrator/internal/fault"
)

// GridOptions are the optional parts of a grid; its zero value gives pictures with labels only.
type GridOptions struct {
	Title, Subtitle string
	ColumnHeaders   []string // one a column
	RowHeaders      []string // one a row
	Notes           []string // a second, muted text under each label, such as "7/8 attributes, cos 0.51"
	// CellSize is the longer side of a shown picture in points, 0 for 160 to 256 depending on the pictures.
	CellSize int
	// Scale is the number of pixels a point, 0 for 1: 2 gives a sheet for screens of high density.
	Scale int
}

const maxGridPixels = 1 << 26

var (
	pageColor   = color.NRGBA{0xf4, 0xf3, 0xef, 0xff}
	cardColor   = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	cardEdge    = color.NRGBA{0xe2, 0xe0, 0xd9, 0xff}
	textColor   = color.NRGBA{0x26, 0x26, 0x2b, 0xff}
	mutedColor  = color.NRGBA{0x80, 0x7e, 0x78, 0xff}
	headerColor = color.NRGBA{0x4a, 0x49, 0x46, 0xff}
)

// Lengths of the layout in points.
const (
	pageMargin     = 24
	cardGap        = 12
	cardRadius     = 7
	cardPadding    = 8
	rowHeaderWidth = 150
	noteGap        = 3
	titleGap       = 5
	labelLines     = 5 // of a label at most; the rest becomes "…"
)

// stripColumns is the number of pictures in a row of a strip.
const stripColumns = 12

// Strip draws pictures that follow from each other, with labels and notes as Grid's, which may be nil.
func Strip(pictures []image.Image, labels, notes []string) (image.Image, error) {
	return Grid(pictures, labels, min(len(pictures), stripColumns), GridOptions{Notes: notes})
}

// Grid draws a contact sheet: pictures row by row in the given number of columns, each on a card with its label below.
// labels may be nil, or has one text a picture; the slices of opts may be nil or have one text for each picture, column
// or row. Characters that the embedded Go fonts lack (they cover Latin, Greek and Cyrillic) show as boxes.
func Grid(pictures []image.Image, labels []string, columns int, opts GridOptions) (image.Image, error) {
	if columns < 1 || len(pictures) == 0 {
		return nil, fmt.Errorf("grid of %d pictures in %d columns; expected at least one of each", len(pictures), columns)
	}
	columns = min(columns, max(len(pictures), len(opts.ColumnHeaders)))
	rows := (len(pictures) + columns - 1) / columns
	for _, part := range []struct {
		name  string
		texts []string
		want  int
	}{{"labels", labels, len(pictures)}, {"notes", opts.Notes, len(pictures)},
		{"column headers", opts.ColumnHeaders, columns}, {"row headers", opts.RowHeaders, rows}} {
		if part.texts != nil && len(part.texts) != part.want {
			return nil, fmt.Errorf("grid: %d %s; expected %d", len(part.texts), part.name, part.want)
		}
	}
	for i, p := range pictures {
		if p.Bounds().Empty() {
			return nil, fmt.Errorf("grid: picture %d is empty", i)
		}
	}
	g := newSheet(pictures, labels, columns, rows, opts)
	if int64(g.size.X)*int64(g.size.Y) > maxGridPixels {
		return nil, fault.Usage(fmt.Errorf("the grid of %d pictures would be %d × %d pixels; at most %d are drawn",
			len(pictures), g.size.X, g.size.Y, maxGridPixels),
			"make several grids of fewer pictures")
	}
	g.draw()
	return g.canvas, nil
}

// sheet is a grid laid out: texts are wrapped, positions in pixels known.
type sheet struct {
	opts          GridOptions
	pictures      []image.Image
	columns, rows int
	scale, cell   int // pixels a point; width of a picture's place in pixels
	fonts         gridFonts

	title, subtitle, columnHeaders, rowHeaders, labels, notes []block

	size          image.Point
	left, top     int // of the first card
	pictureHeight int
	rowTop        []int // of each row of cards, and the bottom of the last with its gap
	canvas        *image.RGBA
}

func newSheet(pictures []image.Image, labels []string, columns, rows int, opts GridOptions) *sheet {
	g := &sheet{opts: opts, pictures: pictures, columns: columns, rows: rows, scale: max(opts.Scale, 1)}
	g.fonts = newGridFonts(g.scale)
	g.cell = g.px(opts.CellSize)
	if g.cell == 0 {
		g.cell = g.px(defaultCell(pictures))
	}
	for _, p := range pictures {
		g.pictureHeight = max(g.pictureHeight, g.fitted(p).Y)
	}
	inner := g.cell - g.px(2*cardPadding)
	g.labels = wrapAll(g.fonts.label, labels, inner, labelLines)
	g.notes = wrapAll(g.fonts.note, opts.Notes, inner, 2)
	g.columnHeaders = wrapAll(g.fonts.header, opts.ColumnHeaders, g.cell, 3)
	g.rowHeaders = wrapAll(g.fonts.header, opts.RowHeaders, g.px(rowHeaderWidth), 8)
	g.layOut()
	return g
}

func (g *sheet) px(points int) int { return points * g.scale }

// defaultCell is the longest side of the pictures, within what is wide enough for a label and small enough for a sheet.
func defaultCell(pictures []image.Image) int {
	side := 160
	for _, p := range pictures {
		side = max(side, p.Bounds().Dx(), p.Bounds().Dy())
	}
	return min(side, 256)
}

// fitted is the size of a picture whose longer side fills the cell.
func (g *sheet) fitted(p image.Image) image.Point {
	b := p.Bounds()
	longer := max(b.Dx(), b.Dy())
	return image.Pt(max(1, b.Dx()*g.cell/longer), max(1, b.Dy()*g.cell/longer))
}

// layOut computes all positions from top to bottom.
func (g *sheet) layOut() {
	margin, gap := g.px(pageMargin), g.px(cardGap)
	g.left = margin
	if g.rowHeaders != nil {
		g.left += g.px(rowHeaderWidth) + gap
	}
	width := g.left + g.columns*g.cell + (g.columns-1)*gap + margin
	g.title = wrapAll(g.fonts.title, nonEmpty(g.opts.Title), width-2*margin, 3)
	g.subtitle = wrapAll(g.fonts.subtitle, nonEmpty(g.opts.Subtitle), width-2*margin, 4)
	y := margin
	if h := stacked(tallest(g.title), g.px(titleGap), tallest(g.subtitle)); h > 0 {
		y += h + g.px(18)
	}
	if h := tallest(g.columnHeaders); h > 0 {
		y += h + g.px(8)
	}
	g.top = y
	for r := range g.rows {
		g.rowTop = append(g.rowTop, y)
		y += g.pictureHeight + gap
		from, to := r*g.columns, min((r+1)*g.columns, len(g.pictures))
		if h := stacked(tallest(part(g.labels, from, to)), g.px(noteGap), tallest(part(g.notes, from, to))); h > 0 {
			y += h + g.px(2*cardPadding-1)
		}
	}
	g.rowTop = append(g.rowTop, y)
	g.size = image.Pt(width, y-gap+margin)
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

// draw paints the sheet onto a new canvas.
func (g *sheet) draw() {
	g.canvas = image.NewRGBA(image.Rectangle{Max: g.size})
	draw.Draw(g.canvas, g.canvas.Bounds(), image.NewUniform(pageColor), image.Point{}, draw.Src)
	y := g.px(pageMargin)
	for _, b := range g.title {
		b.draw(g.canvas, g.px(pageMargin), y, 0, textColor)
		y += b.height() + g.px(titleGap)
	}
	for _, b := range g.subtitle {
		b.draw(g.canvas, g.px(pageMargin), y, 0, mutedColor)
	}
	bottom := g.top - g.px(8)
	for c, b := range g.columnHeaders {
		b.draw(g.canvas, g.cardLeft(c), bottom-b.height(), g.cell, headerColor)
	}
	for r, b := range g.rowHeaders {
		b.draw(g.canvas, g.px(pageMargin), g.rowTop[r]+(g.pictureHeight-b.height())/2, 0, headerColor)
	}
	for i := range g.pictures {
		g.drawCard(i)
	}
}

func (g *sheet) cardLeft(column int) int { return g.left + column*(g.cell+g.px(cardGap)) }

// drawCard paints picture i: an edged card with round corners, the picture at its top, label and note below.
func (g *sheet) drawCard(i int) {
	r, c := i/g.columns, i%g.columns
	card := image.Rect(g.cardLeft(c), g.rowTop[r], g.cardLeft(c)+g.cell, g.rowTop[r+1]-g.px(cardGap))
	radius := float64(g.px(cardRadius))
	edge := card.Inset(-g.scale)
	fillRounded(g.canvas, edge, image.NewUniform(cardEdge), image.Point{}, roundedRect{edge, radius + float64(g.scale)})
	front := image.NewRGBA(card)
	draw.Draw(front, card, image.NewUniform(cardColor), image.Point{}, draw.Src)
	p := g.pictures[i]
	size := g.fitted(p)
	at := card.Min.Add(image.Pt((g.cell-size.X)/2, (g.pictureHeight-size.Y)/2))
	xdraw.CatmullRom.Scale(front, image.Rectangle{Min: at, Max: at.Add(size)}, p, p.Bounds(), xdraw.Over, nil)
	fillRounded(g.canvas, card, front, card.Min, roundedRect{card, radius})
	x, y := card.Min.X+g.px(cardPadding), card.Min.Y+g.pictureHeight+g.px(cardPadding-2)
	if g.labels != nil {
		g.labels[i].draw(g.canvas, x, y, 0, textColor)
		y += g.labels[i].height() + g.px(noteGap)
	}
	if g.notes != nil {
		g.notes[i].draw(g.canvas, x, y, 0, mutedColor)
	}
}

func fillRounded(dst draw.Image, r image.Rectangle, src image.Image, sp image.Point, mask roundedRect) {
	draw.DrawMask(dst, r, src, sp, mask, r.Min, draw.Over)
}

// roundedRect is a mask: opaque inside a rectangle with round corners, its edge smoothed over one pixel.
type roundedRect struct {
	r      image.Rectangle // not embedded: its methods would make draw take it for a plain mask
	radius float64
}

func (m roundedRect) ColorModel() color.Model { return color.AlphaModel }
func (m roundedRect) Bounds() image.Rectangle { return m.r }
func (m roundedRect) At(x, y int) color.Color {
	beyond := func(v, from, to float64) float64 { return math.Max(math.Max(from+m.radius-v, v-(to-m.radius)), 0) }
	dx := beyond(float64(x)+0.5, float64(m.r.Min.X), float64(m.r.Max.X))
	dy := beyond(float64(y)+0.5, float64(m.r.Min.Y), float64(m.r.Max.Y))
	cover := m.radius - math.Hypot(dx, dy) + 0.5
	return color.Alpha{A: uint8(255*math.Min(math.Max(cover, 0), 1) + 0.5)}
}
