package data

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"

	"illustrator/internal/fault"
)

// ReadPairs reads a pairs file whole. Where its manifest stands beside it, size and SHA-256 are verified first; the
// columns' types and lengths, the metadata and the finiteness of all values are checked always. Memory use is the
// rows themselves and one batch.
func ReadPairs(path string) (*Pairs, error) {
	p, err := readPairs(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fault.Hint(fmt.Errorf("read pairs %q: the file does not exist", path), "make it with `illustrator pairs`")
	}
	if err != nil && fault.HintOf(err) == "" {
		err = fault.Hint(err, "make the pairs again with `illustrator pairs`")
	}
	if err != nil {
		return nil, fmt.Errorf("read pairs %q: %w", path, err)
	}
	return p, nil
}

func readPairs(path string) (p *Pairs, err error) {
	defer recovered(&err)
	f, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := verifyManifest(path, f, size); err != nil {
		return nil, err
	}
	blocks, err := checkArrow(f, size)
	if err != nil {
		return nil, err
	}
	r, err := ipc.NewFileReader(f, ipc.WithAllocator(boundedAllocator{int(size)}))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	meta, err := parsePairsMeta(r.Schema())
	if err != nil {
		return nil, err
	}
	rows, rowBytes := int64(0), int64(4*(meta.ZDim+meta.EmbedDim)+8)
	for i, b := range blocks {
		if b.rows < 0 || b.rows > b.body/rowBytes {
			return nil, fmt.Errorf("the file is damaged: record batch %d has %d rows of %d bytes in a body of %d", i, b.rows, rowBytes, b.body)
		}
		rows += b.rows
	}
	if rows == 0 {
		return nil, fmt.Errorf("the file has no rows")
	}
	p = &Pairs{Meta: meta, Source: path, ZValues: make([]float32, 0, rows*int64(meta.ZDim)),
		ImageEmbeds: make([]float32, 0, rows*int64(meta.EmbedDim)), Seeds: make([]uint64, 0, rows)}
	for i, b := range blocks {
		if err := p.appendBatch(r, i, int(b.rows)); err != nil {
			return nil, fmt.Errorf("record batch %d: %w", i, err)
		}
	}
	if err := checkFinite(zColumn, p.ZValues, meta.ZDim, 0); err != nil {
		return nil, err
	}
	return p, checkFinite(embedColumn, p.ImageEmbeds, meta.EmbedDim, 0)
}

// verifyManifest compares the file with the manifest beside it, if there is one.
func verifyManifest(path string, f io.ReaderAt, size int64) error {
	m, err := openManifest(path)
	if m == nil || err != nil {
		return err
	}
	differs := func(what string, have, want any) error {
		return fault.Hint(fmt.Errorf("%s is %v; its manifest %q says %v", what, have, manifestPath(path), want),
			"the file was damaged or replaced: make the pairs again with `illustrator pairs`, or remove the manifest if the file is known to be right")
	}
	if m.Bytes != size {
		return differs("the size in bytes", size, m.Bytes)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, size)); err != nil {
		return err
	}
	if have := fmt.Sprintf("%x", sum.Sum(nil)); have != m.SHA256 {
		return differs("the SHA-256", have, m.SHA256)
	}
	return nil
}

// openManifest returns nil where there is no manifest.
func openManifest(path string) (*pairsManifest, error) {
	f, err := os.Open(manifestPath(path))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var m pairsManifest
	if err := json.NewDecoder(io.LimitReader(f, 1<<20)).Decode(&m); err != nil {
		return nil, fault.Hint(fmt.Errorf("manifest %q: %w", manifestPath(path), err), "remove the manifest, or make the pairs again with `illustrator pairs`")
	}
	return &m, nil
}

// parsePairsMeta checks the columns and reads the metadata of a pairs file's schema.
func parsePairsMeta(schema *arrow.Schema) (PairsMeta, error) {
	var m PairsMeta
	var problem error
	text := func(key string) string {
		v, ok := schema.Metadata().GetValue(key)
		if !ok && problem == nil {
			problem = fmt.Errorf("the schema's metadata has no %q; expected a file written by `illustrator pairs`", key)
		}
		return v
	}
	number := func(key string, bits int) uint64 {
		n, err := strconv.ParseUint(text(key), 10, bits)
		if err != nil && problem == nil {
			problem = fmt.Errorf("metadata %q is %q; expected a whole number", key, text(key))
		}
		return n
	}
	version := text("format_version")
	if problem == nil && version != pairsVersion {
		return m, fmt.Errorf("metadata %q is %q; this program reads %q", "format_version", version, pairsVersion)
	}
	m = PairsMeta{Domain: text("domain"), Seed: number("seed", 64), GeneratorSHA256: text("generator_sha256"),
		CLIPSHA256: text("clip_sha256"), NoiseMode: text("noise_mode"), Preprocessing: text("preprocessing"), DType: text("dtype"),
		ZDim: int(number("z_dim", 31)), EmbedDim: int(number("embed_dim", 31)), CreatedBy: text("created_by")}
	if problem != nil {
		return m, problem
	}
	if m.ZDim < 1 || m.ZDim > maxWidth || m.EmbedDim < 1 || m.EmbedDim > maxWidth {
		return m, fmt.Errorf("metadata z_dim is %d and embed_dim %d; expected 1 to %d", m.ZDim, m.EmbedDim, maxWidth)
	}
	return m, checkColumns(schema, m.schema())
}

// checkColumns compares names and types of the columns; whether values may be null is looked at row by row.
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

// appendBatch copies record batch i, which must have rows rows, to the end of p.
func (p *Pairs) appendBatch(r *ipc.FileReader, i, rows int) error {
	record, err := r.RecordAt(i)
	if err != nil {
		return err
	}
	defer record.Release()
	z, err := listValues(record.Column(0), zColumn, rows, p.Meta.ZDim)
	if err != nil {
		return err
	}
	embeds, err := listValues(record.Column(1), embedColumn, rows, p.Meta.EmbedDim)
	if err != nil {
		return err
	}
	seeds := record.Column(2).(*array.Uint64)
	if err := checkArray(seeds, seedColumn, rows, 8); err != nil {
		return err
	}
	p.ZValues, p.ImageEmbeds = append(p.ZValues, z...), append(p.ImageEmbeds, embeds...)
	p.Seeds = append(p.Seeds, seeds.Uint64Values()...)
	return nil
}

// listValues returns the values of a column of fixed-size lists as [rows, width].
func listValues(column arrow.Array, name string, rows, width int) ([]float32, error) {
	list := column.(*array.FixedSizeList)
	if list.Len() != rows || list.NullN() != 0 || list.Data().Offset() != 0 {
		return nil, fmt.Errorf("column %q has %d rows, %d of them null; expected %d and none", name, list.Len(), list.NullN(), rows)
	}
	values := list.ListValues().(*array.Float32)
	if err := checkArray(values, name, rows*width, 4); err != nil {
		return nil, err
	}
	return values.Float32Values(), nil
}

// checkArray compares the length that a flat column states with what is wanted and with its buffer.
func checkArray(a arrow.Array, name string, elements, size int) error {
	buffer := a.Data().Buffers()[1]
	if a.Len() != elements || a.NullN() != 0 || buffer == nil || buffer.Len() < elements*size {
		return fmt.Errorf("column %q has %d elements, %d of them null; expected %d and none, with %d bytes each", name, a.Len(), a.NullN(), elements, size)
	}
	return nil
}
