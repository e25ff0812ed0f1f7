package serve

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	// comeBack is the time in which a client whose connection was cut, as by a reload, finds its job at work. Then the job
	// is cancelled.
	comeBack = time.Minute
	// jobKept is the time that the events of a finished job can be read for, and maxJobs bounds their number.
	jobKept = 10 * time.Minute
	maxJobs = 100
	// maxReaders bounds the clients that follow one job: each holds a connection until the job ends.
	maxReaders = 8
)

// errLeft cancels a job that no client follows.
var errLeft = errors.New("its client left")

// errStopped cancels a job that its client stopped.
var errStopped = errors.New("its client stopped it")

// errNoJob is the answer for a job that is not known.
var errNoJob = &problem{status: http.StatusNotFound, Message: "the server does not have this job",
	Hint: "a job is kept for some minutes: send the request again"}

// job is a request that draws and outlives its connection. Its events are kept for clients that come back.
type job struct {
	id     string
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	events  []string // without their numbers, which are their places from 1 on
	changed chan struct{}
	done    bool
	readers int
	left    *time.Timer // cancels the job; nil while a client reads
}

// jobs are those that clients may come back to, the oldest first.
type jobs struct {
	mu      sync.Mutex
	all     []*job
	running sync.WaitGroup
}

// newJob returns a job that nobody reads yet.
func (s *studio) newJob(cancel context.CancelCauseFunc) *job {
	j := &job{id: rand.Text(), cancel: cancel, changed: make(chan struct{})}
	s.jobs.mu.Lock()
	defer s.jobs.mu.Unlock()
	s.jobs.all = append(s.jobs.all, j)
	if i := slices.IndexFunc(s.jobs.all, (*job).isDone); len(s.jobs.all) > maxJobs && i >= 0 {
		s.jobs.all = slices.Delete(s.jobs.all, i, i+1)
	}
	return j
}

func (j *job) isDone() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.done
}

// add keeps an event.
func (j *job) add(event string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, event)
	close(j.changed)
	j.changed = make(chan struct{})
}

// endJob says that no event follows, and forgets the job later.
func (s *studio) endJob(j *job) {
	j.mu.Lock()
	j.done = true
	close(j.changed)
	j.changed = make(chan struct{})
	j.mu.Unlock()
	j.cancel(nil)
	time.AfterFunc(jobKept, func() {
		s.jobs.mu.Lock()
		defer s.jobs.mu.Unlock()
		s.jobs.all = slices.DeleteFunc(s.jobs.all, func(x *job) bool { return x == j })
	})
}

// reads counts the clients that read; the job is cancelled when there is none for a while.
func (j *job) reads(change int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.readers += change
	switch {
	case j.readers > 0 && j.left != nil:
		j.left.Stop()
		j.left = nil
	case j.readers == 0 && !j.done:
		j.left = time.AfterFunc(comeBack, func() { j.cancel(errLeft) })
	}
}

// crowded reports whether as many clients follow the job as may.
func (j *job) crowded() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.readers >= maxReaders
}

// after returns the events behind number n, whether all are there, and what is closed when there are more.
func (j *job) after(n int) (events []string, done bool, changed <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.events[min(n, len(j.events)):], j.done, j.changed
}

// drawJob draws what is planned as a job, and sends its events.
func (s *studio) drawJob(w http.ResponseWriter, r *http.Request, planned *work) {
	began := time.Now()
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
	queued, err := s.queue.Add(ctx, planned.recipes(), planned.choice)
	if err != nil {
		cancel(err)
		s.fail(w, r, err)
		return
	}
	j := s.newJob(cancel)
	st := &stream{events: true, job: j}
	st.send("job", map[string]string{"id": j.id})
	s.jobs.running.Go(func() {
		defer s.endJob(j)
		pictures, err := s.drawAll(ctx, st, planned, queued)
		s.end(ctx, st, r, planned.result(pictures, began, err), err)
		if cause := context.Cause(ctx); cause != nil {
			st.send("error", &problem{Message: "the job was cancelled: " + cause.Error()})
		}
	})
	s.follow(w, r, j, 0)
}

// follow sends a job's events behind number n until the job ends or its client leaves.
func (s *studio) follow(w http.ResponseWriter, r *http.Request, j *job, n int) {
	st := newStream(w, r)
	st.events = true
	j.reads(1)
	defer j.reads(-1)
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	for st.written == nil {
		events, done, changed := j.after(n)
		for _, event := range events {
			n++
			st.write("id: " + strconv.Itoa(n) + "\n" + event)
		}
		if done {
			return
		}
		select {
		case <-changed:
		case <-alive.C:
			st.alive()
		case <-r.Context().Done():
			return
		}
	}
}

// find returns a job, nil where there is none.
func (j *jobs) find(id string) *job {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i := slices.IndexFunc(j.all, func(x *job) bool { return x.id == id }); i >= 0 {
		return j.all[i]
	}
	return nil
}

// getJob sends the events of a job, those behind the header Last-Event-ID where there is one.
func (s *studio) getJob(w http.ResponseWriter, r *http.Request) {
	j := s.jobs.find(r.PathValue("id"))
	if j == nil {
		s.fail(w, r, errNoJob)
		return
	}
	if j.crowded() {
		s.fail(w, r, &problem{status: http.StatusTooManyRequests, retry: time.Second,
			Message: "too many clients follow this job", Hint: "close a page that shows it"})
		return
	}
	n, err := strconv.Atoi(r.Header.Get("Last-Event-ID"))
	if err != nil || n < 0 {
		n = 0
	}
	s.follow(w, r, j, n)
}

// stopJob cancels a job.
func (s *studio) stopJob(w http.ResponseWriter, r *http.Request) {
	j := s.jobs.find(r.PathValue("id"))
	if j == nil {
		s.fail(w, r, errNoJob)
		return
	}
	j.cancel(errStopped)
	w.WriteHeader(http.StatusNoContent)
}
