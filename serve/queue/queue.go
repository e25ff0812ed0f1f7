// Package queue draws the pictures of many requests on one device: a bounded queue in front of one worker, which owns the
// networks and draws pictures of several requests in one batch.
//
// Networks are for one goroutine at a time. A lock around them would serve requests one by one, and a device that could
// draw thirty pictures in little more time than one would mostly wait; a worker that took whole requests of equal settings
// would batch only users who move no slider. So the queue holds single pictures, and the worker joins whatever waits stage
// by stage: texts, projections with an α each, z, styles of equal truncation, pictures.
package queue

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"
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
	pictures []Picture
	next     int // pictures handed to the worker
	drawn    chan Drawn
	failed   chan error
}

// Next waits for the next picture, in any order. It returns the cause of the job's context when that ends first, and false
// at a tick, which may be nil.
func (j *Job) Next(tick <-chan time.Time) (d Drawn, ok bool, err error) {
	select {
	case d = <-j.drawn: // before all else: it is done
		return d, true, nil
	default:
	}
	select {
	case d = <-j.drawn:
		return d, true, nil
	case err = <-j.failed:
	case <-j.ctx.Done():
		err = context.Cause(j.ctx)
	case <-tick:
	}
	return Drawn{}, false, err
}

// ticket is one picture of a job in the worker's hands.
type ticket struct {
	job   *Job
	index int
}

func (t ticket) picture() *Picture { return &t.job.pictures[t.index] }

// Queue is a bounded queue of pictures. Add, Close and Waiting may be called by any goroutine; Run is the worker.
type Queue struct {
	models []Model
	limits Limits

	mu      sync.Mutex
	jobs    []*Job // those with pictures that wait
	waiting int    // pictures of jobs
	closed  bool
	batch   int // pictures of a batch at most
	wake    chan struct{}
	seconds float64 // that a picture took of late
}

// Limits bound the queue's memory.
type Limits struct {
	// Waiting is the number of pictures that wait at most.
	Waiting int
	// Shapes, ascending, are the numbers of pictures that programs are compiled for; the last is the largest batch.
	Shapes []int
	// Batched, which may be nil, is told of each batch: its pictures, the requests they are of, and what it took.
	Batched func(pictures, requests int, took time.Duration)
}

// New returns a queue in front of the models, which must share domain and backend, and which it owns from now on.
func New(models []Model, limits Limits) *Queue {
	return &Queue{models: models, limits: limits, wake: make(chan struct{}, 1), seconds: 0.1}
}

// Add queues the pictures, all or none. When ctx ends, those that are not drawn yet are dropped.
func (q *Queue) Add(ctx context.Context, pictures []Picture) (*Job, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil, ErrClosed
	}
	if q.waiting+len(pictures) > q.limits.Waiting {
		q.drop() // of clients that left: their places are free
	}
	if q.waiting+len(pictures) > q.limits.Waiting {
		wait := math.Ceil(q.seconds * float64(q.waiting))
		return nil, &BusyError{time.Duration(min(max(wait, 1), 60)) * time.Second}
	}
	j := &Job{Ahead: q.waiting, ctx: ctx, pictures: pictures, drawn: make(chan Drawn, len(pictures)), failed: make(chan error, 1)}
	q.jobs = append(q.jobs, j)
	q.waiting += len(pictures)
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

// Waiting is the number of pictures that wait for the worker.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop()
	return q.waiting
}

// signal wakes the worker.
func (q *Queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// drop forgets the pictures of jobs whose client left. The lock is held.
func (q *Queue) drop() {
	kept := q.jobs[:0]
	for _, j := range q.jobs {
		if j.ctx.Err() == nil {
			kept = append(kept, j)
		} else {
			q.waiting -= len(j.pictures) - j.next
		}
	}
	clear(q.jobs[len(kept):])
	q.jobs = kept
}

// take waits for pictures and returns as many as a batch holds. It returns none when the queue is closed and empty.
func (q *Queue) take(ctx context.Context) ([]ticket, error) {
	for {
		if tickets := q.tryTake(); len(tickets) > 0 || q.over() {
			return tickets, nil
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// over reports whether the queue is closed and empty.
func (q *Queue) over() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop()
	return q.closed && q.waiting == 0
}

// tryTake takes as many pictures as a batch holds, one of each job in turn, so that a large request does not make small ones
// wait.
func (q *Queue) tryTake() []ticket {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop()
	return q.deal(q.batch)
}

// deal takes up to n pictures. The lock is held.
func (q *Queue) deal(n int) []ticket {
	var tickets []ticket
	for len(tickets) < n && len(q.jobs) > 0 {
		j := q.jobs[0]
		tickets = append(tickets, ticket{j, j.next})
		j.next++
		q.waiting--
		q.jobs = q.jobs[1:]
		if j.next < len(j.pictures) {
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
