package report

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/renameio/v2"
)

// Document is a report of one study. Texts of paragraphs, lists, findings, captions and notes may have `code` in them.
type Document struct {
	Title, Subtitle string
	// Facts say how the results came about: command, date, versions, device, time, seeds.
	Facts []Fact
	// Findings are the main results, a sentence each.
	Findings []string
	Sections []Section
}

// Fact is one line of how the results came about.
type Fact struct {
	Name, Value string
	Code        bool // the value is a command or the like
}

// Section is a part of a document with a heading of its own.
type Section struct {
	Heading string
	Blocks  []Block
	// Sections are the parts of this one. Those may have none of their own.
	Sections []Section
}

// Block is a piece of a section: Paragraph, List, Table, Figure or Grid.
type Block interface {
	// validate returns an error if the block cannot be shown.
	validate() error
}

// Paragraph is running text.
type Paragraph string

// List is a list of short texts.
type List []string

// Figure is a picture with a caption, such as a chart of package chart.
type Figure struct {
	Data    []byte // a PNG, JPEG, WebP or SVG file
	Caption string
	Alt     string // says in words what the picture shows, for those who don't see it
}

// Grid is a grid of pictures as in the slides of the paper: a row for each variant, a column for each text, all drawn from
// the same seeds.
type Grid struct {
	Caption string
	Corner  string // what the rows and columns are, such as "loss \ text"
	Columns []string
	Rows    []GridRow
}

// GridRow is the pictures of one variant.
type GridRow struct {
	Label string
	Note  string // below the label
	Cells []GridCell
}

// GridCell is what is drawn of one text.
type GridCell struct {
	Pictures [][]byte // PNG, JPEG, WebP or SVG files, set side by side
	Note     string   // below the pictures
	Failed   string   // why there are none
}

// WriteHTML writes the document to one file that needs no other.
func (d Document) WriteHTML(path string) error {
	content, err := d.HTML()
	if err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return renameio.WriteFile(path, content, 0o666)
}

// validate returns an error unless all of the document can be shown.
func (d Document) validate() error {
	if d.Title == "" {
		return errors.New("the document has no title")
	}
	return validateSections(d.Sections, 0)
}

func validateSections(sections []Section, depth int) error {
	for i, s := range sections {
		if s.Heading == "" {
			return fmt.Errorf("section %d has no heading", i)
		}
		if depth > 1 {
			return fmt.Errorf("section %q is in a section of a section", s.Heading)
		}
		for at, block := range s.Blocks {
			if block == nil {
				return fmt.Errorf("section %q: block %d is nil", s.Heading, at)
			}
			if err := block.validate(); err != nil {
				return fmt.Errorf("section %q: %w", s.Heading, err)
			}
		}
		if err := validateSections(s.Sections, depth+1); err != nil {
			return fmt.Errorf("section %q: %w", s.Heading, err)
		}
	}
	return nil
}

func (Paragraph) validate() error { return nil }

func (List) validate() error { return nil }

func (f Figure) validate() error {
	if f.Alt == "" {
		return fmt.Errorf("figure %q has no alternative text", f.Caption)
	}
	if _, err := mediaType(f.Data); err != nil {
		return fmt.Errorf("figure %q: %w", f.Caption, err)
	}
	return nil
}

func (g Grid) validate() error {
	if len(g.Columns) == 0 || len(g.Rows) == 0 {
		return fmt.Errorf("grid %q has %d columns and %d rows", g.Caption, len(g.Columns), len(g.Rows))
	}
	for _, row := range g.Rows {
		if len(row.Cells) != len(g.Columns) {
			return fmt.Errorf("grid %q: row %q has %d cells for %d columns", g.Caption, row.Label, len(row.Cells), len(g.Columns))
		}
		for i, cell := range row.Cells {
			if (len(cell.Pictures) == 0) != (cell.Failed != "") {
				return fmt.Errorf("grid %q: row %q, column %q has %d pictures and the failure %q", g.Caption, row.Label, g.Columns[i], len(cell.Pictures), cell.Failed)
			}
			for _, picture := range cell.Pictures {
				if _, err := mediaType(picture); err != nil {
					return fmt.Errorf("grid %q: row %q, column %q: %w", g.Caption, row.Label, g.Columns[i], err)
				}
			}
		}
	}
	return nil
}

// mediaType is that of a picture's file, by its first bytes.
func mediaType(picture []byte) (string, error) {
	switch media := http.DetectContentType(picture); media {
	case "image/png", "image/jpeg", "image/webp":
		return media, nil
	}
	if head := picture[:min(len(picture), 1024)]; bytes.Contains(head, []byte("<svg")) {
		return "image/svg+xml", nil
	}
	return "", fmt.Errorf("a picture of %d bytes is no PNG, JPEG, WebP or SVG", len(picture))
}
