package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/train"
)

// LockToRemove locks a folder that is a run and holds nothing else.
func LockToRemove(folder train.Folder) (unlock func(), err error) {
	info, err := os.Lstat(string(folder))
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fault.Usage(fmt.Errorf("%s is a link or a file, not the folder of a run", folder),
			"name the folder itself")
	}
	entries, err := os.ReadDir(string(folder))
	if err != nil {
		return nil, err
	}
	var foreign []string
	has := map[string]bool{}
	for _, e := range entries {
		has[e.Name()] = true
		if !folder.Has(e.Name()) {
			foreign = append(foreign, e.Name())
		}
	}
	if !has[filepath.Base(folder.Config())] || !has[filepath.Base(folder.Info())] {
		return nil, fault.Usage(fmt.Errorf("%s is not the folder of a run: it lacks config.yaml or run.json", folder),
			"remove it yourself if it is not needed")
	}
	if len(foreign) > 0 {
		return nil, fault.Usage(fmt.Errorf("%s holds what no command writes there: %s", folder, strings.Join(foreign, ", ")),
			"move that away first, or remove the folder yourself")
	}
	lock, err := files.LockFolder(string(folder))
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Release() }, nil
}

// MadeOf names what commands made of a run in its own folder: its evaluation and its pictures.
func MadeOf(folder train.Folder) (names []string) {
	for _, path := range []string{folder.Evaluation(), folder.Pictures()} {
		if _, err := os.Stat(path); err == nil {
			names = append(names, filepath.Base(path))
		}
	}
	return names
}

// Remove removes a run's folder. The files that mark it as a run go last, so that what is left of an interrupted
// removal can be removed.
func Remove(folder train.Folder) error {
	entries, err := os.ReadDir(string(folder))
	if err != nil {
		return err
	}
	last := []string{folder.Info(), folder.Config()}
	for _, e := range entries {
		path := filepath.Join(string(folder), e.Name())
		if slices.Contains(last, path) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return os.RemoveAll(string(folder))
}
