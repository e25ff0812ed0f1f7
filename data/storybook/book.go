package storybook

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"image"
	"image/png"
	"regexp"

	"illustrator/internal/fault"
)

// Book is a story with its pictures.
type Book struct {
	Title    string
	Language string // of the text; see CheckLanguage
	Spreads  []Spread
	// Note is a line at the end, such as what made the pictures.
	Note string
}

// Spread is a paragraph with its picture.
type Spread struct {
	Paragraph
	Picture []byte // a PNG file: pictures of a long story would fill memory
	// Alt is what the picture shows, for those who don't see it.
	Alt string
}

// LanguagePattern is the regular expression of the languages that CheckLanguage takes.
const LanguagePattern = `^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?$`

var languageTag = regexp.MustCompile(LanguagePattern)

// CheckLanguage reports a tag that is not a language with an optional script and region, as in BCP 47: en, zh-Hans,
// pt-BR.
func CheckLanguage(tag string) error {
	if languageTag.MatchString(tag) {
		return nil
	}
	return fault.Field("language", tag, "a code such as en, de or pt-BR")
}

//go:embed book.css
var style string

//go:embed book.html.tmpl
var pageText string

var page = template.Must(template.New("book").Funcs(template.FuncMap{
	"data": dataURI, "size": size, "id": func(i int) string { return fmt.Sprintf("p%d", i+1) },
}).Parse(pageText))

// HTML returns the book as one file that needs no other: styles and pictures are in it.
func (b Book) HTML() ([]byte, error) {
	var out bytes.Buffer
	err := page.Execute(&out, struct {
		Book
		Style template.CSS
	}{b, template.CSS(style)})
	return out.Bytes(), err
}

// dataURI is a picture as an address that holds it.
func dataURI(picture []byte) template.URL {
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(picture))
}

func size(picture []byte) (image.Point, error) {
	config, err := png.DecodeConfig(bytes.NewReader(picture))
	return image.Pt(config.Width, config.Height), err
}
