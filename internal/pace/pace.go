// Package pace remembers how long work took on this machine, so that work of the same kind has an estimate before it
// begins.
package pace

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"sync"

	"illustrator/internal/jsonfile"
)

// Pace is the time of a kind of work in seconds: of one unit, and of what comes before the first, such as compiling.
type Pace struct {
	Unit   float64 `json:"unit"`
	Before float64 `json:"before"`
}

// Seconds returns the time of a number of units.
func (p Pace) Seconds(units int) float64 { return p.Before + p.Unit*float64(units) }

// Book is a file of paces by the kind of work. It is a cache: a file that is missing or damaged is an empty one.
type Book struct {
	path string
	mu   sync.Mutex
}

// Default returns the book in the user's cache, or one without a file where the user has none.
func Default() *Book {
	folder, err := os.UserCacheDir()
	if err != nil {
		return open("")
	}
	return open(filepath.Join(folder, "illustrator", "pace.json"))
}

// open returns the book at path; "" keeps nothing.
func open(path string) *Book { return &Book{path: path} }

// Of returns the pace of a kind of work, and whether one is known.
func (b *Book) Of(kind string) (Pace, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, known := b.read()[kind]
	return p, known
}

// most is the number of kinds that a book holds; a new one then begins.
const most = 1000

// Note writes down the pace of a kind of work, in place of an earlier one.
func (b *Book) Note(kind string, p Pace) error {
	if b.path == "" {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	paces := b.read()
	if len(paces) >= most {
		clear(paces)
	}
	paces[kind] = p
	if err := os.MkdirAll(filepath.Dir(b.path), 0o777); err != nil {
		return err
	}
	return jsonfile.Write(b.path, paces)
}

func (b *Book) read() map[string]Pace {
	paces := map[string]Pace{}
	raw, err := os.ReadFile(b.path)
	if err != nil || json.Unmarshal(raw, &paces) != nil {
		return map[string]Pace{}
	}
	maps.DeleteFunc(paces, func(_ string, p Pace) bool { return p.Unit < 0 || p.Before < 0 })
	return paces
}
