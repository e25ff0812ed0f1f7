package pairs

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"illustrator/internal/fault"
)

// BadShard is a shard that is not as the manifest says, and why.
type BadShard struct {
	File  string    `json:"file"`
	Seeds SeedRange `json:"seeds"`
	Err   error     `json:"-"`
}

// Verify reads every shard and returns an error that names the first that is damaged. progress gets the bytes
// read so far and may be nil.
func (p *Set) Verify(ctx context.Context, progress func(bytes int64)) error {
	bad, err := verifyShards(ctx, p.Source, p.manifest, progress)
	if err == nil && len(bad) > 0 {
		err = fmt.Errorf("%s: %w", bad[0].File, bad[0].Err)
	}
	if err != nil && context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	return wrap("read", p.Source, err)
}

// Verify reads every shard of the set in folder and returns those that are not as the manifest says: size, SHA-256,
// schema, seeds and finite values are compared. progress gets the bytes read so far, and of their number in all.
func Verify(ctx context.Context, folder string, progress func(bytes, all int64)) (rows int, bad []BadShard, err error) {
	m, _, err := readManifest(folder)
	if err != nil {
		return 0, nil, wrap("read", folder, err)
	}
	all := m.bytes()
	bad, err = verifyShards(ctx, folder, m, func(bytes int64) { progress(bytes, all) })
	return m.Rows, bad, err
}

// verifyShards returns an error where the reading was stopped only.
func verifyShards(ctx context.Context, folder string, m *manifest, progress func(bytes int64)) (bad []BadShard,
	err error) {
	done := int64(0)
	for _, s := range m.Shards {
		before := done
		err := verifyShard(folder, m.Meta, s, func(bytes int64) error {
			if done += bytes; progress != nil {
				progress(done)
			}
			return context.Cause(ctx)
		})
		if cause := context.Cause(ctx); cause != nil {
			return bad, cause
		}
		if err != nil {
			bad = append(bad, BadShard{s.File, SeedRange{s.FirstSeed, s.last()}, err})
		}
		done = before + s.Bytes
	}
	return bad, nil
}

// verifyShard reads a shard twice: for its SHA-256, and for its seeds and values, then from the system's cache.
func verifyShard(folder string, meta Meta, s shard, progress func(bytes int64) error) error {
	f, err := openShard(folder, meta, s)
	if err != nil {
		return err
	}
	defer f.Close()
	sum, err := sha256Of(f.file, s.Bytes, progress)
	if err != nil {
		return err
	}
	if sum != s.SHA256 {
		return fmt.Errorf("the SHA-256 is %s; the manifest says %s", sum, s.SHA256)
	}
	for batch, err := range f.batchesOf() {
		if err != nil {
			return err
		}
		if err := checkFinite(zColumn, batch.Z, meta.ZDim, batch.FirstSeed); err != nil {
			return err
		}
		if err := checkFinite(embedColumn, batch.ImageEmbeds, meta.EmbedDim, batch.FirstSeed); err != nil {
			return err
		}
	}
	return f.checkSeeds()
}

// checkSeeds compares the column of seeds with the rows' numbers.
func (s *shardFile) checkSeeds() error {
	for _, b := range s.batches {
		raw := make([]byte, 8*b.rows)
		if _, err := s.file.ReadAt(raw, b.seeds); err != nil {
			return err
		}
		for i := range b.rows {
			want := s.first + uint64(b.first+i)
			if have := binary.LittleEndian.Uint64(raw[8*i:]); have != want {
				return fmt.Errorf("row %d has seed %d; expected %d", b.first+i, have, want)
			}
		}
	}
	return nil
}

// Repair removes shards from the set in folder, so that its missing rows can be sampled again.
func Repair(folder string, bad []BadShard) error {
	return wrap("repair", folder, repair(folder, bad))
}

func repair(folder string, bad []BadShard) error {
	m, _, err := readManifest(folder)
	if err != nil {
		return err
	}
	w := &Writer{folder: folder, continued: -1}
	if err := w.lockFolder(); err != nil {
		return err
	}
	defer w.lock.Release()
	var removed []string
	m.Shards = slices.DeleteFunc(m.Shards, func(s shard) bool {
		is := slices.ContainsFunc(bad, func(b BadShard) bool { return b.File == s.File })
		if is {
			removed, m.Rows = append(removed, s.File), m.Rows-s.Rows
		}
		return is
	})
	if err := m.write(folder); err != nil {
		return err
	}
	for _, name := range removed {
		if err := os.Remove(filepath.Join(folder, name)); err != nil && !os.IsNotExist(err) {
			return fault.Hint(err, "remove the file yourself")
		}
	}
	return nil
}
