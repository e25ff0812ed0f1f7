package files

import (
	"errors"
	"os"
	"path/filepath"
)

// withoutWaiting has no effect here: opening waits for nobody.
const withoutWaiting = 0

// PendingFile is a temporary file that gets its final name when it is complete.
type PendingFile struct {
	*os.File
	path string
	done bool
}

func newPending(path string, _ os.FileMode) (*PendingFile, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path))
	if err != nil {
		return nil, err
	}
	return &PendingFile{File: f, path: path}, nil
}

// Cleanup removes the file unless it has its final name.
func (f *PendingFile) Cleanup() error {
	if f.done {
		return nil
	}
	f.done = true
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// CloseAtomicallyReplace syncs and closes the file and gives it its final name.
func (f *PendingFile) CloseAtomicallyReplace() error {
	if err := errors.Join(f.Sync(), f.Close(), os.Rename(f.Name(), f.path)); err != nil {
		return err
	}
	f.done = true
	return nil
}

// WriteFile writes a whole file atomically.
func WriteFile(path string, content []byte, perm os.FileMode) error {
	f, err := newPending(path, perm)
	if err != nil {
		return err
	}
	defer f.Cleanup()
	if _, err := f.Write(content); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}

// Symlink makes or replaces the link at path.
func Symlink(target, path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.Symlink(target, path)
}
