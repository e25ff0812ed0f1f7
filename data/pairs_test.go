package data

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"illustrator/internal/fault"
)

var testMeta = PairsMeta{Domain: "lorelei", Seed: 100, GeneratorSHA256: "aa11", CLIPSHA256: "bb22", NoiseMode: "const",
	Preprocessing: "area-64-clip", DType: "float32", Batch: 32, ZDim: 3, EmbedDim: 5, CreatedBy: "illustrator test"}

// testRows are n rows that fit testMeta: what a row holds follows from its seed.
func testRows(first uint64, n int) (z, embeds []float32) {
	for i := range n {
		seed := first + uint64(i)
		z = append(z, Z(seed, testMeta.ZDim)...)
		r := rand.New(rand.NewPCG(seed, 2))
		for range testMeta.EmbedDim {
			embeds = append(embeds, float32(r.NormFloat64()))
		}
	}
	return z, embeds
}

func testWriter(t testing.TB, folder string, shardRows int) *PairsWriter {
	t.Helper()
	w, err := OpenPairsWriter(folder, testMeta, shardRows)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// appendRows appends the rows of seeds [first,first+n).
func appendRows(t testing.TB, w *PairsWriter, first uint64, n int) {
	t.Helper()
	z, embeds := testRows(first, n)
	if err := w.Append(first, z, embeds); err != nil {
		t.Fatal(err)
	}
}

// writeTestSet writes a set of n rows.
func writeTestSet(t testing.TB, folder string, n, shardRows int) {
	t.Helper()
	w := testWriter(t, folder, shardRows)
	appendRows(t, w, testMeta.Seed, n)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func openTestSet(t testing.TB, folder string) *Pairs {
	t.Helper()
	p, err := OpenPairs(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// readAll reads all rows in order and one by one from the end, which must agree.
func readAll(t testing.TB, p *Pairs) (seeds []uint64, z, embeds []float32) {
	t.Helper()
	for b, err := range p.Batches() {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows {
			seeds = append(seeds, b.FirstSeed+uint64(i))
		}
		z, embeds = append(z, b.Z...), append(embeds, b.ImageEmbeds...)
	}
	if len(seeds) != p.Len() {
		t.Fatalf("%d rows in order of %d", len(seeds), p.Len())
	}
	rows := make([]int, p.Len())
	for i := range rows {
		rows[i] = len(rows) - 1 - i
	}
	backZ, backEmbeds := make([]float32, len(z)), make([]float32, len(embeds))
	if err := p.Read(rows, backZ, backEmbeds); err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		zd, ed := p.Meta.ZDim, p.Meta.EmbedDim
		if !slices.Equal(backZ[i*zd:(i+1)*zd], z[row*zd:(row+1)*zd]) || !slices.Equal(backEmbeds[i*ed:(i+1)*ed], embeds[row*ed:(row+1)*ed]) {
			t.Fatalf("row %d by number differs from row %d in order", row, row)
		}
	}
	return seeds, z, embeds
}

// folderBytes are the files of a folder.
func folderBytes(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range fileNames(t, folder) {
		files[name] = readFile(t, filepath.Join(folder, name))
	}
	return files
}

// sameFolders reports the first file that differs.
func sameFolders(t interface{ Fatalf(string, ...any) }, a, b map[string][]byte) {
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			t.Fatalf("%s differs (%d and %d bytes)", name, len(a[name]), len(b[name]))
		}
	}
	if len(a) != len(b) {
		t.Fatalf("%d files and %d", len(a), len(b))
	}
}

func fileNames(t testing.TB, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestPairsRoundTrip(t *testing.T) {
	for _, shardRows := range []int{1, 7, 1000, 1500, 2345, 9999} {
		folder := filepath.Join(t.TempDir(), "set")
		const rows = 2345
		n := rows
		if shardRows < 1000 {
			n = 20 * shardRows // a shard of a row costs two syncs
		}
		writeTestSet(t, folder, n, shardRows)
		p := openTestSet(t, folder)
		seeds, z, embeds := readAll(t, p)
		wantZ, wantEmbeds := testRows(testMeta.Seed, n)
		if p.Meta != testMeta || seeds[0] != 100 || seeds[n-1] != uint64(100+n-1) || !slices.Equal(z, wantZ) || !slices.Equal(embeds, wantEmbeds) {
			t.Errorf("%d rows in shards of %d: %+v, seeds %d-%d", n, shardRows, p.Meta, seeds[0], seeds[n-1])
		}
		if got := len(fileNames(t, folder)); got != (n+shardRows-1)/shardRows+1 {
			t.Errorf("%d files for %d rows in shards of %d", got, n, shardRows)
		}
		if err := p.Verify(t.Context(), nil); err != nil {
			t.Error(err)
		}
		if got := p.SeedRanges(); !slices.Equal(got, []SeedRange{{100, uint64(100 + n - 1)}}) {
			t.Errorf("seeds %v", got)
		}
	}
}

// However the rows were handed to Append, and however often the writing began anew: the same bytes, and a manifest that
// only ever grows.
func TestPairsBytesAreDeterministic(t *testing.T) {
	rows, sizes := 2100, []int{64, 1300}
	if testing.Short() {
		rows, sizes = 300, []int{64}
	}
	for _, shardRows := range sizes {
		reference := filepath.Join(t.TempDir(), "reference")
		writeTestSet(t, reference, rows, shardRows)
		want := folderBytes(t, reference)
		rapid.Check(t, func(rt *rapid.T) {
			folder, err := os.MkdirTemp(t.TempDir(), "set")
			if err != nil {
				rt.Fatal(err)
			}
			w, before := testWriter(t, folder, shardRows), 0
			for at := 0; at < rows; {
				n := min(rapid.IntRange(1, 900).Draw(rt, "chunk"), rows-at)
				appendRows(t, w, testMeta.Seed+uint64(at), n)
				at += n
				switch rapid.IntRange(0, 4).Draw(rt, "then") {
				case 0: // an orderly end
					if err := w.Close(); err != nil {
						rt.Fatal(err)
					}
				case 1: // a crash
					w.lock.Close()
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
			sameFolders(rt, folderBytes(t, folder), want)
		})
	}
}

func TestPairsWriterRemovesItsOwnStraysOnly(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "set")
	writeTestSet(t, folder, 20, 8)
	want := folderBytes(t, folder)
	others := []string{"notes.txt", "rows.arrow", "rows-1-2.arrow", ".manifest.json", "shard.tmp"}
	for _, name := range append(others, ".shard.tmp", ".manifest.json123456", "rows-0000000016-0000000022.arrow", "rows-0000000024-0000000031.arrow") {
		mustWrite(t, filepath.Join(folder, name), []byte("x"))
	}
	if err := testWriter(t, folder, 8).Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range others {
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
	sameFolders(t, folderBytes(t, folder), want)
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
	if _, err := w.Missing(19); err == nil || !fault.IsUsage(err) || !strings.Contains(err.Error(), "reaches to row 20; 19 rows are wanted") {
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
	sameFolders(t, folderBytes(t, folder), folderBytes(t, atOnce))
}

func TestPairsWriterRefusesOtherSettings(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "set")
	writeTestSet(t, folder, 20, 8)
	want := folderBytes(t, folder)
	other := testMeta
	other.Seed, other.NoiseMode, other.Batch, other.CreatedBy = 7, "none", 64, "someone else"
	_, err := OpenPairsWriter(folder, other, 9)
	const differences = "seed is 100 there, 7 here; noise_mode is const there, none here; batch is 32 there, 64 here; shard_rows is 8 there, 9 here"
	if err == nil || !fault.IsUsage(err) || !strings.Contains(err.Error(), differences) || !strings.Contains(err.Error(), folder) {
		t.Errorf("%v; want %s", err, differences)
	}
	sameFolders(t, folderBytes(t, folder), want)
	other = testMeta
	other.CreatedBy = "a later version" // goes on
	w, err := OpenPairsWriter(folder, other, 8)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPairsWriter(folder, other, 8); err == nil || !strings.Contains(err.Error(), "another process is writing") {
		t.Errorf("two writers: %v", err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	sameFolders(t, folderBytes(t, folder), want)
	// Shards without their manifest are not strays.
	if err := os.Remove(filepath.Join(folder, "manifest.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPairsWriter(folder, testMeta, 8); err == nil || !fault.IsUsage(err) || !strings.Contains(err.Error(), `"rows-0000000000-0000000007.arrow" and no manifest.json`) {
		t.Errorf("no manifest: %v", err)
	}
	if len(fileNames(t, folder)) != 3 {
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
		"embed infinite": {112, make([]float32, 3), []float32{0, 0, 0, 0, float32(math.Inf(1))}, `column "image_embeds", seed 112, element 4 is +Inf`},
	} {
		if err := w.Append(c.first, c.z, c.embeds); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), folder) {
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
	if _, err := OpenPairsWriter(folder, bad, 8); err == nil || !strings.Contains(err.Error(), "embed_dim 0") {
		t.Errorf("width 0: %v", err)
	}
	if _, err := OpenPairsWriter(folder, testMeta, 0); err == nil || !strings.Contains(err.Error(), "shard_rows is 0") {
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
	testWriter(t, empty, 8).lock.Close()
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
	seeds, z, _ := readAll(t, p)
	if want := []uint64{103, 104, 105, 107, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139}; !slices.Equal(seeds, want) {
		t.Errorf("seeds %v", seeds)
	}
	if !slices.Equal(z[9:12], Z(107, 3)) {
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

func TestPairsDisjoint(t *testing.T) {
	a, b, c := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b"), filepath.Join(t.TempDir(), "c")
	writeTestSet(t, a, 20, 8)
	for folder, first := range map[string]uint64{b: 120, c: 119} {
		w := testWriter(t, folder, 8)
		appendRows(t, w, first, 10)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := Disjoint(openTestSet(t, a), openTestSet(t, b)); err != nil {
		t.Error(err)
	}
	err := Disjoint(openTestSet(t, a), openTestSet(t, c))
	if err == nil || !fault.IsUsage(err) || !strings.Contains(err.Error(), "share the seeds 119-119") || !strings.Contains(err.Error(), a) || !strings.Contains(err.Error(), c) {
		t.Errorf("%v", err)
	}
}

func TestOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) (list []SeedRange, has map[uint64]bool) {
			at, has := uint64(0), map[uint64]bool{}
			for range rapid.IntRange(0, 5).Draw(t, name) {
				r := SeedRange{First: at + rapid.Uint64Range(0, 3).Draw(t, "gap")}
				r.Last = r.First + rapid.Uint64Range(0, 4).Draw(t, "length")
				for s := r.First; s <= r.Last; s++ {
					has[s] = true
				}
				list, at = append(list, r), r.Last+1
			}
			return list, has
		}
		a, inA := draw("a")
		b, inB := draw("b")
		got, found := overlap(a, b)
		for s := uint64(0); s < 100; s++ {
			if inA[s] && inB[s] {
				if !found || got.First != s {
					t.Fatalf("%v and %v share %d; found %v, %v", a, b, s, got, found)
				}
				return
			}
		}
		if found {
			t.Fatalf("%v and %v share nothing; found %v", a, b, got)
		}
	})
}

func TestPairsCheck(t *testing.T) {
	p := &Pairs{Meta: testMeta, Source: "train"}
	if err := errors.Join(p.Check(testMeta), p.Check(PairsMeta{}), p.Check(PairsMeta{Seed: 9, CreatedBy: "other", ZDim: 3})); err != nil {
		t.Error(err)
	}
	for want, m := range map[string]PairsMeta{
		`generator_sha256 is "aa11"; this domain has "cc"`: {GeneratorSHA256: "cc"},
		`clip_sha256 is "bb22"; this domain has "cc"`:      {GeneratorSHA256: "aa11", CLIPSHA256: "cc"},
		`z_dim is "3"; this domain has "4"`:                {ZDim: 4},
		`embed_dim is "5"; this domain has "512"`:          {EmbedDim: 512},
		`noise_mode is "const"; this domain has "random"`:  {NoiseMode: "random"},
		`preprocessing is "area-64-clip"`:                  {Preprocessing: "area-224-clip"},
		`domain is "lorelei"; this domain has "face"`:      {Domain: "face"},
	} {
		err := p.Check(m)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "train") || fault.HintOf(err) == "" {
			t.Errorf("Check(%+v): %v; want %q, the set and a hint", m, err, want)
		}
	}
}

func TestOpenPairsMissing(t *testing.T) {
	dir := t.TempDir()
	mustWrite(t, filepath.Join(dir, "file.arrow"), []byte("x"))
	testWriter(t, filepath.Join(dir, "begun"), 8).lock.Close()
	for name, want := range map[string]string{"none": "does not exist", ".": "there is no manifest.json", "file.arrow": "it is a file", "begun": "no rows yet"} {
		_, err := OpenPairs(filepath.Join(dir, name))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(fault.HintOf(err), "illustrator pairs") {
			t.Errorf("%s: %v (hint %q)", name, err, fault.HintOf(err))
		}
	}
}

// More shards than are kept open, read in any order.
func TestPairsOpensAFewFilesAtATime(t *testing.T) {
	if testing.Short() {
		t.Skip("writes hundreds of files; run without -short")
	}
	folder := filepath.Join(t.TempDir(), "set")
	writeTestSet(t, folder, maxOpenShards+50, 1)
	p := openTestSet(t, folder)
	readAll(t, p)
	if len(p.open) != maxOpenShards || len(p.used) != maxOpenShards {
		t.Errorf("%d files are open, %d in the list", len(p.open), len(p.used))
	}
	z, embeds := make([]float32, 3), make([]float32, 5)
	for _, row := range rand.Perm(p.Len()) {
		if err := p.Read([]int{row}, z, embeds); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(z, Z(100+uint64(row), 3)) {
			t.Fatalf("row %d is another's", row)
		}
	}
	for _, row := range []int{-1, p.Len()} {
		if err := p.Read([]int{row}, z, embeds); err == nil || !strings.Contains(err.Error(), "there is no row") {
			t.Errorf("row %d: %v", row, err)
		}
	}
	if err := p.Read([]int{1, 2}, z, embeds); err == nil {
		t.Error("two rows into room for one")
	}
}
