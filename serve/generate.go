package serve

import (
	"fmt"
	"slices"

	"illustrator/draw"
)

type generateRequest struct {
	Text string   `json:"text"`
	Runs []string `json:"runs"`
	draw.Spec
	Cartoon string `json:"cartoon"`
}

// planGenerate plans pictures of a text, by one run or by several to be compared.
func (s *Server) planGenerate(q generateRequest) (*work, error) {
	text, p := s.checkText("text", q.Text)
	if p != nil {
		return nil, p
	}
	runs := q.Runs
	if len(runs) == 0 {
		runs = []string{""}
	}
	if len(runs) > len(s.Models) {
		return nil, badField("runs", fmt.Sprintf("it names %d runs", len(runs)),
			fmt.Sprintf("this server has %d: name each once", len(s.Models)))
	}
	planned := &work{}
	for i, run := range runs {
		model, err := s.model("runs", run)
		if err != nil {
			return nil, err
		}
		if slices.Contains(runs[:i], run) {
			return nil, badField("runs", fmt.Sprintf("%q is given twice", run), "name each run once")
		}
		p, err := s.Models[model].Plan(q.Spec, s.limits())
		if err != nil {
			return nil, err
		}
		if all := len(p.Seeds) * len(runs); all > s.Limits.Waiting {
			return nil, badField("best_of", fmt.Sprintf("it asks for %d candidates of all pictures together", all),
				fmt.Sprintf("ask for at most %d", s.Limits.Waiting))
		}
		planned.choice, planned.gains = p.Choice, draw.NewGains(p)
		for _, recipe := range p.Recipes(model, text) {
			next, err := s.plan(recipe, q.Cartoon)
			if err != nil {
				return nil, err
			}
			planned.plans = append(planned.plans, next)
		}
	}
	return planned, nil
}

// limits are those of a request's pictures of one run. The queue bounds its candidates.
func (s *Server) limits() draw.Limits {
	return draw.Limits{
		Count: s.Limits.Pictures, BestOf: s.Limits.BestOf, Candidates: s.Limits.Pictures * s.Limits.BestOf,
		Refine: s.Limits.Refine, Seed: maxSeed, Alpha: maxAlpha,
		NoiseModes: []draw.NoiseMode{warmNoise},
	}
}
