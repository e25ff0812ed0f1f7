package queue

import (
	"cmp"
	"slices"
)

// Choice keeps the best of a job's pictures: of each Of in their order, the Keep whose similarity with their text is highest,
// the best first. The zero Choice keeps all. Pictures that are chosen from must ask for their Score.
type Choice struct{ Of, Keep int }

// results is how many of n pictures are kept.
func (c Choice) results(n int) int {
	if c.Of == 0 {
		return n
	}
	return n / c.Of * c.Keep
}

func (c Choice) groups(n int) []group {
	if c.Of == 0 {
		return nil
	}
	groups := make([]group, n/c.Of)
	for i := range groups {
		groups[i].candidates = make([]Candidate, c.Of)
	}
	return groups
}

// Candidate is a picture that others were chosen before, or that was chosen.
type Candidate struct {
	Seed           uint64  `json:"seed"`
	CLIPSimilarity float64 `json:"clip_similarity"`
}

// group are the candidates of a choice.
type group struct {
	seen       int
	candidates []Candidate
	best       []Drawn // of those that were seen
}

// Progress is how far a job is that has no picture to show yet.
type Progress struct {
	// Stage is "candidates", which are drawn to be chosen from, or "refine", whose steps are counted.
	Stage string `json:"stage"`
	Done  int    `json:"done"`
	Of    int    `json:"of"`
}

// tell lets the client know. What it has not read of before is out of date.
func (j *Job) tell(p Progress) {
	select {
	case <-j.progress:
	default:
	}
	j.progress <- p // the worker alone writes, so that there is room
}

// hold counts n more pictures of a job that were drawn and are not given away.
func (q *Queue) hold(j *Job, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !j.over {
		j.held += n
		q.held += n
	}
}

// arrived hands a picture on that was drawn: to the choice, to the refinement, or to the client.
func (q *Queue) arrived(t ticket, d Drawn) {
	switch {
	case t.refined != nil:
		q.hold(t.job, -1)
		t.job.drawn <- t.refined.result(d)
	case t.job.choice.Of > 0:
		q.choose(t.job, d)
	default:
		q.chosen(t.job, d)
	}
}

// choose ranks a candidate. When it is the last of its group, the best go on.
func (q *Queue) choose(j *Job, d Drawn) {
	c := j.choice
	g := &j.groups[d.Picture/c.Of]
	p := &j.pictures[d.Picture]
	g.candidates[d.Picture%c.Of] = Candidate{p.Seed, d.Similarity}
	g.seen++
	before := len(g.best)
	d.Pixels = slices.Clone(d.Pixels) // not to hold the whole batch in memory
	if p.Refine > 0 {
		d.Pixels = nil // it is drawn again
	}
	g.best = append(g.best, d)
	slices.SortStableFunc(g.best, func(a, b Drawn) int {
		return cmp.Or(cmp.Compare(b.Similarity, a.Similarity), cmp.Compare(a.Picture, b.Picture))
	})
	g.best = g.best[:min(len(g.best), c.Keep)]
	q.hold(j, len(g.best)-before)
	seen := 0
	for i := range j.groups {
		seen += j.groups[i].seen
	}
	j.tell(Progress{"candidates", seen, len(j.pictures)})
	if g.seen < c.Of {
		return
	}
	for rank, best := range g.best {
		best.Index, best.Candidates = d.Picture/c.Of*c.Keep+rank, g.candidates
		q.hold(j, -1)
		q.chosen(j, best)
	}
	g.best = nil
}

// chosen hands a picture on that is wanted.
func (q *Queue) chosen(j *Job, d Drawn) {
	if p := &j.pictures[d.Picture]; p.Refine > 0 {
		q.refine(j, d)
		return
	}
	j.drawn <- d // it has room for all
}
