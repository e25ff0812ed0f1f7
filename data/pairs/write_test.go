package pairs

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"illustrator/data/seeds"
	"illustrator/internal/fault"
	"illustrator/internal/files/filestest"
)

// However the rows were handed to Append, and however often the writing restarted: the same bytes, and a manifest that
// only ever grows.
func TestPairsBytesAreDeterministic(t *testing.T) {
	sets := []struct{ rows, shardRows int }{{700, 64}, {2100, 1300}} // few shards: each goes to the disk
	if testing.Short() {
		sets = sets[:1]
		sets[0].rows = 300
	}
	for _, set := range sets {
		rows, shardRows := set.rows, set.shardRows
		reference := filepath.Join(t.TempDir(), "reference")
		writeTestSet(t, reference, rows, shardRows)
		want := filestest.Folder(t, reference)
		rapid.Check(t, func(rt *rapid.T) {
			folder, err := os.MkdirTemp(t.TempDir(), "set")
			if err != nil {
				rt.Fatal(err)
			}
			w, before := testWriter(t, folder, shardRows), 0
			for at := 0; at < rows; {
				n := min(rapid.IntRange(1, rows*3/7).Draw(rt, "chunk"), rows-at)
				appendRows(t, w, testMeta.Seed+uint64(at), n)
				at += n
				switch rapid.IntRange(0, 4).Draw(rt, "then") {
				case 0: // an orderly end
					if err := w.Close(); err != nil {
						rt.Fatal(err)
					}
				case 1: // a crash
					w.lock.Release()
				default:
					continue
				}
				w = testWriter(t, folder, shardRows)
				if w.Rows() < before {
					rt.Fatalf("%d rows of %d are left", w.Rows(), before)
				}
				before, at = w.Rows(), w.Rows()
			}
			if err := w.Close(); err != nil {
				rt.Fatal(err)
			}
			filestest.Same(rt, filestest.Folder(t, folder), want)
		})
	}
}

func TestPairsWriterRemovesItsOwnStraysOnly(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "set")
	writeTestSet(t, folder, 20, 8)
	want := filestest.Folder(t, folder)
	others := []string{"notes.txt", "rows.arrow", "rows-1-2.arrow", ".manifest.json", "shard.tmp"}
	for _, name := range append(others, ".shard.tmp", ".manifest.json123456", "rows-0000000016-0000000022.arrow",
		"rows-0000000024-0000000031.arrow") {
		filestest.Write(t, filepath.Join(folder, name), []byte("x"))
	}
	if err := testWriter(t, folder, 8).Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range others {
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
	filestest.Same(t, filestest.Folder(t, folder), want)
}

func TestPairsWriterGrows(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "set")
	writeTestSet(t, folder, 20, 8)
	w := testWriter(t, folder, 8)
	if missing, err := w.Missing(20); missing != nil || err != nil {
		t.Errorf("a whole set lacks %v, %v", missing, err)
	}
	if missing, err := w.Missing(50); err != nil || !slices.Equal(missing, []SeedRange{{120, 149}}) {
		t.Errorf("20 of 50 rows: %v, %v", missing, err)
	}
	if _, err := w.Missing(19); err == nil || !fault.IsUsage(err) ||
		!strings.Contains(err.Error(), "reaches to row 20; 19 rows are wanted") {
		t.Errorf("fewer rows: %v", err)
	}
	if _, err := w.Missing(8*maxShards + 1); err == nil || !strings.Contains(err.Error(), "100001 shards") {
		t.Errorf("too many shards: %v", err)
	}
	appendRows(t, w, 120, 30)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	atOnce := filepath.Join(t.TempDir(), "set")
	writeTestSet(t, atOnce, 50, 8)
	filestest.Same(t, filestest.Folder(t, folder), filestest.Folder(t, atOnce))
}

func TestPairsWriterRefusesOtherSettings(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "set")
	writeTestSet(t, folder, 20, 8)
	want := filestest.Folder(t, folder)
	other := testMeta
	other.Seed, other.NoiseMode, other.Batch, other.CreatedBy = 7, "none", 64, "someone else"
	_, err := OpenWriter(folder, other, 9)
	const differences = "seed is 100 there, 7 here; noise_mode is const there, none here; batch is 32 there, 64 here; " +
		"shard_rows is 8 there, 9 here"
	if err == nil || !fault.IsUsage(err) || !strings.Contains(err.Error(), differences) ||
		!strings.Contains(err.Error(), folder) {
		t.Errorf("%v; want %s", err, differences)
	}
	filestest.Same(t, filestest.Folder(t, folder), want)
	other = testMeta
	other.CreatedBy = "a later version" // continues
	w, err := OpenWriter(folder, other, 8)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenWriter(folder, other, 8); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("two writers: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	filestest.Same(t, filestest.Folder(t, folder), want)
	// Shards without their manifest are not strays.
	if err := os.Remove(filepath.Join(folder, "manifest.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenWriter(folder, testMeta, 8); err == nil || !fault.IsUsage(err) ||
		!strings.Contains(err.Error(), `"rows-0000000000-0000000007.arrow" and no manifest.json`) {
		t.Errorf("no manifest: %v", err)
	}
	if len(filestest.Names(t, folder)) != 3 {
		t.Error("shards without a manifest were removed")
	}
}

func TestPairsWriterRefusesRows(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "set")
	nan := float32(math.NaN())
	w := testWriter(t, folder, 8)
	appendRows(t, w, 110, 2)
	for name, c := range map[string]struct {
		first     uint64
		z, embeds []float32
		want      string
	}{
		"z too short":    {112, make([]float32, 2), make([]float32, 5), "are not rows of 3 and 5"},
		"embed too long": {112, make([]float32, 3), make([]float32, 6), "are not rows of 3 and 5"},
		"before":         {99, make([]float32, 3), make([]float32, 5), "the set begins at 100"},
		"after":          {math.MaxUint64, make([]float32, 6), make([]float32, 10), "seeds end at 2⁶⁴ - 1"},
		"twice":          {109, make([]float32, 9), make([]float32, 15), "has the seeds 110-111 already"},
		"z NaN":          {112, []float32{0, nan, 0}, make([]float32, 5), `column "z", seed 112, element 1 is NaN`},
		"embed infinite": {112, make([]float32, 3), []float32{0, 0, 0, 0, float32(math.Inf(1))},
			`column "image_embeds", seed 112, element 4 is +Inf`},
	} {
		if err := w.Append(c.first, c.z, c.embeds); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), folder) {
			t.Errorf("%s: %v; want %q and the folder", name, err, c.want)
		}
	}
	if err := w.Close(); err != nil || w.Rows() != 2 {
		t.Errorf("after refusals: %v, %d rows", err, w.Rows())
	}
	if err := w.Append(112, make([]float32, 3), make([]float32, 5)); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
	bad := testMeta
	bad.EmbedDim = 0
	if _, err := OpenWriter(folder, bad, 8); err == nil || !strings.Contains(err.Error(), "embed_dim 0") {
		t.Errorf("width 0: %v", err)
	}
	if _, err := OpenWriter(folder, testMeta, 0); err == nil || !strings.Contains(err.Error(), "shard_rows is 0") {
		t.Errorf("no rows in a shard: %v", err)
	}
	// A set of no rows leaves nothing, and one that was begun with other settings gives way.
	empty := filepath.Join(t.TempDir(), "a", "b")
	if err := testWriter(t, empty, 8).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(empty); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a set of no rows: %v", err)
	}
	testWriter(t, empty, 8).lock.Release()
	if err := testWriter(t, empty, 9).Close(); err != nil {
		t.Error(err)
	}
}

// Gaps break shards; such a set is read but cannot grow.
func TestPairsWithGaps(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "set")
	w := testWriter(t, folder, 8)
	appendRows(t, w, 103, 3)
	appendRows(t, w, 130, 10)
	appendRows(t, w, 107, 1)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	p := openTestSet(t, folder)
	list, z, _ := readAll(t, p)
	if want := []uint64{103, 104, 105, 107, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139}; !slices.Equal(list, want) {
		t.Errorf("seeds %v", list)
	}
	if !slices.Equal(z[9:12], seeds.Z(107, 3)) {
		t.Error("row 3 is not that of seed 107")
	}
	if got := p.SeedRanges(); !slices.Equal(got, []SeedRange{{103, 105}, {107, 107}, {130, 139}}) {
		t.Errorf("ranges %v", got)
	}
	w = testWriter(t, folder, 8)
	defer w.Close()
	if _, err := w.Missing(50); err == nil || !strings.Contains(err.Error(), "its seeds are 103-105, 107-107, 130-139") {
		t.Errorf("growing: %v", err)
	}
}
