package story

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"path/filepath"

	"illustrator/data/cartoon"
	"illustrator/data/pictures"
	"illustrator/data/storybook"
	"illustrator/internal/files"
)

// book returns the story with its pictures, and adds them to the summary. Pictures are read from their files,
// whichever call wrote them.
func (j *Job) book(ctx context.Context, summary *Summary) (storybook.Book, error) {
	note := "Pictures drawn by illustrator, domain " + j.Model.Domain + "."
	book := storybook.Book{Title: j.Title, Language: j.Language, Note: note}
	for n, p := range j.pictures {
		if err := context.Cause(ctx); err != nil {
			return book, err
		}
		img, err := pictures.ReadImage(ctx, filepath.Join(j.Out, p.name+".png"))
		if err != nil {
			return book, err
		}
		onPage, err := ForPage(img)
		if err != nil {
			return book, err
		}
		paragraph := j.Story.Paragraphs[n]
		summary.Paragraphs = append(summary.Paragraphs, Paragraph{
			Chapter: paragraph.Chapter, Text: paragraph.Text, Asked: p.text.Text, LeftOut: p.left,
			Seed: p.plan.Seeds[0], Picture: p.name + ".png", CLIPSimilarity: p.similarity,
		})
		summary.CLIPSimilarity += p.similarity / float64(len(j.pictures))
		book.Spreads = append(book.Spreads, storybook.Spread{Paragraph: paragraph, Picture: onPage, Alt: p.text.Text})
	}
	return book, nil
}

// pageSide is the least side of a picture on a page in pixels: viewers enlarge small ones roughly.
const pageSide = 512

// ForPage encodes a picture for a page, as PNG. A small one is enlarged.
func ForPage(img image.Image) ([]byte, error) {
	size := img.Bounds().Size()
	if factor := (pageSide + max(size.X, size.Y) - 1) / max(size.X, size.Y); factor > 1 {
		img = cartoon.Enlarged(img, size.Mul(factor))
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

// writePages lays the book out and returns the files' paths.
func (j *Job) writePages(book storybook.Book) (paths []string, err error) {
	for _, page := range []struct {
		format Format
		layOut func() ([]byte, error)
	}{{HTML, book.HTML}, {PDF, book.PDF}} {
		if j.Format != page.format && j.Format != Both {
			continue
		}
		raw, err := page.layOut()
		if err != nil {
			return nil, fmt.Errorf("lay out story.%s: %w", page.format, err)
		}
		path := filepath.Join(j.Out, "story."+string(page.format))
		if err := files.WriteFile(path, raw, 0o666); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	if len(paths) == 0 {
		return nil, errors.New("no page was asked for")
	}
	return paths, nil
}
