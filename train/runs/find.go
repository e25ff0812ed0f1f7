// Package runs takes the folder of a run through its life: it samples pairs, computes prompts, trains and resumes, and
// lists, compares and removes runs.
package runs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/train"
)

// Run is a run's folder and what its run.json says.
type Run struct {
	train.Folder
	Info  train.Info
	Label string // stands for the folder's name where it is not ""
	// Before is the run whose last mapper this one started from: its steps count before this one's. "" is none.
	Before train.Folder
}

// name is the run's label, or the folder's own name.
func (r Run) name() string { return cmp.Or(r.Label, folderName(r.Folder)) }

func folderName(f train.Folder) string {
	path, err := filepath.Abs(string(f))
	if err != nil {
		path = string(f)
	}
	return filepath.Base(path)
}

// killed is the status of a run whose process ended without writing another.
const killed = "killed"

// Read reads run.json. A run that is marked as running and whose folder nobody uses was killed.
func Read(folder train.Folder) (Run, error) {
	run := Run{Folder: folder}
	info, err := folder.ReadInfo()
	if err != nil {
		return run, err
	}
	if info == nil {
		return run, &Error{Code: NotARun, Text: fmt.Sprintf("%s has no run.json", folder)}
	}
	run.Info = *info
	if run.Info.Status != train.Running {
		return run, nil
	}
	inUse, known, err := files.FolderInUse(string(folder))
	if known && !inUse {
		run.Info.Status = killed
	}
	return run, err
}

// Find returns the folder that a user means by a path, or by a number or name in the folder runs.
func Find(ref string) (train.Folder, error) {
	if info, err := os.Stat(ref); err == nil && info.IsDir() {
		return train.Folder(filepath.Clean(ref)), nil
	}
	if filepath.Base(ref) != ref {
		return "", &Error{Code: NoFolder, Text: fmt.Sprintf("run %q: the folder does not exist", ref)}
	}
	names, err := folders(DefaultFolder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	matches := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !means(ref, name) })
	switch {
	case len(matches) == 1:
		return train.Folder(filepath.Join(DefaultFolder, matches[0])), nil
	case len(matches) > 1:
		return "", fault.Usage(fmt.Errorf("run %q: %s are meant by it", ref, strings.Join(matches, " and ")),
			"give the whole name")
	}
	if near := fault.Nearest(ref, names); near != "" {
		return "", fault.Usage(fmt.Errorf("run %q: there is none in the folder %s", ref, DefaultFolder),
			"did you mean %s?", near)
	}
	return "", &Error{Code: NoRun, Text: fmt.Sprintf("run %q: there is none in the folder %s", ref, DefaultFolder)}
}

// means reports whether ref is the name of a run's folder, or the number before the name's first dash.
func means(ref, name string) bool {
	if ref == name {
		return true
	}
	wanted, err := strconv.ParseUint(ref, 10, 32)
	if err != nil {
		return false
	}
	number, _, _ := strings.Cut(name, "-")
	got, err := strconv.ParseUint(number, 10, 32)
	return err == nil && got == wanted
}

// folders lists the names of the folders in a folder, without hidden ones.
func folders(path string) (names []string, err error) {
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(path, e.Name())); err == nil && info.IsDir() &&
			!strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, err
}

// Names lists the runs in the default folder, for shells to complete.
func Names() []string {
	names, _ := folders(DefaultFolder)
	return names
}

// Paths lists the folders of the runs in the default folder, for shells to complete.
func Paths() []string {
	paths := Names()
	for i, name := range paths {
		paths[i] = filepath.Join(DefaultFolder, name)
	}
	return paths
}
