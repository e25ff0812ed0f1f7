package report

import (
	"regexp"
	"strings"
	"testing"
)

// TestHTMLIsSelfContained puts code into every text: all of it is shown, none of it runs, and nothing is loaded.
func TestHTMLIsSelfContained(t *testing.T) {
	const bad = `<script src="http://example.com/x.js"></script>" onload="alert(1)`
	cell := GridCell{Pictures: [][]byte{face(t, 0, 0)}, Note: bad}
	d := Document{Title: bad, Subtitle: bad, Facts: []Fact{{Name: bad, Value: bad, Code: true}}, Findings: []string{bad},
		Sections: []Section{{
			Heading: bad,
			Blocks: []Block{
				Paragraph(bad), List{bad}, Figure{Data: face(t, 1, 0), Caption: bad, Alt: bad},
				&Table{Caption: bad, Columns: []Column{{Header: bad}}, Rows: []Row{{Cells: []Cell{Text(bad).Marked(bad)}}},
					Notes: []Note{{Mark: bad, Text: bad}}},
				Grid{Caption: bad, Corner: bad, Columns: []string{bad, bad},
					Rows: []GridRow{{Label: bad, Note: bad, Cells: []GridCell{cell, {Failed: bad}}}}},
			},
		}}}
	page, err := d.HTML()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(page), "<script") || regexp.MustCompile(`<[^>]* onload="`).Match(page) {
		t.Error("a text became code")
	}
	if n := strings.Count(string(page), "&lt;script"); n < 20 {
		t.Errorf("the text is shown %d times", n)
	}
	addresses := regexp.MustCompile(`(?:src|href|url)(?:=|\()["']?([^"')]*)`)
	for _, address := range addresses.FindAllStringSubmatch(string(page), -1) {
		if !strings.HasPrefix(address[1], "data:") && !strings.HasPrefix(address[1], "#") && !strings.HasPrefix(address[0],
			"src=&#34;") {
			t.Errorf("the page leads to %q", address[0])
		}
	}
}

func TestMarkdownOfADocument(t *testing.T) {
	d := sample(t)
	d.Sections = append(d.Sections[:1:1], Section{Heading: "A_B",
		Sections: []Section{{Heading: "C", Blocks: []Block{small(), Paragraph("`a_b` c_d ` e")}}}})
	d.Facts, d.Findings = d.Facts[1:2], d.Findings[2:]
	got, err := d.Markdown()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# Which loss terms does the mapper need?\n\nAn ablation", "| fact | value |\n| --- | --- |\n| Date | 2026-11-25 |\n",
		"\n## Findings\n\n- The paper's claim", "\n## Question and method\n\nEach variant", "(`lambda_sem`, `lambda_reg`)",
		"\n- L1 is eq. 8", "\n## A\\_B\n\n### C\n\nL1 & L2\n\n| losses |", "\n`a_b` c\\_d \\` e\n",
	} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestTypeset(t *testing.T) {
	for s, want := range map[string]string{
		"the paper's 'all', 95 % [1 %]": "the paper’s 'all', 95\u00a0% [1\u00a0%]",
		"falls by -0.5 [-0.6, -0.4]":    "falls by −0.5 [−0.6,\u00a0−0.4]",
		"2026-11-25, seeds 0-4, --out":  "2026-11-25, seeds 0-4, --out",
	} {
		if got := typeset(s); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDocumentsThatCannotBeWritten(t *testing.T) {
	with := func(blocks ...Block) Document {
		return Document{Title: "t", Sections: []Section{{Heading: "h", Blocks: blocks}}}
	}
	picture := face(t, 0, 0)
	grid := func(cells ...GridCell) Document {
		return with(Grid{Caption: "g", Columns: []string{"a"}, Rows: []GridRow{{Label: "r", Cells: cells}}})
	}
	deep := Section{Heading: "a", Sections: []Section{{Heading: "b", Sections: []Section{{Heading: "c"}}}}}
	for want, d := range map[string]Document{
		"no title":                        {},
		"section 0 has no heading":        {Title: "t", Sections: []Section{{}}},
		`"c" is in a section of`:          {Title: "t", Sections: []Section{deep}},
		`section "h": block 1 is nil`:     with(Paragraph("p"), nil),
		`section "h": table "t" has no`:   with(Table{Name: "t"}),
		"has no alternative text":         with(Figure{Data: picture}),
		"a picture of 3 bytes is not PNG": with(Figure{Data: []byte("abc"), Alt: "abc"}),
		"has 0 columns and 0 rows":        with(Grid{}),
		"has 2 cells for 1 columns":       grid(GridCell{Failed: "f"}, GridCell{Failed: "f"}),
		`has 0 pictures and the failure`:  grid(GridCell{}),
		`row "r", column "a": a picture`:  grid(GridCell{Pictures: [][]byte{picture, nil}}),
	} {
		if _, err := d.HTML(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("HTML: error %v, want one with %q", err, want)
		}
		if _, err := d.Markdown(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Markdown: error %v, want one with %q", err, want)
		}
	}
}
