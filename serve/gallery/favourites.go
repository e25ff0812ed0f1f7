package gallery

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
)

// favouritesFile lists the ids of favourites in a gallery's folder.
const favouritesFile = "favourites.json"

// Filter chooses pictures. Its zero value chooses all.
type Filter struct {
	Query             string // words that a picture's record has
	Domain, Run, Look string // "" is any; look "none" is that of pictures as they were drawn; a run may have a mapper
	Favourites        bool
}

// asDrawn is the look of pictures that no style redrew, in a Filter.
const asDrawn = "none"

func (f Filter) takes(it *item, words []string) bool {
	look := it.Cartoon.Style
	if look == "" {
		look = asDrawn
	}
	return (f.Domain == "" || f.Domain == it.Domain) && (f.Run == "" || f.Run == it.Run || f.Run == it.runWithMapper()) &&
		(f.Look == "" || f.Look == look) && (!f.Favourites || it.Favourite) &&
		!slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(it.words, w) })
}

// runWithMapper is the run of a picture with the beginning of its mapper's SHA-256, such as "first@1a2b3c4d", which
// tells runs of one name apart, and a run from itself before it was trained again; "" without either.
func (r Record) runWithMapper() string {
	mapper := r.Networks["mapper"]
	if r.Run == "" || len(mapper) < 8 {
		return ""
	}
	return r.Run + "@" + mapper[:8]
}

// Facets are the values that pictures have of what a Filter chooses by, sorted.
type Facets struct {
	Domains []string `json:"domains"`
	// Runs are names, and behind a name that several mappers have those of runWithMapper.
	Runs  []string `json:"runs"`
	Looks []string `json:"looks"`
}

// Facets returns the values of all pictures: all domains, and the runs and looks of one domain, "" for all.
func (g *Gallery) Facets(domain string) Facets {
	g.mu.RLock()
	defer g.mu.RUnlock()
	f := Facets{[]string{}, []string{}, []string{}}
	add := func(values *[]string, value string) {
		if value != "" {
			*values = append(*values, value)
		}
	}
	mappers := map[string]map[string]bool{} // by run
	for _, it := range g.items {
		add(&f.Domains, it.Domain)
		if domain == "" || domain == it.Domain {
			add(&f.Runs, it.Run)
			if of := it.runWithMapper(); of != "" {
				if mappers[it.Run] == nil {
					mappers[it.Run] = map[string]bool{}
				}
				mappers[it.Run][of] = true
			}
			add(&f.Looks, it.Cartoon.Style)
		}
	}
	for _, of := range mappers {
		if len(of) > 1 {
			f.Runs = slices.AppendSeq(f.Runs, maps.Keys(of))
		}
	}
	for _, values := range []*[]string{&f.Domains, &f.Runs, &f.Looks} {
		slices.Sort(*values)
		*values = slices.Compact(*values)
	}
	return f
}

// SetFavourite marks a picture as a favourite, which stays while other pictures make room, or takes the mark away.
func (g *Gallery) SetFavourite(id string, favourite bool) (Record, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	it := g.byID[id]
	if it == nil {
		return Record{}, ErrNotFound
	}
	before := it.Favourite
	it.Favourite = favourite
	if err := g.writeFavourites(); err != nil {
		it.Favourite = before
		return Record{}, err
	}
	return it.Record, nil
}

// writeFavourites writes the ids of all favourites. The lock is held.
func (g *Gallery) writeFavourites() error {
	if g.folder == "" {
		return nil
	}
	ids := append([]string{}, g.absent...)
	for _, it := range slices.Concat(g.items, g.trash) {
		if it.Favourite {
			ids = append(ids, it.ID)
		}
	}
	return jsonfile.Write(filepath.Join(g.folder, favouritesFile), ids)
}

// maxFavourites bounds the bytes of the favourites' file.
const maxFavourites = 16 << 20

// readFavourites marks the favourites of a folder. A damaged file is left alone, and reported.
func (g *Gallery) readFavourites() {
	raw, err := files.ReadFile(filepath.Join(g.folder, favouritesFile), maxFavourites)
	var ids []string
	if errors.Is(err, fs.ErrNotExist) {
		raw, err = []byte("[]"), nil
	}
	if err == nil {
		if err = json.Unmarshal(raw, &ids); err != nil {
			err = fmt.Errorf("%s: %w", favouritesFile, err)
		}
	}
	if err != nil {
		g.log.Warn("the gallery's favourites are not known", "error", err)
	}
	for _, it := range g.items {
		it.Favourite = false // whatever its file says
	}
	for _, id := range ids {
		if it := g.byID[id]; it != nil {
			it.Favourite = true
		} else if _, ok := timeOf(id); ok && exists(g.path(id)) {
			g.absent = append(g.absent, id)
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// eldest returns the place of the picture that makes room first: the oldest that is not a favourite, but never the
// last.
func (g *Gallery) eldest() int {
	last := len(g.items) - 1
	if i := slices.IndexFunc(g.items[:last], func(it *item) bool { return !it.Favourite }); i >= 0 {
		return i
	}
	return 0
}
