package studies

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/share"
)

// Run executes the cells that are left, writes the study's results and returns them. It shares the cells with other
// processes that execute the same study in the same folder, and waits for theirs.
func (s *Study) Run(ctx context.Context) (*Results, error) {
	if _, err := s.execute(ctx, true); err != nil {
		return nil, err
	}
	return s.report()
}

// Share executes cells until all are done or other processes hold them, and returns the number of those. It writes no
// results.
func (s *Study) Share(ctx context.Context) (held int, err error) { return s.execute(ctx, false) }

func (s *Study) execute(ctx context.Context, wait bool) (held int, err error) {
	todo, err := s.left()
	if err != nil || len(todo) == 0 {
		return 0, err
	}
	if err := os.MkdirAll(s.out, 0o777); err != nil {
		return 0, err
	}
	if err := s.samplePairs(ctx); err != nil {
		return 0, err
	}
	plan, err := s.Plan()
	if err != nil {
		return 0, err
	}
	s.foretell(plan)
	q := &queue{Study: s, todo: todo, wait: wait}
	group, ctx := errgroup.WithContext(ctx)
	for range min(s.options.Jobs, len(todo)) {
		group.Go(func() error { return q.work(ctx) })
	}
	if err := group.Wait(); err != nil {
		return 0, err
	}
	rest, err := q.rest()
	return len(rest), err
}

// foretell says how long the study takes, and warns of cells that will fail.
func (s *Study) foretell(plan Plan) {
	s.env.Log.Info(fmt.Sprintf("study %s: %d of %d cells to do; time: %s",
		s.Name, plan.Todo, len(plan.Cells), plan.time()))
	warned := map[string]bool{}
	for _, c := range plan.Cells {
		if c.Problem != "" && !c.Done && !warned[c.Variant] {
			warned[c.Variant] = true
			s.env.Log.Warn(fmt.Sprintf("%s will fail: %s", c.Variant, fault.OneLine(c.Problem)))
		}
	}
}

// timeLeft says how long a number of cells takes by those that are done; "" before the first.
func (s *Study) timeLeft(cells int) (string, error) {
	var plan Plan
	for _, c := range s.cells() {
		info, err := s.read(c)
		if err != nil {
			return "", err
		}
		if info != nil {
			plan.Cells = append(plan.Cells, Cell{Done: info.Done, Seconds: info.own()})
		}
	}
	mean, done := plan.meanSeconds()
	if !done {
		return "", nil
	}
	left := time.Duration(mean * float64(cells) / float64(s.options.Jobs) * float64(time.Second))
	return fmt.Sprintf(", about %v left in all", left.Round(time.Second)), nil
}

// left lists the cells that are to be done, in the order in which this process takes them.
func (s *Study) left() ([]task, error) {
	var todo []task
	cells := s.cells()
	if p := s.options.Part; p.N > 0 { // processes begin at cells far apart, which share no training
		first := (p.K - 1) * len(cells) / p.N
		cells = slices.Concat(cells[first:], cells[:first])
	}
	for _, c := range cells {
		info, err := s.read(c)
		if err != nil {
			return nil, err
		}
		switch {
		case info == nil:
			todo = append(todo, task{c, len(todo) + 1, 0})
		case !info.Done && (info.Failed == "" || s.options.Retry):
			todo = append(todo, task{c, len(todo) + 1, info.Attempts})
		}
	}
	return todo, nil
}

// task is a cell to do.
type task struct {
	cell
	place    int // in the list of tasks, from 1
	attempts int // that ended before
}

// ended reports whether the task is done, or has failed since it was listed.
func (s *Study) ended(t task) (bool, error) {
	info, err := s.read(t.cell)
	return info != nil && (info.Done || info.Failed != "" && info.Attempts > t.attempts), err
}

// queue hands the cells of a study to this process's workers. Leases keep other processes from the same cells.
type queue struct {
	*Study
	todo []task
	wait bool // for cells that other processes hold
}

// rest lists the tasks that have not ended.
func (q *queue) rest() (rest []task, err error) {
	for _, t := range q.todo {
		ended, err := q.ended(t)
		if err != nil {
			return nil, err
		}
		if !ended {
			rest = append(rest, t)
		}
	}
	return rest, nil
}

// work executes cells until none is left, or until all left have a live holder and the queue does not wait.
func (q *queue) work(ctx context.Context) error {
	var w *worker
	said := false
	for {
		rest, err := q.rest()
		if err != nil || len(rest) == 0 {
			return err
		}
		done, alive := 0, 0
		for _, t := range rest {
			err := q.try(ctx, t, &w)
			var held *share.HeldError
			switch {
			case err == nil:
				done++
			case errors.Is(err, share.ErrLost) && ctx.Err() == nil:
				q.env.Log.Warn(fmt.Sprintf("%s: %v", t, err))
			case errors.As(err, &held) && held.Name == t.lease() && held.Alive:
				alive++
			case errors.As(err, &held), errors.Is(err, files.ErrInUse): // or a training that it needs
			default:
				return err
			}
		}
		switch {
		case done > 0:
			continue
		case !q.wait && alive == len(rest):
			return nil
		case q.wait && !said:
			said = true
			q.env.Log.Info(fmt.Sprintf("waiting for %d cells that other processes hold", len(rest)))
		}
		if err := q.leases.Pause(ctx); err != nil {
			return err
		}
	}
}

// try executes the task with the worker, which it makes first, unless another process holds the cell or has ended it.
func (q *queue) try(ctx context.Context, t task, w **worker) error {
	leased, lease, err := q.leases.Take(ctx, t.lease())
	if err != nil {
		return err
	}
	defer lease.Release()
	if ended, err := q.ended(t); err != nil || ended {
		return err
	}
	if *w == nil {
		if *w, err = q.newWorker(leased); err != nil {
			return err
		}
	}
	left, err := q.timeLeft(len(q.todo) - t.place + 1)
	if err != nil {
		return err
	}
	q.env.Log.Info(fmt.Sprintf("cell %d of %d: %s%s", t.place, len(q.todo), t, left))
	err = (*w).do(leased, t)
	if cause := context.Cause(leased); errors.Is(cause, share.ErrLost) {
		return cause
	}
	return err
}
