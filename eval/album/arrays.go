package album

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"illustrator/data/arrays"
	"illustrator/draw"
	"illustrator/internal/files"
)

// arrayFiles writes what pictures are drawn from and their values as float32: z.npy [N,Z], w.npy [N,L,Z] and images.npy
// [N,3,Size,Size]. Row i is that of picture i, in the order of texts and seeds. Memory does not grow with N.
type arrayFiles struct {
	columns []*arrayFile
	rows    int
}

type arrayFile struct {
	*files.PendingFile
	shape []int // of a row
	head  int   // bytes before the rows
	pick  func(*draw.Picture) []float32
}

// newArrayFiles opens the files for at most that many rows.
func newArrayFiles(folder string, m draw.Model, most int) (*arrayFiles, error) {
	dim, size := m.Generator.StyleDim, m.Generator.Size
	a := &arrayFiles{}
	for _, c := range []struct {
		name string
		file arrayFile
	}{
		{"z.npy", arrayFile{shape: []int{dim}, pick: func(p *draw.Picture) []float32 { return p.Z }}},
		{"w.npy", arrayFile{shape: []int{m.Generator.NumLayers(), dim},
			pick: func(p *draw.Picture) []float32 { return p.Styles }}},
		{"images.npy", arrayFile{shape: []int{3, size, size}, pick: func(p *draw.Picture) []float32 { return p.Pixels }}},
	} {
		f, err := files.Pending(filepath.Join(folder, c.name))
		if err != nil {
			return nil, errors.Join(err, a.Cleanup())
		}
		column := c.file
		column.PendingFile = f
		a.columns = append(a.columns, &column)
		head := column.preamble(most)
		column.head = len(head)
		if _, err := f.Write(head); err != nil {
			return nil, errors.Join(err, a.Cleanup())
		}
	}
	return a, nil
}

func (f *arrayFile) preamble(rows int) []byte {
	return arrays.NPYPreamble("<f4", append([]int{rows}, f.shape...)...)
}

// add writes a picture's rows.
func (a *arrayFiles) add(p *draw.Picture) error {
	a.rows++
	for _, f := range a.columns {
		values := f.pick(p)
		raw := make([]byte, 0, 4*len(values))
		for _, v := range values {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
		if _, err := f.Write(raw); err != nil {
			return fmt.Errorf("write arrays: %w", err)
		}
	}
	return nil
}

// close gives the files the number of their rows and their names.
func (a *arrayFiles) close() error {
	for _, f := range a.columns {
		head := f.preamble(a.rows)
		if len(head) != f.head {
			return fmt.Errorf("the header of %d rows takes %d bytes, not %d", a.rows, len(head), f.head)
		}
		if _, err := f.WriteAt(head, 0); err != nil {
			return fmt.Errorf("write arrays: %w", err)
		}
		if err := f.CloseAtomicallyReplace(); err != nil {
			return fmt.Errorf("write arrays: %w", err)
		}
	}
	return nil
}

// Cleanup removes what close has not given its name.
func (a *arrayFiles) Cleanup() (err error) {
	for _, f := range a.columns {
		err = errors.Join(err, f.PendingFile.Cleanup())
	}
	return err
}
