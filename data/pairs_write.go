package data

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"os"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
	"github.com/google/renameio/v2"
)

// pairsManifest is the JSON beside a pairs file. Arrow files carry no checksum: this is it.
type pairsManifest struct {
	Rows   int       `json:"rows"`
	Bytes  int64     `json:"bytes"`
	SHA256 string    `json:"sha256"`
	Meta   PairsMeta `json:"meta"`
}

// manifestPath is where the manifest of the pairs file at path stands.
func manifestPath(path string) string { return path + ".json" }

// PairsWriter writes one Arrow IPC file of pairs with the columns z fixed_size_list<float32>[ZDim], image_embeds
// fixed_size_list<float32>[EmbedDim] and seed uint64. The file appears under its name at Close only.
//
// One file is one shard: rows stand in the order of their seeds, seed = PairsMeta.Seed + row, so a set can be cut into
// shards (or continued after an interruption) by giving each file its own first seed.
type PairsWriter struct {
	path string
	meta PairsMeta
	file *renameio.PendingFile
	sum  *hashingFile
	err  error // the first failure to write, or errClosed

	schema *arrow.Schema
	ipc    *ipc.FileWriter

	z, embeds []float32 // rows not written yet, fewer than pairsBatch
	seeds     []uint64
	rows      int
}

var errClosed = errors.New("the pairs writer is closed")

// CreatePairs starts a pairs file. End it with Close, or with Abort to leave nothing.
func CreatePairs(path string, meta PairsMeta) (*PairsWriter, error) {
	for _, width := range []struct {
		name  string
		value int
	}{{"z_dim", meta.ZDim}, {"embed_dim", meta.EmbedDim}} {
		if width.value < 1 || width.value > maxWidth {
			return nil, fmt.Errorf("write pairs %q: %s is %d; expected 1 to %d", path, width.name, width.value, maxWidth)
		}
	}
	file, err := pendingFile(path)
	if err != nil {
		return nil, err
	}
	sum := &hashingFile{file: file, hash: sha256.New()}
	schema := meta.schema()
	writer, err := ipc.NewFileWriter(sum, ipc.WithSchema(schema))
	if err != nil {
		file.Cleanup()
		return nil, fmt.Errorf("write pairs %q: %w", path, err)
	}
	return &PairsWriter{path: path, meta: meta, file: file, sum: sum, schema: schema, ipc: writer}, nil
}

// Append adds len(seeds) rows: z is [rows, ZDim], imageEmbeds [rows, EmbedDim], row-major. Row numbers decide the seeds:
// seeds must continue PairsMeta.Seed + row. Values that are not finite are refused; a refused call adds no row.
func (w *PairsWriter) Append(seeds []uint64, z, imageEmbeds []float32) error {
	if w.err != nil {
		return w.err
	}
	if err := w.checkRows(seeds, z, imageEmbeds); err != nil {
		return fmt.Errorf("write pairs %q: %w", w.path, err)
	}
	zd, ed := w.meta.ZDim, w.meta.EmbedDim
	for len(seeds) > 0 {
		n := min(len(seeds), pairsBatch-len(w.seeds))
		w.seeds, seeds = append(w.seeds, seeds[:n]...), seeds[n:]
		w.z, z = append(w.z, z[:n*zd]...), z[n*zd:]
		w.embeds, imageEmbeds = append(w.embeds, imageEmbeds[:n*ed]...), imageEmbeds[n*ed:]
		if len(w.seeds) == pairsBatch {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *PairsWriter) checkRows(seeds []uint64, z, embeds []float32) error {
	if len(z) != len(seeds)*w.meta.ZDim || len(embeds) != len(seeds)*w.meta.EmbedDim {
		return fmt.Errorf("%d seeds with %d values of z and %d of image_embeds; expected %d and %d",
			len(seeds), len(z), len(embeds), len(seeds)*w.meta.ZDim, len(seeds)*w.meta.EmbedDim)
	}
	next := w.meta.Seed + uint64(w.rows+len(w.seeds))
	for i, seed := range seeds {
		if seed != next+uint64(i) {
			return fmt.Errorf("row %d has seed %d; expected %d (first seed %d + row)", w.rows+len(w.seeds)+i, seed, next+uint64(i), w.meta.Seed)
		}
	}
	if err := checkFinite(zColumn, z, w.meta.ZDim, w.rows+len(w.seeds)); err != nil {
		return err
	}
	return checkFinite(embedColumn, embeds, w.meta.EmbedDim, w.rows+len(w.seeds))
}

// checkFinite names the first value of a [rows, width] column that is NaN or infinite; its first row has number row.
func checkFinite(column string, values []float32, width, row int) error {
	for i, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("column %q, row %d, element %d is %v; expected a finite number", column, row+i/width, i%width, v)
		}
	}
	return nil
}

// flush writes the collected rows as one record batch.
func (w *PairsWriter) flush() error {
	n := len(w.seeds)
	seeds := array.NewData(arrow.PrimitiveTypes.Uint64, n,
		[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Uint64Traits.CastToBytes(w.seeds))}, nil, 0, 0)
	columns := []arrow.Array{
		listColumn(w.z, w.meta.ZDim), listColumn(w.embeds, w.meta.EmbedDim), array.MakeFromData(seeds),
	}
	record := array.NewRecord(w.schema, columns, int64(n))
	if err := w.ipc.Write(record); err != nil {
		w.err = fmt.Errorf("write pairs %q: %w", w.path, err)
		return w.err
	}
	w.rows += n
	w.z, w.embeds, w.seeds = w.z[:0], w.embeds[:0], w.seeds[:0]
	return nil
}

// listColumn is a [rows, width] slice as an Arrow column of fixed-size lists; it shares the slice's memory.
func listColumn(values []float32, width int) arrow.Array {
	items := array.NewData(arrow.PrimitiveTypes.Float32, len(values),
		[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.Float32Traits.CastToBytes(values))}, nil, 0, 0)
	list := array.NewData(arrow.FixedSizeListOf(int32(width), arrow.PrimitiveTypes.Float32), len(values)/width,
		[]*memory.Buffer{nil}, []arrow.ArrayData{items}, 0, 0)
	return array.MakeFromData(list)
}

// Close writes the rest, syncs the file, gives it its name and writes the manifest beside it. A file without rows is
// an error and leaves nothing.
func (w *PairsWriter) Close() (err error) {
	if w.err != nil {
		return errors.Join(w.err, w.Abort())
	}
	defer func() {
		if err != nil {
			w.Abort()
		}
		w.err = errClosed
	}()
	if len(w.seeds) > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	if w.rows == 0 {
		return fmt.Errorf("write pairs %q: no rows", w.path)
	}
	if err := w.ipc.Close(); err != nil {
		return fmt.Errorf("write pairs %q: %w", w.path, err)
	}
	// The manifest of a file that is about to be replaced goes first: a crash in between leaves new pairs without a
	// manifest, which read well, rather than with a wrong one.
	if err := os.Remove(manifestPath(w.path)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("write pairs %q: %w", w.path, err)
	}
	if err := w.file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write pairs %q: %w", w.path, err)
	}
	return writeFile(manifestPath(w.path), func(f io.Writer) error {
		e := json.NewEncoder(f)
		e.SetIndent("", "  ")
		return e.Encode(pairsManifest{Rows: w.rows, Bytes: w.sum.bytes, SHA256: fmt.Sprintf("%x", w.sum.hash.Sum(nil)), Meta: w.meta})
	})
}

// Abort gives up the file and removes what was written. It is harmless after Close.
func (w *PairsWriter) Abort() error {
	w.err = errClosed
	return w.file.Cleanup()
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
