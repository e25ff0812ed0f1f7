package pairs

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
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
	"illustrator/internal/files/filestest"
)

// oneShard writes a set of one shard and returns the set's folder, the shard's path and its bytes.
func oneShard(t testing.TB, rows int) (folder, path string, raw []byte) {
	folder = filepath.Join(t.TempDir(), "set")
	writeTestSet(t, folder, rows, rows)
	path = filepath.Join(folder, shardName(0, uint64(rows-1)))
	return folder, path, filestest.Read(t, path)
}

// readSet opens the set, reads every row in order and one by number, and verifies.
func readSet(t testing.TB, folder string) (rows int, err error) {
	p, err := Open(folder)
	if err != nil {
		return 0, err
	}
	defer p.Close()
	for b, err := range p.Batches() {
		if err != nil {
			return 0, err
		}
		if len(b.Z) != b.Rows*p.Meta.ZDim || len(b.ImageEmbeds) != b.Rows*p.Meta.EmbedDim {
			t.Fatalf("a batch of %d rows has %d and %d values", b.Rows, len(b.Z), len(b.ImageEmbeds))
		}
		rows += b.Rows
	}
	if rows != p.Len() {
		t.Fatalf("%d rows of %d", rows, p.Len())
	}
	if err := p.Read([]int{rows - 1}, make([]float32, p.Meta.ZDim), make([]float32, p.Meta.EmbedDim)); err != nil {
		return 0, err
	}
	return rows, p.Verify(t.Context(), nil)
}

// A damaged shard is always found out.
func TestReadPairsDamaged(t *testing.T) {
	folder, path, raw := oneShard(t, 40)
	step := 7
	if testing.Short() {
		step = 61
	}
	for i := 0; i < len(raw); i += step {
		flipped := bytes.Clone(raw)
		flipped[i] ^= 1 << (i % 8)
		filestest.Write(t, path, flipped)
		if _, err := readSet(t, folder); err == nil || fault.HintOf(err) == "" ||
			!strings.Contains(err.Error(), filepath.Base(path)) {
			t.Fatalf("bit flipped in byte %d: %v", i, err)
		}
	}
	for n := 0; n < len(raw); n += step {
		filestest.Write(t, path, raw[:n])
		if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), "the manifest says") {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
		if _, err := openShard(folder, testMeta, shard{File: filepath.Base(path), FirstSeed: 100, Rows: 40,
			Bytes: int64(n)}); err == nil {
			t.Fatalf("cut to %d bytes: no error", n)
		}
	}
}

// Whatever stands where a length or an offset is expected: an answer or an error, and no more memory than the file's
// size justifies. Every aligned word of the shard is tried, and, without -short, more values and two bits of every
// byte.
func TestReadPairsHostileLengths(t *testing.T) {
	folder, path, raw := oneShard(t, 4)
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	try := func(what string, i int, damaged []byte) {
		if _, err := file.WriteAt(damaged, 0); err != nil { // in place: a file that was cut first goes to the disk
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := readSet(t, folder)
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 4<<20 {
			t.Fatalf("%s at %d: %d bytes allocated for a file of %d (%v)", what, i, allocated, len(raw), err)
		}
		if err == nil && !bytes.Equal(damaged, raw) {
			t.Fatalf("%s at %d: no error", what, i)
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
		for _, bit := range []int{i % 7, 7} {
			damaged := bytes.Clone(raw)
			damaged[i] ^= 1 << bit
			try("bit", i, damaged)
		}
	}
}

// A manifest that is wrong in one place: the message names the place.
func TestReadPairsHostileManifests(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "set")
	writeTestSet(t, folder, 20, 8)
	path := filepath.Join(folder, manifestFile)
	good := filestest.Read(t, path)
	for want, change := range map[string]func(m *manifest){
		`format_version is "1"; this program reads "2"`: func(m *manifest) { m.FormatVersion = "1" },
		"shard_rows is 0":                              func(m *manifest) { m.ShardRows = 0 },
		"z_dim is 1000000":                             func(m *manifest) { m.Meta.ZDim = 1_000_000 },
		"rows is 21; the shards have 20":               func(m *manifest) { m.Rows++ },
		`file must be "rows-0000000008-0000000015.arr`: func(m *manifest) { m.Shards[1].File = "../secret" },
		"first_seed is 99; the set begins at 100":      func(m *manifest) { m.Shards[0].FirstSeed-- },
		"the shard before ends at 107":                 func(m *manifest) { m.Shards[1] = m.Shards[0] },
		"rows is 9 from seed 108":                      func(m *manifest) { m.Shards[1].Rows++ },
		"rows is -1":                                   func(m *manifest) { m.Shards[1].Rows = -1 },
		"bytes is -5":                                  func(m *manifest) { m.Shards[1].Bytes = -5 },
		`sha256 is "12"`:                               func(m *manifest) { m.Shards[1].SHA256 = "12" },
		`metadata "domain" is "lorelei"; expected "x"`: func(m *manifest) { m.Meta.Domain = "x" },
		`column "z" has 24 elements`:                   func(m *manifest) { m.Meta.ZDim = 2 },
		"the manifest says 4611686018427387904":        func(m *manifest) { m.Shards[1].Bytes = 1 << 62 },
	} {
		var m manifest
		if err := json.Unmarshal(good, &m); err != nil {
			t.Fatal(err)
		}
		change(&m)
		if err := m.write(folder); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), want) || fault.HintOf(err) == "" {
			t.Errorf("%v; want %q and a hint", err, want)
		}
	}
	for _, raw := range [][]byte{nil, []byte("{"), []byte("[]"), []byte(`{"rows": 1e99}`), []byte(`{"shard": 3}`),
		good[:len(good)/2]} {
		filestest.Write(t, path, raw)
		if _, err := Open(folder); err == nil || !strings.Contains(err.Error(), "manifest.json") || fault.HintOf(err) == "" {
			t.Errorf("%.20q: %v", raw, err)
		}
	}
}

// Arrow files that are in order but are not shards: the message names column, found and expected type.
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
		`column "z" has type fixed_size_list<item: float64, nullable>[3]; expected fixed_size_list<item: float32, ` +
			`nullable>[3]`: arrow.NewSchema(fields(arrow.Field{Name: "z", Type: list(3, f64)}), &meta),
		`column "z" has type fixed_size_list<item: float32, nullable>[4]`: arrow.NewSchema(fields(arrow.Field{Name: "z",
			Type: list(4, f32)}), &meta),
		`column "z" has type list<`: arrow.NewSchema(fields(arrow.Field{Name: "z",
			Type: arrow.ListOf(f32)}), &meta),
		`column 1 is "clip"; expected "image_embeds"`: arrow.NewSchema(fields(arrow.Field{},
			arrow.Field{Name: "clip", Type: list(5, f32)}), &meta),
		`column "seed" has type int64; expected uint64`: arrow.NewSchema(fields(arrow.Field{}, arrow.Field{},
			arrow.Field{Name: "seed", Type: arrow.PrimitiveTypes.Int64}), &meta),
		`the file has 2 columns; expected 3`:       arrow.NewSchema(fields()[:2], &meta),
		`more than 100 fields`:                     arrow.NewSchema(many, &meta),
		`metadata has no "clip_sha256"`:            arrow.NewSchema(fields(), without("clip_sha256")),
		`metadata has no "format_version"`:         arrow.NewSchema(fields(), without("format_version")),
		`"format_version" is "1"; expected "2"`:    arrow.NewSchema(fields(), with("format_version", "1")),
		`"z_dim" is "-3"; expected "3"`:            arrow.NewSchema(fields(), with("z_dim", "-3")),
		`"seed" is "101"; expected "100"`:          arrow.NewSchema(fields(), with("seed", "101")),
		`the file has 0 rows; the manifest says 1`: good,
	} {
		if err := openArrow(t, writeArrow(t, s, nil)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestReadPairsNullsAndCompression(t *testing.T) {
	schema := testMeta.schema()
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	z, e := b.Field(0).(*array.FixedSizeListBuilder), b.Field(1).(*array.FixedSizeListBuilder)
	add := func(value float32, seed uint64) {
		z.Append(true)
		z.ValueBuilder().(*array.Float32Builder).AppendValues([]float32{value, 2, 3}, nil)
		e.Append(true)
		e.ValueBuilder().(*array.Float32Builder).AppendValues([]float32{1, 2, 3, 4, 5}, nil)
		b.Field(2).(*array.Uint64Builder).Append(seed)
	}
	add(1, 100)
	record := b.NewRecord()
	if err := openArrow(t, writeArrow(t, schema, record)); err != nil {
		t.Fatalf("the same rows in order: %v", err)
	}
	for name, option := range map[string]ipc.Option{"zstd": ipc.WithZstd(), "lz4": ipc.WithLZ4()} {
		if err := openArrow(t, writeArrow(t, schema, record, option)); err == nil ||
			!strings.Contains(err.Error(), "compressed") {
			t.Errorf("%s: %v", name, err)
		}
	}
	add(float32(math.NaN()), 100)
	if err := openArrow(t, writeArrow(t, schema, b.NewRecord())); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("NaN: %v", err)
	}
	add(1, 7)
	if err := openArrow(t, writeArrow(t, schema, b.NewRecord())); err == nil ||
		!strings.Contains(err.Error(), "row 0 has seed 7; expected 100") {
		t.Errorf("seed: %v", err)
	}
	z.AppendNull()
	e.Append(true)
	e.ValueBuilder().(*array.Float32Builder).AppendValues([]float32{1, 2, 3, 4, 5}, nil)
	b.Field(2).(*array.Uint64Builder).Append(100)
	if err := openArrow(t, writeArrow(t, schema, b.NewRecord())); err == nil ||
		!strings.Contains(err.Error(), "1 of them null") {
		t.Errorf("null row: %v", err)
	}
}

// openArrow reads a file as the shard of one row that a set of testMeta begins with.
func openArrow(t *testing.T, path string) error {
	t.Helper()
	raw := filestest.Read(t, path)
	sum, err := sha256Of(bytes.NewReader(raw), int64(len(raw)), func(int64) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	s := shard{File: filepath.Base(path), FirstSeed: 100, Rows: 1, Bytes: int64(len(raw)), SHA256: sum}
	return verifyShard(filepath.Dir(path), testMeta, s, func(int64) error { return nil })
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

// What Verify finds, repair removes, and the next writing fills the holes: the same bytes as before.
func TestVerifyAndRepair(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "set")
	writeTestSet(t, folder, 42, 10)
	want := filestest.Folder(t, folder)
	damage := func(i int, change func(path string)) { change(filepath.Join(folder, filestest.Names(t, folder)[1+i])) }
	damage(1, func(path string) {
		raw := filestest.Read(t, path)
		raw[len(raw)/2] ^= 1
		filestest.Write(t, path, raw)
	})
	damage(4, func(path string) { filestest.Write(t, path, filestest.Read(t, path)[:100]) })
	damage(3, func(path string) { os.Remove(path) })
	reported := int64(0)
	rows, bad, err := Verify(t.Context(), folder, func(bytes, all int64) { reported = max(reported, bytes) })
	if err != nil || rows != 42 || len(bad) != 3 || reported == 0 {
		t.Fatalf("%d rows, %v, %v", rows, bad, err)
	}
	for i, seeds := range []SeedRange{{110, 119}, {130, 139}, {140, 141}} {
		if bad[i].Seeds != seeds || bad[i].Err == nil {
			t.Errorf("bad shard %d: %+v", i, bad[i])
		}
	}
	if _, err := Open(folder); !errors.Is(err, os.ErrNotExist) || fault.CodeOf(err) != Damaged {
		t.Errorf("%v (code %q)", err, fault.CodeOf(err))
	}
	if err := Repair(folder, bad); err != nil {
		t.Fatal(err)
	}
	w := testWriter(t, folder, 10)
	missing, err := w.Missing(42)
	if err != nil || !slices.Equal(missing, []SeedRange{{110, 119}, {130, 141}}) {
		t.Fatalf("after the repair %v, %v", missing, err)
	}
	for _, r := range missing {
		appendRows(t, w, r.First, int(r.Last-r.First)+1)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	filestest.Same(t, filestest.Folder(t, folder), want)
}

func FuzzRead(f *testing.F) {
	folder, path, raw := oneShard(f, 3)
	f.Add(raw)
	f.Add([]byte("ARROW1"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) == 0 {
			return
		}
		filestest.Write(t, path, raw)
		m := manifest{FormatVersion: formatVersion, Meta: testMeta, ShardRows: 3, Rows: 3, Shards: []shard{{
			File: filepath.Base(path), FirstSeed: 100, Rows: 3, Bytes: int64(len(raw)), SHA256: strings.Repeat("0", 64),
		}}}
		if err := m.write(folder); err != nil {
			t.Fatal(err)
		}
		if _, err := readSet(t, folder); err == nil {
			t.Error("no error for a wrong SHA-256")
		}
	})
}
