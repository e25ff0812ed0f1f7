package queue

import (
	"context"
	"fmt"
	"time"
)

// Run draws what is added until the queue is closed and empty, or ctx ends, which fails what still waits. It begins by warming
// up: each program is compiled for one number of rows after the other, the smallest first, and a batch of what waits is drawn
// between two. ready is called when all are compiled, from when on no request waits for a compilation.
func (q *Queue) Run(ctx context.Context, ready func()) (err error) {
	defer func() {
		if err != nil {
			q.failAll(err)
		}
	}()
	for i := range q.limits.Shapes {
		if err := q.warmUp(ctx, q.limits.Shapes[:i+1]); err != nil {
			return err
		}
		q.serve(ctx, q.tryTake())
		q.step(ctx)
	}
	if q.over() {
		return nil
	}
	ready()
	for {
		tickets, more, err := q.take(ctx)
		if !more || err != nil {
			return err
		}
		q.serve(ctx, tickets)
		q.step(ctx)
	}
}

// serve draws a batch. If it fails, each picture is drawn alone, so that one request's failure is no other's.
func (q *Queue) serve(ctx context.Context, tickets []ticket) {
	if len(tickets) == 0 {
		return
	}
	began := time.Now()
	err := q.draw(ctx, tickets)
	q.measured(tickets, time.Since(began))
	if err == nil {
		return
	}
	for _, t := range tickets {
		if len(tickets) > 1 {
			err = q.draw(ctx, []ticket{t})
		}
		if err != nil {
			q.fail(t.job, err)
		}
	}
}

// fail ends a job.
func (q *Queue) fail(j *Job, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	j.fail(err)
	q.release(j)
}

func (j *Job) fail(err error) {
	select {
	case j.failed <- err:
	default: // it failed already
	}
}

func (q *Queue) failAll(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, j := range q.jobs {
		j.fail(err)
	}
	for _, r := range q.refining {
		r.job.fail(err)
	}
	for _, t := range q.refined {
		t.job.fail(err)
	}
	q.jobs, q.refining, q.refined, q.waiting, q.held = nil, nil, nil, 0, 0
}

// recovered turns a panic, of graph code, into an error.
func recovered(what string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: %v", what, r)
	}
}

// draw draws pictures and hands them on.
func (q *Queue) draw(ctx context.Context, tickets []ticket) (err error) {
	defer recovered("draw", &err)
	var wanted []ticket
	var pictures []*Picture
	for _, t := range tickets {
		if t.job.ctx.Err() == nil {
			wanted, pictures = append(wanted, t), append(pictures, t.picture())
		} else {
			q.fail(t.job, context.Cause(t.job.ctx))
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	drawn, err := draw(ctx, q.models, pictures)
	if err != nil {
		return err
	}
	for i, t := range wanted {
		drawn[i].Index, drawn[i].Picture = t.index, t.index
		q.arrived(t, drawn[i])
	}
	return nil
}

// warmUp draws with each program in the last of the shapes, and lets batches have all of them.
func (q *Queue) warmUp(ctx context.Context, shapes []int) error {
	n := shapes[len(shapes)-1]
	for model, m := range q.models {
		m.Shapes = shapes
		blank := make([]float32, 3*m.Generator.Size*m.Generator.Size)
		for _, warm := range []Picture{
			{TruncationPsi: 1, Score: true}, {TruncationPsi: 0.7}, {TruncationPsi: 1, Origin: &Origin{Text: "a picture", Pixels: blank}},
		} {
			if q.over() {
				return nil
			}
			pictures := make([]*Picture, n)
			for i := range pictures {
				p := warm
				p.Model = model
				p.Text = fmt.Sprintf("picture %d", i) // texts of their own, so that as many are embedded
				pictures[i] = &p
			}
			if _, err := draw(ctx, q.models, pictures); err != nil {
				return fmt.Errorf("warm up %s: %w", m.Name, err)
			}
		}
	}
	if err := q.warmUpSteps(ctx, shapes); err != nil {
		return fmt.Errorf("warm up: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.batch = n
	return nil
}
