package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"illustrator/cmd/terminal"
	"illustrator/internal/fault"
	"illustrator/train"
	"illustrator/train/runs"
)

func newRunsRemoveCommand(opts *terminal.Options) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:   "rm RUN...",
		Short: "Remove runs",
		Long: `Removes the folders of runs with all files in them, after a question on a terminal: also eval and pictures,
which eval and demo write. It removes nothing if one of the folders is not a run, is in use, or holds another file.`,
		Example: `  illustrator runs rm 3
  illustrator runs rm runs/00003-lorelei runs/00004-lorelei --yes`,
		Args: terminal.SomeArgs("the runs to remove"),
		RunE: func(_ *cobra.Command, args []string) error { return runRunsRemove(opts, args, yes) },
	}
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "remove without a question")
	return cmd
}

func runRunsRemove(opts *terminal.Options, refs []string, yes bool) error {
	var remove []train.Folder
	for _, ref := range refs {
		folder, err := runs.Find(ref)
		if err != nil {
			return err
		}
		if slices.Contains(remove, folder) {
			continue
		}
		unlock, err := runs.LockToRemove(folder)
		if err != nil {
			return err
		}
		defer unlock()
		remove = append(remove, folder)
	}
	if !yes {
		if !term.IsTerminal(int(os.Stdin.Fd())) {
			return fault.Usage(errors.New("no terminal to ask on whether to remove runs"),
				"give --yes to remove without a question")
		}
		agreed, err := terminal.Ask(os.Stdin, opts.Stderr, question(remove))
		if err != nil {
			return err
		}
		if !agreed {
			opts.Log.Info("nothing was removed")
			return nil
		}
	}
	for _, folder := range remove {
		if err := runs.Remove(folder); err != nil {
			return fault.Hint(fmt.Errorf("remove run %s: %w", folder, err), "the same command removes the rest")
		}
		if _, err := fmt.Fprintf(opts.Stdout, "removed %s\n", folder); err != nil {
			return err
		}
	}
	return nil
}

func question(remove []train.Folder) string {
	names := make([]string, len(remove))
	for i, folder := range remove {
		names[i] = string(folder)
		if also := runs.MadeOf(folder); len(also) > 0 {
			names[i] += " with its " + strings.Join(also, " and ")
		}
	}
	return fmt.Sprintf("remove %s? [y/N] ", strings.Join(names, ", "))
}
