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
	"kind":    Block.kind,
	"prose":   pieces,
	"typeset": typeset,
	"data":    dataURI,
	"view":    viewOf,
}).Parse(pageText))

// dataURI is a picture's file as an address that holds it.
func dataURI(picture []byte) (template.URL, error) {
	media, err := mediaType(picture)
	if err != nil {
		return "", err
	}
	return template.URL("data:" + media + ";base64," + base64.StdEncoding.EncodeToString(picture)), nil
}

var apostrophe = regexp.MustCompile(`(\pL)'(\pL|\s|$)`)

// typeset gives a text the characters that a typesetter would: apostrophes, and no line's end before a percent sign.
func typeset(s string) string {
	return strings.ReplaceAll(apostrophe.ReplaceAllString(s, "$1’$2"), " %", "\u00a0%")
}
