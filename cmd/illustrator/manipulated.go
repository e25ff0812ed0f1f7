package main

import (
	"context"
	"fmt"
	"image"
	"io"
	"path/filepath"
	"strings"

	xdraw "golang.org/x/image/draw"

	"illustrator/cmd/terminal"
	"illustrator/data/pictures"
	"illustrator/eval"
	"illustrator/eval/metrics"
	"illustrator/models/pipeline"
)

// manipulateSummary is manipulate.json.
type manipulateSummary struct {
	From          string            `json:"from"`
	To            string            `json:"to"`
	OriginText    string            `json:"origin_text"`
	Keep          pipeline.Keep     `json:"keep"`
	Alpha         *float64          `json:"projection_alpha"` // null without projection
	NoiseMode     string            `json:"noise_mode"`
	TruncationPsi float64           `json:"truncation_psi"`
	Domain        string            `json:"domain"`
	Networks      map[string]string `json:"networks_sha256"`
	Origin        manipulated       `json:"origin"`
	Pictures      []manipulated     `json:"pictures"`
	Strip         string            `json:"strip"`
	cartoonInfo
	Seconds float64 `json:"seconds"`
}

// manipulated is one picture of a manipulation.
type manipulated struct {
	File  string   `json:"file"`
	Alpha *float64 `json:"alpha,omitempty"` // of the origin there is none
	// Cosines of the picture's embedding with the target text's, and with the origin picture's.
	CLIPSimilarity   float64 `json:"clip_similarity"`
	OriginSimilarity float64 `json:"origin_similarity"`
	// Change is since the origin; null in a domain without a classifier.
	Change *eval.Change `json:"attributes,omitempty"`
}

// originPicture is the origin as the domain would draw it: a file's picture brought to the generator's size.
func (a *artist) originPicture(ctx context.Context, o origin, from pipeline.Origin) (pictures.Picture, error) {
	size := a.networks.Generator.Size
	if o.picture != nil {
		if o.picture.Width == size && o.picture.Height == size {
			return *o.picture, nil
		}
		scaled := image.NewNRGBA(image.Rect(0, 0, size, size))
		img := o.picture.Image()
		xdraw.CatmullRom.Scale(scaled, scaled.Bounds(), img, img.Bounds(), xdraw.Src, nil)
		return pictures.FromImage(scaled), nil
	}
	styles, err := a.networks.OriginStyles(ctx, from, a.synthesis.TruncationPsi)
	if err != nil {
		return pictures.Picture{}, err
	}
	synthesis := a.synthesis
	synthesis.Keys = []uint64{from.Key}
	pixels, err := a.networks.Render(ctx, styles, synthesis)
	return pictures.Picture{Width: size, Height: size, Pixels: pixels}, err
}

// compare measures pictures, of which the first is the origin's, against the target's embedding and the origin.
func (a *artist) compare(ctx context.Context, m manipulation, target []float32, pictures []pictures.Picture) (manipulateSummary, error) {
	s := manipulateSummary{
		From: m.from, To: m.to.Text, OriginText: m.about.Text, Keep: m.keep, Alpha: a.projectionAlpha(), NoiseMode: m.noiseMode, TruncationPsi: m.truncationPsi,
		Domain: a.domain.Name, Networks: a.networks.Hashes, Strip: filepath.Join(m.out, "strip.png"), cartoonInfo: a.options.cartoonInfo(),
	}
	var images []float32
	for _, p := range pictures {
		images = append(images, p.Pixels...)
	}
	size, dim := a.networks.Generator.Size, a.networks.CLIP.ProjectionDim
	embeds, err := a.networks.EmbedImages(ctx, images, size, size)
	if err != nil {
		return s, err
	}
	var seen [][]int
	if a.networks.Classifier != nil {
		if seen, err = a.networks.Classify(ctx, images); err != nil {
			return s, err
		}
	}
	for i := range pictures {
		p := manipulated{File: "origin.png"}
		p.CLIPSimilarity = metrics.Cosine(target, embeds[i*dim:(i+1)*dim])
		p.OriginSimilarity = metrics.Cosine(embeds[:dim], embeds[i*dim:(i+1)*dim])
		if seen != nil {
			change := eval.CompareAttributes(*a.networks.Classifier, m.to, seen[0], seen[i])
			p.Change = &change
		}
		if i == 0 {
			s.Origin = p
			continue
		}
		p.Alpha, p.File = &m.alphas[i-1], fmt.Sprintf("alpha%g.png", m.alphas[i-1])
		s.Pictures = append(s.Pictures, p)
	}
	return s, nil
}

// writeManipulated writes the pictures and the strip.
func (a *artist) writeManipulated(ctx context.Context, m manipulation, s *manipulateSummary, drawings []pictures.Picture) error {
	if err := terminal.CreateFolder(m.out); err != nil {
		return err
	}
	drawn := append([]manipulated{s.Origin}, s.Pictures...)
	images, labels, notes := make([]image.Image, len(drawn)), make([]string, len(drawn)), make([]string, len(drawn))
	meta := func(more ...pictures.Meta) []pictures.Meta {
		return a.meta(m.to.Text, append([]pictures.Meta{{Key: "From", Value: m.from}, {Key: "Origin-Text", Value: s.OriginText}}, more...)...)
	}
	for i := range drawn {
		images[i] = drawings[i].Image()
	}
	if err := a.options.applyAll(ctx, images); err != nil {
		return err
	}
	for i, p := range drawn {
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
