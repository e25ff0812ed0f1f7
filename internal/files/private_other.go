//go:build !linux && !darwin

package files

import (
	"errors"
	"io/fs"
	"os"
)

// Private is a folder that no other user can change. There is none on this system, whose owners are not checked.
type Private struct{}

// OpenPrivate is an error on this system.
func OpenPrivate(string) (*Private, error) { return nil, errors.ErrUnsupported }

// Close does nothing.
func (*Private) Close() error { return nil }

// Open is an error on this system.
func (*Private) Open(string) (*os.File, fs.FileInfo, error) { return nil, nil, errors.ErrUnsupported }

// Touch does nothing.
func Touch(*os.File) {}
