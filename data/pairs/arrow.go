package pairs

import (
	"encoding/binary"
	"fmt"
	"io"

	flatbuffers "github.com/google/flatbuffers/go"

	"illustrator/internal/files"
)

// Arrow's Go reader trusts the lengths that a file states: a damaged one can make it ask for any amount of memory, or
// recurse until the stack ends, and neither can be recovered from. checkArrow therefore walks the parts of the footer
// that lead to allocations before that reader sees the schema. Rows are read without that reader, at places that are
// taken from the headers of the record batches.

const (
	arrowMagic = "ARROW1"
	maxFooter  = 1 << 20 // holds 43,000 batches
	maxFields  = 100     // fields and their children together; a pairs file has 5
	maxKeys    = 100     // metadata entries of one field or of the schema; a pairs file has 12
)

// Positions of the fields that are looked at in the tables of Arrow's File.fbs, Schema.fbs and Message.fbs.
const (
	footerSchema, footerDictionaries, footerBatches = 6, 8, 10
	schemaFields, schemaMetadata                    = 6, 8
	fieldChildren, fieldMetadata                    = 14, 16
	messageHeaderType, messageHeader                = 6, 8
	batchLength, batchNodes, batchBuffers           = 4, 6, 8
	batchCompression                                = 10

	headerIsRecordBatch = 3 // MessageHeader.RecordBatch
)

// recordBatch says where the values of a record batch stand: offsets in the file of the columns' first bytes.
type recordBatch struct {
	first            int // number of the first row in the file
	rows             int
	z, embeds, seeds int64
}

// arrowBlock is the position of a record batch in the file.
type arrowBlock struct{ offset, header, body int64 }

// checkArrow returns the record batches of an Arrow IPC file of size bytes with the columns of meta. Their values lie
// inside the file, uncompressed, without nulls and one batch after the other.
func checkArrow(f io.ReaderAt, size int64, meta Meta) (batches []recordBatch, err error) {
	defer files.Recover(&err)
	footer, err := readFooter(f, size)
	if err != nil {
		return nil, err
	}
	root := rootTable(footer)
	if err := checkSchemaTable(root); err != nil {
		return nil, err
	}
	if n := vectorLen(root, footerDictionaries); n != 0 {
		return nil, fmt.Errorf("the file has %d dictionaries; expected none", n)
	}
	n := vectorLen(root, footerBatches)
	const blockBytes = 24 // struct Block: int64 offset, int32 metaDataLength, 4 bytes of padding, int64 bodyLength
	if n > len(footer)/blockBytes {
		return nil, fmt.Errorf("the file is damaged: %d record batches in a footer of %d bytes", n, len(footer))
	}
	end, rows := int64(8), 0
	for i := range n {
		at := root.Vector(flatbuffers.UOffsetT(root.Offset(footerBatches))) + flatbuffers.UOffsetT(i*blockBytes)
		b := arrowBlock{offset: root.GetInt64(at), header: int64(root.GetInt32(at + 8)), body: root.GetInt64(at + 16)}
		room := size - int64(len(footer))
		if b.offset < end || b.offset > room || b.header < 8 || b.header > room-b.offset || b.body < 0 ||
			b.body > room-b.offset-b.header {
			return nil,
				fmt.Errorf("the file is damaged: record batch %d (offset %d, header %d, body %d bytes) is not inside its %d bytes",
					i, b.offset, b.header, b.body, size)
		}
		batch, err := readBatchHeader(f, b, meta)
		if err != nil {
			return nil, fmt.Errorf("record batch %d: %w", i, err)
		}
		batch.first = rows
		rows += batch.rows
		end = b.offset + b.header + b.body
		batches = append(batches, batch)
	}
	return batches, nil
}

// readFooter returns the flatbuffer at the end of the file: …, footer, int32 length, magic.
func readFooter(f io.ReaderAt, size int64) ([]byte, error) {
	const tail = 4 + len(arrowMagic)
	if size < int64(8+tail) {
		return nil, fmt.Errorf("%d bytes are too few for an Arrow IPC file", size)
	}
	var head [len(arrowMagic)]byte
	var last [tail]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return nil, err
	}
	if string(head[:]) != arrowMagic {
		return nil, fmt.Errorf("not an Arrow IPC file: it begins with %q; expected %q", head[:], arrowMagic)
	}
	if _, err := f.ReadAt(last[:], size-int64(tail)); err != nil {
		return nil, err
	}
	if string(last[4:]) != arrowMagic {
		return nil, fmt.Errorf("the file is cut short: it ends with %q; expected %q", last[4:], arrowMagic)
	}
	n := int64(int32(binary.LittleEndian.Uint32(last[:])))
	if n < 8 || n > maxFooter || n > size-int64(8+tail) {
		return nil, fmt.Errorf("the file is damaged: a footer of %d bytes in a file of %d", n, size)
	}
	footer := make([]byte, n)
	_, err := f.ReadAt(footer, size-int64(tail)-n)
	return footer, err
}

// checkSchemaTable bounds the vectors of the footer's schema and the depth of its fields.
func checkSchemaTable(footer flatbuffers.Table) error {
	schema, ok := subTable(footer, footerSchema)
	if !ok {
		return fmt.Errorf("the file has no schema")
	}
	fields := 0
	return checkFields(schema, schemaFields, schemaMetadata, &fields, 0)
}

// checkFields visits the fields below one table: a schema, or a field with children.
func checkFields(t flatbuffers.Table, vector, metadata flatbuffers.VOffsetT, visited *int, depth int) error {
	if n := vectorLen(t, metadata); n > maxKeys {
		return fmt.Errorf("the schema has %d metadata entries in one place; expected at most %d", n, maxKeys)
	}
	n := vectorLen(t, vector)
	if *visited += n; n > maxFields || *visited > maxFields || depth > 8 {
		return fmt.Errorf("the schema has more than %d fields or 8 levels; expected those of pairs", maxFields)
	}
	for i := range n {
		at := t.Vector(flatbuffers.UOffsetT(t.Offset(vector))) + flatbuffers.UOffsetT(4*i)
		field := flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(at)}
		if err := checkFields(field, fieldChildren, fieldMetadata, visited, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// readBatchHeader reads and checks the header of a record batch with the columns of meta.
func readBatchHeader(f io.ReaderAt, b arrowBlock, meta Meta) (recordBatch, error) {
	if b.header > maxFooter {
		return recordBatch{}, fmt.Errorf("the file is damaged: a header of %d bytes", b.header)
	}
	header := make([]byte, b.header)
	if _, err := f.ReadAt(header, b.offset); err != nil {
		return recordBatch{}, err
	}
	message := rootTable(header[8:]) // after the continuation mark and the length
	if binary.LittleEndian.Uint32(header) != 0xFFFFFFFF ||
		message.GetByteSlot(messageHeaderType, 0) != headerIsRecordBatch {
		return recordBatch{}, fmt.Errorf("the file is damaged: not a record batch of Arrow 0.15 or later")
	}
	table, ok := subTable(message, messageHeader)
	if !ok {
		return recordBatch{}, fmt.Errorf("the file is damaged: the batch has no header")
	}
	if table.Offset(batchCompression) != 0 {
		return recordBatch{}, fmt.Errorf("the batch is compressed; expected plain values")
	}
	rows := table.GetInt64Slot(batchLength, 0)
	if rows < 1 || rows > batchRows {
		return recordBatch{}, fmt.Errorf("the batch has %d rows; expected 1 to %d", rows, batchRows)
	}
	return placeColumns(table, b, meta, int(rows))
}

// placeColumns finds the values of the three columns in the body of a batch. Arrow numbers arrays and buffers depth
// first: a list, its items, …; a list has one buffer (validity) and a flat array two (validity and values).
func placeColumns(batch flatbuffers.Table, b arrowBlock, meta Meta, rows int) (recordBatch, error) {
	place := recordBatch{rows: rows}
	arrays := []struct {
		column         string
		elements, size int
		values         int // number of the buffer of values, -1 for none
		at             *int64
	}{
		{zColumn, rows, 0, -1, nil}, {zColumn, rows * meta.ZDim, 4, 2, &place.z},
		{embedColumn, rows, 0, -1, nil}, {embedColumn, rows * meta.EmbedDim, 4, 5, &place.embeds},
		{seedColumn, rows, 8, 7, &place.seeds},
	}
	const buffers = 8
	if n, m := vectorLen(batch, batchNodes), vectorLen(batch, batchBuffers); n != len(arrays) || m != buffers {
		return place, fmt.Errorf("the batch has %d arrays and %d buffers; expected %d and %d", n, m, len(arrays), buffers)
	}
	node := batch.Vector(flatbuffers.UOffsetT(batch.Offset(batchNodes)))     // structs of int64 length, int64 nulls
	buffer := batch.Vector(flatbuffers.UOffsetT(batch.Offset(batchBuffers))) // structs of int64 offset, int64 length
	for i, a := range arrays {
		length, nulls := batch.GetInt64(node+flatbuffers.UOffsetT(16*i)), batch.GetInt64(node+flatbuffers.UOffsetT(16*i+8))
		if length != int64(a.elements) || nulls != 0 {
			return place, fmt.Errorf("column %q has %d elements, %d of them null; expected %d and none", a.column, length, nulls,
				a.elements)
		}
		if a.values < 0 {
			continue
		}
		at := flatbuffers.UOffsetT(16 * a.values)
		offset, bytes := batch.GetInt64(buffer+at), batch.GetInt64(buffer+at+8)
		if want := int64(a.elements * a.size); offset < 0 || bytes < want || offset > b.body || want > b.body-offset {
			return place, fmt.Errorf("column %q has %d bytes at %d of a body of %d; expected %d", a.column, bytes, offset,
				b.body, want)
		}
		*a.at = b.offset + b.header + offset
	}
	return place, nil
}

func rootTable(buf []byte) flatbuffers.Table {
	return flatbuffers.Table{Bytes: buf, Pos: flatbuffers.GetUOffsetT(buf)}
}

func subTable(t flatbuffers.Table, field flatbuffers.VOffsetT) (flatbuffers.Table, bool) {
	o := t.Offset(field)
	if o == 0 {
		return flatbuffers.Table{}, false
	}
	return flatbuffers.Table{Bytes: t.Bytes, Pos: t.Indirect(t.Pos + flatbuffers.UOffsetT(o))}, true
}

// vectorLen is the length that a vector field states, 0 where the field is absent.
func vectorLen(t flatbuffers.Table, field flatbuffers.VOffsetT) int {
	o := t.Offset(field)
	if o == 0 {
		return 0
	}
	return t.VectorLen(flatbuffers.UOffsetT(o))
}

// boundedAllocator refuses allocations that the file's size does not justify by a panic, which openShard recovers.
type boundedAllocator struct{ limit int }

func (a boundedAllocator) Allocate(size int) []byte { return a.Reallocate(size, nil) }

func (a boundedAllocator) Reallocate(size int, b []byte) []byte {
	if size < 0 || size > a.limit {
		panic(fmt.Sprintf("a buffer of %d bytes in a file of %d", size, a.limit))
	}
	if size <= cap(b) {
		return b[:size]
	}
	grown := make([]byte, size)
	copy(grown, b)
	return grown
}

func (a boundedAllocator) Free([]byte) {}
