package fetch

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"

	"illustrator/internal/fault"
)

// Lock keeps other processes from downloading into folder until unlock is called or this process ends.
func Lock(folder string) (unlock func() error, err error) {
	lock := flock.New(filepath.Join(folder, ".lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("lock %q: %w", folder, err), "it must be a folder that you can write to")
	}
	if !locked {
		return nil, fault.Hint(errors.New(folder+" is in use by another fetch"), "wait until it ends, or stop it; then the same command goes on")
	}
	return lock.Unlock, nil
}
