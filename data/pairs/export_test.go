package pairs

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/apache/arrow/go/v15/parquet/file"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"illustrator/data/arrays"
	"illustrator/internal/files/filestest"
	"illustrator/internal/pytools"
)

func TestExportPairs(t *testing.T) {
	folder, out := filepath.Join(t.TempDir(), "set"), t.TempDir()
	const rows = 2345
	writeTestSet(t, folder, rows, 1200)
	p := openTestSet(t, folder)
	parquet, npy := filepath.Join(out, "p.parquet"), filepath.Join(out, "npy")
	reported := 0
	if err := p.ExportParquet(t.Context(), parquet, func(rows int) { reported = rows }); err != nil || reported != rows {
		t.Fatal(err, reported)
	}
	if err := p.ExportNPY(t.Context(), npy, nil); err != nil {
		t.Fatal(err)
	}
	wantZ, wantEmbeds := testRows(testMeta.Seed, rows)
	for name, want := range map[string][]float32{"z": wantZ, "image_embeds": wantEmbeds} {
		a, err := arrays.Read(filepath.Join(npy, name+".npy"), "")
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a.Data, want) || !slices.Equal(a.Shape, []int{rows, len(want) / rows}) {
			t.Errorf("%s.npy has shape %v and other values", name, a.Shape)
		}
	}
	checkParquet(t, parquet, wantZ, wantEmbeds)

	t.Run("Python", func(t *testing.T) {
		pytools.Run(t, []string{"pyarrow", "pandas", "duckdb", "numpy"}, "testdata/read_pairs.py",
			folder, parquet, npy, "100", strconv.Itoa(rows), sumText(wantZ), sumText(wantEmbeds))
	})

	// An export that is stopped leaves nothing.
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	stopped := t.TempDir()
	errParquet, errNPY := p.ExportParquet(ctx, filepath.Join(stopped, "p.parquet"), nil), p.ExportNPY(ctx, stopped, nil)
	if errParquet == nil || errNPY == nil || len(filestest.Names(t, stopped)) != 0 {
		t.Errorf("%v, %v, files %v", errParquet, errNPY, filestest.Names(t, stopped))
	}
}

// sumText is the sum in float64, written so that it reads back to the same value.
func sumText(values []float32) string {
	sum := 0.0
	for _, v := range values {
		sum += float64(v)
	}
	return strconv.FormatFloat(sum, 'g', -1, 64)
}

// checkParquet reads the file back with Arrow's own reader.
func checkParquet(t *testing.T, path string, wantZ, wantEmbeds []float32) {
	r, err := file.NewParquetReader(bytes.NewReader(filestest.Read(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := reader.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := checkColumns(table.Schema(), testMeta.schema()); err != nil {
		t.Error(err)
	}
	values := func(column int) (all []float32) {
		for _, chunk := range table.Column(column).Data().Chunks() {
			all = append(all, chunk.(*array.FixedSizeList).ListValues().(*array.Float32).Float32Values()...)
		}
		return all
	}
	if !slices.Equal(values(0), wantZ) || !slices.Equal(values(1), wantEmbeds) {
		t.Error("the values read from Parquet differ")
	}
}
