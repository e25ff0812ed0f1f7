package edit

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/internal/jsonfile"
	"illustrator/internal/vectors"
)

// Manipulation changes a picture towards a text, eq. 11.
type Manipulation struct {
	From      string // the origin, in words
	Origin    draw.Source
	About, To texts.Text // what the origin shows, and the target with its attributes
	Alphas    []float64
	Keep      draw.Keep
	Far       []draw.Novelty // texts that lie far from the domain's descriptions
	Out       string         // the folder
}

// Manipulate draws and writes all pictures of a manipulation, the strip and the summary, on a device that is started.
func (a Artist) Manipulate(ctx context.Context, m Manipulation) (s Summary, err error) {
	began := time.Now()
	from, first, err := a.Origin(ctx, m.Origin, a.Manner)
	if err != nil {
		return s, err
	}
	from.Text, from.Keep = m.About.Text, m.Keep
	recipes := make([]draw.Recipe, len(m.Alphas))
	for i, alpha := range m.Alphas {
		manner := a.Manner
		manner.Alpha = alpha
		recipes[i] = from.Toward(m.To, manner, first.Recipe.Seed)
		recipes[i].Attributes = a.Classifier != nil
	}
	changed, err := a.Draw(ctx, recipes...)
	if err != nil {
		return s, err
	}
	all := append([]*draw.Picture{first}, changed...)
	s = a.compare(m, changed[0].TextEmbed, all)
	if err := a.writeManipulated(ctx, m, &s, all); err != nil {
		return s, err
	}
	s.Seconds = time.Since(began).Seconds()
	return s, jsonfile.Write(filepath.Join(m.Out, "manipulate.json"), s)
}

// Summary is manipulate.json.
type Summary struct {
	From       string    `json:"from"`
	To         string    `json:"to"`
	OriginText string    `json:"origin_text"`
	Keep       draw.Keep `json:"keep"`
	Alpha      *float64  `json:"projection_alpha"` // null without projection
	drawnBy
	Origin   Manipulated   `json:"origin"`
	Pictures []Manipulated `json:"pictures"`
	// Far are the texts that lie far from the domain's descriptions.
	Far     []draw.Novelty `json:"far,omitempty"`
	Strip   string         `json:"strip"`
	Seconds float64        `json:"seconds"`
}

// Manipulated is one picture of a manipulation.
type Manipulated struct {
	File  string   `json:"file"`
	Alpha *float64 `json:"alpha,omitempty"` // of the origin there is none
	// Cosines of the picture's embedding with the target text's, and with the origin picture's.
	CLIPSimilarity   float64 `json:"clip_similarity"`
	OriginSimilarity float64 `json:"origin_similarity"`
	// Change is since the origin; null in a domain without a classifier.
	Change *draw.Change `json:"attributes,omitempty"`
}

// compare measures pictures, of which the first is the origin's, against the target's embedding and the origin.
func (a Artist) compare(m Manipulation, target []float32, all []*draw.Picture) Summary {
	s := Summary{
		From: m.From, To: m.To.Text, OriginText: m.About.Text, Keep: m.Keep, Alpha: a.projectionAlpha(), drawnBy: a.drawnBy(),
		Far: m.Far, Strip: filepath.Join(m.Out, "strip.png"),
	}
	for i, picture := range all {
		p := Manipulated{File: "origin.png"}
		p.CLIPSimilarity = vectors.Cosine(target, picture.Embed)
		p.OriginSimilarity = vectors.Cosine(all[0].Embed, picture.Embed)
		if picture.Seen != nil {
			change := draw.CompareAttributes(*a.Classifier, m.To, all[0].Seen, picture.Seen)
			p.Change = &change
		}
		if i == 0 {
			s.Origin = p
			continue
		}
		p.Alpha, p.File = &m.Alphas[i-1], fmt.Sprintf("alpha%g.png", m.Alphas[i-1])
		s.Pictures = append(s.Pictures, p)
	}
	return s
}

// writeManipulated writes the pictures and the strip.
func (a Artist) writeManipulated(ctx context.Context, m Manipulation, s *Summary, all []*draw.Picture) error {
	if err := os.MkdirAll(m.Out, 0o777); err != nil {
		return err
	}
	images, err := a.images(ctx, all)
	if err != nil {
		return err
	}
	labels, notes := make([]string, len(all)), make([]string, len(all))
	meta := func(more ...pictures.Meta) []pictures.Meta {
		return a.meta(
			m.To.Text,
			append(
				[]pictures.Meta{{Key: "From", Value: m.From}, {Key: "Origin-Text", Value: s.OriginText}},
				more...)...)
	}
	for i, p := range append([]Manipulated{s.Origin}, s.Pictures...) {
		labels[i], notes[i] = m.From, p.note()
		var more []pictures.Meta
		if p.Alpha != nil {
			labels[i] = fmt.Sprintf("α %g: %s", *p.Alpha, m.To.Text)
			more = append(more, pictures.Meta{Key: "Alpha", Value: fmt.Sprint(*p.Alpha)})
		}
		if err := pictures.WritePNG(filepath.Join(m.Out, p.File), images[i], meta(more...)); err != nil {
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
func (p Manipulated) note() string {
	note := fmt.Sprintf("cos %.2f", p.CLIPSimilarity)
	if p.Change == nil || p.Alpha == nil {
		return note
	}
	if p.Change.Named > 0 {
		note = fmt.Sprintf("%d/%d named, %s", p.Change.Found, p.Change.Named, note)
	}
	return note + fmt.Sprintf(", %d/%d others kept", p.Change.Kept, p.Change.Others)
}

// String words the summary, in a line for each picture.
func (s Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d pictures, strip %s\n", len(s.Pictures), s.Strip)
	for _, p := range s.Pictures {
		fmt.Fprintf(&b, "strength %g: CLIP similarity to the text %.3f (origin %.3f), to the origin %.3f",
			*p.Alpha, p.CLIPSimilarity, s.Origin.CLIPSimilarity, p.OriginSimilarity)
		if c := p.Change; c != nil {
			if c.Named > 0 {
				fmt.Fprintf(&b, "; %d of %d named attributes found", c.Found, c.Named)
			}
			fmt.Fprintf(&b, "; %d of %d others kept", c.Kept, c.Others)
			for _, name := range slices.Sorted(maps.Keys(c.Changed)) {
				fmt.Fprintf(&b, ", %s: %s", name, c.Changed[name])
			}
		}
		b.WriteByte('\n')
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// DefaultStrengths are the alphas of eq. 11 that show a change in steps.
const DefaultStrengths = "0,0.5,1,1.5"

const maxStrengths = 100

// ParseStrengths reads a list of numbers, each once. Below 0 a picture moves away from the text.
func ParseStrengths(list string) ([]float64, error) {
	var alphas []float64
	for _, item := range strings.Split(list, ",") {
		alpha, err := strconv.ParseFloat(strings.TrimSpace(item), 64)
		switch {
		case err != nil || math.Abs(alpha) > draw.MaxAlpha || alpha != alpha:
			return nil, fault.Usage(
				fmt.Errorf("strength %q: %q is not a number from -%d to %[3]d", list, strings.TrimSpace(item),
					draw.MaxAlpha),
				"give numbers separated by commas, such as %s", DefaultStrengths)
		case slices.Contains(alphas, alpha):
			return nil, fault.Usage(fmt.Errorf("strength %q: %g is given twice", list, alpha), "give each strength once")
		case len(alphas) == maxStrengths:
			return nil, fault.Usage(fmt.Errorf("strength has more than %d numbers", maxStrengths),
				"split the list over several runs")
		}
		alphas = append(alphas, alpha)
	}
	return alphas, nil
}
