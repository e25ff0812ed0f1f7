package programs

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"illustrator/internal/files"
)

// Cache is a folder of compiled programs.
type Cache struct {
	Folder string
	// Limit is the most bytes that the folder holds; the programs that were not used for longest go first. 0 is
	// DefaultLimit.
	Limit int64
	Log   *slog.Logger // gets each program at level debug; nil discards
}

// DefaultLimit is enough for some hundred trainings: the programs of one take 12 MB on the embedded domain.
const DefaultLimit = 1 << 30

// defaultFolder is the folder in the user's cache. It is an error if the user has none.
func defaultFolder() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "illustrator", "programs"), err
}

// A program's file is called by its key, and begins with the hash of what follows.
const suffix = ".program"

// ours matches the names of programs, and of those that a process left behind half written.
var ours = regexp.MustCompile(`^\.?[0-9a-f]{64}\` + suffix + `[0-9]*$`)

func (c *Cache) path(key string) string { return filepath.Join(c.Folder, key+suffix) }

func (c *Cache) limit() int64 {
	if c.Limit > 0 {
		return c.Limit
	}
	return DefaultLimit
}

// read returns the program under key, nil if there is none.
func (c *Cache) read(key string) ([]byte, error) {
	path := c.path(key)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Size() > c.limit() {
		return nil, fmt.Errorf("%s has %d bytes; all programs together may have %d", path, info.Size(), c.limit())
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(content) <= sha256.Size {
		return nil, fmt.Errorf("%s is cut short", path)
	}
	program := content[sha256.Size:]
	if sealOf(key, program) != [sha256.Size]byte(content[:sha256.Size]) {
		return nil, fmt.Errorf("%s is damaged, or another program's", path)
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // notes the use; a folder that can only be read serves as well
	return program, nil
}

// sealOf is the hash that program's file begins with.
func sealOf(key string, program []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(key), program...))
}

// write keeps the program under key, and makes room for it.
func (c *Cache) write(key string, program []byte) error {
	if size := int64(len(program) + sha256.Size); size > c.limit() {
		return fmt.Errorf("it has %d bytes; all programs together may have %d", size, c.limit())
	}
	if err := os.MkdirAll(c.Folder, 0o700); err != nil {
		return err
	}
	seal := sealOf(key, program)
	if err := files.WriteFile(c.path(key), append(seal[:], program...), 0o600); err != nil {
		return err
	}
	return c.prune()
}

// prune removes the programs that were not used for longest until the others keep to the limit.
func (c *Cache) prune() error {
	files, total, err := c.files()
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	for _, f := range files {
		if total <= c.limit() {
			break
		}
		if err := os.Remove(filepath.Join(c.Folder, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= f.Size()
	}
	return nil
}

// Size returns the number of programs in the folder and their bytes.
func (c *Cache) Size() (programs int, bytes int64, err error) {
	files, bytes, err := c.files()
	return len(files), bytes, err
}

// files lists the programs in the folder, and no file that is not this package's.
func (c *Cache) files() (files []fs.FileInfo, bytes int64, err error) {
	entries, err := os.ReadDir(c.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	for _, entry := range entries {
		if !ours.MatchString(entry.Name()) {
			continue
		}
		if info, err := entry.Info(); err == nil && info.Mode().IsRegular() { // another process may have removed it
			files, bytes = append(files, info), bytes+info.Size()
		}
	}
	return files, bytes, err
}

func (c *Cache) debug(message string, args ...any) {
	if c.Log != nil {
		c.Log.Debug(message, args...)
	}
}
