package serve

import (
	"fmt"
	"slices"

	"illustrator/serve/queue"
)

type generateRequest struct {
	Text string   `json:"text"`
	Runs []string `json:"runs"`
	// Count pictures are drawn for each run, of the seeds from Seed on.
	Count *int `json:"count"`
	settings
	// Score asks how well each picture matches the text.
	Score bool `json:"score"`
	// BestOf candidates are drawn for each picture, of a seed each, and those kept that CLIP ranks first.
	BestOf *int `json:"best_of"`
	// Refine is the number of steps that each picture's z is refined by.
	Refine int `json:"refine"`
}

// planGenerate plans pictures of a text, by one run or by several to be compared.
func (s *Server) planGenerate(q generateRequest) (*work, error) {
	text, p := s.checkText("text", q.Text)
	if p != nil {
		return nil, p
	}
	count, bestOf := 1, 1
	if q.Count != nil {
		count = *q.Count
	}
	if q.BestOf != nil {
		bestOf = *q.BestOf
	}
	runs := q.Runs
	if len(runs) == 0 {
		runs = []string{""}
	}
	if len(runs) > len(s.Models) {
		return nil, badField("runs", fmt.Sprintf("it names %d runs", len(runs)), fmt.Sprintf("this server has %d: name each once", len(s.Models)))
	}
	if count < 1 || count > s.Limits.Pictures {
		return nil, badField("count", fmt.Sprintf("it is %d", count), fmt.Sprintf("one request draws 1 to %d pictures of a run", s.Limits.Pictures))
	}
	if err := s.checkImprovement(&q, count*len(runs), bestOf); err != nil {
		return nil, err
	}
	planned := &work{bestOf: bestOf}
	if bestOf > 1 {
		planned.choice = queue.Choice{Of: count * bestOf, Keep: count}
	}
	for i, run := range runs {
		model, err := s.model("runs", run)
		if err != nil {
			return nil, err
		}
		if slices.Contains(runs[:i], run) {
			return nil, badField("runs", fmt.Sprintf("%q is given twice", run), "name each run once")
		}
		base, err := q.plan(s, model)
		if err != nil {
			return nil, err
		}
		base.draw.Score, base.draw.Refine = q.Score || bestOf > 1 || q.Refine > 0, q.Refine
		for k := range uint64(count * bestOf) {
			planned.plans = append(planned.plans, base.of(s.Models[model], text, q.Seed+k))
		}
	}
	return planned, nil
}

// checkImprovement checks best_of and refine of a request for so many pictures. Candidates differ in z where nothing else is said.
func (s *Server) checkImprovement(q *generateRequest, pictures, bestOf int) error {
	switch {
	case bestOf < 1 || bestOf > s.Limits.BestOf:
		return badField("best_of", fmt.Sprintf("it is %d", bestOf), fmt.Sprintf("a picture is chosen from 1 to %d candidates", s.Limits.BestOf))
	case pictures*bestOf > s.Limits.Waiting:
		return badField("best_of", fmt.Sprintf("it asks for %d candidates of all pictures together", pictures*bestOf), fmt.Sprintf("ask for at most %d", s.Limits.Waiting))
	case q.Refine < 0 || q.Refine > s.Limits.Refine:
		hint := fmt.Sprintf("a picture is refined by 0 to %d steps", s.Limits.Refine)
		if s.Limits.Refine == 0 {
			hint = "this server refines no pictures: leave it out"
		}
		return badField("refine", fmt.Sprintf("it is %d", q.Refine), hint)
	case q.Refine > 0 && q.Diversity == byStyle:
		return badField("refine", "it moves the one z of all layers, as training does, and diversity style has styles of the seed", "give diversity noise or z")
	case q.Refine > 0 && q.TruncationPsi != nil && *q.TruncationPsi != 1:
		return badField("refine", "it moves z without truncation, as training does", "leave truncation_psi out")
	}
	if bestOf > 1 && q.Diversity == "" {
		q.Diversity = byZ
	}
	return nil
}

// gain is what best_of or refine gained, as means over the pictures, and what it cost.
type gain struct {
	Of     int     `json:"of"` // candidates a picture, or steps
	Before float64 `json:"clip_similarity_before"`
	After  float64 `json:"clip_similarity_after"`
	// SemanticBefore and SemanticAfter are eq. 9, of a refinement.
	SemanticBefore *float64 `json:"semantic_loss_before,omitempty"`
	SemanticAfter  *float64 `json:"semantic_loss_after,omitempty"`
	Drawn          int      `json:"pictures_drawn"`
	// Seconds are the device's, of a refinement; those of candidates are shared with other requests.
	Seconds float64 `json:"seconds,omitempty"`
}

// chosenGain is the gain of best_of: candidates against those that were kept, as they were before a refinement.
func chosenGain(w *work, pictures []answered) *gain {
	if w.choice.Of == 0 || len(pictures) == 0 {
		return nil
	}
	g := &gain{Of: w.bestOf, Drawn: len(w.plans)}
	for i, p := range pictures {
		kept := *p.Similarity
		if p.Refined != nil {
			kept = p.Refined.SimilarityBefore
		}
		g.After += kept / float64(len(pictures))
		if i%w.choice.Keep == 0 { // a group has its candidates in common
			for _, c := range p.Candidates {
				g.Before += c.CLIPSimilarity / float64(len(w.plans))
			}
		}
	}
	return g
}

// refinedGain is the gain of refine.
func refinedGain(pictures []answered) *gain {
	if len(pictures) == 0 || pictures[0].Refined == nil {
		return nil
	}
	g := &gain{Of: pictures[0].Refined.Steps, SemanticBefore: new(float64), SemanticAfter: new(float64)}
	n := float64(len(pictures))
	for _, p := range pictures {
		r := p.Refined
		g.Before += r.SimilarityBefore / n
		g.After += *p.Similarity / n
		*g.SemanticBefore += r.Before.Semantic / n
		*g.SemanticAfter += r.After.Semantic / n
		g.Drawn += r.Drawn
		g.Seconds += r.Seconds
	}
	return g
}
