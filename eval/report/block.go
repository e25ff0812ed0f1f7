package report

import (
	"bytes"
	"fmt"
	"net/http"

	"illustrator/eval/chart"
)

// Block is a piece of a section: Paragraph, List, Links, Table, Figure or Grid.
type Block interface {
	// kind is the name of the HTML template that shows the block.
	kind() string
	// markdown is the block in Markdown; nil leaves it out.
	markdown() []byte
	// validate returns an error if the block cannot be shown.
	validate() error
}

// Paragraph is running text.
type Paragraph string

// List is a list of short texts.
type List []string

// Links are links to files beside the document, by paths relative to it.
type Links []string

// Figure is a picture with a caption, such as a chart of package chart.
type Figure struct {
	Data    []byte // a PNG, JPEG, WebP or SVG file
	Caption string
	Alt     string // says in words what the picture shows, for those who don't see it
}

// Chart draws a chart as a figure.
func Chart(drawing chart.Figure, caption, alt string) (Figure, error) {
	data, err := drawing.Encode(".svg")
	return Figure{Data: data, Caption: caption, Alt: alt}, err
}

// Grid is a grid of pictures as in the slides of the paper: a row for each variant, a column for each text, all drawn
// from the same seeds.
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

// GridCell holds the pictures of one text.
type GridCell struct {
	Pictures [][]byte // PNG, JPEG, WebP or SVG files, set side by side
	Note     string   // below the pictures
	Failed   string   // why there are none
}

func (Paragraph) kind() string { return "paragraph" }
func (List) kind() string      { return "list" }
func (Links) kind() string     { return "links" }
func (Table) kind() string     { return "table" }
func (Figure) kind() string    { return "figure" }
func (Grid) kind() string      { return "grid" }

func (p Paragraph) markdown() []byte { return []byte(prose(string(p)) + "\n") }
func (l List) markdown() []byte      { return bullets(l) }
func (l Links) markdown() []byte {
	var b bytes.Buffer
	for _, path := range l {
		fmt.Fprintf(&b, "- [%s](%s)\n", prose(path), path)
	}
	return b.Bytes()
}
func (Figure) markdown() []byte { return nil }
func (Grid) markdown() []byte   { return nil }

func (Paragraph) validate() error { return nil }
func (List) validate() error      { return nil }
func (Links) validate() error     { return nil }

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
			return fmt.Errorf("grid %q: row %q has %d cells for %d columns", g.Caption, row.Label, len(row.Cells),
				len(g.Columns))
		}
		for i, cell := range row.Cells {
			if (len(cell.Pictures) == 0) != (cell.Failed != "") {
				return fmt.Errorf("grid %q: row %q, column %q has %d pictures and the failure %q", g.Caption, row.Label,
					g.Columns[i], len(cell.Pictures), cell.Failed)
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
	return "", fmt.Errorf("a picture of %d bytes is not PNG, JPEG, WebP or SVG", len(picture))
}
