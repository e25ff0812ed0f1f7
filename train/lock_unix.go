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
