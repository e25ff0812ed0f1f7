//go:build !windows

package files

import (
	"os"
	"path/filepath"
	"syscall"

	"github.com/google/renameio/v2"
)

// withoutWaiting is a flag with which opening a FIFO does not wait for its writer.
const withoutWaiting = syscall.O_NONBLOCK

// PendingFile is a temporary file that gets its final name when it is complete.
type PendingFile = renameio.PendingFile

func newPending(path string, perm os.FileMode) (*PendingFile, error) {
	return renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(perm))
}

// WriteFile writes a whole file atomically.
func WriteFile(path string, content []byte, perm os.FileMode) error {
	return renameio.WriteFile(path, content, perm)
}

// Symlink makes or replaces the link at path atomically.
func Symlink(target, path string) error { return renameio.Symlink(target, path) }
