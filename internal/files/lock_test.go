package files

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/gofrs/flock"
)

func TestLockFolder(t *testing.T) {
	dir := t.TempDir()
	inUse := func(want bool) {
		t.Helper()
		if got, known, err := FolderInUse(dir); got != want || !known || err != nil {
			t.Errorf("in use: %v, %v, %v; want %v", got, known, err, want)
		}
	}
	inUse(false)
	lock, err := LockFolder(dir)
	if err != nil || !lock.Held {
		t.Fatalf("%+v, %v", lock, err)
	}
	inUse(true)
	if _, err := LockFolder(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("locked twice: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
	inUse(false)
	if _, err := LockFolder(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that is not there is locked")
	}
}

// A file system without locks is told from a folder in use and from a failure: what NFS and others answer.
func TestLockFolderWithoutLocks(t *testing.T) {
	lockBefore, rLockBefore := tryLock, tryRLock
	defer func() { tryLock, tryRLock = lockBefore, rLockBefore }()
	respond := func(answer error) {
		tryLock = func(*flock.Flock) (bool, error) { return false, answer }
		tryRLock = tryLock
	}
	dir := t.TempDir()
	for _, answer := range []error{syscall.EBADF, syscall.ENOLCK, syscall.ENOSYS, syscall.EOPNOTSUPP} {
		respond(answer)
		lock, err := LockFolder(dir)
		if err != nil || lock.Held {
			t.Errorf("%v: %+v, %v", answer, lock, err)
			continue
		}
		if inUse, known, err := FolderInUse(dir); inUse || known || err != nil {
			t.Errorf("%v: in use %v, known %v, %v", answer, inUse, known, err)
		}
		if err := lock.Release(); err != nil {
			t.Error(err)
		}
	}
	respond(syscall.EIO)
	if _, err := LockFolder(dir); !errors.Is(err, syscall.EIO) {
		t.Errorf("a failing disk: %v", err)
	}
}
