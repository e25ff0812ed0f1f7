// Package queue draws the pictures of many requests on one device: a bounded queue in front of one worker, which owns
// the networks and draws pictures of several requests in one batch.
//
// Networks are for one goroutine at a time. A lock around them would serve requests one by one, and a device that could
// draw thirty pictures in little more time than one would mostly wait; a worker that took whole requests of equal
// settings would batch only users who move no slider. So the queue holds single pictures, and the worker joins whatever
// waits stage by stage: texts, projections with an α each, z, styles of equal truncation, pictures.
//
// A refinement takes many steps, each several times as long as a picture. So between two batches the worker takes one
// step, of a few pictures of any requests: others wait for a step at most, and a client that leaves is noticed after
// one.
package queue

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"

	"illustrator/draw"
)

// ErrClosed is returned for pictures that are added after Close.
var ErrClosed = errors.New("the server is shutting down")

// BusyError is returned for pictures that the queue has no room for.
type BusyError struct {
	// RetryAfter is when there should be room, by the speed of the last pictures.
	RetryAfter time.Duration
}

func (e *BusyError) Error() string {
	return "too many pictures are waiting already"
}

// Job is the pictures that one request waits for.
type Job struct {
	// Ahead is the number of pictures that waited when the job was added.
	Ahead int

	ctx      context.Context
	work     *draw.Work // the worker's
	size     int        // pictures that Next returns in all
	waiting  int        // recipes that were not handed to the worker
	held     int        // pictures that were drawn, but not given to the client yet
	over     bool       // it failed, or its client left
	pictures chan *draw.Picture
	progress chan draw.Progress // the last, until it is read
	failed   chan error
}

// Pictures is the number of pictures that Next returns in all.
func (j *Job) Pictures() int { return j.size }

// Event is a picture, or how far a job is; or nothing, at a tick.
type Event struct {
	Picture  *draw.Picture
	Progress *draw.Progress
}

// Next waits for the next picture, in any order, or for progress. It returns the cause of the job's context when that
// ends first, and an empty event at a tick, which may be nil.
func (j *Job) Next(tick <-chan time.Time) (e Event, err error) {
	select {
	case d := <-j.pictures: // before all else: it is done
		return Event{Picture: d}, nil
	default:
	}
	select {
	case d := <-j.pictures:
		e.Picture = d
	case p := <-j.progress:
		e.Progress = &p
	case err = <-j.failed:
	case <-j.ctx.Done():
		err = context.Cause(j.ctx)
	case <-tick:
	}
	return e, err
}

// ticket is a task of a job in the worker's hands.
type ticket struct {
	job  *Job
	task draw.Task
}

// step is a refinement of a job that has steps before it.
type step struct {
	job *Job
	of  *draw.Refinement
}

// Queue is a bounded queue of pictures. Add, Close and Waiting may be called by any goroutine; Run is the worker.
type Queue struct {
	models []draw.Model
	limits Limits

	mu      sync.Mutex
	jobs    []*Job // those with pictures that wait
	waiting int    // pictures of jobs
	held    int    // pictures that were drawn and are not given away: the best candidates so far, and those in refinement
	closed  bool
	batch   int // pictures of a batch at most
	wake    chan struct{}
	seconds float64 // that a picture took of late

	refining []step
	refined  []ticket // that are to be drawn a last time
}

// Limits bound the queue's memory.
type Limits struct {
	// Waiting is the number of pictures that wait at most, those in refinement among them.
	Waiting int
	// Shapes, ascending, are the numbers of pictures that programs are compiled for; the last is the largest batch.
	Shapes []int
	// Compiled, which may be nil, gets each number of pictures whose programs are compiled, the smallest first.
	Compiled func(pictures int)
	// Batched, which may be nil, gets each batch's numbers of pictures and of requests, and its time.
	Batched func(pictures, requests int, took time.Duration)
	// Refine allows refinement and compiles its program. Stepped, which may be nil, gets each step's number of pictures
	// and its time.
	Refine  bool
	Stepped func(pictures int, took time.Duration)
}

// New returns a queue in front of the models, which must share domain and backend, and which it owns from now on.
func New(models []draw.Model, limits Limits) *Queue {
	return &Queue{models: models, limits: limits, wake: make(chan struct{}, 1), seconds: 0.1}
}

// Add queues the recipes, all or none; its client gets the pictures that choice keeps. When ctx ends, what is not done
// is dropped.
func (q *Queue) Add(ctx context.Context, recipes []draw.Recipe, choice draw.Choice) (*Job, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, ErrClosed
	}
	if q.waiting+q.held+len(recipes) > q.limits.Waiting {
		q.drop() // of clients that left: their places are free
	}
	if q.waiting+q.held+len(recipes) > q.limits.Waiting {
		wait := math.Ceil(q.seconds * float64(q.waiting+q.stepsLeft()*stepCost))
		return nil, &BusyError{time.Duration(min(max(wait, 1), 60)) * time.Second}
	}
	work := draw.NewWork(recipes, choice)
	j := &Job{
		Ahead: q.waiting + q.held, ctx: ctx, work: work, size: work.Results(), waiting: len(recipes),
		pictures: make(chan *draw.Picture, work.Results()), progress: make(chan draw.Progress, 1),
		failed: make(chan error, 1),
	}
	q.jobs = append(q.jobs, j)
	q.waiting += len(recipes)
	q.signal()
	return j, nil
}

// Close refuses what comes from now on. Run returns when what was added before is done.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.signal()
}

// Waiting is the number of pictures that wait for the worker, or for the end of their refinement.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop()
	return q.waiting + q.held
}

// signal wakes the worker.
func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// drop forgets what is to be done for jobs that failed or whose client left. The lock is held.
func (q *Queue) drop() {
	kept := q.jobs[:0]
	for _, j := range q.jobs {
		if !q.gone(j) {
			kept = append(kept, j)
		} else {
			q.waiting -= j.waiting
		}
	}
	clear(q.jobs[len(kept):])
	q.jobs = kept
	q.refining = slices.DeleteFunc(q.refining, func(s step) bool { return q.gone(s.job) })
	q.refined = slices.DeleteFunc(q.refined, func(t ticket) bool { return q.gone(t.job) })
}

// gone reports whether nobody waits for a job any more. The lock is held.
func (q *Queue) gone(j *Job) bool {
	if j.ctx.Err() != nil {
		q.release(j)
	}
	return j.over
}

// release ends a job and gives back the places of what is held of it. The lock is held.
func (q *Queue) release(j *Job) {
	q.held -= j.held
	j.held, j.over = 0, true
}

// take waits for work and returns as many pictures as a batch holds: none where only refinements go on. It returns
// false when the queue is closed and empty.
func (q *Queue) take(ctx context.Context) ([]ticket, bool, error) {
	for {
		tickets := q.tryTake()
		if len(tickets) > 0 {
			return tickets, true, nil
		}
		if q.isRefining() {
			return nil, true, context.Cause(ctx)
		}
		if q.over() {
			return nil, false, nil
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return nil, false, context.Cause(ctx)
		}
	}
}

func (q *Queue) isRefining() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.refining) > 0
}

// over reports whether the queue is closed and empty.
func (q *Queue) over() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop()
	return q.closed && q.waiting == 0 && len(q.refining) == 0 && len(q.refined) == 0
}

// tryTake takes as many pictures as a batch holds: those that end a refinement, then one of each job in turn, so that a
// large request does not make small ones wait.
func (q *Queue) tryTake() []ticket {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop()
	n := min(len(q.refined), q.batch)
	tickets := slices.Clone(q.refined[:n])
	q.refined = slices.Delete(q.refined, 0, n)
	return append(tickets, q.deal(q.batch-n)...)
}

// deal takes up to n pictures. The lock is held.
func (q *Queue) deal(n int) []ticket {
	var tickets []ticket
	for len(tickets) < n && len(q.jobs) > 0 {
		j := q.jobs[0]
		tickets = append(tickets, ticket{j, j.work.Take()})
		j.waiting--
		q.waiting--
		q.jobs = q.jobs[1:]
		if j.waiting > 0 {
			q.jobs = append(q.jobs, j)
		}
	}
	return tickets
}

// measured updates the time that a picture takes; the last batches count most.
func (q *Queue) measured(tickets []ticket, took time.Duration) {
	requests := map[*Job]bool{}
	for _, t := range tickets {
		requests[t.job] = true
	}
	q.mu.Lock()
	q.seconds += (took.Seconds()/float64(len(tickets)) - q.seconds) / 8
	q.mu.Unlock()
	if q.limits.Batched != nil {
		q.limits.Batched(len(tickets), len(requests), took)
	}
}
