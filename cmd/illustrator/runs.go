package main

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

	"github.com/spf13/cobra"

	"illustrator/checkpoints"
	"illustrator/cmd/terminal"
	"illustrator/internal/fault"
	"illustrator/train"
)

func newRunsCommand(opts *globalOptions) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "runs",
		Short: "List, show, compare and remove runs",
		Long: `Lists, shows, compares and removes the folders that train writes. A RUN is the path of its folder, or its number or
name in the folder runs: 3, 00003 and 00003-lorelei are the same run.`,
		Example: `  illustrator runs list
  illustrator runs compare 3 4 --out curves.png`,
		Args: cobra.ArbitraryArgs, // so that RunE words the error
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return terminal.UnknownCommand(cmd, args[0])
		},
	}
	cmd.AddCommand(newRunsListCommand(opts), newRunsShowCommand(opts), newRunsCompareCommand(opts), newRunsRemoveCommand(opts))
	return cmd
}

// storedRun is a run's folder and what its run.json says.
type storedRun struct {
	train.Folder
	Info  train.Info
	Label string // stands for the folder's name where it is not ""
}

// Name is the run's label, or the folder's own name.
func (r storedRun) Name() string { return cmp.Or(r.Label, folderName(r.Folder)) }

func folderName(f train.Folder) string {
	path, err := filepath.Abs(string(f))
	if err != nil {
		path = string(f)
	}
	return filepath.Base(path)
}

// killed is the status of a run that ended without a word.
const killed = "killed"

// readRun reads run.json, and finds out whether a run that is said to be running is.
func readRun(folder train.Folder) (storedRun, error) {
	run := storedRun{Folder: folder}
	info, err := folder.ReadInfo()
	if err != nil {
		return run, err
	}
	if info == nil {
		return run, fault.Hint(fmt.Errorf("%s has no run.json", folder), "name the folder of a run that `illustrator train` began")
	}
	run.Info = *info
	if run.Info.Status != train.Running {
		return run, nil
	}
	inUse, known, err := checkpoints.FolderInUse(string(folder))
	if known && !inUse {
		run.Info.Status = killed
	}
	return run, err
}

// findRun returns the folder that a user means by a path, or by a number or name in the folder runs.
func findRun(ref string) (train.Folder, error) {
	if info, err := os.Stat(ref); err == nil && info.IsDir() {
		return train.Folder(filepath.Clean(ref)), nil
	}
	if filepath.Base(ref) != ref {
		return "", fault.Usage(fmt.Errorf("run %q: there is no such folder", ref), "`illustrator runs list` lists the runs in the folder %s", runsFolder)
	}
	names, err := folders(runsFolder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	matches := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !means(ref, name) })
	switch {
	case len(matches) == 1:
		return train.Folder(filepath.Join(runsFolder, matches[0])), nil
	case len(matches) > 1:
		return "", fault.Usage(fmt.Errorf("run %q: %s are meant by it", ref, strings.Join(matches, " and ")), "give the whole name")
	}
	if near := fault.Nearest(ref, names); near != "" {
		return "", fault.Usage(fmt.Errorf("run %q: there is none in the folder %s", ref, runsFolder), "did you mean %s?", near)
	}
	return "", fault.Usage(fmt.Errorf("run %q: there is none in the folder %s", ref, runsFolder),
		"`illustrator runs list` lists them; a run elsewhere is given by the path of its folder")
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
		if info, err := os.Stat(filepath.Join(path, e.Name())); err == nil && info.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, err
}
