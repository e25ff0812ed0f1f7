// Package data holds what goes into training and comes out of drawing: pairs of Z and image embedding (Arrow), seeds,
// texts, pictures (PNG, JPEG, WebP), labelled picture grids, and NumPy or safetensors arrays.
//
// Files are written under a temporary name beside the target, synced and renamed, so nothing incomplete ever stands under a
// final name; sizes found in a file are checked against the file's own size before memory is allocated for them.
package data

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"illustrator/internal/fault"
)

// pendingFile opens a temporary file beside path that becomes path when it is complete.
func pendingFile(path string) (*renameio.PendingFile, error) {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o644))
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("write %q: %w", path, err), "the folder %q must exist and be writable", filepath.Dir(path))
	}
	return f, nil
}

// writeFile writes a whole file atomically through the function write.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := pendingFile(path)
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

// openFile opens a regular file for reading and returns its size.
func openFile(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fault.Usage(errors.New("not a regular file"), "name a file, not a folder or a device")
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// recovered turns a panic of a decoding library on a damaged file into *err. Use it as a deferred call.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("the file is damaged: %v", r)
	}
}
