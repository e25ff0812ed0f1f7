package draw

import (
	"cmp"
	"fmt"
	"math"

	"illustrator/data/seeds"
	"illustrator/data/texts"
	"illustrator/internal/noise"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// Settings say how pictures are drawn. A field that is left out has the domain's value, or the one named here. JSON
// names are those of the API; flags are named alike.
type Settings struct {
	Alpha        *float64 `json:"alpha,omitempty"`
	NoProjection bool     `json:"no_projection,omitempty"`
	// Seed is the first of the seeds that are drawn, 0 if it is left out.
	Seed *uint64 `json:"seed,omitempty"`
	// Diversity is ByStyle if it is left out and InjectIndex is given, ByZ with Count, BestOf or Spread, else ByNoise.
	Diversity     Diversity `json:"diversity,omitempty"`
	InjectIndex   *int      `json:"inject_index,omitempty"`   // of ByStyle: DefaultInject
	Spread        *float64  `json:"spread,omitempty"`         // of ByZ: DefaultSpread
	TruncationPsi *float64  `json:"truncation_psi,omitempty"` // 1
	NoiseMode     NoiseMode `json:"noise_mode,omitempty"`     // "random"
}

// Spec asks for the pictures of one text.
type Spec struct {
	Settings
	// Count pictures are drawn, 1 if it is left out, of the seeds from Seed on.
	Count *int `json:"count,omitempty"`
	// Seeds are drawn one picture each, in place of Count, BestOf and Seed.
	Seeds []uint64 `json:"seeds,omitempty"`
	// BestOf candidates are drawn for each picture, of a seed each, and those kept that CLIP ranks first.
	BestOf *int `json:"best_of,omitempty"`
	// Refine is the number of steps that each picture's z is refined by.
	Refine int `json:"refine,omitempty"`
	// Score asks how well each picture matches the text. BestOf and Refine imply it.
	Score bool `json:"score,omitempty"`
}

// What a Spec means that gives no number: the release's inject index, and a spread at which pictures differ clearly
// and still show what the text names.
const (
	DefaultInject = 1
	DefaultSpread = 0.4
)

// MaxAlpha is the largest alpha of eq. 3, and of eq. 11 in both directions.
const MaxAlpha = pipeline.MaxAlpha

// Limits bound what a Spec may ask for.
type Limits struct {
	Count, BestOf int
	Candidates    int // Count times BestOf
	Refine        int // 0 refuses refinements
	Seed          uint64
	NoiseModes    []NoiseMode // none means all
}

// DefaultLimits are those of a command.
func DefaultLimits() Limits {
	return Limits{
		Count: seeds.Max, BestOf: seeds.Max, Candidates: seeds.Max, Refine: 10_000, Seed: math.MaxUint64,
	}
}

// Plan is a Spec in which every field has a value that was checked.
type Plan struct {
	Manner
	Seeds  []uint64 // that are drawn, in this order
	Choice Choice
	BestOf int
	Refine int
	Score  bool
}

// Plan checks a Spec and fills in what it leaves out. The error is a *FieldError for the first invalid field.
func (m Model) Plan(s Spec, l Limits) (Plan, error) {
	p := Plan{
		Manner: Manner{
			Alpha: value(s.Alpha, m.Alpha), NoProjection: s.NoProjection, Diversity: s.Diversity,
		},
		BestOf: value(s.BestOf, 1), Refine: s.Refine, Score: s.Score || s.Refine > 0,
	}
	if err := p.synthesis(s.Settings, l); err != nil {
		return p, err
	}
	if err := check("alpha", p.Alpha, 0, MaxAlpha); err != nil {
		err.Remedy = fmt.Sprintf("`alpha` must be from 0 to %d (the release uses 1.75)", MaxAlpha)
		return p, err
	}
	if err := p.seed(s, l); err != nil {
		return p, err
	}
	if err := p.diversify(s, m.Generator.NumLayers()); err != nil {
		return p, err
	}
	return p, p.checkRefine(l)
}

// value returns what p points to, or the default.
func value[T any](p *T, otherwise T) T {
	if p != nil {
		return *p
	}
	return otherwise
}

// Synthesis checks noise mode and truncation alone.
func (s Settings) Synthesis() (m Manner, err error) { return m, m.synthesis(s, DefaultLimits()) }

func (m *Manner) synthesis(s Settings, l Limits) error {
	m.NoiseMode, m.TruncationPsi = cmp.Or(s.NoiseMode, RandomNoise), value(s.TruncationPsi, 1)
	modes := l.NoiseModes
	if len(modes) == 0 {
		modes = noise.Modes()
	}
	if err := checkChoice("noise_mode", m.NoiseMode, modes); err != nil {
		return err
	}
	if err := check("truncation_psi", m.TruncationPsi, -2, 2); err != nil {
		err.Remedy = "`truncation_psi` must be from -2 to 2; 1 truncates nothing"
		return err
	}
	return nil
}

// seed sets the seeds and the choice among them.
func (p *Plan) seed(s Spec, l Limits) error {
	count, begin := value(s.Count, 1), value(s.Seed, 0)
	if err := first(check("count", count, 1, l.Count), check("best_of", p.BestOf, 1, l.BestOf)); err != nil {
		return err
	}
	if len(s.Seeds) > 0 {
		p.Seeds = s.Seeds
		return s.checkSeeds(l)
	}
	total := count * p.BestOf // at most 10¹⁰
	if total > l.Candidates {
		return &FieldError{
			Code: Conflict, Field: "best_of", Value: p.BestOf, Other: "count", OtherValue: count,
			Remedy: fmt.Sprintf("`count` times `best_of` must be at most %d", l.Candidates),
		}
	}
	if err := first(check("seed", begin, 0, min(l.Seed, math.MaxUint64-uint64(total-1)))); err != nil {
		return err
	}
	for i := range uint64(total) {
		p.Seeds = append(p.Seeds, begin+i)
	}
	if p.BestOf > 1 {
		p.Choice, p.Score = Choice{Of: total, Keep: count}, true
	}
	return nil
}

// checkSeeds refuses seeds that are given twice or too large, and what says again which seeds are drawn.
func (s Spec) checkSeeds(l Limits) error {
	seen := map[uint64]bool{}
	for _, seed := range s.Seeds {
		if err := check("seeds", seed, 0, l.Seed); err != nil {
			return err
		}
		if seen[seed] {
			return &FieldError{Code: OutOfRange, Field: "seeds", Value: seed, Remedy: "`seeds` must name each seed once"}
		}
		seen[seed] = true
	}
	again := ""
	switch {
	case s.Count != nil:
		again = "count"
	case s.BestOf != nil:
		again = "best_of"
	case s.Seed != nil:
		again = "seed"
	case len(s.Seeds) > l.Count:
		remedy := fmt.Sprintf("`seeds` must be at most %d", l.Count)
		return &FieldError{Code: OutOfRange, Field: "seeds", Value: len(s.Seeds), Remedy: remedy}
	default:
		return nil
	}
	return &FieldError{
		Code: Conflict, Field: again, Other: "seeds",
		Remedy: "`seeds` draws one picture of each seed, `count` and `best_of` those from `seed` on: leave `" +
			again + "` or `seeds` out",
	}
}

// diversify sets what pictures differ in.
func (p *Plan) diversify(s Spec, layers int) error {
	inject, spread, given := value(s.InjectIndex, DefaultInject), value(s.Spread, DefaultSpread), p.Diversity
	if err := check("inject_index", inject, 0, layers); err != nil {
		err.Remedy = fmt.Sprintf("this generator has layers 0 to %d; 0 leaves all styles as predicted", layers)
		return err
	}
	if p.Diversity == "" {
		switch {
		case s.InjectIndex != nil:
			p.Diversity = ByStyle
		case s.Count != nil || s.BestOf != nil || s.Spread != nil:
			p.Diversity = ByZ
		default:
			p.Diversity = ByNoise
		}
	}
	if err := checkChoice("diversity", p.Diversity, Diversities()); err != nil {
		return err
	}
	if s.InjectIndex != nil && p.Diversity != ByStyle {
		return p.misplaced("inject_index", inject, ByStyle)
	}
	if s.Spread != nil && p.Diversity != ByZ {
		return p.misplaced("spread", spread, ByZ)
	}
	switch p.Diversity {
	case ByNoise:
		if value(s.Count, 1)*p.BestOf > 1 && p.NoiseMode != stylegan2.NoiseRandom {
			return &FieldError{
				Code: Conflict, Field: "diversity", Value: ByNoise, Other: "noise_mode", OtherValue: p.NoiseMode,
				Remedy: "all pictures of a text would be equal: leave `noise_mode` out, or use another `diversity`: style or z",
			}
		}
	case ByStyle:
		if inject == 0 && given != "" {
			return &FieldError{
				Code: Conflict, Field: "inject_index", Value: 0, Other: "diversity", OtherValue: ByStyle,
				Remedy: "no layer would take the seed's style: `inject_index` must be 1 or more",
			}
		}
		p.InjectIndex = inject
	case ByZ:
		if !(spread > 0 && spread <= 1) {
			return &FieldError{
				Code: OutOfRange, Field: "spread", Value: spread, Low: 0.0, High: 1.0,
				Remedy: "`spread` must be above 0 and at most 1; 1 ignores the text",
			}
		}
		p.Spread = spread
	}
	return nil
}

// misplaced is the error of a field that belongs to another diversity.
func (p *Plan) misplaced(field string, value any, of Diversity) error {
	return &FieldError{
		Code: Conflict, Field: field, Value: value, Other: "diversity", OtherValue: p.Diversity,
		Remedy: fmt.Sprintf("`%s` belongs to `diversity` %s: leave one of the two out", field, of),
	}
}

func (p *Plan) checkRefine(l Limits) error {
	if err := check("refine", p.Refine, 0, l.Refine); err != nil {
		return err
	}
	conflict := &FieldError{Code: Conflict, Field: "refine", Value: p.Refine}
	switch {
	case p.Refine > 0 && p.InjectIndex > 0:
		conflict.Other, conflict.OtherValue = "inject_index", p.InjectIndex
		conflict.Remedy = "`refine` moves the one z of all layers, as training does: use `diversity` noise or z"
	case p.Refine > 0 && p.TruncationPsi != 1:
		conflict.Other, conflict.OtherValue = "truncation_psi", p.TruncationPsi
		conflict.Remedy = "`refine` moves z without truncation, as training does: leave `truncation_psi` out"
	default:
		return nil
	}
	return conflict
}

// Recipes returns what the pictures of a text are drawn from, one of each seed, by the model of number model.
func (p Plan) Recipes(model int, text texts.Text) []Recipe {
	recipes := make([]Recipe, len(p.Seeds))
	for i, seed := range p.Seeds {
		recipes[i] = Recipe{Model: model, Text: text, Manner: p.Manner, Seed: seed, Score: p.Score, Refine: p.Refine}
	}
	return recipes
}

// of returns the spec of a text, whose own seed and alpha take the place of those that all texts share.
func (s Spec) of(t texts.Text) Spec {
	if t.Alpha != nil {
		s.Alpha = t.Alpha
	}
	if t.Seed == nil {
		return s
	}
	s.Seed = t.Seed
	if len(s.Seeds) > 0 { // one picture, unless Count or BestOf asks for more from the seed on
		s.Seed, s.Seeds = nil, []uint64{*t.Seed}
	}
	return s
}
