package queue

import (
	"context"
	"slices"
	"time"

	"illustrator/models/stylegan2"
	"illustrator/refine"
)

const (
	// refineAtOnce is how many pictures take a step together, so that a step takes about as long as a batch and little more
	// memory.
	refineAtOnce = 4
	// stepCost is how many pictures are drawn in the time of a step of one: 2.3 with networks of full size, 2.8 with the
	// embedded ones, by `illustrator bench`.
	stepCost = 3
)

// Refined is what a refinement did to a picture.
type Refined struct {
	Steps            int         `json:"steps"`
	SimilarityBefore float64     `json:"clip_similarity_before"`
	Before           refine.Loss `json:"losses_before"`
	After            refine.Loss `json:"losses_after"`
	// Drawn is how many pictures it took, all but the last with a gradient; Seconds is its share of the device's time.
	Drawn   int     `json:"pictures_drawn"`
	Seconds float64 `json:"seconds"`
}

// refinement is a picture that is being refined.
type refinement struct {
	*refine.Picture
	job     *Job
	first   Drawn // as it was before
	steps   int
	seconds float64
}

// options are those of `illustrator generate --refine`; pictures have the noise of their seeds.
var options = refine.Options{
	NoiseMode: stylegan2.NoiseRandom, LearningRate: refine.DefaultLearningRate, Regularization: refine.DefaultRegularization,
}

// refine begins the refinement of a picture that was drawn.
func (q *Queue) refine(j *Job, d Drawn) {
	p := &j.pictures[d.Picture]
	d.Pixels = nil // it is drawn again
	r := &refinement{Picture: refine.NewPicture(slices.Clone(d.z), slices.Clone(d.ImageEmbed), p.Seed), job: j, first: d, steps: p.Refine}
	q.hold(j, 1)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refining = append(q.refining, r)
}

// stepsLeft is how many steps of single pictures are ahead, or a few more. The lock is held.
func (q *Queue) stepsLeft() int {
	left := 0
	for _, r := range q.refining {
		left += r.steps
	}
	return left
}

// step takes one step of some of the pictures that are refined. One that has them all behind it is drawn with the next batch.
func (q *Queue) step(ctx context.Context) {
	chosen := q.nextSteps(refineAtOnce)
	if len(chosen) == 0 {
		return
	}
	failed := q.stepTogether(ctx, chosen)
	for _, r := range chosen {
		err := failed
		if failed != nil && len(chosen) > 1 {
			err = q.stepTogether(ctx, []*refinement{r}) // one request's failure is no other's
		}
		if err != nil {
			q.fail(r.job, err)
			continue
		}
		q.stepped(r)
	}
}

// nextSteps returns up to n pictures, one of each job in turn, and puts them behind all others.
func (q *Queue) nextSteps(n int) []*refinement {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop()
	var chosen []*refinement
	rest := q.refining
	for len(chosen) < n && len(rest) > 0 {
		var left []*refinement
		turn := map[*Job]bool{}
		for _, r := range rest {
			if len(chosen) < n && !turn[r.job] {
				turn[r.job], chosen = true, append(chosen, r)
			} else {
				left = append(left, r)
			}
		}
		rest = left
	}
	q.refining = append(slices.Clone(rest), chosen...)
	return chosen
}

// stepTogether takes a step of pictures in one call of the device.
func (q *Queue) stepTogether(ctx context.Context, chosen []*refinement) (err error) {
	defer recovered("refine", &err)
	began := time.Now()
	pictures := make([]*refine.Picture, len(chosen))
	for i, r := range chosen {
		pictures[i] = r.Picture
	}
	if err := refine.Step(ctx, q.models[0].Networks, options, pictures); err != nil {
		return err
	}
	took := time.Since(began)
	for _, r := range chosen {
		r.seconds += took.Seconds() / float64(len(chosen))
	}
	if q.limits.Stepped != nil {
		q.limits.Stepped(len(chosen), took)
	}
	return nil
}

// stepped notes a step. The first round only judges the z that a picture began with.
func (q *Queue) stepped(r *refinement) {
	j := r.job
	if r.Rounds > 1 {
		j.steps++
		j.tell(Progress{"refine", j.steps, j.Pictures() * r.steps})
	}
	if r.Rounds <= r.steps {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refining = slices.DeleteFunc(q.refining, func(x *refinement) bool { return x == r })
	q.refined = append(q.refined, ticket{job: j, index: r.first.Picture, refined: r})
}

// result is the picture after its refinement, drawn as d.
func (r *refinement) result(d Drawn) Drawn {
	d.Index, d.Candidates = r.first.Index, r.first.Candidates
	d.Refined = &Refined{
		Steps: r.steps, SimilarityBefore: r.first.Similarity, Before: r.Before, After: r.After, Drawn: r.Rounds + 1, Seconds: r.seconds,
	}
	return d
}

// warmUpSteps compiles a step for the last of the shapes.
func (q *Queue) warmUpSteps(ctx context.Context, shapes []int) error {
	n := min(shapes[len(shapes)-1], refineAtOnce)
	if !q.limits.Refine || q.over() || len(shapes) > 1 && shapes[len(shapes)-2] >= n {
		return nil
	}
	m := q.models[0]
	var pictures []*refine.Picture
	for range n {
		pictures = append(pictures, refine.NewPicture(make([]float32, m.Generator.StyleDim), make([]float32, m.CLIP.ProjectionDim), 0))
	}
	return refine.Step(ctx, m.Networks, options, pictures)
}
