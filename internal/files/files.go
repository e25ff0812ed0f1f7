// Package files opens regular files, and writes files under a temporary name that is synced and renamed: no
// incomplete file has a final name.
package files

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"illustrator/internal/fault"
)

// Pending opens a temporary file beside path that becomes path when it is complete.
func Pending(path string) (*PendingFile, error) {
	f, err := newPending(path, 0o644)
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("write %q: %w", path, err), "the folder %q must exist and be writable",
			filepath.Dir(path))
	}
	return f, nil
}

// Write writes a whole file atomically through the function write.
func Write(path string, write func(io.Writer) error) (err error) {
	f, err := Pending(path)
	if err != nil {
		return err
	}
	defer f.Cleanup() // does nothing once the file has its name
	if err := write(f); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return nil
}

// ReadFile returns the content of a regular file of at most limit bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, size, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	tooLong := func(size int64) error {
		return fault.Usage(fmt.Errorf("read %s: it has %d bytes", path, size), "name a file of at most %d bytes", limit)
	}
	if size > limit {
		return nil, tooLong(size)
	}
	content, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(content)) > limit { // it has grown
		err = tooLong(int64(len(content)))
	}
	return content, err
}

// ErrNotRegular is Open's error of a folder, a FIFO or a device.
var ErrNotRegular = errors.New("not a regular file")

// Open opens a regular file for reading and returns its size. Of a FIFO or a device it is an error at once.
func Open(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|withoutWaiting, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fault.Usage(&os.PathError{Op: "open", Path: path, Err: ErrNotRegular}, "name a file, not a folder or a device")
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// Recover turns a panic of a decoding library on a damaged file into *err. Use it as a deferred call.
func Recover(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the file is damaged: %w", fault.Recovered(r, "its parts do not fit together"))
	}
}
