package album

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"illustrator/draw"
)

// findEarlier lists the pictures of earlier calls in the album's folder that this one does not draw: they would mix
// with the album's, and an evaluation of the folder would judge both. A picture counts if its record is beside it.
func (a *Album) findEarlier() error {
	names := map[string]bool{}
	for i, q := range a.Requests {
		for _, seed := range q.Seeds {
			names[draw.FileName(i, q.Text.Text, seed)] = true
		}
	}
	entries, err := os.ReadDir(a.Out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return err
	}
	a.earlier = nil
	for _, e := range entries {
		name, isPicture := strings.CutSuffix(e.Name(), ".png")
		if !isPicture || names[name] {
			continue
		}
		if _, err := os.Stat(filepath.Join(a.Out, name+".json")); err == nil {
			a.earlier = append(a.earlier, name)
		}
	}
	return nil
}

// OwnFolder returns an error if the album's folder holds pictures of earlier calls, unless a.Replace removes them. A
// folder that the user did not name gives way to the first of Out-2, Out-3 and so on that holds none.
func (a *Album) OwnFolder(named bool) error {
	base := a.Out
	for i := 2; ; i++ {
		err := a.findEarlier()
		switch {
		case err != nil || len(a.earlier) == 0 || a.Replace:
			return err
		case named || i == maxFolders:
			return &MixedError{Folder: a.Out, Pictures: len(a.earlier), First: a.earlier[0] + ".png"}
		}
		a.Out = fmt.Sprintf("%s-%d", base, i)
	}
}

const maxFolders = 10_000

// MixedError is the error of a folder that holds pictures of earlier calls.
type MixedError struct {
	Folder   string
	Pictures int    // of earlier calls
	First    string // the first of them
}

func (e *MixedError) Error() string {
	return fmt.Sprintf("%q holds pictures of an earlier call: %d, such as %s", e.Folder, e.Pictures, e.First)
}

// removeEarlier removes the pictures of earlier calls, with their records.
func (a Album) removeEarlier() (failed error) {
	for _, name := range a.earlier {
		path := filepath.Join(a.Out, name)
		failed = errors.Join(failed, os.Remove(path+".png"), os.Remove(path+".json"))
	}
	return failed
}
