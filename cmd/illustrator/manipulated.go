package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"illustrator/cmd/terminal"
	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/vectors"
)

type manipulateOptions struct {
	originOptions
	from, to, originText string
	alphas, out          string
	keep                 draw.Keep
	attributes           []string
	asJSON               bool
}

// manipulation is a manipulation whose options are checked.
type manipulation struct {
	manipulateOptions
	origin    origin
	about, to texts.Text // CTE_origin's text, and the target with its attributes
	alphas    []float64
}

// manipulateSummary is manipulate.json.
type manipulateSummary struct {
	From       string    `json:"from"`
	To         string    `json:"to"`
	OriginText string    `json:"origin_text"`
	Keep       draw.Keep `json:"keep"`
	Alpha      *float64  `json:"projection_alpha"` // null without projection
	drawnBy
	Origin   manipulated   `json:"origin"`
	Pictures []manipulated `json:"pictures"`
	Strip    string        `json:"strip"`
	Seconds  float64       `json:"seconds"`
}

// manipulated is one picture of a manipulation.
type manipulated struct {
	File  string   `json:"file"`
	Alpha *float64 `json:"alpha,omitempty"` // of the origin there is none
	// Cosines of the picture's embedding with the target text's, and with the origin picture's.
	CLIPSimilarity   float64 `json:"clip_similarity"`
	OriginSimilarity float64 `json:"origin_similarity"`
	// Change is since the origin; null in a domain without a classifier.
	Change *draw.Change `json:"attributes,omitempty"`
}

// compare measures pictures, of which the first is the origin's, against the target's embedding and the origin.
func (a *retoucher) compare(m manipulation, target []float32, drawn []*draw.Picture) manipulateSummary {
	s := manipulateSummary{
		From: m.from, To: m.to.Text, OriginText: m.about.Text, Keep: m.keep, Alpha: a.projectionAlpha(), drawnBy: a.drawnBy(),
		Strip: filepath.Join(m.out, "strip.png"),
	}
	for i, picture := range drawn {
		p := manipulated{File: "origin.png"}
		p.CLIPSimilarity = vectors.Cosine(target, picture.Embed)
		p.OriginSimilarity = vectors.Cosine(drawn[0].Embed, picture.Embed)
		if picture.Seen != nil {
			change := draw.CompareAttributes(*a.Classifier, m.to, drawn[0].Seen, picture.Seen)
			p.Change = &change
		}
		if i == 0 {
			s.Origin = p
			continue
		}
		p.Alpha, p.File = &m.alphas[i-1], fmt.Sprintf("alpha%g.png", m.alphas[i-1])
		s.Pictures = append(s.Pictures, p)
	}
	return s
}

// writeManipulated writes the pictures and the strip.
func (a *retoucher) writeManipulated(ctx context.Context, m manipulation, s *manipulateSummary, drawn []*draw.Picture) error {
	if err := terminal.CreateFolder(m.out); err != nil {
		return err
	}
	images, err := a.images(ctx, drawn)
	if err != nil {
		return err
	}
	labels, notes := make([]string, len(drawn)), make([]string, len(drawn))
	meta := func(more ...pictures.Meta) []pictures.Meta {
		return a.meta(m.to.Text, append([]pictures.Meta{{Key: "From", Value: m.from}, {Key: "Origin-Text", Value: s.OriginText}}, more...)...)
	}
	for i, p := range append([]manipulated{s.Origin}, s.Pictures...) {
		labels[i], notes[i] = m.from, p.note()
		var more []pictures.Meta
		if p.Alpha != nil {
			labels[i] = fmt.Sprintf("α %g: %s", *p.Alpha, m.to.Text)
			more = append(more, pictures.Meta{Key: "Alpha", Value: fmt.Sprint(*p.Alpha)})
		}
		if err := pictures.WritePNG(filepath.Join(m.out, p.File), images[i], meta(more...)); err != nil {
			return err
		}
	}
	sheet, err := pictures.Strip(images, labels, notes)
	if err != nil {
		return err
	}
	return pictures.WritePNG(s.Strip, sheet, meta())
}

// note says under a picture how close it is to the text, and how many attributes it kept.
func (p manipulated) note() string {
	note := fmt.Sprintf("cos %.2f", p.CLIPSimilarity)
	if p.Change == nil || p.Alpha == nil {
		return note
	}
	if p.Change.Named > 0 {
		note = fmt.Sprintf("%d/%d named, %s", p.Change.Found, p.Change.Named, note)
	}
	return note + fmt.Sprintf(", %d/%d others kept", p.Change.Kept, p.Change.Others)
}

// print prints a line for each picture.
func (s manipulateSummary) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%d pictures, strip %s\n", len(s.Pictures), s.Strip)
	for _, p := range s.Pictures {
		fmt.Fprintf(&b, "alpha %g: CLIP similarity to the text %.3f (origin %.3f), to the origin %.3f", *p.Alpha, p.CLIPSimilarity, s.Origin.CLIPSimilarity, p.OriginSimilarity)
		if c := p.Change; c != nil {
			if c.Named > 0 {
				fmt.Fprintf(&b, "; %d of %d named attributes found", c.Found, c.Named)
			}
			fmt.Fprintf(&b, "; %d of %d others kept", c.Kept, c.Others)
			for _, name := range sortedKeys(c.Changed) {
				fmt.Fprintf(&b, ", %s: %s", name, c.Changed[name])
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}
