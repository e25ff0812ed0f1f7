package data

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"illustrator/internal/fault"
)

var testMeta = PairsMeta{Domain: "lorelei", Seed: 100, GeneratorSHA256: "aa11", CLIPSHA256: "bb22", NoiseMode: "const",
	Preprocessing: "area-64-clip", DType: "float32", ZDim: 3, EmbedDim: 5, CreatedBy: "illustrator test"}

// testRows are rows that fit testMeta.
func testRows(n int) (seeds []uint64, z, embeds []float32) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		seed := testMeta.Seed + uint64(i)
		seeds = append(seeds, seed)
		z = append(z, Z(seed, testMeta.ZDim)...)
		for range testMeta.EmbedDim {
			embeds = append(embeds, float32(r.NormFloat64()))
		}
	}
	return seeds, z, embeds
}

// writeTestPairs writes n rows in chunks; the last chunk size is repeated.
func writeTestPairs(t testing.TB, path string, n int, chunks ...int) {
	t.Helper()
	w, err := CreatePairs(path, testMeta)
	if err != nil {
		t.Fatal(err)
	}
	seeds, z, embeds := testRows(n)
	for at, k := 0, 0; at < n; k++ {
		size := min(chunks[min(k, len(chunks)-1)], n-at)
		if err := w.Append(seeds[at:at+size], z[3*at:3*(at+size)], embeds[5*at:5*(at+size)]); err != nil {
			t.Fatal(err)
		}
		at += size
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
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
	folder := t.TempDir()
	path := filepath.Join(folder, "train.arrow")
	writeTestPairs(t, path, 2345, 2345)
	p, err := ReadPairs(path)
	if err != nil {
		t.Fatal(err)
	}
	seeds, z, embeds := testRows(2345)
	want := &Pairs{Meta: testMeta, Source: path, ZValues: z, ImageEmbeds: embeds, Seeds: seeds}
	if d := cmp.Diff(want, p); d != "" {
		t.Errorf("pairs differ (-written +read):\n%s", d)
	}
	if p.Len() != 2345 || !slices.Equal(p.Z(2000), z[6000:6003]) || !slices.Equal(p.ImageEmbed(2000), embeds[10000:10005]) {
		t.Errorf("rows are not where they were written")
	}
	if got := fileNames(t, folder); !slices.Equal(got, []string{"train.arrow", "train.arrow.json"}) {
		t.Errorf("files %v", got)
	}
	writeTestPairs(t, path, 7, 7) // replaces both files
	if p, err = ReadPairs(path); err != nil || p.Len() != 7 {
		t.Errorf("the replaced file: %v", err)
	}
}

// The sizes of the Append calls and the time of writing leave no trace in the files.
func TestPairsBytesAreDeterministic(t *testing.T) {
	folder := t.TempDir()
	first := filepath.Join(folder, "a.arrow")
	writeTestPairs(t, first, 2100, 2100)
	rapid.Check(t, func(rt *rapid.T) {
		path := filepath.Join(folder, "b.arrow")
		writeTestPairs(t, path, 2100, rapid.SliceOfN(rapid.IntRange(1, 1500), 1, 6).Draw(rt, "chunks")...)
		for _, suffix := range []string{"", ".json"} {
			if !bytes.Equal(readFile(t, first+suffix), readFile(t, path+suffix)) {
				rt.Fatalf("%s differs from %s", path+suffix, first+suffix)
			}
		}
	})
}

func TestPairsAppearAtCloseOnly(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "train.arrow")
	w, err := CreatePairs(path, testMeta)
	if err != nil {
		t.Fatal(err)
	}
	seeds, z, embeds := testRows(1200)
	if err := w.Append(seeds, z, embeds); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file stands under its name before Close: %v", err)
	}
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	if got := fileNames(t, folder); len(got) != 0 {
		t.Errorf("Abort left %v", got)
	}
	if err := w.Append(seeds, z, embeds); err == nil {
		t.Error("Append after Abort succeeded")
	}
	if err := w.Close(); err == nil || len(fileNames(t, folder)) != 0 {
		t.Errorf("Close after Abort: %v, files %v", err, fileNames(t, folder))
	}
}

func TestPairsWriterRefuses(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "train.arrow")
	nan := float32(math.NaN())
	for name, c := range map[string]struct {
		seeds     []uint64
		z, embeds []float32
		want      string
	}{
		"z too short":    {[]uint64{100}, make([]float32, 2), make([]float32, 5), "expected 3 and 5"},
		"embed too long": {[]uint64{100}, make([]float32, 3), make([]float32, 6), "expected 3 and 5"},
		"seed":           {[]uint64{100, 102}, make([]float32, 6), make([]float32, 10), "row 1 has seed 102; expected 101"},
		"z NaN":          {[]uint64{100}, []float32{0, nan, 0}, make([]float32, 5), `column "z", row 0, element 1 is NaN`},
		"embed infinite": {[]uint64{100}, make([]float32, 3), []float32{0, 0, 0, 0, float32(math.Inf(1))}, `column "image_embeds", row 0, element 4 is +Inf`},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := CreatePairs(path, testMeta)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Append(c.seeds, c.z, c.embeds); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Append: %v; want %q and the path", err, c.want)
			}
			if err := w.Close(); err == nil || !strings.Contains(err.Error(), "no rows") {
				t.Errorf("Close without rows: %v", err)
			}
			if got := fileNames(t, folder); len(got) != 0 {
				t.Errorf("files %v are left", got)
			}
		})
	}
	bad := testMeta
	bad.EmbedDim = 0
	if _, err := CreatePairs(path, bad); err == nil || !strings.Contains(err.Error(), "embed_dim is 0") {
		t.Errorf("width 0: %v", err)
	}
	if _, err := CreatePairs(filepath.Join(folder, "missing", "x.arrow"), testMeta); err == nil || fault.HintOf(err) == "" {
		t.Errorf("missing folder: %v", err)
	}
}

func TestPairsCheck(t *testing.T) {
	p := &Pairs{Meta: testMeta, Source: "train.arrow"}
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
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "train.arrow") || fault.HintOf(err) == "" {
			t.Errorf("Check(%+v): %v; want %q, the file and a hint", m, err, want)
		}
	}
}

func TestReadPairsMissing(t *testing.T) {
	_, err := ReadPairs(filepath.Join(t.TempDir(), "none.arrow"))
	if err == nil || !strings.Contains(err.Error(), "none.arrow") || !strings.Contains(fault.HintOf(err), "illustrator pairs") {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
	if _, err := ReadPairs(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
}

// pyarrow must agree on the layout, in both directions.
func TestPairsPyArrow(t *testing.T) {
	python := os.Getenv("ILLUSTRATOR_PYTHON")
	if python == "" {
		t.Skip("ILLUSTRATOR_PYTHON names no Python with pyarrow")
	}
	if out, err := exec.Command(python, "-c", "import pyarrow, numpy").CombinedOutput(); err != nil {
		t.Skipf("%s cannot import pyarrow and numpy: %s", python, out)
	}
	folder := t.TempDir()
	ours, theirs := filepath.Join(folder, "ours.arrow"), filepath.Join(folder, "theirs.arrow")
	writeTestPairs(t, ours, 1500, 64)
	const script = `
import sys, numpy as np, pyarrow as pa
with pa.ipc.open_file(sys.argv[1]) as f:
    table, batches = f.read_all(), f.num_record_batches
table.validate(full=True)
assert table.schema.names == ["z", "image_embeds", "seed"], table.schema
assert [str(t) for t in table.schema.types] == ["fixed_size_list<item: float>[3]", "fixed_size_list<item: float>[5]", "uint64"], table.schema
assert table.schema.metadata[b"domain"] == b"lorelei" and table.schema.metadata[b"seed"] == b"100", table.schema.metadata
assert batches == 2 and table.num_rows == 1500
assert table["seed"].to_pylist() == list(range(100, 1600))
z = np.stack(table["z"].to_numpy(zero_copy_only=False))
assert z.shape == (1500, 3) and z.dtype == np.float32 and abs(z.mean()) < 0.1 and abs(z.std() - 1) < 0.1
with pa.ipc.new_file(sys.argv[2], table.schema) as f:
    for batch in table.to_batches(max_chunksize=700): f.write_batch(batch)
`
	if out, err := exec.Command(python, "-c", script, ours, theirs).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	a, err := ReadPairs(ours)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ReadPairs(theirs)
	if err != nil {
		t.Fatal(err)
	}
	b.Source = a.Source
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("what pyarrow wrote differs:\n%s", d)
	}
}
