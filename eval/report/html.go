package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"html/template"
	"regexp"
	"strings"
)

// HTML returns the document as one file that needs no other: styles and pictures are in it.
func (d Document) HTML() ([]byte, error) {
	if err := d.validate(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err := page.ExecuteTemplate(&b, "document", struct {
		Document
		Style template.CSS
	}{d, template.CSS(style)})
	return b.Bytes(), err
}

// fragment is the table without a page around it.
func (t Table) fragment() ([]byte, error) {
	var b bytes.Buffer
	err := page.ExecuteTemplate(&b, "table", t)
	return b.Bytes(), err
}

//go:embed report.css
var style string

//go:embed report.html.tmpl
var pageText string

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"kind":      Block.kind,
	"prose":     pieces,
	"typeset":   typeset,
	"minus":     minus,
	"breakable": breakable,
	"data":      dataURI,
	"view":      viewOf,
}).Parse(pageText))

// dataURI is a picture's file as an address that holds it.
func dataURI(picture []byte) (template.URL, error) {
	media, err := mediaType(picture)
	if err != nil {
		return "", err
	}
	return template.URL("data:" + media + ";base64," + base64.StdEncoding.EncodeToString(picture)), nil
}

var (
	apostrophe = regexp.MustCompile(`(\pL)'(\pL)`)
	pair       = regexp.MustCompile(`\[(−?[\d.]+), (−?[\d.]+)\]`)
	negative   = regexp.MustCompile(`(^|[\s\[(])-(\d)`)
)

// typeset gives a text the characters that a typesetter would: apostrophes in words, minus signs, and no line's end
// before a percent sign or in an interval.
func typeset(s string) string {
	s = apostrophe.ReplaceAllString(s, "$1’$2")
	s = pair.ReplaceAllString(minus(s), "[$1,\u00a0$2]")
	return strings.ReplaceAll(s, " %", "\u00a0%")
}

// minus gives negative numbers their sign.
func minus(s string) string { return negative.ReplaceAllString(s, "$1−$2") }

// breakable lets a name such as clip_similarity go on in the next line after its underscores.
func breakable(s string) template.HTML {
	return template.HTML(strings.ReplaceAll(template.HTMLEscapeString(typeset(s)), "_", "_<wbr>"))
}
