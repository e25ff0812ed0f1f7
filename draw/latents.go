package draw

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"illustrator/data/arrays"
	"illustrator/data/pictures"
	"illustrator/data/seeds"
	"illustrator/internal/fault"
	"illustrator/internal/version"
	"illustrator/models/host"
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

// ReadZ reads z [N,Z] from an array file. A picture's noise key is its row.
func (m Model) ReadZ(path string) (Latents, error) {
	a, err := arrays.ReadSource(path, "z")
	if err != nil {
		return Latents{}, err
	}
	dim := m.Generator.StyleDim
	if len(a.Data) == 0 || !isFlat(a, dim) {
		return Latents{}, m.otherShape(path, a, fmt.Sprintf("z of shape [N,%d]", dim))
	}
	if row := tooLong(a.Data, dim); row >= 0 {
		return Latents{}, fault.Usage(fmt.Errorf("%s: row %d is too long for float32: its square is infinite", path, row),
			"z has values of about 1, and its length does not count")
	}
	return Latents{Z: a.Data, Keys: rowKeys(a)}, nil
}

// ReadW reads w, [N,Z] or [N,L,Z], from an array file. A picture's noise key is its row.
func (m Model) ReadW(path string) (Latents, error) {
	a, err := arrays.ReadSource(path, "w")
	if err != nil {
		return Latents{}, err
	}
	dim, layers := m.Generator.StyleDim, m.Generator.NumLayers()
	l := Latents{Styles: a.Data}
	switch layered := len(a.Shape) == 3 && a.Shape[1] == layers && a.Shape[2] == dim; {
	case len(a.Data) == 0 || !layered && !isFlat(a, dim):
		return l, m.otherShape(path, a, fmt.Sprintf("w of shape [N,%d] or [N,%d,%d]", dim, layers, dim))
	case !layered:
		l.Styles = nil
		for row := range slices.Chunk(a.Data, dim) {
			l.Styles = append(l.Styles, slices.Repeat(row, layers)...)
		}
	}
	l.Keys = rowKeys(a)
	return l, nil
}

// otherShape is the error of an array that holds no latents.
func (m Model) otherShape(path string, a *arrays.Array, want string) error {
	return fault.Usage(fmt.Errorf("%s has shape %v", path, a.Shape), "domain %s takes %s, with at least one row",
		m.Domain, want)
}

// tooLong returns the first row whose square float32 cannot hold, or -1. The network divides z by its length: such a z
// would become 0, and draw another picture.
func tooLong(z []float32, dim int) int {
	for i := range len(z) / dim {
		var square float32
		for _, v := range z[i*dim : (i+1)*dim] {
			square += v * v
		}
		if math.IsInf(float64(square), 0) {
			return i
		}
	}
	return -1
}

func isFlat(a *arrays.Array, dim int) bool { return len(a.Shape) == 2 && a.Shape[1] == dim }

func rowKeys(a *arrays.Array) []uint64 {
	keys := make([]uint64, a.Shape[0])
	for i := range keys {
		keys[i] = uint64(i)
	}
	return keys
}

// Mix has the layers below inject take the styles of z in an array file, one row for all pictures or one for each, as
// diverse pictures of one text do (inject_index).
func (m Model) Mix(l Latents, path string, inject int) (Latents, error) {
	below, err := m.ReadZ(path)
	if err != nil {
		return l, err
	}
	if rows := len(below.Keys); rows != 1 && rows != len(l.Keys) {
		return l, fault.Usage(fmt.Errorf("%s has %d rows for %d pictures", path, rows, len(l.Keys)),
			"give one row for all pictures, or one for each")
	}
	if layers := m.Generator.NumLayers(); inject < 1 || inject >= layers {
		return l, &FieldError{Code: OutOfRange, Field: "inject_index", Value: inject, Low: 1, High: layers - 1}
	}
	l.Below, l.Inject = &below, inject
	return l, nil
}

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

// render renders the pictures [.,3,Size,Size] of rows [first,last).
func (l Latents) render(
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

// WriteArray renders the pictures of all rows into an array file.
func (l Latents) WriteArray(ctx context.Context, n *pipeline.Networks, path string,
	synthesis pipeline.Synthesis) error {
	images, err := l.render(ctx, n, 0, len(l.Keys), synthesis)
	if err != nil {
		return err
	}
	size := n.Generator.Size
	return arrays.Write(path, &arrays.Array{Name: "images", Shape: []int{len(l.Keys), 3, size, size}, Data: images})
}

// WriteFiles renders the pictures of all rows into PNG files in a folder, few at a time: all of them may be more than
// memory holds. name is that of a row's key: "row" or "seed".
func (l Latents) WriteFiles(
	ctx context.Context, env host.Env, m Model, folder, name string, synthesis pipeline.Synthesis,
) error {
	bar := env.Progress("Rendering pictures", len(l.Keys))
	defer bar.Done()
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	size := m.Generator.Size
	for first := 0; first < len(l.Keys); first += renderAtOnce {
		last := min(first+renderAtOnce, len(l.Keys))
		images, err := l.render(ctx, m.Networks, first, last, synthesis)
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
		bar.Set(last, "")
	}
	return nil
}
