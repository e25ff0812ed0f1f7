// Package share divides work among processes of several machines over one folder, without a coordinator and without the
// file system's locks, which many cluster file systems lack or keep per machine.
//
// A lease is a file that its holder creates exclusively and rewrites at every beat. Another process that has watched
// the file unchanged for long enough, by its own clock, takes the lease over: it creates the file of the next
// generation, which only one process can. A holder that was only suspended finds that file at its next beat and loses
// the lease.
package share

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"illustrator/internal/fault"
)

// Times of leases.
const (
	beat  = 5 * time.Second  // between two signs of life of a holder
	stale = 60 * time.Second // without a sign of life, after which others take a lease over
	look  = time.Second      // between two looks at a held lease
)

// ErrLost is the cause of the cancellation of a lease's context after another process has taken the lease over.
var ErrLost = errors.New("another process has taken over, since this one showed no sign of life")

// HeldError is Take's error for a lease that another holder has.
type HeldError struct {
	Name, Holder string
	// Alive reports whether the holder showed a sign of life while this process watched. It is false until then.
	Alive bool
}

func (e *HeldError) Error() string { return fmt.Sprintf("%s is held by %s", e.Name, e.Holder) }

// Folder holds leases as files.
type Folder struct {
	path              string
	beat, stale, look time.Duration
	now               func() time.Time

	mu   sync.Mutex
	seen map[string]sighting // by file
}

// sighting records what this process has seen of another holder's file.
type sighting struct {
	text        string
	first, last time.Time // of this text
	alive       bool      // the text has changed since the first look
}

// NewFolder returns the folder of leases at path. Take creates it.
func NewFolder(path string) *Folder {
	return &Folder{path: path, beat: beat, stale: stale, look: look, now: time.Now, seen: map[string]sighting{}}
}

// Lease is a held lease.
type Lease struct {
	folder     *Folder
	name       string
	generation int
	holder     holder
	cancel     context.CancelCauseFunc
	ended      chan struct{} // closed when the beats have ended
}

// holder is the content of a lease's file.
type holder struct {
	Host    string    `json:"host"`
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	Beats   int       `json:"beats"`
}

func (h holder) String() string { return fmt.Sprintf("process %d on %s", h.PID, h.Host) }

// Take takes the lease called name, or returns a HeldError. The returned context ends with the lease: with cause
// ErrLost if another process takes it over. Whoever takes a lease must look again at what is left to do: the holder
// before may have done it.
func (f *Folder) Take(ctx context.Context, name string) (context.Context, *Lease, error) {
	if err := os.MkdirAll(f.path, 0o777); err != nil {
		return nil, nil, err
	}
	generation, err := f.generation(name)
	if err != nil {
		return nil, nil, err
	}
	if generation > 0 {
		if err := f.watch(name, generation); err != nil {
			return nil, nil, err
		}
	}
	l := &Lease{folder: f, name: name, generation: generation + 1, ended: make(chan struct{})}
	host, _ := os.Hostname()
	l.holder = holder{Host: host, PID: os.Getpid(), Started: f.now().UTC()}
	err = l.write(os.O_CREATE | os.O_EXCL)
	if errors.Is(err, fs.ErrExist) { // another process was quicker
		return nil, nil, &HeldError{Name: name, Holder: "another process"}
	} else if err != nil {
		return nil, nil, err
	}
	ctx, l.cancel = context.WithCancelCause(ctx)
	go l.live(ctx)
	return ctx, l, nil
}

// Wait takes the lease called name as soon as no other process holds it. held is called once if it waits.
func (f *Folder) Wait(ctx context.Context, name string, held func(*HeldError)) (context.Context, *Lease, error) {
	for {
		leased, l, err := f.Take(ctx, name)
		var e *HeldError
		if !errors.As(err, &e) {
			return leased, l, err
		}
		if held != nil {
			held(e)
			held = nil
		}
		if err := f.Pause(ctx); err != nil {
			return nil, nil, err
		}
	}
}

// Pause waits for the time after which a look at held leases is worth while again.
func (f *Folder) Pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(f.look):
		return nil
	}
}

// file returns the path of a generation of a lease.
func (f *Folder) file(name string, generation int) string {
	return filepath.Join(f.path, fmt.Sprintf("%s.%d.lease", name, generation))
}

// generation returns the highest generation of the lease, 0 if nobody holds it.
func (f *Folder) generation(name string) (highest int, err error) {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		middle, ok := strings.CutPrefix(e.Name(), name+".")
		middle, suffix := strings.CutSuffix(middle, ".lease")
		if n, err := strconv.Atoi(middle); ok && suffix && err == nil {
			highest = max(highest, n)
		}
	}
	return highest, nil
}

// watch returns a HeldError unless the generation's file has not changed for as long as makes it stale. Looks that are
// far apart do not count: a file system that did not respond hides signs of life.
func (f *Folder) watch(name string, generation int) error {
	path, now := f.file(name, generation), f.now()
	text, err := os.ReadFile(path)
	f.mu.Lock()
	defer f.mu.Unlock()
	if errors.Is(err, fs.ErrNotExist) { // released since
		delete(f.seen, path)
		return &HeldError{Name: name, Holder: "another process"}
	} else if err != nil {
		return err
	}
	var h holder
	_ = json.Unmarshal(text, &h) // for the message; a torn file has none
	s, before := f.seen[path]
	changed := before && s.text != string(text)
	if !before || changed || now.Sub(s.last) > f.stale/2 {
		s = sighting{text: string(text), first: now, alive: changed || s.alive && before}
	}
	s.last = now
	f.seen[path] = s
	if now.Sub(s.first) < f.stale {
		return &HeldError{Name: name, Holder: h.String(), Alive: s.alive}
	}
	return nil
}

// live rewrites the lease's file at every beat until the context ends or another process has taken the lease over.
func (l *Lease) live(ctx context.Context) {
	defer close(l.ended)
	ticker := time.NewTicker(l.folder.beat)
	defer ticker.Stop()
	failing := time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		l.holder.Beats++
		err := l.write(0)
		newest, errList := l.folder.generation(l.name)
		switch now := l.folder.now(); {
		case errors.Is(err, fs.ErrNotExist), errList == nil && newest > l.generation:
			l.cancel(ErrLost)
			return
		case err == nil:
			failing = time.Time{}
		case failing.IsZero():
			failing = now
		case now.Sub(failing) > l.folder.stale/2: // others will take over
			l.cancel(fmt.Errorf("%w: %w", ErrLost, err))
			return
		}
	}
}

// write writes the lease's file, opened with the flags. The file is opened at each beat: network file systems show
// other machines what a closed file holds.
func (l *Lease) write(flags int) error {
	text, err := json.Marshal(l.holder)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(l.folder.file(l.name, l.generation), os.O_WRONLY|flags, 0o666)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	return errors.Join(err, file.Close())
}

// Release gives the lease up and ends its context.
func (l *Lease) Release() error {
	l.cancel(context.Canceled)
	<-l.ended
	var errs []error
	for g := 1; g <= l.generation; g++ {
		if err := os.Remove(l.folder.file(l.name, g)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return fault.Hint(errors.Join(errs...), "check the folder's permissions")
}
