package serve

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
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
	if p.style, err = openCartoon(o.Cartoon); err != nil {
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

type generateRequest struct {
	Text string   `json:"text"`
	Runs []string `json:"runs"`
	// Count pictures are drawn for each run, of the seeds from Seed on.
	Count *int `json:"count"`
	settings
	// Score asks how well each picture matches the text.
	Score bool `json:"score"`
}

// planned answers requests that draw: make turns a request into what is to be drawn, and the story that it tells, if any.
func planned[Q any](s *Server, make func(Q) ([]plan, *told, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q Q
		var plans []plan
		var story *told
		err := readJSON(w, r, &q)
		if err == nil {
			plans, story, err = make(q)
		}
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.draw(w, r, plans, story)
	}
}

// planGenerate plans pictures of a text, by one run or by several to be compared.
func (s *Server) planGenerate(q generateRequest) ([]plan, *told, error) {
	text, p := s.checkText("text", q.Text)
	if p != nil {
		return nil, nil, p
	}
	count := 1
	if q.Count != nil {
		count = *q.Count
	}
	runs := q.Runs
	if len(runs) == 0 {
		runs = []string{""}
	}
	if len(runs) > len(s.Models) {
		return nil, nil, badField("runs", fmt.Sprintf("it names %d runs", len(runs)), fmt.Sprintf("this server has %d: name each once", len(s.Models)))
	}
	if count < 1 || count > s.Limits.Pictures {
		return nil, nil, badField("count", fmt.Sprintf("it is %d", count), fmt.Sprintf("one request draws 1 to %d pictures of a run", s.Limits.Pictures))
	}
	var plans []plan
	for i, run := range runs {
		model, err := s.model("runs", run)
		if err != nil {
			return nil, nil, err
		}
		if slices.Contains(runs[:i], run) {
			return nil, nil, badField("runs", fmt.Sprintf("%q is given twice", run), "name each run once")
		}
		base, err := q.plan(s, model)
		if err != nil {
			return nil, nil, err
		}
		base.draw.Score = q.Score
		for k := range uint64(count) {
			plans = append(plans, base.of(s.Models[model], text, q.Seed+k))
		}
	}
	return plans, nil, nil
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
func (s *Server) planManipulate(q manipulateRequest) ([]plan, *told, error) {
	to, p := s.checkText("to", q.To)
	if p != nil {
		return nil, nil, p
	}
	if n := len(q.Alphas); n < 1 || n > s.Limits.Pictures {
		return nil, nil, badField("alphas", fmt.Sprintf("it has %d numbers", n), fmt.Sprintf("give 1 to %d", s.Limits.Pictures))
	}
	_, record, err := s.find(q.Picture)
	if err != nil {
		return nil, nil, err
	}
	model := 0
	if record.Kind != gallery.Uploaded {
		if model, err = s.model("picture", record.Run); err != nil {
			return nil, nil, badField("picture", fmt.Sprintf("it was drawn by run %q, which this server does not have", record.Run), "choose another picture")
		}
	}
	m := s.Models[model]
	origin, err := s.origin(m, record, q.From)
	if err != nil {
		return nil, nil, err
	}
	style := record.Cartoon
	if q.Cartoon != nil {
		style = *q.Cartoon
	}
	base := plan{
		draw:   queue.Picture{Model: model, Origin: origin, InjectIndex: record.InjectIndex, Spread: record.Spread, TruncationPsi: record.TruncationPsi},
		record: record, preview: q.Preview,
	}
	if base.style, err = openCartoon(style); err != nil {
		return nil, nil, err
	}
	base.record.Kind, base.record.Run, base.record.Cartoon = gallery.Manipulated, m.Name, style
	base.record.Origin, base.record.OriginText, base.record.Similarity = record.ID, cmp.Or(q.From, record.Text), nil
	var plans []plan
	for i, alpha := range q.Alphas {
		if err := checkRange(fmt.Sprintf("alphas[%d]", i), alpha, -maxAlpha, maxAlpha); err != nil {
			return nil, nil, err
		}
		next := base.of(m, to, record.Seed)
		next.draw.Alpha, next.record.Alpha = alpha, alpha
		plans = append(plans, next)
	}
	return plans, nil, nil
}

// origin returns what eq. 11 begins with.
func (s *Server) origin(m queue.Model, record gallery.Record, from string) (*queue.Origin, error) {
	origin := &queue.Origin{Text: s.Domain.TextPrompt, ImageEmbed: record.ImageEmbed}
	if from != "" {
		text, p := s.checkText("from", from)
		if p != nil {
			return nil, p
		}
		origin.Text = text
	}
	if record.Kind != gallery.Uploaded {
		if len(origin.ImageEmbed) != m.CLIP.ProjectionDim {
			return nil, badField("picture", "it was drawn by networks of other sizes", "choose another picture")
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
