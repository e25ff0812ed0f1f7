package serve

import (
	"fmt"
	"slices"

	"illustrator/data/texts"
	"illustrator/draw"
)

type generateRequest struct {
	Text string   `json:"text"`
	Runs []string `json:"runs"`
	// Alphas draw the seeds once each, in place of Alpha: the rows of a sheet.
	Alphas []float64 `json:"alphas"`
	draw.Spec
	Cartoon string `json:"cartoon"`
}

// planGenerate plans pictures of a text, by one run or by several to be compared.
func (s *studio) planGenerate(q generateRequest) (*work, error) {
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
		if err := s.planRun(planned, model, text, q, len(runs)); err != nil {
			return nil, err
		}
	}
	return planned, nil
}

// planRun adds the pictures of one run, once for each strength. runs is the number of runs.
func (s *studio) planRun(planned *work, model int, text texts.Text, q generateRequest, runs int) error {
	rows, err := s.Models[model].Requests(q.Spec, q.Alphas, s.limits(), text)
	if err != nil {
		return err
	}
	tokens := s.Models[model].Tokenizer.Encode(text.Text)
	for _, row := range rows {
		p := row.Plan
		switch all := len(p.Seeds) * len(rows) * runs; {
		case len(rows) > 1 && all > s.Limits.Pictures*runs:
			return badField("alphas", fmt.Sprintf("the sheet has %d pictures", all), fmt.Sprintf("ask for at most %d",
				s.Limits.Pictures))
		case all > s.Limits.Waiting:
			return badField("best_of", fmt.Sprintf("it asks for %d candidates of all pictures together", all),
				fmt.Sprintf("ask for at most %d", s.Limits.Waiting))
		}
		planned.choice, planned.gains = p.Choice, draw.NewGains(p)
		for _, recipe := range p.Recipes(model, text) {
			recipe.Tokens = &tokens
			next, err := s.plan(recipe, q.Cartoon)
			if err != nil {
				return err
			}
			planned.plans = append(planned.plans, next)
		}
	}
	return nil
}

// limits are those of a request's pictures of one run. The queue bounds its candidates.
func (s *studio) limits() draw.Limits {
	return draw.Limits{
		Count: s.Limits.Pictures, BestOf: s.Limits.BestOf, Candidates: s.Limits.Pictures * s.Limits.BestOf,
		Refine: s.Limits.Refine, Seed: maxSeed,
		NoiseModes: []draw.NoiseMode{warmNoise},
	}
}
