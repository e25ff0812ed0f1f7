package report

import (
	"bytes"
	"fmt"
	"strings"
)

var markdownEscapes = strings.NewReplacer(`\`, `\\`, "|", `\|`, "_", `\_`, "*", `\*`, "`", "\\`", "<", "&lt;", ">",
	"&gt;", "\n", " ", "\r", " ")

// markdown writes a table as GitHub's Markdown has them.
func (t Table) markdown() []byte {
	var b bytes.Buffer
	escape := markdownEscapes.Replace
	if t.Caption != "" {
		fmt.Fprintf(&b, "%s\n\n", escape(t.Caption))
	}
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	var header, rule []string
	for _, c := range t.shown() {
		header = append(header, escape(t.Columns[c].title()))
		rule = append(rule, map[Align]string{Left: "---", Center: ":---:", Right: "---:"}[t.align(c)])
	}
	line(header)
	line(rule)
	for _, row := range t.Rows {
		var cells []string
		for _, c := range t.shown() {
			p := t.parts(c, row.Cells[c])
			p.value = escape(p.value)
			if row.Cells[c].Best {
				p.value = "**" + p.value + "**"
			}
			cells = append(cells, join(" ", p.value, escape(p.interval), escape(p.mark)))
		}
		line(cells)
	}
	for _, n := range t.notes() {
		fmt.Fprintf(&b, "\n%s\n", escape(join(" ", n.Mark, n.Text)))
	}
	return b.Bytes()
}

// Markdown writes the document without its pictures: facts, findings, paragraphs and tables.
func (d Document) Markdown() ([]byte, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n", prose(d.Title))
	if d.Subtitle != "" {
		fmt.Fprintf(&b, "\n%s\n", prose(d.Subtitle))
	}
	if len(d.Facts) > 0 {
		table := Table{Columns: []Column{{Header: "fact"}, {Header: "value"}}}
		for _, f := range d.Facts {
			table.Rows = append(table.Rows, Row{Cells: []Cell{Text(f.Name), Text(f.Value)}})
		}
		fmt.Fprintf(&b, "\n%s", table.markdown())
	}
	if len(d.Findings) > 0 {
		fmt.Fprintf(&b, "\n## Findings\n\n%s", bullets(d.Findings))
	}
	writeSections(&b, d.Sections, "##")
	return b.Bytes(), nil
}

func writeSections(b *bytes.Buffer, sections []Section, level string) {
	for _, s := range sections {
		fmt.Fprintf(b, "\n%s %s\n", level, prose(s.Heading))
		for _, block := range s.Blocks {
			if text := block.markdown(); text != nil {
				fmt.Fprintf(b, "\n%s", text)
			}
		}
		writeSections(b, s.Sections, level+"#")
	}
}

func bullets(texts []string) []byte {
	var b bytes.Buffer
	for _, s := range texts {
		fmt.Fprintf(&b, "- %s\n", prose(s))
	}
	return b.Bytes()
}

// prose escapes a text outside its `code`.
func prose(s string) string {
	var b strings.Builder
	for _, piece := range pieces(s) {
		if piece.Code {
			b.WriteString("`" + piece.Text + "`")
		} else {
			b.WriteString(markdownEscapes.Replace(piece.Text))
		}
	}
	return b.String()
}

// piece is a part of a text, of which some is code.
type piece struct {
	Text string
	Code bool
}

// pieces takes a text apart at its backquotes. One without a partner is an ordinary character.
func pieces(s string) (all []piece) {
	for {
		before, rest, opened := strings.Cut(s, "`")
		code, after, closed := strings.Cut(rest, "`")
		if !opened || !closed || code == "" {
			return append(all, piece{Text: s})
		}
		all = append(all, piece{Text: before}, piece{Text: code, Code: true})
		s = after
	}
}
