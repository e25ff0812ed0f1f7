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
	}
	if q.over() {
		return nil
	}
	ready()
	for {
		tickets, err := q.take(ctx)
		if len(tickets) == 0 || err != nil {
			return err
		}
		q.serve(ctx, tickets)
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
			t.fail(err)
		}
	}
}

func (t ticket) fail(err error) {
	select {
	case t.job.failed <- err:
	default: // it failed already
	}
}

func (q *Queue) failAll(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, j := range q.jobs {
		ticket{job: j}.fail(err)
	}
	q.jobs, q.waiting = nil, 0
}

// draw draws pictures and hands them to their jobs.
func (q *Queue) draw(ctx context.Context, tickets []ticket) (err error) {
	defer func() {
		if r := recover(); r != nil { // graph code panics
			err = fmt.Errorf("draw: %v", r)
		}
	}()
	var wanted []ticket
	var pictures []*Picture
	for _, t := range tickets {
		if t.job.ctx.Err() == nil {
			wanted, pictures = append(wanted, t), append(pictures, t.picture())
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
		drawn[i].Index = t.index
		t.job.drawn <- drawn[i] // it has room for all
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
	q.mu.Lock()
	defer q.mu.Unlock()
	q.batch = n
	return nil
}
