package pictures

import (
	"image"
	"image/color"
	"image/draw"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// gridFonts are the faces of a grid, made for one drawing: a face must not be used from several goroutines.
type gridFonts struct{ title, subtitle, header, label, note font.Face }

func newGridFonts(scale int) gridFonts {
	face := func(ttf []byte, points float64) font.Face {
		parsed, err := opentype.Parse(ttf)
		if err != nil {
			panic(err) // the fonts are part of the program
		}
		f, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: points * float64(scale), DPI: 72,
			Hinting: font.HintingNone})
		if err != nil {
			panic(err)
		}
		return f
	}
	return gridFonts{title: face(gobold.TTF, 20), subtitle: face(goregular.TTF, 13), header: face(gomedium.TTF, 12),
		label: face(goregular.TTF, 12), note: face(goregular.TTF, 11)}
}

// block is a text wrapped into lines.
type block struct {
	face  font.Face
	lines []string
}

// wrapAll wraps each text to width pixels and at most maxLines lines; nil gives nil.
func wrapAll(face font.Face, texts []string, width, maxLines int) []block {
	var blocks []block
	for _, s := range texts {
		blocks = append(blocks, block{face, wrap(face, s, width, maxLines)})
	}
	return blocks
}

// wrap breaks s at white space, and words wider than a line between characters. An ellipsis replaces the rest
// beyond maxLines.
func wrap(face font.Face, s string, width, maxLines int) []string {
	fits := func(s string) bool { return font.MeasureString(face, s) <= fixed.I(width) }
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		if line != "" && fits(line+" "+word) {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for line = word; !fits(line) && len(lines) <= maxLines; {
			n := fitting(line, fits)
			lines, line = append(lines, line[:n]), line[n:]
		}
		if len(lines) > maxLines {
			break
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	if len(lines) <= maxLines {
		return lines
	}
	last := []rune(lines[maxLines-1])
	for len(last) > 0 && !fits(string(last)+"…") {
		last = last[:len(last)-1]
	}
	return append(lines[:maxLines-1], strings.TrimRight(string(last), " .,;")+"…")
}

// fitting is the length in bytes of the longest prefix of at least one character that fits.
func fitting(s string, fits func(string) bool) int {
	n := 0
	for i, r := range s {
		end := i + len(string(r))
		if n > 0 && !fits(s[:end]) {
			break
		}
		n = end
	}
	return n
}

func (b block) lineHeight() int { return b.face.Metrics().Height.Ceil() }

func (b block) height() int { return len(b.lines) * b.lineHeight() }

// draw paints the lines with their top left corner at x, y; centred in the given width if that is not 0.
func (b block) draw(dst draw.Image, x, y, centred int, c color.Color) {
	d := font.Drawer{Dst: dst, Src: image.NewUniform(c), Face: b.face}
	for _, line := range b.lines {
		left := fixed.I(x)
		if centred > 0 {
			left += (fixed.I(centred) - d.MeasureString(line)) / 2
		}
		d.Dot = fixed.Point26_6{X: left, Y: fixed.I(y + b.face.Metrics().Ascent.Ceil())}
		d.DrawString(line)
		y += b.lineHeight()
	}
}

func tallest(blocks []block) int {
	h := 0
	for _, b := range blocks {
		h = max(h, b.height())
	}
	return h
}

// stacked is the height of two blocks with a gap between them where both are there.
func stacked(upper, gap, lower int) int {
	if upper == 0 || lower == 0 {
		return upper + lower
	}
	return upper + gap + lower
}

// part is blocks[from:to], nil for nil.
func part(blocks []block, from, to int) []block {
	if blocks == nil {
		return nil
	}
	return blocks[from:to]
}
