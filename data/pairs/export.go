package pairs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/parquet"
	"github.com/apache/arrow/go/v15/parquet/compress"
	"github.com/apache/arrow/go/v15/parquet/pqarrow"

	"illustrator/data/arrays"
	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// ExportParquet writes all rows to one Parquet file with the columns and the metadata of the shards. Readers that know
// Arrow's schema, stored in the file, see fixed_size_list<float32>; others see list<float32>. progress gets the
// rows written and may be nil.
func (p *Set) ExportParquet(ctx context.Context, path string, progress func(rows int)) error {
	return files.Write(path, func(f io.Writer) error {
		schema := p.Meta.parquetSchema()
		// Random values don't compress, and have no dictionary.
		properties := parquet.NewWriterProperties(parquet.WithDictionaryDefault(false),
			parquet.WithCompression(compress.Codecs.Uncompressed), parquet.WithCreatedBy(p.Meta.CreatedBy))
		w, err := pqarrow.NewFileWriter(schema, struct{ io.Writer }{f}, properties,
			pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
		if err != nil {
			return err
		}
		groupRows := max(10_000, p.Len()/20_000) // a row group is held in memory; a file has at most 32,767
		written := 0
		err = p.export(ctx, progress, func(b Batch, seeds []uint64) error {
			if written%groupRows+b.Rows > groupRows {
				w.NewBufferedRowGroup()
			}
			written += b.Rows
			columns := []arrow.Array{listColumn(b.Z, p.Meta.ZDim), listColumn(b.ImageEmbeds, p.Meta.EmbedDim),
				seedsColumn(seeds)}
			return w.WriteBuffered(array.NewRecord(schema, columns, int64(b.Rows)))
		})
		return errors.Join(err, w.Close())
	})
}

// parquetSchema is the schema of the shards with lists that may be null: pqarrow takes a list's items for nullable just
// if the list is, and writes them as nulls otherwise.
func (m Meta) parquetSchema() *arrow.Schema {
	s := m.schema()
	fields := s.Fields()
	fields[0].Nullable, fields[1].Nullable = true, true
	meta := s.Metadata()
	return arrow.NewSchema(fields, &meta)
}

// export calls write for all rows in order.
func (p *Set) export(ctx context.Context, progress func(rows int), write func(b Batch, seeds []uint64) error) error {
	done := 0
	for b, err := range p.Batches() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		seeds := make([]uint64, b.Rows)
		for i := range seeds {
			seeds[i] = b.FirstSeed + uint64(i)
		}
		if err := write(b, seeds); err != nil {
			return err
		}
		if done += b.Rows; progress != nil {
			progress(done)
		}
	}
	return nil
}

// ExportNPY writes z.npy float32 [N,ZDim], image_embeds.npy float32 [N,EmbedDim] and seed.npy uint64 [N] into folder,
// which is made where it is missing. The files appear when all are whole. progress gets the rows written and may
// be nil.
func (p *Set) ExportNPY(ctx context.Context, folder string, progress func(rows int)) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return fault.Hint(err, "name a folder in a place that you can write to")
	}
	var pending []*files.PendingFile
	defer func() {
		for _, f := range pending {
			f.Cleanup() // does nothing once the file has its name
		}
	}()
	for _, column := range []struct {
		name, descr string
		shape       []int
	}{{zColumn, "<f4", []int{p.Len(), p.Meta.ZDim}}, {embedColumn, "<f4", []int{p.Len(), p.Meta.EmbedDim}},
		{seedColumn, "<u8", []int{p.Len()}}} {
		f, err := files.Pending(filepath.Join(folder, column.name+".npy"))
		if err != nil {
			return err
		}
		pending = append(pending, f)
		if _, err := f.Write(arrays.NPYPreamble(column.descr, column.shape...)); err != nil {
			return fmt.Errorf("write %q: %w", folder, err)
		}
	}
	err := p.export(ctx, progress, func(b Batch, seeds []uint64) error {
		for i, raw := range [][]byte{arrow.Float32Traits.CastToBytes(b.Z), arrow.Float32Traits.CastToBytes(b.ImageEmbeds),
			arrow.Uint64Traits.CastToBytes(seeds)} {
			if _, err := pending[i].Write(raw); err != nil {
				return fmt.Errorf("write %q: %w", folder, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, f := range pending {
		if err := f.CloseAtomicallyReplace(); err != nil {
			return fmt.Errorf("write %q: %w", folder, err)
		}
	}
	return nil
}
