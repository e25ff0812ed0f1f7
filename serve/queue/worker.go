package queue

import (
	"context"
	"fmt"
	"time"
)

// Run warms up, calls ready, and draws what is added until the queue is closed and empty, or ctx ends, which fails what
// still waits.
func (q *Queue) Run(ctx context.Context, ready func()) error {
	if err := q.warmUp(ctx); err != nil {
		q.failAll(err)
		return err
	}
	ready()
	for {
		tickets, err := q.take(ctx)
		if err != nil {
			q.failAll(err)
			return err
		}
		if len(tickets) == 0 {
			return nil
		}
		q.serve(ctx, tickets)
	}
}

// serve draws a batch. If it fails, each picture is drawn alone, so that one request's failure is no other's.
func (q *Queue) serve(ctx context.Context, tickets []ticket) {
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
	for model := range q.models {
		var of []ticket
		for _, t := range tickets {
			if t.picture().Model == model && t.job.ctx.Err() == nil {
				of = append(of, t)
			}
		}
		if len(of) == 0 {
			continue
		}
		pictures := make([]*Picture, len(of))
		for i, t := range of {
			pictures[i] = t.picture()
		}
		drawn, err := q.models[model].draw(ctx, pictures)
		if err != nil {
			return err
		}
		for i, t := range of {
			drawn[i].Index = t.index
			t.job.drawn <- drawn[i] // it has room for all
		}
	}
	return nil
}

// warmUp draws with each program in each of its shapes, so that no request waits for a compilation.
func (q *Queue) warmUp(ctx context.Context) error {
	for _, m := range q.models {
		size := m.Generator.Size
		for _, n := range q.limits.Shapes {
			pictures := make([]*Picture, n)
			for i := range pictures {
				p := Picture{Text: fmt.Sprintf("picture %d", i), Alpha: 1, TruncationPsi: 1, Score: true}
				pictures[i] = &p
			}
			variants := []func(*Picture){
				func(*Picture) {},
				func(p *Picture) { p.TruncationPsi = 0.7 },
				func(p *Picture) { p.Origin = &Origin{Text: "a picture", Pixels: make([]float32, 3*size*size)} },
			}
			for _, change := range variants {
				for _, p := range pictures {
					change(p)
				}
				if _, err := m.draw(ctx, pictures); err != nil {
					return fmt.Errorf("warm up %s: %w", m.Name, err)
				}
			}
		}
	}
	return nil
}
