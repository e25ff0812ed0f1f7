package storybook

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"codeberg.org/go-fonts/liberation/liberationserifbold"
	"codeberg.org/go-fonts/liberation/liberationserifitalic"
	"codeberg.org/go-fonts/liberation/liberationserifregular"
	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/sfnt"
)

// Lengths of the PDF's pages, A5 upright, in millimetres.
const (
	pageWidth, pageHeight = 148.0, 210.0
	margin                = 16.0
	textWidth             = pageWidth - 2*margin
	pictureHeight         = 112.0 // of a picture at most
)

// PDF returns the book as PDF: a title, then a page for each paragraph with its picture above, more where a text is
// long. The same book gives the same bytes. Characters that the Liberation fonts lack (they cover Latin, Greek and
// Cyrillic) leave gaps: see Unprintable.
func (b Book) PDF() ([]byte, error) {
	pdf := fpdf.NewCustom(&fpdf.InitType{UnitStr: "mm", Size: fpdf.SizeType{Wd: pageWidth, Ht: pageHeight}})
	pdf.AddUTF8FontFromBytes("serif", "", liberationserifregular.TTF)
	pdf.AddUTF8FontFromBytes("serif", "I", liberationserifitalic.TTF)
	pdf.AddUTF8FontFromBytes("serif", "B", liberationserifbold.TTF)
	pdf.SetCatalogSort(true)
	pdf.SetCreationDate(time.Unix(0, 0).UTC()) // no date: the bytes depend on the book alone
	pdf.SetModificationDate(time.Unix(0, 0).UTC())
	pdf.SetTitle(b.Title, true)
	pdf.SetLang(b.Language)
	pdf.SetMargins(margin, margin, margin)
	pdf.SetAutoPageBreak(true, margin+4)
	pdf.SetFooterFunc(func() {
		if pdf.PageNo() > 1 {
			pdf.SetY(-margin + 2)
			pdf.SetFont("serif", "", 9)
			pdf.SetTextColor(110, 100, 90)
			pdf.CellFormat(0, 5, fmt.Sprint(pdf.PageNo()), "", 0, "C", false, 0, "")
		}
	})
	b.cover(pdf)
	for i, s := range b.Spreads {
		if err := s.addTo(pdf, i); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	err := pdf.Output(&out)
	return out.Bytes(), err
}

// cover is the page with the title.
func (b Book) cover(pdf *fpdf.Fpdf) {
	pdf.AddPage()
	pdf.SetY(pageHeight * 0.36)
	pdf.SetFont("serif", "", 28)
	pdf.SetTextColor(44, 38, 32)
	pdf.MultiCell(textWidth, 12, printable(b.Title), "", "C", false)
	pdf.SetDrawColor(154, 59, 38)
	y := pdf.GetY() + 7
	pdf.Line(pageWidth/2-12, y, pageWidth/2+12, y)
	if b.Note != "" {
		pdf.SetY(pageHeight - margin - 24)
		pdf.SetFont("serif", "I", 9)
		pdf.SetTextColor(110, 100, 90)
		pdf.MultiCell(textWidth, 4.5, printable(b.Note), "", "C", false)
	}
}

// addTo adds the pages of paragraph i.
func (s Spread) addTo(pdf *fpdf.Fpdf, i int) error {
	pixels, err := size(s.Picture)
	if err != nil {
		return err
	}
	pdf.AddPage()
	if s.Chapter != "" {
		pdf.SetFont("serif", "", 18)
		pdf.SetTextColor(154, 59, 38)
		pdf.MultiCell(textWidth, 8, printable(s.Chapter), "", "C", false)
		pdf.Ln(4)
		pdf.Bookmark(printable(s.Chapter), 0, -1)
	}
	name := fmt.Sprintf("picture %d", i)
	pdf.RegisterImageOptionsReader(name, fpdf.ImageOptions{ImageType: "PNG"}, bytes.NewReader(s.Picture))
	height := min(pictureHeight, textWidth*float64(pixels.Y)/float64(pixels.X))
	width := height * float64(pixels.X) / float64(pixels.Y)
	pdf.ImageOptions(name, (pageWidth-width)/2, pdf.GetY(), width, height, false, fpdf.ImageOptions{ImageType: "PNG"}, 0,
		"")
	pdf.SetY(pdf.GetY() + height + 8)
	pdf.SetFont("serif", "", 13)
	pdf.SetTextColor(44, 38, 32)
	pdf.MultiCell(textWidth, 6.6, printable(s.Text), "", "L", false)
	return pdf.Error()
}

// printable replaces what fpdf cannot write: characters beyond the first 65,536.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r > 0xFFFF {
			return '\uFFFD'
		}
		return r
	}, s)
}

// Unprintable returns the characters of the book that PDF has no letter for, each once.
func (b Book) Unprintable() (string, error) {
	font, err := sfnt.Parse(liberationserifregular.TTF)
	if err != nil {
		return "", err
	}
	var missing []rune
	texts := []string{b.Title, b.Note}
	for _, s := range b.Spreads {
		texts = append(texts, s.Chapter, s.Text)
	}
	for _, r := range strings.Join(texts, "") {
		glyph, err := font.GlyphIndex(nil, r)
		if err != nil {
			return "", err
		}
		if glyph == 0 && !slices.Contains(missing, r) {
			missing = append(missing, r)
		}
	}
	return string(missing), nil
}
