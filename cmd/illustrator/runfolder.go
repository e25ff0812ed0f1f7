package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/data/texts"
	"illustrator/internal/fault"
	"illustrator/train"
)

// runsFolder holds the runs that are given no folder.
const runsFolder = "runs"

// numberedFolder returns the folder of a run that is given none: the newest in runs with the same settings and name, so
// that the same command goes on, or a new one.
func numberedFolder(run configs.Run, t trainOptions) (string, error) {
	name := texts.Slug(t.nameOf())
	if name == "" {
		return "", fault.Usage(fmt.Errorf("--name %q has neither letters nor digits", t.name), "give a short name, such as batch16")
	}
	entries, err := os.ReadDir(runsFolder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	next := 0
	for _, e := range slices.Backward(entries) {
		digits, rest, found := strings.Cut(e.Name(), "-")
		number, err := strconv.Atoi(digits)
		if !found || err != nil || !e.IsDir() {
			continue
		}
		next = max(next, number+1)
		if rest != name {
			continue
		}
		folder := filepath.Join(runsFolder, e.Name())
		if same, err := sameSettings(folder, run); err == nil && same {
			return folder, nil
		}
	}
	return filepath.Join(runsFolder, fmt.Sprintf("%05d-%s", next, name)), nil
}

// finishedRun returns what the run in folder out came to if it is finished, nil if it is not. A run of other settings,
// networks or pairs is an error.
func (s *session) finishedRun(out string, run configs.Run, t trainOptions) (*train.Info, error) {
	if err := terminal.CheckOutputFolder(out); err != nil {
		return nil, err
	}
	if _, err := sameSettings(out, run); err != nil {
		return nil, err
	}
	info, err := train.Folder(out).ReadInfo()
	if info == nil || err != nil || info.Status != train.Finished {
		return nil, err
	}
	if err := s.sameNetworks(train.Folder(out), info); err != nil {
		return nil, err
	}
	var given [2]*pairs.Set
	for i, folder := range []string{t.pairs, t.validationPairs} {
		if folder == "" {
			continue
		}
		if given[i], err = pairs.Open(folder); err != nil {
			return nil, err
		}
		defer given[i].Close()
	}
	return info, samePairs(train.Folder(out), info, given[0], given[1])
}

// samePairs returns an error if a run was begun on other pairs than those given; nil is not compared.
func samePairs(folder train.Folder, info *train.Info, set, validation *pairs.Set) error {
	for _, c := range []struct {
		what, want string
		given      *pairs.Set
	}{{"pairs", info.PairsSHA256, set}, {"validation pairs", info.ValidationPairsSHA256, validation}} {
		if c.given != nil && c.given.SHA256() != c.want {
			return fault.Usage(fmt.Errorf("%s holds a run on other %s than %q: %s", folder, c.what, c.given.Source, info.Pairs),
				"give another --out, or remove that folder")
		}
	}
	return nil
}

// sameNetworks returns an error if the run was trained with other networks than this session's.
func (s *session) sameNetworks(folder train.Folder, info *train.Info) error {
	for _, network := range []string{"generator", "clip"} {
		if have, want := info.Networks[network], s.networks.Hashes[network]; have != want {
			return fault.Hint(fmt.Errorf("run %q was trained with %s %.12s; domain %s has %.12s", folder, network, have, s.domain.Name, want),
				"name the run's own domain with --domain, or train a mapper for this one")
		}
	}
	return nil
}

// sameSettings reports whether the run's settings are stored in folder out. Other settings are an error that shows one
// difference.
func sameSettings(out string, run configs.Run) (bool, error) {
	text, err := run.YAML()
	if err != nil {
		return false, err
	}
	there, err := os.ReadFile(train.Folder(out).Config())
	switch {
	case err != nil:
		return false, nil
	case bytes.Equal(there, text):
		return true, nil
	}
	return false, fault.Usage(fmt.Errorf("%s holds a run with other settings: %s", out, configs.Difference(there, text)), "give another --out, or remove that folder")
}

// claimFolder makes the run's folder and stores the settings in it, or finds the same settings there.
func claimFolder(out string, run configs.Run) error {
	if same, err := sameSettings(out, run); same || err != nil {
		return err
	}
	text, err := run.YAML()
	if err != nil {
		return err
	}
	if err := terminal.CreateFolder(out); err != nil {
		return err
	}
	return renameio.WriteFile(train.Folder(out).Config(), text, 0o666)
}

// warnUnlocked warns of a folder on a file system that has no locks.
func (o *globalOptions) warnUnlocked(folder string, locked bool) {
	if !locked {
		o.log.Warn(fmt.Sprintf("the file system of %s has no locks: see to it that no other process writes into that folder", folder))
	}
}
