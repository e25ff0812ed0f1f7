package queue

import (
	"context"
	"slices"
	"time"

	"illustrator/draw"
	"illustrator/models/stylegan2"
)

const (
	// refineAtOnce is the number of pictures that take a step together, so that a step takes about as long as a batch and
	// little more memory.
	refineAtOnce = 4
	// stepCost is the number of pictures drawn in the time of a step of one: 2.3 with networks of full size, 2.8 with the
	// embedded ones, by `illustrator bench`.
	stepCost = 3
)

// stepsLeft bounds the number of steps of single pictures ahead. The lock is held.
func (q *Queue) stepsLeft() int {
	left := 0
	for _, s := range q.refining {
		left += s.of.Steps()
	}
	return left
}

// step takes one step of some of the pictures that are refined. One that has them all behind it is drawn with the next
// batch.
func (q *Queue) step(ctx context.Context) {
	chosen := q.nextSteps(refineAtOnce)
	if len(chosen) == 0 {
		return
	}
	failed := q.stepTogether(ctx, chosen)
	for _, s := range chosen {
		err := failed
		if failed != nil && len(chosen) > 1 {
			err = q.stepTogether(ctx, []step{s}) // one request's failure does not affect others
		}
		if err != nil {
			q.fail(s.job, err)
			continue
		}
		q.stepped(s)
	}
}

// nextSteps returns up to n pictures, one of each job in turn, and puts them behind all others.
func (q *Queue) nextSteps(n int) []step {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop()
	var chosen []step
	rest := q.refining
	for len(chosen) < n && len(rest) > 0 {
		var left []step
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
func (q *Queue) stepTogether(ctx context.Context, chosen []step) (err error) {
	defer recovered("refine", &err)
	began := time.Now()
	refinements := make([]*draw.Refinement, len(chosen))
	for i, s := range chosen {
		refinements[i] = s.of
	}
	if err := draw.Step(ctx, q.models[0].Networks, refinements); err != nil {
		return err
	}
	if q.limits.Stepped != nil {
		q.limits.Stepped(len(chosen), time.Since(began))
	}
	return nil
}

// stepped notes a step. A picture that has all of them behind it is drawn with the next batch.
func (q *Queue) stepped(s step) {
	if s.job.work.Stepped(s.of) {
		s.job.tell()
	}
	if !s.of.Done() {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.refining = slices.DeleteFunc(q.refining, func(x step) bool { return x.of == s.of })
	q.refined = append(q.refined, ticket{s.job, s.of.Redraw()})
}

// warmUpSteps compiles a step for the last of the shapes.
func (q *Queue) warmUpSteps(ctx context.Context, shapes []int) error {
	n := min(shapes[len(shapes)-1], refineAtOnce)
	if !q.limits.Refine || q.over() || len(shapes) > 1 && shapes[len(shapes)-2] >= n {
		return nil
	}
	m := q.models[0]
	var refinements []*draw.Refinement
	for range n {
		z, embed := make([]float32, m.Generator.StyleDim), make([]float32, m.CLIP.ProjectionDim)
		refinements = append(refinements, draw.NewRefinement(z, embed, 0, stylegan2.NoiseRandom, 1))
	}
	return draw.Step(ctx, m.Networks, refinements)
}
