//go:build unix

package train

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

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

// Has reports whether an entry of the folder called name is part of a run, or was left half-written by one.
func (f Folder) Has(name string) bool {
	parts := []string{f.Config(), f.Info(), f.Log(), f.Metrics(), f.Prompts(), f.Pairs(), f.BestMapper(), f.LastMapper(), f.Samples(), f.Events(), f.checkpoints()}
	return name[0] == '.' || slices.ContainsFunc(parts, func(path string) bool { return filepath.Base(path) == name })
}
