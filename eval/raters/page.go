package raters

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"

	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/machine"
)

// maxPage is the size of a page that holds its pictures, in bytes: browsers on phones open no larger ones.
const maxPage = 100 << 20

//go:embed page/page.html.tmpl
var pageText string

//go:embed page/page.css
var pageStyle string

//go:embed page/page.js
var pageScript string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// view is a rater's page.
type view struct {
	Title  string
	Data   pageData
	Style  template.CSS
	Script template.JS
	Policy template.HTMLAttr // the browser runs this script and no other
}

// pageData holds the questions for the script. It names neither the systems that drew the pictures nor the controls and
// repeats.
type pageData struct {
	Study     string         `json:"study"`
	Rater     int            `json:"rater"`
	Ask       Ask            `json:"ask"`
	Questions []pageQuestion `json:"questions"`
	// Folder holds the pictures, unless they are Embedded, by their names.
	Folder   string            `json:"folder"`
	Embedded map[string]string `json:"embedded,omitempty"`
}

type pageQuestion struct {
	Aspect   Aspect   `json:"aspect"`
	Text     string   `json:"text,omitempty"`
	Pictures []string `json:"pictures"` // from left to right
}

func pageName(rater int) string { return fmt.Sprintf("rater-%d.html", rater) }

// writePages writes a page for each rater. With embed each holds its pictures.
func (s *Study) writePages(folder string, embed bool) error {
	sum := sha256.Sum256([]byte(pageScript))
	hash := "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
	for rater, list := range s.Lists {
		data := pageData{Study: s.ID, Rater: rater + 1, Ask: s.Ask, Folder: pictureFolder}
		for _, q := range list {
			data.Questions = append(data.Questions, s.question(q))
		}
		if embed {
			if err := data.embed(folder); err != nil {
				return err
			}
		}
		v := view{Title: s.Title, Data: data, Style: template.CSS(pageStyle), Script: template.JS(pageScript),
			Policy: template.HTMLAttr(fmt.Sprintf(`content="default-src 'none'; img-src 'self' file: data:; `+
				`style-src 'unsafe-inline'; script-src '%s'"`, hash))}
		var page bytes.Buffer
		if err := pageTemplate.Execute(&page, v); err != nil {
			return err
		}
		if err := files.WriteFile(filepath.Join(folder, pageName(rater+1)), page.Bytes(), 0o666); err != nil {
			return err
		}
	}
	return nil
}

func (s *Study) question(q Question) pageQuestion {
	item := s.Items[q.Item]
	shown := pageQuestion{Aspect: q.Aspect}
	if q.Aspect == Match { // quality is judged by the picture alone
		shown.Text = s.Texts[item.Text]
	}
	for _, p := range item.Pictures {
		shown.Pictures = append(shown.Pictures, p.File)
	}
	if q.Swapped {
		slices.Reverse(shown.Pictures)
	}
	return shown
}

// embed puts the pictures of the questions into the page.
func (d *pageData) embed(folder string) error {
	d.Embedded = map[string]string{}
	size := 0
	for _, q := range d.Questions {
		for _, name := range q.Pictures {
			if d.Embedded[name] != "" {
				continue
			}
			raw, err := os.ReadFile(filepath.Join(folder, pictureFolder, name))
			if err != nil {
				return err
			}
			d.Embedded[name] = "data:image/png;base64," + base64.StdEncoding.EncodeToString(raw)
			if size += len(d.Embedded[name]); size > maxPage {
				return fault.WithCode(fault.Usage(fmt.Errorf("the pictures of %s have more than %s, too much for one file",
					pageName(d.Rater), machine.ByteSize(maxPage)), "leave the pictures out, or ask for fewer items"), LargePage)
			}
		}
	}
	return nil
}
