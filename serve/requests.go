package serve

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"

	"illustrator/serve/gallery"
	"illustrator/serve/queue"
)

// maxSeed is the largest seed that a request may begin with: a little less than 2⁵³, up to which JavaScript, and so JSON in
// most programs, holds whole numbers exactly.
const maxSeed = 9_000_000_000_000_000

// Diversities are the ways in which the pictures of one text differ.
const (
	byNoise = "noise" // by the generator's noise alone
	byStyle = "style" // by the random style of their seed in the layers below inject_index
	byZ     = "z"     // by the random z of their seed, mixed into the predicted one by spread
)

var diversities = []string{byNoise, byStyle, byZ}

// settings are what all requests that draw a text may say of it. What is left out has the domain's value.
type settings struct {
	Alpha         *float64 `json:"alpha"`
	Seed          uint64   `json:"seed"`
	Diversity     string   `json:"diversity"`
	InjectIndex   *int     `json:"inject_index"`
	Spread        *float64 `json:"spread"`
	TruncationPsi *float64 `json:"truncation_psi"`
	Cartoon       string   `json:"cartoon"`
}

// plan checks the settings and returns what they make of a picture of the model.
func (o settings) plan(s *Server, model int) (p plan, err error) {
	alpha, psi := s.Domain.Alpha, 1.0
	if o.Alpha != nil {
		alpha = *o.Alpha
	}
	if o.TruncationPsi != nil {
		psi = *o.TruncationPsi
	}
	if err := checkRange("alpha", alpha, 0, maxAlpha); err != nil {
		return p, err
	}
	if err := checkRange("truncation_psi", psi, -2, 2); err != nil {
		return p, err
	}
	if o.Seed > maxSeed {
		return p, badField("seed", fmt.Sprintf("it is %d", o.Seed), fmt.Sprintf("give at most %d", uint64(maxSeed)))
	}
	m := s.Models[model]
	p.draw = queue.Picture{Model: model, Alpha: alpha, TruncationPsi: psi}
	if err := o.diversify(m, &p.draw); err != nil {
		return p, err
	}
	if p.style, err = s.openCartoon(o.Cartoon); err != nil {
		return p, err
	}
	p.record = gallery.Record{
		Kind: gallery.Generated, Run: m.Name, Domain: s.Domain.Name, Alpha: alpha, TruncationPsi: psi,
		Diversity: o.Diversity, InjectIndex: p.draw.InjectIndex, Spread: p.draw.Spread, Cartoon: o.Cartoon,
	}
	return p, nil
}

// maxAlpha is as far as a slider goes with sense; the domains' own is checked by configs.
const maxAlpha = 10

func checkRange(field string, v, low, high float64) error {
	if v >= low && v <= high {
		return nil
	}
	return badField(field, fmt.Sprintf("it is %g", v), fmt.Sprintf("give a number from %g to %g", low, high))
}

// What diversity by style and by z have where a request gives no number: as illustrator generate.
const (
	defaultInject = 1
	defaultSpread = 0.4
)

func (o settings) diversify(m queue.Model, p *queue.Picture) error {
	inject, spread, layers := defaultInject, defaultSpread, m.Generator.NumLayers()
	if o.InjectIndex != nil {
		inject = *o.InjectIndex
	}
	if o.Spread != nil {
		spread = *o.Spread
	}
	if inject < 0 || inject > layers {
		return badField("inject_index", fmt.Sprintf("it is %d", inject), fmt.Sprintf("this generator has layers 0 to %d", layers))
	}
	if err := checkRange("spread", spread, 0, 1); err != nil {
		return err
	}
	switch o.Diversity {
	case "", byNoise:
	case byStyle:
		p.InjectIndex = inject
	case byZ:
		p.Spread = spread
	default:
		return badField("diversity", fmt.Sprintf("%q is unknown", o.Diversity), "choose "+strings.Join(diversities, ", "))
	}
	return nil
}

// of returns the plan for a text and a seed.
func (p plan) of(m queue.Model, text string, seed uint64) plan {
	p.draw.Text, p.draw.Seed, p.record.Text, p.record.Seed = text, seed, text, seed
	p.cut = m.Tokenizer.Encode(text).Lost
	return p
}

// model returns the index of a run; "" is the first.
func (s *Server) model(field, run string) (int, error) {
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

// planned answers requests that draw: make turns a request into what is to be drawn.
func planned[Q any](s *Server, make func(Q) (*work, error)) http.HandlerFunc {
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
		s.draw(w, r, planned)
	}
}

type manipulateRequest struct {
	Picture string `json:"picture"`
	// From is what To is compared with: what only From names is taken away. It is the domain's text prompt where it is left
	// out, so that To need only name what changes.
	From   string    `json:"from"`
	To     string    `json:"to"`
	Alphas []float64 `json:"alphas"`
	// Cartoon is the origin's where it is left out.
	Cartoon *string `json:"cartoon"`
	// Preview keeps the pictures out of the gallery's lists, and for a short while only.
	Preview bool `json:"preview"`
}

// planManipulate plans a picture of the gallery as eq. 11 moves it towards a text, once for each alpha.
func (s *Server) planManipulate(q manipulateRequest) (*work, error) {
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
	m, style := s.Models[base.Model], record.Cartoon
	if q.Cartoon != nil {
		style = *q.Cartoon
	}
	first := plan{draw: base, record: record, preview: q.Preview}
	if first.style, err = s.openCartoon(style); err != nil {
		return nil, err
	}
	first.record.Kind, first.record.Run, first.record.Cartoon = gallery.Manipulated, m.Name, style
	first.record.Origin, first.record.OriginText = record.ID, cmp.Or(q.From, record.Text)
	first.record.Similarity, first.record.Candidates, first.record.Refined = nil, nil, nil
	var plans []plan
	for i, alpha := range q.Alphas {
		if err := checkRange(fmt.Sprintf("alphas[%d]", i), alpha, -maxAlpha, maxAlpha); err != nil {
			return nil, err
		}
		next := first.of(m, to, record.Seed)
		next.draw.Alpha, next.record.Alpha = alpha, alpha
		plans = append(plans, next)
	}
	return &work{plans: plans}, nil
}

// begin returns a picture of the gallery that field names, and how it is drawn as it is: by eq. 11 with α 0. An uploaded picture,
// which no run drew, is mapped by the model of number otherwise. from is what eq. 11 compares with, "" the domain's text prompt.
func (s *Server) begin(field, id string, otherwise int, from string) (record gallery.Record, p queue.Picture, err error) {
	if _, record, err = s.find(id); err != nil {
		return record, p, err
	}
	model := otherwise
	switch record.Kind {
	case gallery.Uploaded:
	case gallery.Interpolated:
		return record, p, badField(field, "it is an animation", "choose a single picture")
	default:
		if model, err = s.model(field, record.Run); err != nil {
			return record, p, badField(field, fmt.Sprintf("it was drawn by run %q, which this server does not have", record.Run), "choose another picture")
		}
	}
	origin, err := s.origin(field, s.Models[model], record, from)
	return record, queue.Picture{
		Model: model, Text: s.Domain.TextPrompt, Origin: origin, Seed: record.Seed,
		InjectIndex: record.InjectIndex, Spread: record.Spread, TruncationPsi: record.TruncationPsi, Offset: record.Offset,
	}, err
}

// origin returns what eq. 11 begins with.
func (s *Server) origin(field string, m queue.Model, record gallery.Record, from string) (*queue.Origin, error) {
	origin := &queue.Origin{Text: s.Domain.TextPrompt, ImageEmbed: record.ImageEmbed}
	if from != "" {
		text, p := s.checkText("from", from)
		if p != nil {
			return nil, p
		}
		origin.Text = text
	}
	if record.Kind != gallery.Uploaded {
		if len(origin.ImageEmbed) != m.CLIP.ProjectionDim || record.Offset != nil && len(record.Offset) != m.Generator.StyleDim {
			return nil, badField(field, "it was drawn by networks of other sizes", "choose another picture")
		}
		return origin, nil
	}
	img, err := s.gallery.Picture(record.ID) // a preview is drawn, not uploaded
	if err != nil {
		return nil, err
	}
	origin.Pixels, err = fittedPixels(img, m.Generator.Size)
	return origin, err
}
