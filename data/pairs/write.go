package pairs

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"syscall"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// Writer writes a set of pairs, a folder of shards, or extends one. A row's place follows from its seed alone,
// so the same rows give the same files however often the writing was interrupted. One writer at a time: the folder is
// locked.
//
// Every shard is written under a temporary name, synced and renamed before the manifest, replaced in the same way,
// lists it: whatever happens, the manifest lists whole shards only. What it doesn't list is removed when the set is
// opened to be written.
type Writer struct {
	folder   string
	manifest manifest
	lock     *files.Lock
	created  bool // the folder was not there
	err      error

	open      *shardWriter // nil between shards
	continued int          // index of the shard in the manifest that open replaces, -1 for none
}

var errClosed = errors.New("the pairs writer is closed")

// OpenWriter begins a set in folder with shards of shardRows rows, or extends an existing set: it must have
// been made with the same settings, whatever program began it. End with Close.
func OpenWriter(folder string, meta Meta, shardRows int) (*Writer, error) {
	w, err := openWriter(folder, meta, shardRows)
	return w, wrap("write", folder, err)
}

func openWriter(folder string, meta Meta, shardRows int) (*Writer, error) {
	w := &Writer{folder: folder, continued: -1, manifest: manifest{
		FormatVersion: formatVersion, Meta: meta, ShardRows: shardRows, Shards: []shard{},
	}}
	if err := w.manifest.check(); err != nil {
		return nil, err
	}
	if err := w.lockFolder(); err != nil {
		return nil, err
	}
	if err := w.prepare(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Rows is the number of rows in the set's finished shards.
func (w *Writer) Rows() int { return w.manifest.Rows }

// Meta says how the set's pairs are made.
func (w *Writer) Meta() Meta { return w.manifest.Meta }

// Append adds rows of successive seeds from first on: z is [rows,ZDim], imageEmbeds [rows,EmbedDim], row-major. Shards
// end at the multiples of their size, counted from the set's first seed, and at gaps between two calls. Values that are
// not finite are refused; a refused call adds no row.
func (w *Writer) Append(first uint64, z, imageEmbeds []float32) error {
	if w.err != nil {
		return w.err
	}
	if err := w.checkRows(first, z, imageEmbeds); err != nil {
		return wrap("write", w.folder, err)
	}
	meta, room := w.manifest.Meta, uint64(w.manifest.ShardRows)
	for len(z) > 0 {
		if err := w.shardFor(first); err != nil {
			return w.failed(err)
		}
		left := room - (first-meta.Seed)%room
		n := int(min(uint64(len(z)/meta.ZDim), left))
		if err := w.open.append(z[:n*meta.ZDim], imageEmbeds[:n*meta.EmbedDim]); err != nil {
			return w.failed(err)
		}
		z, imageEmbeds, first = z[n*meta.ZDim:], imageEmbeds[n*meta.EmbedDim:], first+uint64(n)
		if uint64(n) == left {
			if err := w.seal(); err != nil {
				return w.failed(err)
			}
		}
	}
	return nil
}

func (w *Writer) checkRows(first uint64, z, embeds []float32) error {
	meta := w.manifest.Meta
	rows := len(z) / meta.ZDim
	switch {
	case len(z) != rows*meta.ZDim || len(embeds) != rows*meta.EmbedDim:
		return fmt.Errorf("%d values of z and %d of image_embeds are not rows of %d and %d", len(z), len(embeds), meta.ZDim,
			meta.EmbedDim)
	case rows == 0:
		return nil
	case first < meta.Seed || uint64(rows-1) > math.MaxUint64-first:
		return fmt.Errorf("%d rows from seed %d on; the set begins at %d and seeds end at 2⁶⁴ - 1", rows, first, meta.Seed)
	}
	there := seedRanges(w.manifest.Shards)
	if w.open != nil {
		there = append(there, SeedRange{w.open.first, w.open.first + uint64(w.open.rows-1)})
		slices.SortFunc(there, func(a, b SeedRange) int { return cmp.Compare(a.First, b.First) })
	}
	if shared, overlaps := overlap(there, []SeedRange{{first, first + uint64(rows-1)}}); overlaps {
		return fmt.Errorf("the set has the seeds %v already", shared)
	}
	if err := checkFinite(zColumn, z, meta.ZDim, first); err != nil {
		return err
	}
	return checkFinite(embedColumn, embeds, meta.EmbedDim, first)
}

// shardFor makes open the shard that takes the row of seed first: the open one, a short one in the set that it
// continues, or a new one.
func (w *Writer) shardFor(first uint64) (err error) {
	if w.open != nil {
		if w.open.first+uint64(w.open.rows) == first {
			return nil
		}
		if err := w.seal(); err != nil {
			return err
		}
	}
	meta, shards := w.manifest.Meta, w.manifest.Shards
	i := sort.Search(len(shards), func(i int) bool { return shards[i].FirstSeed > first }) - 1
	w.continued = -1
	if i < 0 || shards[i].last()+1 != first || (first-meta.Seed)%uint64(w.manifest.ShardRows) == 0 {
		w.open, err = createShard(w.folder, meta, first)
		return err
	}
	w.continued = i
	if w.open, err = createShard(w.folder, meta, shards[i].FirstSeed); err != nil {
		return err
	}
	return w.copyRows(shards[i])
}

// copyRows begins the open shard with the rows of the short one that it continues, which must be whole.
func (w *Writer) copyRows(s shard) error {
	if err := verifyShard(w.folder, w.manifest.Meta, s, func(int64) error { return nil }); err != nil {
		return fault.WithCode(fault.Hint(fmt.Errorf("%s: %w", s.File, err),
			"remove damaged shards; they are then sampled again"), DamagedShard, w.folder)
	}
	f, err := openShard(w.folder, w.manifest.Meta, s)
	if err != nil {
		return err
	}
	defer f.Close()
	for batch, err := range f.batchesOf() {
		if err != nil {
			return err
		}
		if err := w.open.append(batch.Z, batch.ImageEmbeds); err != nil {
			return err
		}
	}
	return nil
}

// seal finishes the open shard, if there is one, and lists it in the manifest.
func (w *Writer) seal() error {
	if w.open == nil {
		return nil
	}
	open := w.open
	w.open = nil
	s, err := open.finish(w.manifest.Meta.Seed)
	if err != nil {
		return err
	}
	next, old := w.manifest, ""
	next.Shards = slices.Clone(next.Shards)
	if w.continued >= 0 {
		old = next.Shards[w.continued].File
		next.Rows -= next.Shards[w.continued].Rows
		next.Shards[w.continued] = s
	} else {
		i := sort.Search(len(next.Shards), func(i int) bool { return next.Shards[i].FirstSeed > s.FirstSeed })
		next.Shards = slices.Insert(next.Shards, i, s)
	}
	next.Rows += s.Rows
	if err := next.check(); err != nil {
		return err
	}
	if err := next.write(w.folder); err != nil {
		return err
	}
	w.manifest = next
	if old != "" && old != s.File {
		return os.Remove(filepath.Join(w.folder, old))
	}
	return nil
}

// failed gives up the open shard after a failure to write, and with it all further writing.
func (w *Writer) failed(err error) error {
	if w.open != nil {
		err = errors.Join(err, w.open.abort())
		w.open = nil
	}
	if errors.Is(err, syscall.ENOSPC) {
		err = fault.Hint(err, "free some space: %d rows are kept, and the same command resumes from there", w.manifest.Rows)
	}
	w.err = wrap("write", w.folder, err)
	return w.err
}

// Flush keeps the rows of the unfinished shard as a shorter shard, which a later Append continues.
func (w *Writer) Flush() error {
	if w.err != nil {
		return w.err
	}
	if err := w.seal(); err != nil {
		return w.failed(err)
	}
	return nil
}

// Close is Flush, and ends the writing. A set without rows whose folder was made for it is removed.
func (w *Writer) Close() error {
	if w.err == errClosed {
		return nil
	}
	var err error
	if w.err == nil {
		err = w.Flush()
	}
	if w.created && w.manifest.Rows == 0 {
		_ = os.Remove(filepath.Join(w.folder, manifestFile))
		_ = os.Remove(w.folder)
	}
	w.err = errClosed
	return errors.Join(err, w.lock.Release())
}
