package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"illustrator/checkpoints"
	"illustrator/cmd/terminal"
	"illustrator/internal/fault"
	"illustrator/train"
)

func newRunsRemoveCommand(opts *globalOptions) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "rm RUN...",
		Short: "Remove runs",
		Long: `Removes the folders of runs with all that is in them, after a question on a terminal. Nothing is removed if any of the
folders is no run, is in use, or holds something that no run writes.`,
		Example: `  illustrator runs rm 3
  illustrator runs rm runs/00003-lorelei runs/00004-lorelei --yes`,
		Args: terminal.SomeArgs("the runs to remove"),
		RunE: func(_ *cobra.Command, args []string) error { return runRunsRemove(opts, args, yes) },
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "remove without a question")
	return cmd
}

func runRunsRemove(opts *globalOptions, refs []string, yes bool) error {
	var remove []train.Folder
	for _, ref := range refs {
		folder, err := findRun(ref)
		if err != nil {
			return err
		}
		if slices.Contains(remove, folder) {
			continue
		}
		unlock, err := lockToRemove(folder)
		if err != nil {
			return err
		}
		defer unlock()
		remove = append(remove, folder)
	}
	if !yes {
		if !term.IsTerminal(int(os.Stdin.Fd())) {
			return fault.Usage(errors.New("no terminal to ask on whether to remove runs"), "give --yes to remove without a question")
		}
		agreed, err := ask(os.Stdin, opts.stderr, question(remove))
		if err != nil {
			return err
		}
		if !agreed {
			opts.log.Info("nothing was removed")
			return nil
		}
	}
	for _, folder := range remove {
		if err := removeRun(folder); err != nil {
			return fault.Hint(fmt.Errorf("remove run %s: %w", folder, err), "the same command removes the rest")
		}
		if _, err := fmt.Fprintf(opts.stdout, "removed %s\n", folder); err != nil {
			return err
		}
	}
	return nil
}

func question(remove []train.Folder) string {
	names := make([]string, len(remove))
	for i, folder := range remove {
		names[i] = string(folder)
	}
	return fmt.Sprintf("remove %s? [y/N] ", strings.Join(names, ", "))
}

// ask puts a question and reports whether the answer is yes; the end of the input is no.
func ask(answers io.Reader, w io.Writer, question string) (bool, error) {
	fmt.Fprint(w, question)
	answer, err := bufio.NewReader(answers).ReadString('\n')
	if err != nil && err != io.EOF {
		return false, err
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}

// lockToRemove locks a folder if it is a run and nothing else is in it.
func lockToRemove(folder train.Folder) (unlock func(), err error) {
	info, err := os.Lstat(string(folder))
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fault.Usage(fmt.Errorf("%s is a link or a file, not the folder of a run", folder), "name the folder itself")
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
		return nil, fault.Usage(fmt.Errorf("%s is not the folder of a run: it lacks config.yaml or run.json", folder), "remove it yourself if it is not needed")
	}
	if len(foreign) > 0 {
		return nil, fault.Usage(fmt.Errorf("%s holds what no run writes: %s", folder, strings.Join(foreign, ", ")), "move that away first, or remove the folder yourself")
	}
	lock, err := checkpoints.LockFolder(string(folder))
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Release() }, nil
}

// removeRun removes what shows that a folder is a run last, so that what is left of an interrupted removal can be removed.
func removeRun(folder train.Folder) error {
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
