package pairs

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// strayName matches what an interrupted writer may leave: nothing else in a folder is ever removed.
var strayName = regexp.MustCompile(`^(\.shard\.tmp|\.manifest\.json[0-9]+|rows-[0-9]{10,20}-[0-9]{10,20}\.arrow)$`)

// lockFolder makes the folder where it is missing and locks it until the process ends or Close. On a file system
// without locks it is written to without one.
func (w *Writer) lockFolder() error {
	_, err := os.Stat(w.folder)
	w.created = errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(w.folder, 0o777); err != nil {
		return fault.Hint(err, "name a folder in a place that you can write to")
	}
	w.lock, err = files.LockFolder(w.folder)
	if errors.Is(err, files.ErrInUse) {
		return fault.WithCode(fault.Hint(err, "wait for it, or name another folder"), InUse)
	}
	return err
}

// WarnUnlocked logs a warning if the folder is on a file system without locks.
func (w *Writer) WarnUnlocked(log *slog.Logger) { w.lock.Warn(log) }

// prepare reads the manifest, or writes an empty one, and removes strays.
func (w *Writer) prepare() error {
	there, _, err := readManifest(w.folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := w.checkEmpty(); err != nil {
			return err
		}
		return errors.Join(w.manifest.write(w.folder), checkpoints.SyncFolder(filepath.Dir(w.folder)))
	case err != nil:
		return err
	case there.Rows == 0 && len(w.differences(there)) > 0: // nothing is lost
		return errors.Join(w.removeStrays(), w.manifest.write(w.folder))
	}
	if list := w.differences(there); len(list) > 0 {
		return fault.Usage(fmt.Errorf("the set was made with other settings: %s", strings.Join(list, "; ")),
			"give the settings of the set, name another folder, or remove this one")
	}
	w.manifest = *there
	return w.removeStrays()
}

func (w *Writer) differences(there *manifest) []string {
	list := there.Meta.differences(w.manifest.Meta)
	if a, b := there.ShardRows, w.manifest.ShardRows; a != b {
		list = append(list, fmt.Sprintf("shard_rows is %d there, %d here", a, b))
	}
	return list
}

// checkEmpty refuses a folder without a manifest that holds anything but a temporary file. A shard without a manifest
// is not removed: it may be the work of days.
func (w *Writer) checkEmpty() error {
	entries, err := os.ReadDir(w.folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") || !strayName.MatchString(e.Name()) {
			return fault.WithCode(fault.Usage(fmt.Errorf("the folder holds %q and no %s", e.Name(), manifestFile),
				"name a new folder, or that of a set"), OtherFiles)
		}
	}
	return w.removeStrays()
}

// removeStrays removes temporary files, and shards that the manifest doesn't list.
func (w *Writer) removeStrays() error {
	entries, err := os.ReadDir(w.folder)
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, s := range w.manifest.Shards {
		listed[s.File] = true
	}
	for _, e := range entries {
		if name := e.Name(); strayName.MatchString(name) && !listed[name] {
			if err := os.Remove(filepath.Join(w.folder, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Missing returns the seeds that a set of rows rows still lacks. A set with more rows is an error, and so is one with
// gaps that are not whole shards, as `illustrator pairs merge` may leave them.
func (w *Writer) Missing(rows int) ([]SeedRange, error) {
	seed, next := w.manifest.Meta.Seed, uint64(0)
	if shards := (rows-1)/w.manifest.ShardRows + 1; shards > maxShards {
		return nil,
			wrap("write", w.folder, fault.WithCode(fault.Usage(
				fmt.Errorf("%d rows are %d shards of %d rows; expected at most %d",
					rows, shards, w.manifest.ShardRows, maxShards), "give larger shards"), ManyShards))
	}
	var missing []SeedRange
	add := func(end uint64) {
		if next < end {
			missing = append(missing, SeedRange{seed + next, seed + end - 1})
		}
		next = end
	}
	for _, s := range w.manifest.Shards {
		first := s.FirstSeed - seed
		if end := s.last() - seed; end >= uint64(rows) {
			return nil,
				wrap("write", w.folder, fault.Usage(fmt.Errorf("the set reaches to row %d; %d rows are wanted", end+1, rows),
					"ask for at least as many rows, or name another folder"))
		}
		if first%uint64(w.manifest.ShardRows) != 0 {
			return nil,
				wrap("write", w.folder, fault.WithCode(
					fault.Usage(fmt.Errorf("the set was merged with gaps (its seeds are %s) and cannot grow",
						rangesText(seedRanges(w.manifest.Shards))),
						"merge it with the sets that are missing, or sample more rows into another folder from another seed"), Gaps))
		}
		add(first)
		next = first + uint64(s.Rows)
	}
	add(uint64(rows))
	return missing, nil
}
