package programs

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"

	"illustrator/internal/files"
	"illustrator/internal/sealed"
)

// Cache is a folder of compiled programs.
type Cache struct {
	Folder string
	// Limit is the most bytes that the folder holds; the programs that were not used for longest go first. 0 is
	// DefaultLimit.
	Limit int64
	// Log gets each program at level debug, and one warning of a folder that others can change; nil discards.
	Log *slog.Logger
}

// DefaultLimit is enough for some hundred trainings: the programs of one take 12 MB on Lorelei.
const DefaultLimit = 1 << 30

// defaultFolder is the folder in the user's cache. It is an error if the user has none.
func defaultFolder() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "illustrator", "programs"), err
}

// suffix ends the names of programs' files.
const suffix = ".program"

// files are the programs' files. A program is machine code, which runs as this user: one that others could change is
// not read.
func (c *Cache) files() *sealed.Folder { return c.Beside(suffix, "programs") }

// Size returns the number of programs in the folder and their bytes.
func (c *Cache) Size() (programs int, bytes int64, err error) { return c.files().Size() }

// Distrust returns a *files.DistrustError of the folder or of the first program in it that another user could have
// changed, and how many programs are such. A folder that is not there is none.
func (c *Cache) Distrust() (programs int, err error) { return c.files().Distrust() }

// Beside returns a folder of another kind of files where the programs are, such as those of suffix ".features".
func (c *Cache) Beside(suffix, kind string) *sealed.Folder {
	return &sealed.Folder{Path: c.Folder, Suffix: suffix, Kind: kind, Limit: cmp.Or(c.Limit, DefaultLimit)}
}

// warned is true once this process has said that it does not trust a cache.
var warned atomic.Bool

// refuse notes that a kept program is not used, or that one is not kept. The first time that this is because others
// could change it, it is a warning.
func (c *Cache) refuse(message, key string, reason error, args ...any) {
	distrust := new(files.DistrustError)
	if c.Log != nil && errors.As(reason, &distrust) && !warned.Swap(true) {
		c.Log.Warn(fmt.Sprintf("compiled programs are not read from %s: %v; %s", c.Folder, distrust, distrust.Fix))
	}
	c.debug(message, append([]any{"key", key, "reason", reason}, args...)...)
}

func (c *Cache) debug(message string, args ...any) {
	if c.Log != nil {
		c.Log.Debug(message, args...)
	}
}
