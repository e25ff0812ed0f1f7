package gallery

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// undoTime is the time that a deleted picture can be restored in.
const undoTime = 30 * time.Second

// maxTrash bounds the deleted pictures that are held: the first deleted one goes for good.
const maxTrash = 200

// deletedSuffix marks a deleted picture's file. Open removes what an earlier process left of them.
const deletedSuffix = ".deleted"

// Delete removes a picture. Restore brings it back within UndoTime.
func (g *Gallery) Delete(id string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	it := g.byID[id]
	if it == nil {
		return ErrNotFound
	}
	if g.folder != "" {
		if err := os.Rename(g.path(id), g.path(id)+deletedSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	delete(g.byID, id)
	g.bytes -= it.size
	g.items = slices.DeleteFunc(g.items, func(x *item) bool { return x == it })
	g.trash = append(g.trash, it)
	for len(g.trash) > maxTrash {
		g.purge(g.trash[0])
	}
	time.AfterFunc(undoTime, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.purge(it)
	})
	return nil
}

// Restore brings a deleted picture back.
func (g *Gallery) Restore(id string) (Record, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := slices.IndexFunc(g.trash, func(it *item) bool { return it.ID == id })
	if at < 0 {
		return Record{}, ErrNotFound
	}
	it := g.trash[at]
	if g.folder != "" {
		if err := os.Rename(g.path(id)+deletedSuffix, g.path(id)); errors.Is(err, fs.ErrNotExist) {
			return Record{}, ErrNotFound
		} else if err != nil {
			return Record{}, err
		}
	}
	g.trash = slices.Delete(g.trash, at, at+1)
	g.add(it)
	g.forget()
	return it.Record, nil
}

// Close removes deleted pictures for good and unlocks the folder.
func (g *Gallery) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	for len(g.trash) > 0 {
		g.purge(g.trash[0])
	}
	if g.lock == nil {
		return nil
	}
	return g.lock.Release()
}

// purge removes a deleted picture for good, unless it was restored. The lock is held.
func (g *Gallery) purge(it *item) {
	at := slices.Index(g.trash, it)
	if at < 0 {
		return
	}
	g.trash = slices.Delete(g.trash, at, at+1)
	if g.folder == "" {
		return
	}
	if err := os.Remove(g.path(it.ID) + deletedSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		g.log.Warn("a deleted picture could not be removed", "id", it.ID, "error", err)
	}
}

// removeDeleted removes a deleted picture's file that an earlier process left, and reports whether name is one.
func (g *Gallery) removeDeleted(name string) bool {
	id, deleted := strings.CutSuffix(name, ".png"+deletedSuffix)
	if _, isID := timeOf(id); !deleted || !isID {
		return false
	}
	if err := os.Remove(filepath.Join(g.folder, name)); err != nil {
		g.log.Warn("a deleted picture could not be removed", "error", err)
	}
	return true
}
