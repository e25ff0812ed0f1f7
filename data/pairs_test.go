package data

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
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

// A damaged file with its manifest is always found out; so is one cut short without it.
func TestReadPairsDamaged(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "train.arrow")
	writeTestPairs(t, path, 40, 40)
	raw := readFile(t, path)
	for i := 0; i < len(raw); i += 7 {
		flipped := bytes.Clone(raw)
		flipped[i] ^= 1 << (i % 8)
		mustWrite(t, path, flipped)
		if _, err := ReadPairs(path); err == nil || !strings.Contains(err.Error(), "SHA-256") {
			t.Fatalf("bit flipped in byte %d: %v", i, err)
		}
	}
	mustWrite(t, path, raw[:len(raw)-8])
	if _, err := ReadPairs(path); err == nil || !strings.Contains(err.Error(), "size in bytes") {
		t.Errorf("cut short beside its manifest: %v", err)
	}
	mustWrite(t, manifestPath(path), []byte("{"))
	if _, err := ReadPairs(path); err == nil || !strings.Contains(err.Error(), "manifest") {
		t.Errorf("broken manifest: %v", err)
	}
	if err := os.Remove(manifestPath(path)); err != nil {
		t.Fatal(err)
	}
	for n := range raw {
		mustWrite(t, path, raw[:n])
		if _, err := ReadPairs(path); err == nil || fault.HintOf(err) == "" {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}

// Whatever stands where a length or an offset is expected: an answer or an error, and no more memory than the file's size
// justifies. Every aligned word of the file is tried, and, without -short, more values and every bit.
func TestReadPairsHostileLengths(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.arrow")
	writeTestPairs(t, path, 4, 4)
	raw := readFile(t, path)
	if err := os.Remove(manifestPath(path)); err != nil {
		t.Fatal(err)
	}
	try := func(what string, i int, damaged []byte) {
		mustWrite(t, path, damaged)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p, err := ReadPairs(path)
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 2<<20 {
			t.Fatalf("%s at %d: %d bytes allocated for a file of %d (%v)", what, i, allocated, len(raw), err)
		}
		if err == nil && (len(p.ZValues) != p.Len()*p.Meta.ZDim || len(p.ImageEmbeds) != p.Len()*p.Meta.EmbedDim) {
			t.Fatalf("%s at %d: inconsistent pairs", what, i)
		}
	}
	values := []uint32{0x0100_0000, 0x7fff_ffff}
	if !testing.Short() {
		values = append(values, 0, 1, 0xff, 0xffff, 0x1fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff)
	}
	for i := 0; i+4 <= len(raw); i += 4 {
		for _, v := range values {
			damaged := bytes.Clone(raw)
			binary.LittleEndian.PutUint32(damaged[i:], v)
			try("word", i, damaged)
		}
	}
	for i := 0; i < len(raw) && !testing.Short(); i++ {
		for bit := range 8 {
			damaged := bytes.Clone(raw)
			damaged[i] ^= 1 << bit
			try("bit", i, damaged)
		}
	}
}

func mustWrite(t testing.TB, path string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Arrow files that are in order but are not pairs: the message names column, found and expected type.
func TestReadPairsOtherSchemas(t *testing.T) {
	list := func(n int32, of arrow.DataType) arrow.DataType { return arrow.FixedSizeListOf(n, of) }
	good := testMeta.schema()
	f32, f64 := arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64
	fields := func(change ...arrow.Field) []arrow.Field {
		out := slices.Clone(good.Fields())
		for i, f := range change {
			if f.Type != nil {
				out[i] = f
			}
		}
		return out
	}
	without := func(key string) *arrow.Metadata {
		m := good.Metadata()
		i := m.FindKey(key)
		n := arrow.NewMetadata(slices.Delete(slices.Clone(m.Keys()), i, i+1), slices.Delete(slices.Clone(m.Values()), i, i+1))
		return &n
	}
	with := func(key, value string) *arrow.Metadata {
		m := good.Metadata()
		values := slices.Clone(m.Values())
		values[m.FindKey(key)] = value
		n := arrow.NewMetadata(m.Keys(), values)
		return &n
	}
	meta := good.Metadata()
	many := make([]arrow.Field, 200)
	for i := range many {
		many[i] = arrow.Field{Name: "x", Type: f32}
	}
	for want, s := range map[string]*arrow.Schema{
		`column "z" has type fixed_size_list<item: float64, nullable>[3]; expected fixed_size_list<item: float32, nullable>[3]`: arrow.NewSchema(fields(arrow.Field{Name: "z", Type: list(3, f64)}), &meta),
		`column "z" has type fixed_size_list<item: float32, nullable>[4]`:                                                       arrow.NewSchema(fields(arrow.Field{Name: "z", Type: list(4, f32)}), &meta),
		`column "z" has type list<`:                       arrow.NewSchema(fields(arrow.Field{Name: "z", Type: arrow.ListOf(f32)}), &meta),
		`column 1 is "clip"; expected "image_embeds"`:     arrow.NewSchema(fields(arrow.Field{}, arrow.Field{Name: "clip", Type: list(5, f32)}), &meta),
		`column "seed" has type int64; expected uint64`:   arrow.NewSchema(fields(arrow.Field{}, arrow.Field{}, arrow.Field{Name: "seed", Type: arrow.PrimitiveTypes.Int64}), &meta),
		`the file has 2 columns; expected 3`:              arrow.NewSchema(fields()[:2], &meta),
		`more than 100 fields`:                            arrow.NewSchema(many, &meta),
		`metadata has no "clip_sha256"`:                   arrow.NewSchema(fields(), without("clip_sha256")),
		`metadata has no "format_version"`:                arrow.NewSchema(fields(), without("format_version")),
		`"format_version" is "2"; this program reads "1"`: arrow.NewSchema(fields(), with("format_version", "2")),
		`"z_dim" is "-3"; expected a whole number`:        arrow.NewSchema(fields(), with("z_dim", "-3")),
		`z_dim is 1000000`:                                arrow.NewSchema(fields(), with("z_dim", "1000000")),
		`the file has no rows`:                            good,
	} {
		path := writeArrow(t, s, nil)
		if _, err := ReadPairs(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestReadPairsNullsAndCompression(t *testing.T) {
	schema := testMeta.schema()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	z, e := b.Field(0).(*array.FixedSizeListBuilder), b.Field(1).(*array.FixedSizeListBuilder)
	add := func(value float32) {
		z.Append(true)
		z.ValueBuilder().(*array.Float32Builder).AppendValues([]float32{value, 2, 3}, nil)
		e.Append(true)
		e.ValueBuilder().(*array.Float32Builder).AppendValues([]float32{1, 2, 3, 4, 5}, nil)
		b.Field(2).(*array.Uint64Builder).Append(7)
	}
	add(1)
	record := b.NewRecord()
	if p, err := ReadPairs(writeArrow(t, schema, record)); err != nil || p.Len() != 1 {
		t.Fatalf("the same rows in order: %v", err)
	}
	for name, option := range map[string]ipc.Option{"zstd": ipc.WithZstd(), "lz4": ipc.WithLZ4()} {
		if _, err := ReadPairs(writeArrow(t, schema, record, option)); err == nil || !strings.Contains(err.Error(), "compressed") {
			t.Errorf("%s: %v", name, err)
		}
	}
	add(float32(math.NaN()))
	if _, err := ReadPairs(writeArrow(t, schema, b.NewRecord())); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("NaN: %v", err)
	}
	add(1)
	z.AppendNull()
	e.Append(true)
	e.ValueBuilder().(*array.Float32Builder).AppendValues([]float32{1, 2, 3, 4, 5}, nil)
	b.Field(2).(*array.Uint64Builder).Append(8)
	if _, err := ReadPairs(writeArrow(t, schema, b.NewRecord())); err == nil || !strings.Contains(err.Error(), "1 of them null") {
		t.Errorf("null row: %v", err)
	}
}

func writeArrow(t *testing.T, schema *arrow.Schema, record arrow.Record, options ...ipc.Option) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "x.arrow"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := ipc.NewFileWriter(f, append(options, ipc.WithSchema(schema))...)
	if err != nil {
		t.Fatal(err)
	}
	if record != nil {
		if err := w.Write(record); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
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

func FuzzReadPairs(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed.arrow")
	writeTestPairs(f, path, 3, 3)
	f.Add(readFile(f, path))
	f.Add([]byte("ARROW1"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(t.TempDir(), "x.arrow")
		mustWrite(t, path, raw)
		p, err := ReadPairs(path)
		if (p == nil) == (err == nil) {
			t.Errorf("pairs %v with error %v", p, err)
		}
		if err == nil && 8*p.Len()+4*len(p.ZValues)+4*len(p.ImageEmbeds) > len(raw) {
			t.Errorf("%d rows from %d bytes", p.Len(), len(raw))
		}
	})
}
