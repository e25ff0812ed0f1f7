// Package story illustrates stories: it draws a picture for each paragraph, keeps those that are there, and lays out
// pages.
package story

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"illustrator/data/storybook"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/models/clip"
	"illustrator/models/host"
)

// Format is a page to lay out.
type Format string

// The formats.
const (
	HTML Format = "html"
	PDF  Format = "pdf"
	Both Format = "both"
)

// UnmarshalText reads a format.
func (f *Format) UnmarshalText(text []byte) error {
	return fault.Choose(f, "format", text, HTML, PDF, Both)
}

// MarshalText writes the name.
func (f Format) MarshalText() ([]byte, error) { return []byte(f), nil }

// Job is a story to illustrate.
type Job struct {
	Env             host.Env
	Model           draw.Model // whose mapper Illustrate needs
	Plan            draw.Plan  // of every picture, but for the seed
	Story           storybook.Story
	Title, Language string
	SameSeed        bool // all pictures have the first seed
	Format          Format
	Redraw          draw.Redraw
	Out             string // the folder

	pictures []picture // one of each paragraph
}

// LongCharacter is the error of a description of the character that leaves no room for a paragraph.
type LongCharacter struct{ Tokens int }

func (e *LongCharacter) Error() string {
	return fmt.Sprintf("character fills CLIP's %d tokens by itself", e.Tokens)
}

// Ask decides the text of each picture, as Descriptions does.
func (j *Job) Ask(character string) error {
	of, err := Descriptions(j.Model.Tokenizer, j.Story, character, 0)
	for _, d := range of {
		j.pictures = append(j.pictures, picture{text: d.Text, left: d.Left})
	}
	return err
}

// texts returns the texts of the pictures.
func (j *Job) texts() (all []texts.Text) {
	for _, p := range j.pictures {
		all = append(all, p.text)
	}
	return all
}

// Description is the text of a paragraph's picture, and what it leaves out of the paragraph.
type Description struct {
	Text texts.Text
	Left string
}

// Descriptions returns the text of each paragraph's picture: as much of the paragraph as CLIP reads, after a
// description of the character, if there is one. most is the number of its characters at most, 0 for no limit.
func Descriptions(tokenizer *clip.Tokenizer, story storybook.Story, character string, most int) ([]Description, error) {
	before := ""
	if character := strings.Join(strings.Fields(character), " "); character != "" {
		before = strings.TrimRight(character, ".,; ") + ". "
	}
	fits := func(text string) bool {
		text = before + text
		return tokenizer.Encode(text).Lost == "" && (most == 0 || utf8.RuneCountInString(text) <= most)
	}
	if !fits("") || before != "" && !fits("a") {
		return nil, &LongCharacter{tokenizer.Context()}
	}
	var all []Description
	for n, p := range story.Paragraphs {
		kept, left := storybook.Reduce(p.Text, fits)
		if most > 0 { // a single word may be longer
			kept = string([]rune(kept)[:min(most-utf8.RuneCountInString(before), utf8.RuneCountInString(kept))])
		}
		text, err := texts.New(before + kept)
		if err != nil {
			return nil, fmt.Errorf("paragraph %d: %w", n+1, err)
		}
		all = append(all, Description{text, left})
	}
	return all, nil
}

// Summary is story.json.
type Summary struct {
	Title          string      `json:"title"`
	Pages          []string    `json:"pages"`
	CLIPSimilarity float64     `json:"clip_similarity"` // mean; of the pictures before a cartoon
	Paragraphs     []Paragraph `json:"paragraphs"`
	// Far are the pictures' texts that lie far from the domain's descriptions.
	Far []draw.Novelty `json:"far,omitempty"`
	// Asked is a hash of all that pages and pictures follow from.
	Asked string `json:"asked_sha256"`
}

// Paragraph is a paragraph and its picture.
type Paragraph struct {
	Chapter        string  `json:"chapter,omitempty"`
	Text           string  `json:"text"`
	Asked          string  `json:"asked"`              // of the picture
	LeftOut        string  `json:"left_out,omitempty"` // of the text: it does not fit into CLIP's context
	Seed           uint64  `json:"seed"`
	Picture        string  `json:"picture"` // in the same folder
	CLIPSimilarity float64 `json:"clip_similarity"`
}

// Illustrate draws the missing pictures and lays out the pages, unless an earlier call for the same did.
func (j *Job) Illustrate(ctx context.Context) (summary Summary, err error) {
	summary.Title = j.Title
	if summary.Asked, err = j.order(); err != nil {
		return summary, err
	}
	if before, done := j.done(summary.Asked); done {
		j.Env.Log.Info("nothing to draw: the story was illustrated by the same command")
		return before, nil
	}
	if summary.Far, err = j.Model.WarnFar(j.Env.Log, j.texts()); err != nil {
		return summary, err
	}
	if err := j.begin(); err != nil {
		return summary, err
	}
	if err := j.draw(ctx); err != nil {
		return summary, err
	}
	book, err := j.book(ctx, &summary)
	if err != nil {
		return summary, err
	}
	if j.Format != HTML {
		missing, err := book.Unprintable()
		if err != nil {
			return summary, err
		}
		if missing != "" {
			j.Env.Log.Warn(fmt.Sprintf("the PDF's font has no letter for %q; the HTML page leaves fonts to its reader",
				missing))
		}
	}
	if summary.Pages, err = j.writePages(book); err != nil {
		return summary, err
	}
	return summary, jsonfile.Write(j.summaryFile(), summary)
}

// draw draws the pictures that are not there yet, each by itself: with others the last digits would depend on how many
// they are.
func (j *Job) draw(ctx context.Context) error {
	all := len(j.pictures)
	there := all - j.missing()
	if there > 0 {
		j.Env.Log.Info(fmt.Sprintf("%d of %d pictures are in %s", there, all, j.Out))
	}
	if there == all {
		return nil
	}
	if err := j.Env.Start(j.Model.Networks); err != nil {
		return err
	}
	var missing []*picture
	var requests []draw.Request
	for n := range j.pictures {
		p := &j.pictures[n]
		if p.ready {
			continue
		}
		if p.left != "" {
			j.Env.Log.Debug(fmt.Sprintf("paragraph %d: the picture is asked for by %q", n+1, p.text.Text))
		}
		missing, requests = append(missing, p), append(requests, draw.Request{Text: p.text, Plan: p.plan})
	}
	bar := j.Env.Progress("Drawing pictures", all-there)
	defer bar.Done()
	for p, err := range draw.Run(ctx, []draw.Model{j.Model}, requests, draw.Options{AtOnce: 1, Score: true}) {
		if err == nil {
			err = j.add(ctx, missing[p.Request], p)
		}
		if cause := context.Cause(ctx); cause != nil && errors.Is(err, cause) {
			stopped := fmt.Errorf("%d of %d pictures are in %q", all-j.missing(), all, j.Out)
			return fault.Hint(stopped, "the same command draws the others")
		}
		if err != nil {
			return err
		}
		bar.Set(all-there-j.missing(), "")
	}
	return nil
}

// add redraws and writes a picture.
func (j *Job) add(ctx context.Context, of *picture, p *draw.Picture) error {
	img, err := j.Redraw.File(ctx, j.Out, of.name, j.Model.Image(p))
	if err != nil {
		return err
	}
	record := j.Model.Record(*p.Recipe).With(p)
	record.Cartoon = j.Redraw.Record()
	return j.write(of, img, record)
}
