package pairs

import (
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sort"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"illustrator/internal/files"
)

// shardFile is a shard that is open for reading.
type shardFile struct {
	file    *os.File
	meta    Meta
	first   uint64 // seed of the first row
	batches []recordBatch
}

// openShard opens a shard of the set in folder and checks its size, its schema and the headers of its batches; values
// are not looked at.
func openShard(folder string, meta Meta, s shard) (opened *shardFile, err error) {
	f, size, err := files.Open(filepath.Join(folder, s.File))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	defer files.Recover(&err)
	if size != s.Bytes {
		return nil, fmt.Errorf("the file has %d bytes; the manifest says %d", size, s.Bytes)
	}
	batches, err := checkArrow(f, size, meta)
	if err != nil {
		return nil, err
	}
	r, err := ipc.NewFileReader(f, ipc.WithAllocator(boundedAllocator{int(size)}))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if err := checkShardSchema(r.Schema(), meta, s.FirstSeed); err != nil {
		return nil, err
	}
	rows := 0
	for _, b := range batches {
		rows += b.rows
	}
	if rows != s.Rows {
		return nil, fmt.Errorf("the file has %d rows; the manifest says %d", rows, s.Rows)
	}
	return &shardFile{file: f, meta: meta, first: s.FirstSeed, batches: batches}, nil
}

// checkShardSchema compares columns and metadata with those of the set; who wrote the shard may differ.
func checkShardSchema(schema *arrow.Schema, meta Meta, first uint64) error {
	meta.Seed = first
	want := meta.schema()
	for i, key := range want.Metadata().Keys() {
		value, ok := schema.Metadata().GetValue(key)
		switch {
		case !ok:
			return fmt.Errorf("the schema's metadata has no %q; expected a shard of a set of pairs", key)
		case value != want.Metadata().Values()[i] && key != "created_by":
			return fmt.Errorf("metadata %q is %q; expected %q", key, value, want.Metadata().Values()[i])
		}
	}
	return checkColumns(schema, want)
}

// checkColumns compares names and types of the columns; whether values may be null is looked at batch by batch.
func checkColumns(have, want *arrow.Schema) error {
	if len(have.Fields()) != len(want.Fields()) {
		return fmt.Errorf("the file has %d columns; expected %d", len(have.Fields()), len(want.Fields()))
	}
	for i, w := range want.Fields() {
		h := have.Field(i)
		if h.Name != w.Name {
			return fmt.Errorf("column %d is %q; expected %q", i, h.Name, w.Name)
		}
		if !sameType(h.Type, w.Type) {
			return fmt.Errorf("column %q has type %v; expected %v", h.Name, h.Type, w.Type)
		}
	}
	return nil
}

func sameType(a, b arrow.DataType) bool {
	la, ok := a.(*arrow.FixedSizeListType)
	lb, both := b.(*arrow.FixedSizeListType)
	if ok && both {
		return la.Len() == lb.Len() && la.Elem().ID() == lb.Elem().ID()
	}
	return a.ID() == b.ID()
}

// Close closes the file.
func (s *shardFile) Close() error { return s.file.Close() }

// readRow reads row i of the shard into z [ZDim] and embed [EmbedDim].
func (s *shardFile) readRow(i int, z, embed []float32) error {
	b := s.batches[sort.Search(len(s.batches), func(k int) bool { return s.batches[k].first > i })-1]
	if err := readFloats(s.file, z, b.z, i-b.first); err != nil {
		return err
	}
	return readFloats(s.file, embed, b.embeds, i-b.first)
}

// readFloats fills values with row number row of a column that begins at offset at.
func readFloats(f io.ReaderAt, values []float32, at int64, row int) error {
	_, err := f.ReadAt(arrow.Float32Traits.CastToBytes(values), at+int64(4*row*len(values)))
	return err
}

// Batch is some successive rows: Z [Rows,ZDim] and ImageEmbeds [Rows,EmbedDim] of the seeds from FirstSeed on.
type Batch struct {
	FirstSeed      uint64
	Rows           int
	Z, ImageEmbeds []float32
}

// batchesOf reads the shard front to back. The slices of one batch are used for the next.
func (s *shardFile) batchesOf() iter.Seq2[Batch, error] {
	z, embeds := make([]float32, s.batches[0].rows*s.meta.ZDim), make([]float32, s.batches[0].rows*s.meta.EmbedDim)
	return func(yield func(Batch, error) bool) {
		for _, b := range s.batches {
			z, embeds = grown(z, b.rows*s.meta.ZDim), grown(embeds, b.rows*s.meta.EmbedDim)
			err := readFloats(s.file, z, b.z, 0)
			if err == nil {
				err = readFloats(s.file, embeds, b.embeds, 0)
			}
			if !yield(Batch{s.first + uint64(b.first), b.rows, z, embeds}, err) || err != nil {
				return
			}
		}
	}
}

// grown returns a slice of n values, the same memory if it is large enough.
func grown(values []float32, n int) []float32 {
	if n > cap(values) {
		return make([]float32, n)
	}
	return values[:n]
}

// sha256Of sums a file front to back. progress gets the bytes read since its last call and may stop the reading.
func sha256Of(f io.ReaderAt, size int64, progress func(bytes int64) error) (string, error) {
	sum, r, buffer := sha256.New(), io.NewSectionReader(f, 0, size), make([]byte, 1<<20)
	for {
		n, err := r.Read(buffer)
		sum.Write(buffer[:n])
		if stop := progress(int64(n)); stop != nil {
			return "", stop
		}
		if err == io.EOF {
			return fmt.Sprintf("%x", sum.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}
