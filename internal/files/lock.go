package files

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"

	"github.com/gofrs/flock"

	"illustrator/internal/fault"
)

// ErrInUse is LockFolder's error where another process has the folder.
var ErrInUse = errors.New("the folder is in use by another process")

// Lock is a process's lock on a folder. The system releases it when the process ends.
type Lock struct {
	// Held is false on a file system without locks, as some network file systems are: there nothing keeps two
	// processes apart.
	Held bool
	lock *flock.Flock
}

// The system's calls, in variables for the test of file systems without locks.
var (
	tryLock  = (*flock.Flock).TryLock
	tryRLock = (*flock.Flock).TryRLock
)

// LockFolder locks the folder at path for this process alone. End with Release. On a file system without locks it
// returns a Lock that is not Held: the caller warns and continues.
func LockFolder(path string) (*Lock, error) {
	lock := newLock(path)
	held, err := try(lock, tryLock)
	if err != nil {
		err = fmt.Errorf("lock %s: %w", path, err)
		if errors.Is(err, ErrInUse) {
			err = fault.Hint(err, "wait until the other process ends, or stop it; then run the same command again")
		}
		return nil, err
	}
	return &Lock{Held: held, lock: lock}, nil
}

// Warn logs a warning if the file system has no locks.
func (l *Lock) Warn(log *slog.Logger) {
	if !l.Held {
		log.Warn(fmt.Sprintf("the file system of %s has no locks: make sure that no other process writes to that folder",
			l.lock.Path()))
	}
}

// Release unlocks the folder.
func (l *Lock) Release() error { return l.lock.Unlock() }

// FolderInUse reports whether a process has locked the folder at path. known is false where the file system has no
// locks.
func FolderInUse(path string) (inUse, known bool, err error) {
	lock := newLock(path)
	known, err = try(lock, tryRLock)
	if errors.Is(err, ErrInUse) {
		return true, true, nil
	}
	return false, known, errors.Join(err, lock.Unlock())
}

// newLock returns the lock of a folder. It locks the folder itself and creates no file in it. The permissions,
// which no folder has, keep the library from opening the folder for writing after an error.
func newLock(path string) *flock.Flock {
	return flock.New(path, flock.SetFlag(os.O_RDONLY), flock.SetPermissions(^os.FileMode(0)))
}

// try locks without waiting and reports whether the lock is held, which is false on a file system without locks. NFS
// answers EBADF: it locks files that are open for writing only.
func try(lock *flock.Flock, call func(*flock.Flock) (bool, error)) (held bool, err error) {
	held, err = call(lock)
	switch {
	case err == nil && !held:
		return false, ErrInUse
	case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.EBADF):
		return false, nil
	}
	return held, err
}
