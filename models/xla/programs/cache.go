package programs

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sync/atomic"

	"illustrator/internal/files"
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

// read returns the program under key, nil if there is none. It is a *files.DistrustError if another user could have
// changed it: a program is machine code, which runs as this user.
func (c *Cache) read(key string) ([]byte, error) {
	folder, err := files.OpenPrivate(c.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	f, info, err := folder.Open(key + suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info.Size() > c.limit() {
		return nil, fmt.Errorf("%s has %d bytes; all programs together may have %d", c.path(key), info.Size(), c.limit())
	}
	content := make([]byte, info.Size())
	if _, err := io.ReadFull(f, content); err != nil {
		return nil, fmt.Errorf("%s: %w", c.path(key), err)
	}
	program, err := unseal(key, content)
	if err != nil {
		return nil, fmt.Errorf("%s %w", c.path(key), err)
	}
	files.Touch(f) // notes the use; a folder that can only be read serves as well
	return program, nil
}

// unseal returns the program in a file of the cache.
func unseal(key string, content []byte) ([]byte, error) {
	if len(content) <= sha256.Size {
		return nil, errors.New("is cut short")
	}
	program := content[sha256.Size:]
	if sealOf(key, program) != [sha256.Size]byte(content[:sha256.Size]) {
		return nil, errors.New("is damaged, or another program's")
	}
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
	folder, err := files.OpenPrivate(c.Folder)
	if err != nil {
		return err
	}
	defer folder.Close()
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

// Distrust returns a *files.DistrustError of the folder or of the first program in it that another user could have
// changed, and how many programs are such. A folder that is not there is none.
func (c *Cache) Distrust() (programs int, err error) {
	folder, err := files.OpenPrivate(c.Folder)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer folder.Close()
	entries, err := os.ReadDir(c.Folder)
	for _, entry := range entries {
		if !ours.MatchString(entry.Name()) {
			continue
		}
		f, _, failure := folder.Open(entry.Name())
		if failure == nil {
			f.Close()
			continue
		}
		if distrust := new(files.DistrustError); errors.As(failure, &distrust) {
			programs, err = programs+1, cmp.Or(err, failure)
		}
	}
	return programs, err
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
