package runs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"illustrator/checkpoints/fetch"
	"illustrator/configs"
	"illustrator/internal/fault"
	"illustrator/models/host"
)

const hubPrefix = "hf-hub:"

var (
	hubRun = regexp.MustCompile(`^hf-hub:([\w.-]+)/([\w.-]+?)(?:@([\w./-]+))?$`)
	commit = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// Locate returns the folder of the run that a user names, "" for none: that which Find finds, or that of a packed run
// of the Hugging Face hub, "hf-hub:org/name@rev", which is downloaded into the folder of weights where it is missing.
func Locate(ctx context.Context, env host.Env, ref string) (string, error) {
	if ref == "" {
		return "", nil
	}
	if !strings.HasPrefix(ref, hubPrefix) {
		folder, err := Find(ref)
		return string(folder), err
	}
	m := hubRun.FindStringSubmatch(ref)
	if m == nil || strings.Contains(m[3], "..") {
		return "", fault.Usage(fmt.Errorf("run %q names no repository of the hub", ref),
			"write hf-hub:organisation/name@revision")
	}
	revision := m[3]
	if revision == "" {
		revision = "main"
	}
	folder := filepath.Join(configs.WeightsFolder(), "runs", m[1], m[2], strings.ReplaceAll(revision, "/", "--"))
	d := hubDownload{env: env, base: fmt.Sprintf("%s%s/%s@%s/", hubPrefix, m[1], m[2], revision), folder: folder}
	list, err := d.list(ctx, commit.MatchString(revision))
	if err != nil {
		return "", fmt.Errorf("run %q: %w", ref, err)
	}
	for _, part := range list.Files {
		if err := d.get(ctx, part); err != nil {
			return "", fmt.Errorf("run %q: %w", ref, err)
		}
	}
	return folder, nil
}

// hubDownload downloads the files of a packed run.
type hubDownload struct {
	env          host.Env
	base, folder string
}

// list returns what a packed run holds. A revision that is a commit does not change, and is asked for once.
func (d hubDownload) list(ctx context.Context, fixed bool) (list pack, err error) {
	path := filepath.Join(d.folder, packFile)
	if err := os.MkdirAll(d.folder, 0o777); err != nil {
		return list, err
	}
	if !fixed {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return list, err
		}
	}
	if err := d.download(ctx, fetch.File{URL: d.base + packFile}, path); err != nil {
		return list, &Error{Code: NotPacked, Text: err.Error(), Err: err}
	}
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	if err != nil || list.Format != packFormat {
		return list, fault.Hint(fmt.Errorf("%s does not have format %d: %w", packFile, packFormat, err),
			"another version of this program packed it")
	}
	return list, nil
}

// get downloads a part, unless the right file is there.
func (d hubDownload) get(ctx context.Context, part packPart) error {
	if !fs.ValidPath(part.Path) || len(part.SHA256) != 64 {
		return fmt.Errorf("%s names the file %q, SHA-256 %q", packFile, part.Path, part.SHA256)
	}
	path := filepath.Join(d.folder, filepath.FromSlash(part.Path))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return d.download(ctx, fetch.File{URL: d.base + part.Path, Size: part.Size, SHA256: part.SHA256}, path)
}

// download gets a file and shows its progress.
func (d hubDownload) download(ctx context.Context, file fetch.File, path string) error {
	const mega = 1_000_000
	var bar host.Progress
	client := &fetch.Client{Log: func(line string) { d.env.Log.Warn(line) }}
	client.Progress = func(name string, done, total int64) {
		if total < mega {
			return
		}
		if bar == nil {
			bar = d.env.Progress(fmt.Sprintf("Downloading %s (MB)", name), int((total+mega-1)/mega))
		}
		bar.Set(int((done+mega-1)/mega), "")
	}
	defer func() {
		if bar != nil {
			bar.Done()
		}
	}()
	return client.Get(ctx, file, path)
}
