package queue

import (
	"context"
	"fmt"
	"strings"
	"time"

	"illustrator/draw"
)

// Run draws what is added until the queue is closed and empty, or ctx ends, which fails what still waits. It begins by
// warming up: each program is compiled for one number of rows after the other, the smallest first, and a batch of what
// waits is drawn between two. ready is called when all are compiled, from when on no request waits for a compilation.
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
		if q.limits.Compiled != nil && !q.over() { // what was stopped is not compiled
			q.limits.Compiled(q.limits.Shapes[i])
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

// serve draws a batch. If it fails, each picture is drawn alone, so that one request's failure does not affect others.
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
	for _, s := range q.refining {
		s.job.fail(err)
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
	var recipes []*draw.Recipe
	for _, t := range tickets {
		if t.job.ctx.Err() == nil {
			wanted, recipes = append(wanted, t), append(recipes, t.task.Recipe)
		} else {
			q.fail(t.job, context.Cause(t.job.ctx))
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	pictures, err := draw.Batch(ctx, q.models, recipes)
	if err != nil {
		return err
	}
	for i, t := range wanted {
		q.put(t, pictures[i])
	}
	return nil
}

// put gives a picture to its job's work, and hands on what that finishes or begins.
func (q *Queue) put(t ticket, p *draw.Picture) {
	finished, begin := t.job.work.Put(t.task, p)
	q.mu.Lock()
	if !t.job.over {
		q.held += t.job.work.Held() - t.job.held
		t.job.held = t.job.work.Held()
		for _, r := range begin {
			q.refining = append(q.refining, step{t.job, r})
		}
	}
	q.mu.Unlock()
	for _, p := range finished {
		t.job.pictures <- p // it has room for all
	}
	if len(finished) == 0 {
		t.job.tell()
	}
}

// tell lets the client know how far its job is. What it has not read of before is out of date.
func (j *Job) tell() {
	p, ok := j.work.Progress()
	if !ok {
		return
	}
	select {
	case <-j.progress:
	default:
	}
	j.progress <- p // the worker alone writes, so that there is room
}

// warmUp draws with each program in the last of the shapes, and lets batches have all of them.
func (q *Queue) warmUp(ctx context.Context, shapes []int) error {
	n := shapes[len(shapes)-1]
	for model, m := range q.models {
		m.Shapes = shapes
		blank := make([]float32, 3*m.Generator.Size*m.Generator.Size)
		manner := draw.Manner{TruncationPsi: 1}
		for _, warm := range []draw.Recipe{
			{Manner: manner, Score: true}, {Manner: draw.Manner{TruncationPsi: 0.7}},
			{Manner: manner, Origin: &draw.Origin{Text: "a picture", Pixels: blank}},
		} {
			if q.over() {
				return nil
			}
			recipes := make([]*draw.Recipe, n)
			for i := range recipes {
				r := warm
				r.Model = model
				r.Text.Text = fmt.Sprintf("picture %d", i) // texts of their own, so that as many are embedded
				if r.Origin != nil {                       // and long ones, which have a program of their own
					r.Text.Text += strings.Repeat(" again", m.Tokenizer.Context())
				}
				recipes[i] = &r
			}
			if _, err := draw.Batch(ctx, q.models, recipes); err != nil {
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
