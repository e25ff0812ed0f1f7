//go:build unix

package train

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"illustrator/internal/fault"
)

// lockFile locks an open file or folder. The system forgets the lock with the process, however that ends.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return fault.Hint(fmt.Errorf("%s is in use by another process", f.Name()), "wait until it ends, or stop it; then the same command goes on")
	}
	return err
}

// InUse reports whether a process has the folder locked.
func (f Folder) InUse() (bool, error) {
	dir, err := os.Open(string(f))
	if err != nil {
		return false, err
	}
	defer dir.Close() // which unlocks it
	err = syscall.Flock(int(dir.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	return false, err
}
