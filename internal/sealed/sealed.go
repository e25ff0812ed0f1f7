// Package sealed keeps files under keys in a folder of bounded size. Each begins with the hash of what follows, so that
// a damaged file, or one under another's key, is an error and never content.
package sealed

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"illustrator/internal/files"
)

// Folder keeps files of one kind; others may lie beside them.
type Folder struct {
	Path string
	// Suffix ends the names of the kind's files, such as ".program". The rest of a name is its key, 64 hexadecimal
	// digits.
	Suffix string
	// Kind is the plural that errors name the files with.
	Kind string
	// Limit is the most bytes that the files may have together; those that were not used for longest go first.
	Limit int64
}

// File returns the path of the file under key.
func (d *Folder) File(key string) string { return filepath.Join(d.Path, key+d.Suffix) }

// ours matches the names of the kind's files, and of those that a process left behind half written.
func (d *Folder) ours() *regexp.Regexp {
	return regexp.MustCompile(`^\.?[0-9a-f]{64}` + regexp.QuoteMeta(d.Suffix) + `[0-9]*$`)
}

// Read returns the content under key, nil if there is none. The error is a *files.DistrustError if another user could
// have changed the file.
func (d *Folder) Read(key string) ([]byte, error) {
	folder, err := files.OpenPrivate(d.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	f, info, err := folder.Open(key + d.Suffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info.Size() > d.Limit {
		return nil, fmt.Errorf("%s has %d bytes; all %s together may have %d", d.File(key), info.Size(), d.Kind, d.Limit)
	}
	content := make([]byte, info.Size())
	if _, err := io.ReadFull(f, content); err != nil {
		return nil, fmt.Errorf("%s: %w", d.File(key), err)
	}
	if content, err = Unseal(key, content); err != nil {
		return nil, fmt.Errorf("%s %w", d.File(key), err)
	}
	files.Touch(f) // notes the use; a folder that can only be read serves as well
	return content, nil
}

// Unseal returns the content in a file.
func Unseal(key string, content []byte) ([]byte, error) {
	if len(content) <= sha256.Size {
		return nil, errors.New("is cut short")
	}
	rest := content[sha256.Size:]
	if Seal(key, rest) != [sha256.Size]byte(content[:sha256.Size]) {
		return nil, errors.New("is damaged, or another key's")
	}
	return rest, nil
}

// Seal is the hash that a file begins with.
func Seal(key string, content []byte) [sha256.Size]byte {
	return sha256.Sum256(append([]byte(key), content...))
}

// Write keeps content under key, and makes room for it.
func (d *Folder) Write(key string, content []byte) error {
	if size := int64(len(content) + sha256.Size); size > d.Limit {
		return fmt.Errorf("it has %d bytes; all %s together may have %d", size, d.Kind, d.Limit)
	}
	if err := os.MkdirAll(d.Path, 0o700); err != nil {
		return err
	}
	folder, err := files.OpenPrivate(d.Path)
	if err != nil {
		return err
	}
	defer folder.Close()
	seal := Seal(key, content)
	if err := files.WriteFile(d.File(key), append(seal[:], content...), 0o600); err != nil {
		return err
	}
	return d.prune()
}

// prune removes the files that were not used for longest until the others keep to the limit.
func (d *Folder) prune() error {
	files, total, err := d.Files()
	if err != nil {
		return err
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int {
		return cmp.Or(a.ModTime().Compare(b.ModTime()), cmp.Compare(a.Name(), b.Name()))
	})
	for _, f := range files {
		if total <= d.Limit {
			break
		}
		if err := os.Remove(filepath.Join(d.Path, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= f.Size()
	}
	return nil
}

// Size returns the number of the kind's files and their bytes.
func (d *Folder) Size() (count int, bytes int64, err error) {
	files, bytes, err := d.Files()
	return len(files), bytes, err
}

// Files lists the kind's files, and no other.
func (d *Folder) Files() (files []fs.FileInfo, bytes int64, err error) {
	entries, err := os.ReadDir(d.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0, nil
	}
	ours := d.ours()
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

// Distrust returns a *files.DistrustError of the folder or of the first file in it that another user could have
// changed, and how many files are such. A folder that is not there is none.
func (d *Folder) Distrust() (count int, err error) {
	folder, err := files.OpenPrivate(d.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer folder.Close()
	entries, err := os.ReadDir(d.Path)
	ours := d.ours()
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
			count, err = count+1, cmp.Or(err, failure)
		}
	}
	return count, err
}
