package checkpoints

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"illustrator/internal/fault"
)

// ErrInUse is LockFolder's error where another process has the folder.
var ErrInUse = errors.New("the folder is in use by another process")

// Lock is a process's lock on a folder. The system forgets it with the process, however that ends.
type Lock struct {
	// Held is false on a file system that has no locks, as some that are mounted over a network: then nothing keeps two
	// processes apart.
	Held   bool
	folder *os.File
}

// flock is the system's call, in a variable for the test of file systems without locks.
var flock = syscall.Flock

// LockFolder locks the folder at path for this process alone. End with Release.
func LockFolder(path string) (*Lock, error) {
	folder, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	held, err := try(folder, syscall.LOCK_EX)
	if err != nil {
		folder.Close()
		err = fmt.Errorf("lock %s: %w", path, err)
		if errors.Is(err, ErrInUse) {
			err = fault.Hint(err, "wait until the other process ends, or stop it; then the same command goes on")
		}
		return nil, err
	}
	return &Lock{Held: held, folder: folder}, nil
}

// Release gives the folder back.
func (l *Lock) Release() error { return l.folder.Close() }

// FolderInUse reports whether a process has the folder at path locked. known is false where the file system has no locks.
func FolderInUse(path string) (inUse, known bool, err error) {
	folder, err := os.Open(path)
	if err != nil {
		return false, false, err
	}
	defer folder.Close() // which unlocks it
	known, err = try(folder, syscall.LOCK_SH)
	if errors.Is(err, ErrInUse) {
		return true, true, nil
	}
	return false, known, err
}

// try locks an open folder without waiting. It reports whether there is a lock now, which is not so on a file system that
// has none. NFS answers EBADF: it wants a file that is open for writing, which no folder can be.
func try(folder *os.File, how int) (locked bool, err error) {
	switch err := flock(int(folder.Fd()), how|syscall.LOCK_NB); {
	case err == nil:
		return true, nil
	case errors.Is(err, syscall.EWOULDBLOCK):
		return false, ErrInUse
	case errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.ENOSYS), errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.EBADF):
		return false, nil
	default:
		return false, err
	}
}
