package pairs

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"illustrator/internal/fault"
)

// mergePart is a shard of one of the sets that are merged.
type mergePart struct {
	set *Set
	shard
}

// Merge joins sets of different seeds, made with the same settings, to one set in the folder out: the bytes of the set
// that is sampled at once, in shards as large as those of the first set by seed. Every shard is verified before it is
// copied. Merging again after an interruption resumes. progress gets the rows copied in this call, and of their
// number; it may be nil.
func Merge(ctx context.Context, out string, sets []*Set, progress func(rows, all int)) error {
	if err := checkMerge(out, sets); err != nil {
		return err
	}
	first := slices.MinFunc(sets, func(a, b *Set) int { return cmp.Compare(a.Meta.Seed, b.Meta.Seed) })
	var parts []mergePart
	for _, set := range sets {
		for _, s := range set.manifest.Shards {
			parts = append(parts, mergePart{set, s})
		}
	}
	slices.SortFunc(parts, func(a, b mergePart) int { return cmp.Compare(a.FirstSeed, b.FirstSeed) })
	w, err := OpenWriter(out, first.Meta, first.manifest.ShardRows)
	if err != nil {
		return err
	}
	if err = w.merge(ctx, parts, progress); err != nil {
		if flushed := w.Close(); flushed != nil {
			return flushed
		}
		return err
	}
	return w.Close()
}

// checkMerge returns an error unless the sets can be merged to one.
func checkMerge(out string, sets []*Set) error {
	there, _ := os.Stat(out)
	rows := 0
	for i, set := range sets {
		rows += set.Len()
		if info, err := os.Stat(set.Source); err == nil && there != nil && os.SameFile(info, there) {
			return fault.Usage(fmt.Errorf("merge pairs: %q is both a part and the result", out),
				"name a new folder for the result")
		}
		if list := sets[0].Meta.differences(set.Meta, "seed"); len(list) > 0 {
			return fault.Usage(fmt.Errorf("merge pairs: %q is there, %q here: %s", sets[0].Source, set.Source,
				strings.Join(list, "; ")),
				"merge sets that were sampled with the same settings")
		}
		for _, before := range sets[:i] {
			if err := set.Disjoint(before.Source, before.SeedRanges()); err != nil {
				return fmt.Errorf("merge pairs: %w", err)
			}
		}
	}
	if rows > MaxRows {
		return fault.Usage(fmt.Errorf("merge pairs: the sets have %d rows together", rows), "a set has at most %d rows",
			MaxRows)
	}
	return nil
}

// merge appends the rows of parts, which are in the order of their seeds, that the set doesn't have yet.
func (w *Writer) merge(ctx context.Context, parts []mergePart, progress func(rows, all int)) error {
	there := seedRanges(w.manifest.Shards)
	given := make([]shard, len(parts))
	for i, p := range parts {
		given[i] = p.shard
	}
	for _, r := range there {
		if left := r.without(seedRanges(given)); len(left) > 0 {
			return wrap("write", w.folder, fault.Usage(fmt.Errorf("the set has the seeds %v, which the parts don't",
				rangesText(left)), "merge into a new folder"))
		}
	}
	all := 0
	for _, p := range parts {
		all += p.Rows
	}
	done, all := 0, all-w.Rows()
	for _, p := range parts {
		if len((SeedRange{p.FirstSeed, p.last()}).without(there)) == 0 {
			continue
		}
		err := p.copyTo(ctx, there, func(first uint64, z, embeds []float32) error {
			if done += len(z) / w.manifest.Meta.ZDim; progress != nil {
				progress(done, all)
			}
			return w.Append(first, z, embeds)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// copyTo verifies the part and gives its rows to appendTo, those of the seeds in there excepted.
func (p mergePart) copyTo(ctx context.Context, there []SeedRange,
	appendTo func(first uint64, z, embeds []float32) error) error {
	err := verifyShard(p.set.Source, p.set.Meta, p.shard, func(int64) error { return context.Cause(ctx) })
	if err != nil && context.Cause(ctx) == nil {
		return wrap("read", p.set.Source, fmt.Errorf("%s: %w", p.File, err))
	} else if err != nil {
		return err
	}
	f, err := openShard(p.set.Source, p.set.Meta, p.shard)
	if err != nil {
		return wrap("read", p.set.Source, fmt.Errorf("%s: %w", p.File, err))
	}
	defer f.Close()
	zd, ed := p.set.Meta.ZDim, p.set.Meta.EmbedDim
	for b, err := range f.batchesOf() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		for _, r := range (SeedRange{b.FirstSeed, b.FirstSeed + uint64(b.Rows-1)}).without(there) {
			from, to := int(r.First-b.FirstSeed), int(r.Last-b.FirstSeed)+1
			if err := appendTo(r.First, b.Z[from*zd:to*zd], b.ImageEmbeds[from*ed:to*ed]); err != nil {
				return err
			}
		}
	}
	return nil
}

// without returns what is left of r without the seeds of the ranges, which ascend.
func (r SeedRange) without(ranges []SeedRange) []SeedRange {
	var left []SeedRange
	for _, o := range ranges {
		switch {
		case o.Last < r.First:
			continue
		case o.First > r.Last:
			return append(left, r)
		case o.First > r.First:
			left = append(left, SeedRange{r.First, o.First - 1})
		}
		if o.Last >= r.Last {
			return left
		}
		r.First = o.Last + 1
	}
	return append(left, r)
}
