package draw

import (
	"cmp"
	"slices"
)

// Choice keeps the best of a request's pictures: of each Of in their order, the Keep whose similarity with their text
// is highest, the best first. The zero Choice keeps all. Pictures that are chosen from must ask for their Score.
type Choice struct{ Of, Keep int }

// results returns the number of pictures that are kept of n.
func (c Choice) results(n int) int {
	if c.Of == 0 {
		return n
	}
	return n / c.Of * c.Keep
}

// Candidate is a picture that others were chosen before, or that was chosen.
type Candidate struct {
	Seed           uint64  `json:"seed"`
	CLIPSimilarity float64 `json:"clip_similarity"`

	score   *Score
	seconds float64
}

// group are the candidates of a choice.
type group struct {
	seen       int
	candidates []Candidate
	best       []*Picture // of those that were seen
}

// Progress counts the work of a request that has no picture to show yet.
type Progress struct {
	// Stage is "candidates", which are drawn to be chosen from, or "refine", whose steps are counted.
	Stage string `json:"stage"`
	Done  int    `json:"done"`
	Of    int    `json:"of"`
}

// Work is the pictures of one request on their way from Batch to its client. It is for one goroutine at a time.
type Work struct {
	recipes []Recipe
	choice  Choice
	next    int
	groups  []group
	steps   int // of refinements that were taken
	held    int // refinements that are not finished
}

// NewWork begins the work on recipes, of which choice keeps the best.
func NewWork(recipes []Recipe, choice Choice) *Work {
	w := &Work{recipes: recipes, choice: choice}
	if choice.Of > 0 {
		w.groups = make([]group, len(recipes)/choice.Of)
		for i := range w.groups {
			w.groups[i].candidates = make([]Candidate, choice.Of)
		}
	}
	return w
}

// Task is a recipe to be drawn.
type Task struct {
	Recipe *Recipe
	place  int
	ends   *Refinement // that this is the last picture of; nil where it was not drawn before
}

// Recipes returns the number of pictures that are drawn in all, without the last ones of refinements.
func (w *Work) Recipes() int { return len(w.recipes) }

// Results returns the number of pictures that the client gets.
func (w *Work) Results() int { return w.choice.results(len(w.recipes)) }

// waiting returns the number of recipes that Take has not returned.
func (w *Work) waiting() int { return len(w.recipes) - w.next }

// Held returns the number of pictures that were drawn and are not finished: the best candidates so far, and those in
// refinement.
func (w *Work) Held() int {
	held := w.held
	for i := range w.groups {
		held += len(w.groups[i].best)
	}
	return held
}

// Take returns the next recipe; there must be one.
func (w *Work) Take() Task {
	t := Task{Recipe: &w.recipes[w.next], place: w.next}
	w.next++
	return t
}

// Put takes the picture of a task. It returns pictures that are finished, and refinements that begin: each is to take
// steps until it is Done, and then its Redraw.
func (w *Work) Put(t Task, p *Picture) (finished []*Picture, begin []*Refinement) {
	p.Index, p.Place = t.place, t.place
	if t.ends != nil {
		w.held--
		return []*Picture{t.ends.result(p)}, nil
	}
	chosen := []*Picture{p}
	if w.choice.Of > 0 {
		chosen = w.choose(p)
	}
	for _, p := range chosen {
		if p.Recipe.Refine == 0 {
			finished = append(finished, p)
			continue
		}
		w.held++
		p.Pixels = nil // it is drawn again
		r := NewRefinement(p.Z, slices.Clone(p.ImageEmbed), p.Recipe.Seed, p.Recipe.noise(), p.Recipe.Refine)
		r.work, r.picture = w, p
		begin = append(begin, r)
	}
	return finished, begin
}

// choose ranks a candidate. When it is the last of its group, the best are returned.
func (w *Work) choose(p *Picture) []*Picture {
	c, g := w.choice, &w.groups[p.Place/w.choice.Of]
	g.candidates[p.Place%c.Of] = Candidate{p.Recipe.Seed, p.Score.CLIPSimilarity, p.Score, p.seconds}
	g.seen++
	p.Pixels = slices.Clone(p.Pixels) // not to hold the whole batch in memory
	if p.Recipe.Refine > 0 {
		p.Pixels = nil // it is drawn again
	}
	g.best = append(g.best, p)
	slices.SortStableFunc(g.best, func(a, b *Picture) int {
		return cmp.Or(cmp.Compare(b.Score.CLIPSimilarity, a.Score.CLIPSimilarity), cmp.Compare(a.Place, b.Place))
	})
	g.best = g.best[:min(len(g.best), c.Keep)]
	if g.seen < c.Of {
		return nil
	}
	best := g.best
	g.best = nil
	for rank, p := range best {
		p.Index, p.Candidates, p.rank = p.Place/c.Of*c.Keep+rank, g.candidates, rank
	}
	return best
}

// Progress returns how far the work is, of the stage that is under way.
func (w *Work) Progress() (p Progress, ok bool) {
	if w.held > 0 && w.steps > 0 {
		return Progress{"refine", w.steps, w.Results() * w.recipes[0].Refine}, true
	}
	seen := 0
	for i := range w.groups {
		seen += w.groups[i].seen
	}
	return Progress{"candidates", seen, len(w.recipes)}, seen > 0
}

// Stepped counts a step of a refinement, and reports whether it was one: the first round only judges the z that a
// picture began with.
func (w *Work) Stepped(r *Refinement) bool {
	if r.rounds <= 1 {
		return false
	}
	w.steps++
	return true
}

// Redraw is the task that draws the best z of a refinement, to be Put when it is drawn.
func (r *Refinement) Redraw() Task {
	again := *r.picture.Recipe
	again.Z, again.ImageEmbed, again.TextEmbed = r.best, r.imageEmbed, r.picture.TextEmbed
	again.Score = r.picture.Score != nil
	return Task{Recipe: &again, place: r.picture.Place, ends: r}
}

// result is the picture after its refinement, drawn as p.
func (r *Refinement) result(p *Picture) *Picture {
	before := r.picture
	p.Recipe, p.Index, p.Candidates, p.rank = before.Recipe, before.Index, before.Candidates, before.rank
	p.first = before.Score
	p.seconds = r.seconds + p.seconds
	p.Refined = &Refined{Steps: r.steps, Before: r.before, After: r.after, Drawn: r.rounds + 1}
	if before.Score != nil {
		p.Refined.SimilarityBefore = before.Score.CLIPSimilarity
	}
	p.Offset = make([]float32, len(p.w))
	for i := range p.Offset {
		p.Offset[i] = p.w[i] - before.w[i]
	}
	return p
}
