package main

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
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// drawStory draws the pictures that are not there yet, each by itself: with others the last digits would depend on how many they
// are.
func (o *globalOptions) drawStory(ctx context.Context, s *session, i illustrateOptions, m draw.Model, plan draw.Plan) error {
	all := len(i.pictures)
	there := all - i.missing()
	if there > 0 {
		o.log.Info(fmt.Sprintf("%d of %d pictures are in %s", there, all, i.out))
	}
	if there == all {
		return nil
	}
	if err := o.start(s); err != nil {
		return err
	}
	var missing []*storyPicture
	var requests []draw.Request
	for n := range i.pictures {
		p := &i.pictures[n]
		if p.drawn {
			continue
		}
		if p.left != "" {
			o.log.Debug(fmt.Sprintf("paragraph %d: the picture is asked for by %q", n+1, p.text.Text))
		}
		missing, requests = append(missing, p), append(requests, draw.Request{Text: p.text, Plan: p.plan})
	}
	bar := o.NewProgress("Drawing pictures", all-there)
	defer bar.Done()
	for p, err := range draw.Run(ctx, []draw.Model{m}, requests, draw.Options{AtOnce: 1, Score: true}) {
		if err == nil {
			err = i.add(ctx, m, missing[p.Request], p)
		}
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, cause) {
			return fault.Hint(fmt.Errorf("%d of %d pictures are in %q", all-i.missing(), all, i.out), "the same command goes on from there")
		}
		if err != nil {
			return err
		}
		bar.Set(all-there-i.missing(), "")
	}
	return nil
}

// add redraws and writes a picture.
func (i illustrateOptions) add(ctx context.Context, m draw.Model, of *storyPicture, p *draw.Picture) error {
	img, err := i.redraw(ctx, i.out, of.name, m.Image(p))
	if err != nil {
		return err
	}
	record := m.Record(*p.Recipe).Drawn(p)
	record.Cartoon = i.record()
	return i.write(of, img, record)
}

// book returns the story with its pictures, and adds them to the summary. Pictures are read from their files, whichever call
// wrote them.
func (i illustrateOptions) book(ctx context.Context, s *session, summary *storySummary) (storybook.Book, error) {
	book := storybook.Book{Title: i.title, Language: i.language, Note: "Pictures drawn by illustrator, domain " + s.domain.Name + "."}
	for n, p := range i.pictures {
		if err := context.Cause(ctx); err != nil {
			return book, err
		}
		img, err := pictures.ReadImage(ctx, filepath.Join(i.out, p.name+".png"))
		if err != nil {
			return book, err
		}
		picture, err := forPage(img)
		if err != nil {
			return book, err
		}
		paragraph := i.story.Paragraphs[n]
		summary.Paragraphs = append(summary.Paragraphs, storyParagraph{
			Chapter: paragraph.Chapter, Text: paragraph.Text, Asked: p.text.Text, LeftOut: p.left, Seed: p.plan.Seeds[0], Picture: p.name + ".png",
			CLIPSimilarity: p.similarity,
		})
		summary.CLIPSimilarity += p.similarity / float64(len(i.pictures))
		book.Spreads = append(book.Spreads, storybook.Spread{Paragraph: paragraph, Picture: picture, Alt: p.text.Text})
	}
	return book, nil
}

// pageSide is the least side of a picture on a page in pixels: viewers enlarge small ones roughly.
const pageSide = 512

// forPage is a picture for a page, as PNG.
func forPage(img image.Image) ([]byte, error) {
	size := img.Bounds().Size()
	if factor := (pageSide + max(size.X, size.Y) - 1) / max(size.X, size.Y); factor > 1 {
		img = cartoon.Enlarged(img, size.Mul(factor))
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

// writePages lays the book out and returns the files' paths.
func (i illustrateOptions) writePages(book storybook.Book) (paths []string, err error) {
	for _, page := range []struct {
		format string
		layOut func() ([]byte, error)
	}{{"html", book.HTML}, {"pdf", book.PDF}} {
		if i.format != page.format && i.format != "both" {
			continue
		}
		raw, err := page.layOut()
		if err != nil {
			return nil, fmt.Errorf("lay out story.%s: %w", page.format, err)
		}
		path := filepath.Join(i.out, "story."+page.format)
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
