package draw

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"illustrator/data/arrays"
	"illustrator/data/pictures"
	"illustrator/data/seeds"
	"illustrator/internal/version"
	"illustrator/models/pipeline"
)

// Latents are points of a generator's spaces to render pictures from: Z [N,Z], or the Styles of all layers [N,L,Z].
// Keys are the noise key of each picture.
type Latents struct {
	Z, Styles []float32
	Keys      []uint64
	// Below, which may be nil, has the styles of the layers below Inject: one row for all pictures, or one for each.
	Below  *Latents
	Inject int
}

// SeedLatents returns the z of seeds.
func SeedLatents(n *pipeline.Networks, of []uint64) Latents {
	l := Latents{Keys: of}
	for _, seed := range of {
		l.Z = append(l.Z, seeds.Z(seed, n.Generator.StyleDim)...)
	}
	return l
}

// ZLatents returns the rows of an array [N,Z]. A picture's noise key is its row.
func ZLatents(n *pipeline.Networks, a *arrays.Array) (Latents, error) {
	dim := n.Generator.StyleDim
	if len(a.Data) == 0 || !isFlat(a, dim) {
		return Latents{}, &ShapeError{a.Shape, fmt.Sprintf("z of shape [N,%d]", dim)}
	}
	return Latents{Z: a.Data, Keys: rowKeys(a)}, nil
}

// WLatents returns the rows of an array of w, [N,Z] or [N,L,Z]. A picture's noise key is its row.
func WLatents(n *pipeline.Networks, a *arrays.Array) (Latents, error) {
	dim, layers := n.Generator.StyleDim, n.Generator.NumLayers()
	l := Latents{Styles: a.Data}
	switch layered := len(a.Shape) == 3 && a.Shape[1] == layers && a.Shape[2] == dim; {
	case len(a.Data) == 0 || !layered && !isFlat(a, dim):
		return l, &ShapeError{a.Shape, fmt.Sprintf("w of shape [N,%d] or [N,%d,%d]", dim, layers, dim)}
	case !layered:
		l.Styles = nil
		for row := range slices.Chunk(a.Data, dim) {
			l.Styles = append(l.Styles, slices.Repeat(row, layers)...)
		}
	}
	l.Keys = rowKeys(a)
	return l, nil
}

func isFlat(a *arrays.Array, dim int) bool { return len(a.Shape) == 2 && a.Shape[1] == dim }

// ShapeError is the error of an array that holds no latents.
type ShapeError struct {
	Shape []int
	Want  string // in words
}

func (e *ShapeError) Error() string { return fmt.Sprintf("shape %v is not %s", e.Shape, e.Want) }

func rowKeys(a *arrays.Array) []uint64 {
	keys := make([]uint64, a.Shape[0])
	for i := range keys {
		keys[i] = uint64(i)
	}
	return keys
}

// Mix has the layers below inject take the styles of below, as diverse pictures of one text do (inject_index).
func (l Latents) Mix(n *pipeline.Networks, below Latents, inject int) (Latents, error) {
	if rows := len(below.Keys); rows != 1 && rows != len(l.Keys) {
		return l, &RowsError{rows, len(l.Keys)}
	}
	if layers := n.Generator.NumLayers(); inject < 1 || inject >= layers {
		return l, &FieldError{Code: OutOfRange, Field: "inject_index", Value: inject, Low: 1, High: layers - 1}
	}
	l.Below, l.Inject = &below, inject
	return l, nil
}

// RowsError is the error of latents that don't go together.
type RowsError struct{ Rows, Want int }

func (e *RowsError) Error() string { return fmt.Sprintf("%d rows for %d pictures", e.Rows, e.Want) }

// styles returns the styles [.,L,Z] of rows [first,last).
func (l Latents) styles(ctx context.Context, n *pipeline.Networks, first, last int, psi float64) ([]float32, error) {
	dim := n.Generator.StyleDim
	width := n.Generator.NumLayers() * dim
	styles, err := l.Styles, error(nil)
	if l.Z != nil {
		styles, err = n.Styles(ctx, l.Z[first*dim:last*dim], psi)
	} else {
		styles = slices.Clone(styles[first*width : last*width])
	}
	if err != nil || l.Below == nil {
		return styles, err
	}
	from, to := first, last
	if len(l.Below.Keys) == 1 {
		from, to = 0, 1
	}
	below, err := l.Below.styles(ctx, n, from, to, psi)
	if err != nil {
		return nil, err
	}
	for i := range last - first {
		copy(styles[i*width:i*width+l.Inject*dim], below[i%(to-from)*width:])
	}
	return styles, nil
}

// Render renders the pictures [.,3,Size,Size] of rows [first,last).
func (l Latents) Render(
	ctx context.Context, n *pipeline.Networks, first, last int, synthesis pipeline.Synthesis,
) (images []float32, err error) {
	styles, err := l.styles(ctx, n, first, last, synthesis.TruncationPsi)
	if err != nil {
		return nil, err
	}
	synthesis.Keys = l.Keys[first:last]
	return n.Render(ctx, styles, synthesis)
}

// renderAtOnce is the number of pictures that are rendered before they are written: few are held in memory.
const renderAtOnce = 32

// WriteFiles renders the pictures of all rows into PNG files in a folder. name is that of a row's key: "row" or
// "seed". It calls progress with the number of finished pictures.
func (l Latents) WriteFiles(
	ctx context.Context, m Model, folder, name string, synthesis pipeline.Synthesis, progress func(done int),
) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	size := m.Generator.Size
	for first := 0; first < len(l.Keys); first += renderAtOnce {
		last := min(first+renderAtOnce, len(l.Keys))
		images, err := l.Render(ctx, m.Networks, first, last, synthesis)
		if err != nil {
			return err
		}
		split, err := pictures.Split(images, size, size)
		if err != nil {
			return err
		}
		for i, p := range split {
			key := l.Keys[first+i]
			meta := []pictures.Meta{
				{Key: "Software", Value: version.Program()}, {Key: "Domain", Value: m.Domain},
				{Key: name, Value: fmt.Sprint(key)}, {Key: "generator-SHA256", Value: m.Hashes["generator"]},
			}
			path := filepath.Join(folder, fmt.Sprintf("%s%04d.png", name, key))
			if err := pictures.WritePNG(path, p.Image(), meta); err != nil {
				return err
			}
		}
		progress(last)
	}
	return nil
}
