package pairs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/apache/arrow/go/v15/arrow"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// The official release keeps pairs in one PyTorch file: Style_latent [N,Z] and CLIP_latent [N,E].

// ReleasedSeed is the seed that rows of an imported file are numbered from: no z is drawn from them, and sampled sets
// begin lower.
const ReleasedSeed = 1 << 62

// ImportReleased writes the pairs of the official release's file at path as a set into folder. meta says which domain's
// networks made them; its seed is ReleasedSeed. Embeddings of another length than √E, within float32's precision, are
// scaled to it.
func ImportReleased(ctx context.Context, path, folder string, meta Meta, shardRows int) (rows int, err error) {
	z, embeds, err := readReleased(path, meta.ZDim, meta.EmbedDim)
	if err != nil {
		return 0, err
	}
	w, err := OpenWriter(folder, meta, shardRows)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	rows = len(z) / meta.ZDim
	if w.Rows() > 0 {
		return 0, fault.Usage(fmt.Errorf("%q holds a set of %d pairs", folder, w.Rows()), "name another folder")
	}
	for first := 0; first < rows; first += batchRows {
		if err := context.Cause(ctx); err != nil {
			return 0, err
		}
		last := min(first+batchRows, rows)
		zs, es := z[first*meta.ZDim:last*meta.ZDim], embeds[first*meta.EmbedDim:last*meta.EmbedDim]
		if err := w.Append(meta.Seed+uint64(first), zs, es); err != nil {
			return 0, err
		}
	}
	return rows, w.Flush()
}

func readReleased(path string, zDim, embedDim int) (z, embeds []float32, err error) {
	hint := fmt.Sprintf("a file of pairs holds %s [N,%d] and %s [N,%d]; give the domain that it is for",
		checkpoints.ReleasedZ, zDim, checkpoints.ReleasedEmbeds, embedDim)
	f, err := checkpoints.ReadTorch(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	rows := -1
	for _, column := range []struct {
		name  string
		width int
		to    *[]float32
	}{{checkpoints.ReleasedZ, zDim, &z}, {checkpoints.ReleasedEmbeds, embedDim, &embeds}} {
		t, err := f.Tensor(column.name)
		if err != nil {
			return nil, nil, fault.Hint(err, "%s", hint)
		}
		if len(t.Shape) != 2 || t.Shape[1] != column.width || rows >= 0 && t.Shape[0] != rows || t.Shape[0] < 1 {
			return nil, nil, fault.Hint(fmt.Errorf("%s: %s has shape %v", path, column.name, t.Shape), "%s", hint)
		}
		rows = t.Shape[0]
		if *column.to, err = t.Float32s(); err != nil {
			return nil, nil, fault.Hint(fmt.Errorf("%s: %s: %w", path, column.name, err), "%s", hint)
		}
	}
	return z, embeds, scaleRows(path, embeds, embedDim)
}

// scaleRows scales embeddings to the length √E where they have another.
func scaleRows(path string, embeds []float32, dim int) error {
	for at := 0; at < len(embeds); at += dim {
		row, sum := embeds[at:at+dim], 0.0
		for _, v := range row {
			sum += float64(v) * float64(v)
		}
		scale := math.Sqrt(float64(dim) / sum)
		if math.IsNaN(scale) || math.IsInf(scale, 0) || scale == 0 {
			return fault.Hint(fmt.Errorf("%s: row %d of %s has length %g", path, at/dim, checkpoints.ReleasedEmbeds,
				math.Sqrt(sum)), "embeddings are finite and not 0: look at how the file was made")
		}
		if math.Abs(scale-1) < 1e-5 {
			continue
		}
		for i, v := range row {
			row[i] = float32(float64(v) * scale)
		}
	}
	return nil
}

// ExportReleased writes all rows to one PyTorch file in the official release's form. The set is read once for each
// column.
func (p *Set) ExportReleased(ctx context.Context, path string, progress func(rows int)) error {
	column := func(name string, width int, progress func(int), pick func(Batch) []float32) checkpoints.TorchEntry {
		return checkpoints.TorchEntry{Name: name, DType: checkpoints.F32, Shape: []int{p.Len(), width},
			Write: func(w io.Writer) error {
				return p.export(ctx, progress, func(b Batch, _ []uint64) error {
					_, err := w.Write(arrow.Float32Traits.CastToBytes(pick(b)))
					return err
				})
			}}
	}
	return checkpoints.WriteTorch(path, []checkpoints.TorchEntry{
		column(checkpoints.ReleasedZ, p.Meta.ZDim, nil, func(b Batch) []float32 { return b.Z }),
		column(checkpoints.ReleasedEmbeds, p.Meta.EmbedDim, progress, func(b Batch) []float32 { return b.ImageEmbeds }),
	})
}
