package data

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"illustrator/internal/fault"
)

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
