package pairs

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"illustrator/data/seeds"
	"illustrator/internal/fault"
	"illustrator/internal/files/filestest"
)

var testMeta = Meta{Domain: "lorelei", Seed: 100, GeneratorSHA256: "aa11", CLIPSHA256: "bb22", NoiseMode: "const",
	Preprocessing: "area-64-clip", DType: "float32", Batch: 32, ZDim: 3, EmbedDim: 5, CreatedBy: "illustrator test"}

// testRows are n rows that fit testMeta: what a row holds follows from its seed.
func testRows(first uint64, n int) (z, embeds []float32) {
	for i := range n {
		seed := first + uint64(i)
		z = append(z, seeds.Z(seed, testMeta.ZDim)...)
		r := rand.New(rand.NewPCG(seed, 2))
		for range testMeta.EmbedDim {
			embeds = append(embeds, float32(r.NormFloat64()))
		}
	}
	return z, embeds
}

func testWriter(t testing.TB, folder string, shardRows int) *Writer {
	t.Helper()
	w, err := OpenWriter(folder, testMeta, shardRows)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// appendRows appends the rows of seeds [first,first+n).
func appendRows(t testing.TB, w *Writer, first uint64, n int) {
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

func openTestSet(t testing.TB, folder string) *Set {
	t.Helper()
	p, err := Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// readAll reads all rows in order and one by one from the end, which must agree.
func readAll(t testing.TB, p *Set) (seeds []uint64, z, embeds []float32) {
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
		if !slices.Equal(backZ[i*zd:(i+1)*zd], z[row*zd:(row+1)*zd]) ||
			!slices.Equal(backEmbeds[i*ed:(i+1)*ed], embeds[row*ed:(row+1)*ed]) {
			t.Fatalf("row %d by number differs from row %d in order", row, row)
		}
	}
	return seeds, z, embeds
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
		if p.Meta != testMeta || seeds[0] != 100 || seeds[n-1] != uint64(100+n-1) || !slices.Equal(z, wantZ) ||
			!slices.Equal(embeds, wantEmbeds) {
			t.Errorf("%d rows in shards of %d: %+v, seeds %d-%d", n, shardRows, p.Meta, seeds[0], seeds[n-1])
		}
		if got := len(filestest.Names(t, folder)); got != (n+shardRows-1)/shardRows+1 {
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
	disjoint := func(a, b *Set) error { return b.Disjoint(a.Source, a.SeedRanges()) }
	if err := disjoint(openTestSet(t, a), openTestSet(t, b)); err != nil {
		t.Error(err)
	}
	err := disjoint(openTestSet(t, a), openTestSet(t, c))
	if err == nil || !fault.IsUsage(err) || !strings.Contains(err.Error(), "share the seeds 119-119") ||
		!strings.Contains(err.Error(), a) || !strings.Contains(err.Error(), c) {
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
		got, overlaps := overlap(a, b)
		for s := uint64(0); s < 100; s++ {
			if inA[s] && inB[s] {
				if !overlaps || got.First != s {
					t.Fatalf("%v and %v share %d; got %v, %v", a, b, s, got, overlaps)
				}
				return
			}
		}
		if overlaps {
			t.Fatalf("%v and %v share nothing; found %v", a, b, got)
		}
	})
}

func TestPairsCheck(t *testing.T) {
	p := &Set{Meta: testMeta, Source: "train"}
	if err := errors.Join(p.Check(testMeta), p.Check(Meta{}),
		p.Check(Meta{Seed: 9, CreatedBy: "other", ZDim: 3})); err != nil {
		t.Error(err)
	}
	for want, m := range map[string]Meta{
		`generator_sha256 is "aa11"; this domain has "cc"`: {GeneratorSHA256: "cc"},
		`clip_sha256 is "bb22"; this domain has "cc"`:      {GeneratorSHA256: "aa11", CLIPSHA256: "cc"},
		`z_dim is "3"; this domain has "4"`:                {ZDim: 4},
		`embed_dim is "5"; this domain has "512"`:          {EmbedDim: 512},
		`noise_mode is "const"; this domain has "random"`:  {NoiseMode: "random"},
		`preprocessing is "area-64-clip"`:                  {Preprocessing: "area-224-clip"},
		`domain is "lorelei"; this domain has "face"`:      {Domain: "face"},
	} {
		err := p.Check(m)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "train") ||
			fault.HintOf(err) == "" {
			t.Errorf("Check(%+v): %v; want %q, the set and a hint", m, err, want)
		}
	}
}

func TestOpenPairsMissing(t *testing.T) {
	dir := t.TempDir()
	filestest.Write(t, filepath.Join(dir, "file.arrow"), []byte("x"))
	testWriter(t, filepath.Join(dir, "begun"), 8).lock.Release()
	for name, want := range map[string]string{"none": "does not exist", ".": "it has no manifest.json",
		"file.arrow": "it is a file", "begun": "no rows yet"} {
		_, err := Open(filepath.Join(dir, name))
		if err == nil || !strings.Contains(err.Error(), want) || fault.CodeOf(err) == "" {
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
		if !slices.Equal(z, seeds.Z(100+uint64(row), 3)) {
			t.Fatalf("row %d is another's", row)
		}
	}
	for _, row := range []int{-1, p.Len()} {
		if err := p.Read([]int{row}, z, embeds); err == nil || !strings.Contains(err.Error(), "does not exist") {
			t.Errorf("row %d: %v", row, err)
		}
	}
	if err := p.Read([]int{1, 2}, z, embeds); err == nil {
		t.Error("two rows into room for one")
	}
}
