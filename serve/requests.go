package serve

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"strings"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/models/stylegan2"
	"illustrator/serve/gallery"
)

// maxSeed is the largest seed that a request may begin with: a little less than 2⁵³, up to which JavaScript, and so
// JSON in most programs, holds whole numbers exactly.
const maxSeed = 9_000_000_000_000_000

// warmNoise is the noise mode that programs are compiled for when the server starts.
const warmNoise = stylegan2.NoiseRandom

// plan returns the plan of a recipe whose picture is redrawn in a style, "" for none.
func (s *studio) plan(r draw.Recipe, cartoon string) (p plan, err error) {
	m := s.Models[r.Model]
	if p.style, err = s.openCartoon(cartoon); err != nil {
		return p, err
	}
	if r.Tokens == nil {
		tokens := m.Tokenizer.Encode(r.Text.Text)
		r.Tokens = &tokens
	}
	p.recipe, p.record = r, gallery.Record{Kind: gallery.Generated, Run: m.Name, Record: m.Record(r)}
	p.record.Cartoon = draw.Cartoon{Style: cartoon, SHA256: sha256Of(p.style)}
	p.cut = r.Tokens.Lost
	return p, nil
}

func checkRange(field string, v, low, high float64) error {
	if v >= low && v <= high {
		return nil
	}
	return badField(field, fmt.Sprintf("it is %g", v), fmt.Sprintf("give a number from %g to %g", low, high))
}

// model returns the index of a run; "" is the first.
func (s *studio) model(field, run string) (int, error) {
	if run == "" {
		return 0, nil
	}
	var names []string
	for i, m := range s.Models {
		if m.Name == run {
			return i, nil
		}
		names = append(names, m.Name)
	}
	return 0, badField(field, fmt.Sprintf("%q is unknown", run), "choose "+strings.Join(names, ", "))
}

// drawer returns the index of the run that draws a picture as it was drawn: the one with its mapper. Runs in several
// folders may have one name, and a run may be renamed or trained again; where no mapper is the picture's, it is the run
// of its name.
func (s *studio) drawer(field string, record gallery.Record) (int, error) {
	mapper := record.Networks["mapper"]
	other := -1
	for i, m := range s.Models {
		if mapper == "" || m.Hashes["mapper"] != mapper {
			continue
		}
		if m.Name == record.Run {
			return i, nil
		}
		if other < 0 {
			other = i
		}
	}
	if other >= 0 {
		return other, nil
	}
	return s.model(field, record.Run)
}

// planned answers requests that draw: make turns a request into what is to be drawn.
func planned[Q any](s *studio, make func(Q) (*work, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q Q
		var planned *work
		err := readJSON(w, r, &q)
		if err == nil {
			planned, err = make(q)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		planned.far = s.far(planned)
		s.draw(w, r, planned)
	}
}

type manipulateRequest struct {
	Picture string `json:"picture"`
	// From is the text that To is compared with; the change removes what only From names. It is the domain's text prompt
	// where it is left out, so that To need only name what changes.
	From   string    `json:"from"`
	To     string    `json:"to"`
	Alphas []float64 `json:"alphas"`
	// Cartoon is the origin's where it is left out.
	Cartoon *string `json:"cartoon"`
	// Preview keeps the pictures out of the gallery's lists, and for a short while only.
	Preview bool `json:"preview"`
}

// planManipulate plans a picture of the gallery as eq. 11 moves it towards a text, once for each alpha.
func (s *studio) planManipulate(q manipulateRequest) (*work, error) {
	to, p := s.checkText("to", q.To)
	if p != nil {
		return nil, p
	}
	if n := len(q.Alphas); n < 1 || n > s.Limits.Pictures {
		return nil, badField("alphas", fmt.Sprintf("it has %d numbers", n), fmt.Sprintf("give 1 to %d", s.Limits.Pictures))
	}
	record, base, err := s.begin("picture", q.Picture, 0, q.From)
	if err != nil {
		return nil, err
	}
	style := record.Cartoon.Style
	if q.Cartoon != nil {
		style = *q.Cartoon
	}
	planned := &work{}
	tokens := s.Models[base.Model].Tokenizer.Encode(to.Text)
	for i, alpha := range q.Alphas {
		if err := checkRange(fmt.Sprintf("alphas[%d]", i), alpha, -draw.MaxAlpha, draw.MaxAlpha); err != nil {
			return nil, err
		}
		base.Text, base.Tokens, base.Alpha = to, &tokens, alpha
		next, err := s.plan(base, style)
		if err != nil {
			return nil, err
		}
		next.preview, next.record.Kind, next.record.Offset = q.Preview, gallery.Manipulated, record.Offset
		next.record.Origin, next.record.OriginText = record.ID, cmp.Or(q.From, record.Text.Text)
		planned.plans = append(planned.plans, next)
	}
	return planned, nil
}

// begin returns a picture of the gallery that field names, and how it is drawn as it is: by eq. 11 with α 0. An
// uploaded picture, which no run drew, is mapped by the model of number otherwise. from is what eq. 11 compares with,
// "" the domain's text prompt.
func (s *studio) begin(field, id string, otherwise int, from string) (record gallery.Record, r draw.Recipe, err error) {
	if _, record, err = s.find(id); err != nil {
		return record, r, err
	}
	model := otherwise
	switch record.Kind {
	case gallery.Uploaded:
	case gallery.Interpolated:
		return record, r, badField(field, "it is an animation", "choose a single picture")
	default:
		if record.Domain != s.Domain.Name && s.studio(record.Domain) != nil {
			return record, r, badField(field, fmt.Sprintf("it is a picture of domain %q", record.Domain),
				fmt.Sprintf("choose one of %q, or send the request to the other domain", s.Domain.Name))
		}
		if model, err = s.drawer(field, record); err != nil {
			return record, r, badField(field, fmt.Sprintf("it was drawn by run %q, which this server does not have", record.Run),
				"start the server with --run and the folder of that run, or choose another picture")
		}
	}
	origin, err := s.origin(field, s.Models[model], record, from)
	return record, draw.Recipe{
		Model: model, Text: texts.Text{Text: s.Domain.TextPrompt}, Origin: origin, Seed: record.Seed, Offset: record.Offset,
		Manner: draw.Manner{
			NoiseMode: warmNoise, TruncationPsi: record.TruncationPsi, Diversity: record.Diversity,
			InjectIndex: record.InjectIndex, Spread: record.Spread,
		},
	}, err
}

// origin returns what eq. 11 begins with.
func (s *studio) origin(field string, m draw.Model, record gallery.Record, from string) (*draw.Origin, error) {
	origin := &draw.Origin{Text: s.Domain.TextPrompt, ImageEmbed: record.ImageEmbed}
	if from != "" {
		text, p := s.checkText("from", from)
		if p != nil {
			return nil, p
		}
		origin.Text = text.Text
	}
	if record.Kind != gallery.Uploaded && len(origin.ImageEmbed) != m.CLIP.ProjectionDim ||
		record.Offset != nil && len(record.Offset) != m.Generator.StyleDim ||
		record.InjectIndex > m.Generator.NumLayers() {
		return nil, badField(field, "it was drawn by networks of other sizes", "choose another picture")
	}
	if record.Kind != gallery.Uploaded {
		return origin, nil
	}
	img, err := s.gallery.Picture(record.ID) // a preview is drawn, not uploaded
	if record.Seen != nil {
		if img, err = pictures.Decode(context.Background(), record.Seen, gallery.MaxPixels); err != nil {
			err = fmt.Errorf("%w: %w", gallery.ErrDamaged, err)
		}
	}
	if err != nil {
		return nil, err
	}
	origin.Pixels, origin.Side = m.Preprocessor.Fit(img), m.Preprocessor.Size
	return origin, nil
}
