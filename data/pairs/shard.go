package pairs

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"illustrator/checkpoints"
)

// shardWriter writes one shard: an Arrow IPC file with the columns z fixed_size_list<float32>[ZDim], image_embeds
// fixed_size_list<float32>[EmbedDim] and seed uint64. It has a temporary name until finish.
type shardWriter struct {
	folder string
	first  uint64 // seed of the first row
	file   *os.File
	sum    *hashingFile
	schema *arrow.Schema
	ipc    *ipc.FileWriter

	zDim, embedDim int
	z, embeds      []float32 // rows not written yet, fewer than batchRows
	rows           int       // all rows, those not written yet too
}

// createShard starts a shard of the set described by meta.
func createShard(folder string, meta Meta, first uint64) (*shardWriter, error) {
	meta.Seed = first
	file, err := os.OpenFile(filepath.Join(folder, shardTemporary), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	w := &shardWriter{
		folder: folder, first: first, file: file, sum: &hashingFile{file: file, hash: sha256.New()}, schema: meta.schema(),
		zDim: meta.ZDim, embedDim: meta.EmbedDim,
	}
	if w.ipc, err = ipc.NewFileWriter(w.sum, ipc.WithSchema(w.schema)); err != nil {
		return nil, errors.Join(err, w.abort())
	}
	return w, nil
}

// append adds rows [rows,ZDim] and [rows,EmbedDim] of the next seeds.
func (w *shardWriter) append(z, embeds []float32) error {
	for len(z) > 0 {
		n := min(len(z)/w.zDim, batchRows-len(w.z)/w.zDim)
		w.z, z = append(w.z, z[:n*w.zDim]...), z[n*w.zDim:]
		w.embeds, embeds = append(w.embeds, embeds[:n*w.embedDim]...), embeds[n*w.embedDim:]
		w.rows += n
		if len(w.z) == batchRows*w.zDim {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes the collected rows as one record batch.
func (w *shardWriter) flush() error {
	n := len(w.z) / w.zDim
	if n == 0 {
		return nil
	}
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = w.first + uint64(w.rows-n+i)
	}
	columns := []arrow.Array{listColumn(w.z, w.zDim), listColumn(w.embeds, w.embedDim), seedsColumn(seeds)}
	if err := w.ipc.Write(array.NewRecord(w.schema, columns, int64(n))); err != nil {
		return err
	}
	w.z, w.embeds = w.z[:0], w.embeds[:0]
	return nil
}

// seedsColumn is a slice as an Arrow column; it shares the slice's memory.
func seedsColumn(seeds []uint64) arrow.Array {
	return array.MakeFromData(array.NewData(arrow.PrimitiveTypes.Uint64, len(seeds),
		[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Uint64Traits.CastToBytes(seeds))}, nil, 0, 0))
}

// listColumn is a [rows, width] slice as an Arrow column of fixed-size lists; it shares the slice's memory.
func listColumn(values []float32, width int) arrow.Array {
	items := array.NewData(arrow.PrimitiveTypes.Float32, len(values),
		[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Float32Traits.CastToBytes(values))}, nil, 0, 0)
	list := array.NewData(arrow.FixedSizeListOf(int32(width), arrow.PrimitiveTypes.Float32), len(values)/width,
		[]*memory.Buffer{nil}, []arrow.ArrayData{items}, 0, 0)
	return array.MakeFromData(list)
}

// finish writes the rest, syncs the file and gives it its name in a set that begins with seed.
func (w *shardWriter) finish(seed uint64) (s shard, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, w.abort())
		}
	}()
	if err := w.flush(); err != nil {
		return s, err
	}
	if err := w.ipc.Close(); err != nil {
		return s, err
	}
	if err := w.file.Sync(); err != nil {
		return s, err
	}
	if err := w.file.Close(); err != nil {
		return s, err
	}
	s = shard{FirstSeed: w.first, Rows: w.rows, Bytes: w.sum.bytes, SHA256: hex.EncodeToString(w.sum.hash.Sum(nil))}
	s.File = shardName(s.FirstSeed-seed, s.last()-seed)
	if err := os.Rename(filepath.Join(w.folder, shardTemporary), filepath.Join(w.folder, s.File)); err != nil {
		return s, err
	}
	return s, checkpoints.SyncFolder(w.folder)
}

// abort removes what was written under the temporary name.
func (w *shardWriter) abort() error {
	_ = w.file.Close() // may be closed already
	err := os.Remove(filepath.Join(w.folder, shardTemporary))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// checkFinite names the first value of a [rows, width] column that is NaN or infinite; its first row has the seed
// first.
func checkFinite(column string, values []float32, width int, first uint64) error {
	for i, v := range values {
		if v-v != 0 { // NaN or infinite
			return fmt.Errorf("column %q, seed %d, element %d is %v; expected a finite number", column, first+uint64(i/width),
				i%width, v)
		}
	}
	return nil
}

// hashingFile sums what Arrow's writer writes. The writer seeks only to ask where it is.
type hashingFile struct {
	file  io.Writer
	hash  hash.Hash
	bytes int64
}

func (h *hashingFile) Write(p []byte) (int, error) {
	n, err := h.file.Write(p)
	h.hash.Write(p[:n])
	h.bytes += int64(n)
	return n, err
}

func (h *hashingFile) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekCurrent {
		return 0, fmt.Errorf("seek(%d, %d): the file is written front to back", offset, whence)
	}
	return h.bytes, nil
}
