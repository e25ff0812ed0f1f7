package pairs

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"illustrator/internal/fault"
	"illustrator/internal/files/filestest"
)

// writeParts writes the rows as n sets of equal parts, last part first in the list.
func writeParts(t testing.TB, rows, n, shardRows int) []*Set {
	t.Helper()
	dir := t.TempDir()
	var sets []*Set
	for k := n - 1; k >= 0; k-- {
		from, to := k*rows/n, (k+1)*rows/n
		meta := testMeta
		meta.Seed += uint64(from)
		w, err := OpenWriter(filepath.Join(dir, fmt.Sprint(k)), meta, shardRows)
		if err != nil {
			t.Fatal(err)
		}
		appendRows(t, w, meta.Seed, to-from)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		sets = append(sets, openTestSet(t, filepath.Join(dir, fmt.Sprint(k))))
	}
	return sets
}

// Any number of parts and shards of any size: merged, even in two goes, they are the set that was written at once.
func TestMergePairsEqualsOneSet(t *testing.T) {
	const rows = 130
	for _, c := range []struct{ parts, shardRows int }{{1, 40}, {3, 40}, {4, 1000}, {7, 13}} {
		sets := writeParts(t, rows, c.parts, c.shardRows)
		atOnce, out := filepath.Join(t.TempDir(), "set"), filepath.Join(t.TempDir(), "set")
		writeTestSet(t, atOnce, rows, c.shardRows)
		stop := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		if err := Merge(ctx, out, sets, func(done, _ int) {
			if done > 30 {
				cancel(stop)
			}
		}); c.parts > 1 && !errors.Is(err, stop) {
			t.Errorf("a stopped merge: %v", err)
		}
		reported := 0
		if err := Merge(t.Context(), out, sets, func(done, all int) { reported = all - done }); err != nil || reported != 0 {
			t.Errorf("%v, %d rows are left", err, reported)
		}
		filestest.Same(t, filestest.Folder(t, out), filestest.Folder(t, atOnce))
	}
}

func TestMergePairsRefuses(t *testing.T) {
	sets := writeParts(t, 60, 3, 16)
	out := filepath.Join(t.TempDir(), "out")
	refused := func(want string, out string, sets ...*Set) {
		t.Helper()
		if err := Merge(t.Context(), out, sets, nil); err == nil || !fault.IsUsage(err) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	refused("share the seeds 100-119", out, sets[2], sets[2])
	refused("is both a part and the result", sets[0].Source, sets...)
	meta := testMeta
	meta.Seed, meta.NoiseMode = 500, "none"
	w, err := OpenWriter(filepath.Join(t.TempDir(), "other"), meta, 16)
	if err != nil {
		t.Fatal(err)
	}
	appendRows(t, w, 500, 3)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	refused("noise_mode is const there, none here", out, sets[0], openTestSet(t, w.folder))
	if err := Merge(t.Context(), out, sets[1:], nil); err != nil { // parts 2 and 1
		t.Fatal(err)
	}
	refused("has the seeds 120-139, which the parts don't", out, sets[0], sets[2])
	// With a gap; a damaged part.
	gap := filepath.Join(t.TempDir(), "gap")
	if err := Merge(t.Context(), gap, []*Set{sets[0], sets[2]}, nil); err != nil {
		t.Fatal(err)
	}
	if got := openTestSet(t, gap).SeedRanges(); !slices.Equal(got, []SeedRange{{100, 119}, {140, 159}}) {
		t.Errorf("ranges %v", got)
	}
	path := filepath.Join(sets[0].Source, sets[0].manifest.Shards[0].File)
	raw := filestest.Read(t, path)
	raw[len(raw)/2] ^= 1
	filestest.Write(t, path, raw)
	if err := Merge(t.Context(), out, sets, nil); err == nil || !strings.Contains(err.Error(), "SHA-256") ||
		!strings.Contains(err.Error(), sets[0].Source) {
		t.Errorf("a damaged part: %v", err)
	}
}

func TestSeedRangeWithout(t *testing.T) {
	all := SeedRange{0, math.MaxUint64}
	if got := all.without([]SeedRange{{0, 4}, {9, math.MaxUint64}}); !slices.Equal(got, []SeedRange{{5, 8}}) {
		t.Errorf("%v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		r := SeedRange{First: rapid.Uint64Range(0, 20).Draw(t, "first")}
		r.Last = r.First + rapid.Uint64Range(0, 20).Draw(t, "length")
		var ranges []SeedRange
		want := map[uint64]bool{}
		for s := r.First; s <= r.Last; s++ {
			want[s] = true
		}
		for at := uint64(0); len(ranges) < 4; {
			o := SeedRange{First: at + rapid.Uint64Range(0, 6).Draw(t, "gap")}
			o.Last = o.First + rapid.Uint64Range(0, 6).Draw(t, "length")
			for s := o.First; s <= o.Last; s++ {
				delete(want, s)
			}
			ranges, at = append(ranges, o), o.Last+1
		}
		for _, left := range r.without(ranges) {
			for s := left.First; s <= left.Last; s++ {
				if !want[s] {
					t.Fatalf("%v without %v holds %d", r, ranges, s)
				}
				delete(want, s)
			}
		}
		if len(want) > 0 {
			t.Fatalf("%v without %v lacks %v", r, ranges, want)
		}
	})
}
