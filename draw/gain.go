package draw

import "illustrator/data/texts"

// Gains compare pictures before and after BestOf and Refine; those that a plan does not have are nil.
type Gains struct {
	BestOf  *Gain `json:"best_of,omitempty"`
	Refined *Gain `json:"refined,omitempty"`
}

// Gain compares pictures before and after BestOf or Refine, and counts the cost. CLIP judges what CLIP chose or led:
// its similarity flatters.
type Gain struct {
	Of     int   `json:"of"` // candidates a picture, or steps
	Before Means `json:"before"`
	After  Means `json:"after"`
	Drawn  int   `json:"pictures_drawn"`
	// Seconds are the device's, of the candidates or of the refinements.
	Seconds float64 `json:"seconds"`

	texts [2][]texts.Text
	score [2][]Score
	loss  [2][]float64
}

// Means are the scores of pictures before or after.
type Means struct {
	Summary
	// Semantic is the mean of eq. 9, of refinements.
	Semantic *float64 `json:"semantic_loss,omitempty"`
}

// NewGains collects the gains of pictures of a plan.
func NewGains(p Plan) *Gains {
	var g Gains
	if p.BestOf > 1 {
		g.BestOf = &Gain{Of: p.BestOf}
	}
	if p.Refine > 0 {
		g.Refined = &Gain{Of: p.Refine}
	}
	return &g
}

// Add counts a finished picture. The pictures of one choice have their candidates in common.
func (g *Gains) Add(p *Picture) {
	text, chosen := p.Recipe.Text, p.Score
	if p.Refined != nil {
		chosen = p.first
	}
	if b := g.BestOf; b != nil && len(p.Candidates) > 0 {
		if p.rank == 0 {
			for _, c := range p.Candidates {
				b.add(0, text, *c.score)
				b.Drawn++
				b.Seconds += c.seconds
			}
		}
		b.add(1, text, *chosen)
	}
	if r := g.Refined; r != nil && p.Refined != nil {
		r.add(0, text, *chosen)
		r.add(1, text, *p.Score)
		r.loss[0], r.loss[1] = append(r.loss[0], p.Refined.Before.Semantic), append(r.loss[1], p.Refined.After.Semantic)
		r.Drawn += p.Refined.Drawn
		r.Seconds += p.seconds
	}
}

func (g *Gain) add(side int, text texts.Text, score Score) {
	g.texts[side], g.score[side] = append(g.texts[side], text), append(g.score[side], score)
}

// Close takes the means.
func (g *Gains) Close() {
	for _, gain := range []*Gain{g.BestOf, g.Refined} {
		if gain == nil {
			continue
		}
		for side, means := range []*Means{&gain.Before, &gain.After} {
			means.Summary = Summarize(gain.texts[side], gain.score[side])
			if n := len(gain.loss[side]); n > 0 {
				mean := 0.0
				for _, v := range gain.loss[side] {
					mean += v / float64(n)
				}
				means.Semantic = &mean
			}
		}
	}
}
