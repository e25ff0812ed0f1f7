package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"path/filepath"

	"github.com/google/renameio/v2"

	"illustrator/data/cartoon"
	"illustrator/data/pictures"
	"illustrator/data/seeds"
	"illustrator/data/storybook"
	"illustrator/data/texts"
	"illustrator/eval"
	"illustrator/internal/fault"
	"illustrator/models/pipeline"
)

// drawStory draws the pictures that are not there yet, one by one: each has a seed of its own.
func (o *globalOptions) drawStory(ctx context.Context, s *session, i illustrateOptions, request pipeline.Request) error {
	all := len(i.pictures)
	there := all - i.missing()
	if there > 0 {
		o.log.Info(fmt.Sprintf("%d of %d pictures are in %s", there, all, i.out))
	}
	if there == all {
		return nil
	}
	bar := o.NewProgress("Drawing pictures", all-there)
	defer bar.Done()
	for n := range i.pictures {
		p := &i.pictures[n]
		if p.drawn {
			continue
		}
		if p.left != "" {
			o.log.Debug(fmt.Sprintf("paragraph %d: the picture is asked for by %q", n+1, p.text.Text))
		}
		err := o.drawStoryPicture(ctx, s, i, request, p)
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

// drawStoryPicture draws and writes a picture. Its text is embedded by itself: with others the last digits would depend on
// how many they are.
func (o *globalOptions) drawStoryPicture(ctx context.Context, s *session, i illustrateOptions, request pipeline.Request, p *storyPicture) (err error) {
	if request.TextEmbeds, err = o.embedTexts(ctx, s, []texts.Text{p.text}, false); err != nil {
		return err
	}
	request.Seeds, request.RandomZ = []uint64{p.seed}, seeds.Z(p.seed, s.networks.Generator.StyleDim)
	img, info, err := i.drawOne(ctx, s, request, p.text)
	if err != nil {
		return err
	}
	if img, err = i.redraw(ctx, i.out, p.name, img); err != nil {
		return err
	}
	return i.write(p, img, info)
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
			Chapter: paragraph.Chapter, Text: paragraph.Text, Asked: p.text.Text, LeftOut: p.left, Seed: p.seed, Picture: p.name + ".png",
			CLIPSimilarity: p.similarity,
		})
		summary.CLIPSimilarity += p.similarity / float64(len(i.pictures))
		book.Spreads = append(book.Spreads, storybook.Spread{Paragraph: paragraph, Picture: picture, Alt: p.text.Text})
	}
	return book, nil
}

// drawOne draws the picture of a request of one text.
func (i illustrateOptions) drawOne(ctx context.Context, s *session, request pipeline.Request, text texts.Text) (image.Image, pictureInfo, error) {
	info := pictureInfo{
		Text: text, Seed: request.Seeds[0], NoiseMode: i.noiseMode, TruncationPsi: i.truncationPsi, InjectIndex: i.injectIndex,
		Domain: s.domain.Name, Networks: s.networks.Hashes, cartoonInfo: i.cartoonInfo(),
	}
	if request.Prompts != nil {
		info.Alpha = &request.Alpha
	}
	generated, err := s.networks.Generate(ctx, request)
	if err != nil {
		return nil, info, err
	}
	size := s.networks.Generator.Size
	pictures, err := pictures.Split(generated.Images, size, size)
	if err != nil {
		return nil, info, err
	}
	scores, err := eval.Pictures(ctx, s.networks, []texts.Text{text}, request.TextEmbeds, generated.Images)
	if err != nil {
		return nil, info, err
	}
	info.Score = scores[0]
	return pictures[0].Image(), info, nil
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
		if err := renameio.WriteFile(path, raw, 0o666); err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	if len(paths) == 0 {
		return nil, errors.New("no page was asked for")
	}
	return paths, nil
}
