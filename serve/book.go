package serve

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"

	"illustrator/data/storybook"
	"illustrator/data/texts"
	"illustrator/draw/story"
	"illustrator/serve/gallery"
)

// bookRequest is a story with its pictures.
type bookRequest struct {
	Format     string     `json:"format"`
	Title      string     `json:"title"`
	Language   string     `json:"language"`
	Paragraphs []bookPart `json:"paragraphs"`
}

type bookPart struct {
	part
	Picture string `json:"picture"` // of the gallery
}

// bookFormats are the forms that a story leaves the page in.
var bookFormats = map[string]string{
	"html": "text/html; charset=utf-8", "pdf": "application/pdf", "zip": "application/zip",
}

// book answers with a story that was illustrated, laid out as illustrator illustrate does. A ZIP file holds the pages
// and the pictures.
func (s *studio) book(w http.ResponseWriter, r *http.Request) {
	var q bookRequest
	err := readJSON(w, r, &q)
	var file []byte
	if err == nil {
		file, err = s.bind(r.Context(), q)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	name := cmp.Or(texts.Slug(q.Title), "story") + "." + q.Format
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, name))
	writeBytes(w, bookFormats[q.Format], file)
}

// bind checks a request and returns the file.
func (s *studio) bind(ctx context.Context, q bookRequest) ([]byte, error) {
	if err := s.checkBook(&q); err != nil {
		return nil, err
	}
	release, err := s.conversion(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	book := storybook.Book{
		Title: cmp.Or(q.Title, "A story"), Language: q.Language,
		Note: "Pictures drawn by illustrator, domain " + s.Domain.Name + ".",
	}
	files := map[string][]byte{}
	for i, p := range q.Paragraphs {
		record, err := s.gallery.Get(p.Picture)
		if err != nil {
			return nil, problemOf(err).at(fmt.Sprintf("paragraphs[%d]", i))
		}
		spread, err := s.spread(p, record)
		if err != nil {
			return nil, err
		}
		if files[fmt.Sprintf("%02d-%s", i+1, pictureFile(record))], err = s.gallery.PNG(record.ID); err != nil {
			return nil, err
		}
		book.Spreads = append(book.Spreads, spread)
	}
	switch q.Format {
	case "html":
		return book.HTML()
	case "pdf":
		return book.PDF()
	}
	return pack(book, files)
}

// checkBook reports the first field that no book has, and fills in the language.
func (s *studio) checkBook(q *bookRequest) error {
	if bookFormats[q.Format] == "" {
		return badField("format", fmt.Sprintf("%q is unknown", q.Format), "choose html, pdf or zip")
	}
	if n := len(q.Paragraphs); n < 1 || n > s.Limits.Pictures {
		return badField("paragraphs", fmt.Sprintf("it has %d", n), fmt.Sprintf("give 1 to %d", s.Limits.Pictures))
	}
	if n := len([]rune(q.Title)); n > s.Limits.Text {
		return badField("title", fmt.Sprintf("it has %d characters", n), fmt.Sprintf("write at most %d", s.Limits.Text))
	}
	q.Language = cmp.Or(q.Language, "en")
	if err := storybook.CheckLanguage(q.Language); err != nil {
		return problemOf(err).at("language")
	}
	length := 0
	for i, p := range q.Paragraphs {
		if length += len([]rune(p.Text)); length > s.Limits.Story {
			return badField(fmt.Sprintf("paragraphs[%d]", i), "the story is too long",
				fmt.Sprintf("write at most %d characters", s.Limits.Story))
		}
	}
	return nil
}

// spread returns a paragraph with its picture as a page shows it.
func (s *studio) spread(p bookPart, record gallery.Record) (spread storybook.Spread, err error) {
	img, err := s.gallery.Picture(record.ID)
	if err != nil {
		return spread, err
	}
	picture, err := story.ForPage(img)
	return storybook.Spread{
		Paragraph: storybook.Paragraph{Chapter: p.Chapter, Text: p.Text}, Picture: picture, Alt: record.Text.Text,
	}, err
}

// pack is a ZIP file of a book's pages and pictures.
func pack(book storybook.Book, files map[string][]byte) ([]byte, error) {
	html, err := book.HTML()
	if err != nil {
		return nil, err
	}
	pdf, err := book.PDF()
	if err != nil {
		return nil, err
	}
	files["story.html"], files["story.pdf"] = html, pdf
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	for _, name := range names {
		if err := addFile(out, name, files[name]); err != nil {
			return nil, err
		}
	}
	err = out.Close() // writes the list of the files
	return b.Bytes(), err
}
