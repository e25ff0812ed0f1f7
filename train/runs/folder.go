package runs

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

	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/internal/files"
	"illustrator/internal/yamlfile"
	"illustrator/train"
)

// DefaultFolder holds the runs that are given no folder.
const DefaultFolder = "runs"

// Numbered returns the folder of a run that is given none: the newest in the folder runs with the same settings and
// name, so that the same command resumes it, or a new one. The name is a slug.
func Numbered(run configs.Run, name string) (string, error) {
	entries, err := os.ReadDir(DefaultFolder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	next := 0
	for _, e := range slices.Backward(entries) {
		digits, rest, dashed := strings.Cut(e.Name(), "-")
		number, err := strconv.Atoi(digits)
		if !dashed || err != nil || !e.IsDir() {
			continue
		}
		next = max(next, number+1)
		if rest != name {
			continue
		}
		folder := filepath.Join(DefaultFolder, e.Name())
		if same, err := sameSettings(train.Folder(folder), run); err == nil && same {
			return folder, nil
		}
	}
	return filepath.Join(DefaultFolder, fmt.Sprintf("%05d-%s", next, name)), nil
}

// Finished returns the run.json of a run that is finished, nil if it is not. A run of other settings, networks or pairs
// in the same folder is an error.
func (j *Job) Finished() (*train.Info, error) {
	if _, err := sameSettings(j.Folder, j.Run); err != nil {
		return nil, err
	}
	info, err := j.Folder.ReadInfo()
	if info == nil || err != nil || info.Status != train.Finished {
		return nil, err
	}
	if err := j.sameNetworks(info); err != nil {
		return nil, err
	}
	var given [2]*pairs.Set
	for i, folder := range []string{j.Pairs, j.ValidationPairs} {
		if folder == "" {
			continue
		}
		if given[i], err = pairs.Open(folder); err != nil {
			return nil, err
		}
		defer given[i].Close()
	}
	return info, samePairs(j.Folder, info, given[0], given[1])
}

// samePairs returns an error if a run was begun on other pairs than those given; nil is not compared.
func samePairs(folder train.Folder, info *train.Info, set, validation *pairs.Set) error {
	for _, c := range []struct {
		what, want string
		given      *pairs.Set
	}{{"pairs", info.PairsSHA256, set}, {"validation pairs", info.ValidationPairsSHA256, validation}} {
		if c.given != nil && c.given.SHA256() != c.want {
			return &Error{
				Code: Taken,
				Text: fmt.Sprintf("%s holds a run on other %s than %q: %s", folder, c.what, c.given.Source, info.Pairs),
			}
		}
	}
	return nil
}

// sameNetworks returns an error if the run was trained with other networks than the job's.
func (j *Job) sameNetworks(info *train.Info) error {
	for _, network := range []string{"generator", "clip"} {
		if have, want := info.Networks[network], j.Networks.Hashes[network]; have != want {
			return &Error{Code: OtherNetworks, Text: fmt.Sprintf("run %q was trained with %s %.12s; domain %s has %.12s",
				j.Folder, network, have, j.Domain.Name, want)}
		}
	}
	return nil
}

// sameSettings reports whether the run's settings are stored in folder. Other settings are an error that shows one
// difference.
func sameSettings(folder train.Folder, run configs.Run) (bool, error) {
	text, err := stored(folder, run)
	if err != nil {
		return false, err
	}
	there, err := yamlfile.Read(folder.Config())
	switch {
	case err != nil:
		return false, nil
	case bytes.Equal(there, text):
		return true, nil
	}
	if other, err := configs.OpenRun(folder.Config(), nil); err == nil { // its paths may be written in another way
		if there, err = stored(folder, other); err != nil || bytes.Equal(there, text) {
			return err == nil, err
		}
	}
	return false, &Error{
		Code: Taken,
		Text: fmt.Sprintf("%s holds a run with other settings: %s", folder, configs.Difference(there, text)),
	}
}

// stored returns the file of a run's settings in its folder.
func stored(folder train.Folder, run configs.Run) ([]byte, error) {
	run, err := run.In(string(folder))
	if err != nil {
		return nil, err
	}
	return run.YAML()
}

// claim makes the run's folder and stores the settings in it, or finds the same settings there.
func claim(folder train.Folder, run configs.Run) error {
	if same, err := sameSettings(folder, run); same || err != nil {
		return err
	}
	text, err := stored(folder, run)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(folder), 0o777); err != nil {
		return err
	}
	return files.WriteFile(folder.Config(), text, 0o666)
}
