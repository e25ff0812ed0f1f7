// Package published fetches the published networks that a domain's file names: it downloads, verifies and converts
// them.
package published

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"illustrator/checkpoints/fetch"
	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/models/convert"
	"illustrator/models/host"
	"illustrator/models/pipeline"
)

// Job fetches the networks of a domain.
type Job struct {
	Env    host.Env
	Domain *configs.Domain
	Mirror string   // the address in place of scheme and host of all downloads, if it is not ""
	From   []string // files and folders that are there already, in place of downloads
	Keep   bool     // the downloaded files
}

// Network is a fetched network.
type Network struct {
	Network string `json:"network"`
	Folder  string `json:"folder"`
	// Verified says what its file was compared with, Report what it was converted to. Both are empty if the network was
	// there before.
	Verified string          `json:"verified,omitempty"`
	Report   *convert.Report `json:"report,omitempty"`
}

// Missing returns the networks that are not in the folder of weights.
func (j *Job) Missing() (missing []configs.Published) {
	for _, n := range j.Domain.Published() {
		if !n.There() {
			missing = append(missing, n)
		}
	}
	return missing
}

// Fetch fetches the missing networks, and checks that all fit the domain.
func (j *Job) Fetch(ctx context.Context) ([]Network, error) {
	folder := configs.WeightsFolder()
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, fault.Hint(fmt.Errorf("make the folder of weights: %w", err),
			"set %s to a folder that you may write to, here and for later commands", configs.WeightsEnv)
	}
	lock, err := files.LockFolder(folder)
	if err != nil {
		return nil, err
	}
	lock.Warn(j.Env.Log)
	results, err := j.networks(ctx)
	if err = errors.Join(err, lock.Release()); err != nil {
		return nil, fmt.Errorf("fetch %s: %w", j.Domain.Name, err)
	}
	opened, err := pipeline.Open(nil, j.Domain.Locations())
	if err == nil {
		err = j.Domain.CheckNetworks(opened)
	}
	return results, err
}

// networks brings all networks that are missing. Files brought by hand are verified before anything is downloaded.
func (j *Job) networks(ctx context.Context) ([]Network, error) {
	networks := j.Domain.Published()
	byHand, err := matchByHand(networks, j.From)
	if err != nil {
		return nil, err
	}
	var results []Network
	for _, n := range networks {
		if n.There() {
			j.Env.Log.Info(fmt.Sprintf("the %s is there already: %s", n.Network, n.Folder))
			results = append(results, Network{Network: n.Network, Folder: n.Folder})
			continue
		}
		original, given := byHand[n.Network]
		if !given {
			original, err = j.download(ctx, n)
			if errors.Is(err, fetch.ErrUnreachable) {
				err = &Unreachable{Missing: without(j.Missing(), byHand), Err: err}
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %w", n.Network, err)
			}
		}
		r, err := j.convert(n, original)
		if err != nil && !given {
			err = throwAway(original, downloads(n), err)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Network, err)
		}
		results = append(results, r)
		if !given && !j.Keep {
			if err := os.RemoveAll(downloads(n)); err != nil {
				return nil, err
			}
		}
	}
	return results, nil
}

// throwAway removes downloaded files that did not convert and have no hash to tell them by: the next call asks for them
// again.
func throwAway(from original, folder string, err error) error {
	removed := 0
	for _, file := range from.source.Files {
		if file.SHA256 != "" {
			continue
		}
		if gone := os.Remove(filepath.Join(folder, file.Name())); gone == nil {
			removed++
		} else if !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	if removed == 0 {
		return err
	}
	return fault.Hint(fmt.Errorf("%w; no SHA-256 of the download is known, and it was thrown away", err),
		"the same command asks for it again; if it fails again, bring the file by hand")
}

// original is a published network as it was downloaded or brought: a file, or a folder of several.
type original struct {
	path   string
	source configs.Source
}

// convert makes the network's folder.
func (j *Job) convert(n configs.Published, from original) (Network, error) {
	j.Env.Log.Info(fmt.Sprintf("converting %s", from.path))
	report, err := convert.Convert(from.path, n.Folder, convert.Options{ColorOrder: from.source.ColorOrder})
	if err != nil {
		return Network{}, fmt.Errorf("convert %q: %w", from.path, err)
	}
	var verified []string
	for _, file := range from.source.Files {
		verified = append(verified, fmt.Sprintf("%s: %s", file.Name(), file.Known()))
		if file.SHA256 == "" {
			j.Env.Log.Warn(fmt.Sprintf("%s, so it is not verified", verified[len(verified)-1]))
		}
	}
	return Network{Network: n.Network, Folder: n.Folder, Verified: strings.Join(verified, "; "), Report: &report}, nil
}

// downloads returns the folder that a network's files are downloaded into.
func downloads(n configs.Published) string {
	return filepath.Join(configs.WeightsFolder(), "downloads", filepath.Base(n.Folder))
}

// download gets the network's files from the first source that has them.
func (j *Job) download(ctx context.Context, n configs.Published) (got original, err error) {
	folder := downloads(n)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return got, err
	}
	for i, source := range n.Sources {
		if i > 0 {
			j.Env.Log.Warn(fmt.Sprintf("%v; taking %s instead", err, source.About))
		}
		got = original{source.Path(folder), source}
		if err = j.downloadSource(ctx, source, folder); !errors.Is(err, fetch.ErrUnreachable) {
			break
		}
	}
	return got, err
}

func (j *Job) downloadSource(ctx context.Context, source configs.Source, folder string) error {
	const mega = 1_000_000
	for _, file := range source.Files {
		var bar host.Progress
		client := &fetch.Client{Mirror: j.Mirror, Log: func(line string) { j.Env.Log.Warn(line) }}
		client.Progress = func(name string, done, total int64) {
			if bar == nil {
				bar = j.Env.Progress(fmt.Sprintf("Downloading %s (MB)", name), int((total+mega-1)/mega))
			}
			bar.Set(int((done+mega-1)/mega), "")
		}
		err := client.Get(ctx, file, filepath.Join(folder, file.Name()))
		if bar != nil {
			bar.Done()
		}
		if err != nil {
			return err
		}
	}
	return nil
}
