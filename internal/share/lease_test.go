package share

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a process's clock that the test moves.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

// process returns the leases at path as another process sees them, with a clock of its own.
func process(path string) (*Folder, *clock) {
	f, c := NewFolder(path), &clock{time.Unix(1e9, 0)}
	f.beat, f.now = time.Hour, c.read // beats that the test makes
	return f, c
}

func take(t *testing.T, f *Folder) (context.Context, *Lease) {
	t.Helper()
	ctx, l, err := f.Take(t.Context(), "cell")
	if err != nil {
		t.Fatal(err)
	}
	return ctx, l
}

// held returns the error of an attempt that another holder must refuse.
func held(t *testing.T, f *Folder) *HeldError {
	t.Helper()
	_, _, err := f.Take(t.Context(), "cell")
	var e *HeldError
	if !errors.As(err, &e) {
		t.Fatalf("the lease is not refused: %v", err)
	}
	return e
}

func TestOneHolderAtATime(t *testing.T) {
	path := t.TempDir()
	a, _ := process(path)
	b, _ := process(path)
	ctx, l := take(t, a)
	held(t, b)
	held(t, a) // another worker of the same process
	if _, other, err := b.Take(t.Context(), "cell2"); err != nil || other.Release() != nil {
		t.Errorf("a lease of another name: %v", err)
	}
	if err := l.Release(); err != nil || ctx.Err() == nil {
		t.Errorf("released: %v, context %v", err, ctx.Err())
	}
	_, l = take(t, b)
	if err := l.Release(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(path); len(left) > 0 {
		t.Errorf("released leases leave %v", left)
	}
}

// A holder that shows signs of life keeps its lease however wrong its clock is; one that shows none for Stale loses it
// to one process only.
func TestStaleIsTakenOver(t *testing.T) {
	path := t.TempDir()
	a, _ := process(path)
	b, clockB := process(path)
	c, clockC := process(path)
	_, dead := take(t, a)
	dead.cancel(nil) // as after kill -9: no beats, no release
	<-dead.ended
	for range int(stale / (10 * time.Second)) {
		if e := held(t, b); e.Alive {
			t.Error("a holder without beats counts as alive")
		}
		clockB.now = clockB.now.Add(10 * time.Second)
	}
	held(t, c)
	_, l := take(t, b)
	clockC.now = clockC.now.Add(stale / 3)
	held(t, c) // it knows the generation before only
	if err := l.Release(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(path); len(left) > 0 {
		t.Errorf("the lease that was taken over leaves %v", left)
	}
}

func TestBeatsKeepALease(t *testing.T) {
	path := t.TempDir()
	a, clockA := process(path)
	b, clockB := process(path)
	_, l := take(t, a)
	clockA.now = clockA.now.Add(-24 * time.Hour)
	for i := range 20 {
		if e := held(t, b); e.Alive != (i > 0) {
			t.Errorf("look %d: alive %v", i, e.Alive)
		}
		l.holder.Beats++
		if err := l.write(0); err != nil {
			t.Fatal(err)
		}
		clockB.now = clockB.now.Add(25 * time.Second)
	}
	// A file system that stalls for an hour says nothing about the holder.
	clockB.now = clockB.now.Add(time.Hour)
	held(t, b)
}

// A suspended process learns that its lease is lost, and does not make the file again.
func TestSuspendedHolderLoses(t *testing.T) {
	path := t.TempDir()
	a := NewFolder(path)
	a.beat = time.Millisecond
	ctx, l := take(t, a)
	if err := os.WriteFile(a.file("cell", 2), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	if context.Cause(ctx) != ErrLost {
		t.Errorf("cause %v", context.Cause(ctx))
	}
	<-l.ended
	if err := os.Remove(a.file("cell", 1)); err != nil {
		t.Fatal(err)
	}
	if err := l.write(0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a beat after the loss: %v", err)
	}
}

// Of many processes that take the same lease, one has it at any time.
func TestRace(t *testing.T) {
	path := t.TempDir()
	var inside, done atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			f := NewFolder(path)
			f.beat, f.look = time.Millisecond, time.Millisecond
			for range 5 {
				_, l, err := f.Wait(t.Context(), "cell", nil)
				if err != nil {
					t.Error(err)
					return
				}
				if inside.Add(1) > 1 {
					t.Error("two hold the lease")
				}
				done.Add(1)
				inside.Add(-1)
				if err := l.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if done.Load() != 40 {
		t.Errorf("%d of 40 turns", done.Load())
	}
}

func TestWaitEndsWithTheContext(t *testing.T) {
	path := t.TempDir()
	a, _ := process(path)
	_, l := take(t, a)
	defer l.Release()
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	_, _, err := NewFolder(path).Wait(ctx, "cell", func(e *HeldError) { cancel(stop) })
	if err != stop {
		t.Errorf("%v", err)
	}
}
