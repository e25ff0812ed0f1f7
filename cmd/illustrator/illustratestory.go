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

	"illustrator/data"
	"illustrator/data/cartoon"
	"illustrator/data/storybook"
	"illustrator/eval"
	"illustrator/models/pipeline"
)

// drawStory draws the pictures one by one: each has a seed of its own.
func (o *globalOptions) drawStory(ctx context.Context, s *session, i illustrateOptions, request pipeline.Request, summary *storySummary, book *storybook.Book) error {
	for n, left := range i.left {
		if left != "" {
			o.log.Debug(fmt.Sprintf("paragraph %d: the picture is asked for by %q", n+1, i.texts[n].Text))
		}
	}
	embeds, err := o.embedTexts(ctx, s, i.texts, false)
	if err != nil {
		return err
	}
	bar := o.newProgress("Drawing pictures", len(i.texts))
	defer bar.Done()
	dim, seeds := s.networks.CLIP.ProjectionDim, request.Seeds
	for n, text := range i.texts {
		seed := seeds[n%len(seeds)]
		if i.sameSeed {
			seed = seeds[0]
		}
		request.TextEmbeds, request.Seeds, request.RandomZ = embeds[n*dim:(n+1)*dim], []uint64{seed}, data.Z(seed, s.networks.Generator.StyleDim)
		img, info, err := i.drawOne(ctx, s, request, text)
		if err != nil {
			return err
		}
		name := pictureName(n, text.Text, seed)
		if img, err = i.redraw(ctx, i.out, name, img); err != nil {
			return err
		}
		if err := info.write(filepath.Join(i.out, name), img); err != nil {
			return err
		}
		picture, err := forPage(img)
		if err != nil {
			return err
		}
		p := i.story.Paragraphs[n]
		summary.Paragraphs = append(summary.Paragraphs, storyParagraph{
			Chapter: p.Chapter, Text: p.Text, Asked: text.Text, LeftOut: i.left[n], Seed: seed, Picture: name + ".png", CLIPSimilarity: info.Score.CLIPSimilarity,
		})
		summary.CLIPSimilarity += info.Score.CLIPSimilarity / float64(len(i.texts))
		book.Spreads = append(book.Spreads, storybook.Spread{Paragraph: p, Picture: picture, Alt: text.Text})
		bar.Set(n+1, "")
	}
	return nil
}

// drawOne draws the picture of a request of one text.
func (i illustrateOptions) drawOne(ctx context.Context, s *session, request pipeline.Request, text data.Text) (image.Image, pictureInfo, error) {
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
	pictures, err := data.SplitPictures(generated.Images, size, size)
	if err != nil {
		return nil, info, err
	}
	scores, err := eval.Pictures(ctx, s.networks, []data.Text{text}, request.TextEmbeds, generated.Images)
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
