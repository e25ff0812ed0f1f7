package queue

import (
	"context"

	"illustrator/data/seeds"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// render draws z.
func (d *drawing) render(ctx context.Context) error {
	sources, err := d.styles(ctx)
	if err != nil {
		return err
	}
	width := d.Generator.NumLayers() * d.Generator.StyleDim
	styles := make([]float32, 0, len(d.pictures)*width)
	s := pipeline.Synthesis{NoiseMode: stylegan2.NoiseRandom}
	for i, p := range d.pictures {
		from := row(sources, width, d.ends[i][0])
		if p.Way != nil {
			from = pipeline.Between(from, row(sources, width, d.ends[i][1]), float32(p.At))
		}
		styles, s.Keys = append(styles, from...), append(s.Keys, p.Seed)
	}
	d.images, err = d.Render(ctx, styles, s)
	return err
}

// styles are those of the sources [N,L,Z]: of z, truncated, with the seed's own below each picture's inject index, or of a
// refined z, or with the offset of a refinement.
func (d *drawing) styles(ctx context.Context) ([]float32, error) {
	groups := map[float64][]int{} // by psi, which is one number a program's run
	for i, p := range d.sources {
		groups[p.TruncationPsi] = append(groups[p.TruncationPsi], i)
	}
	dim, layers := d.Generator.StyleDim, d.Generator.NumLayers()
	out := make([]float32, len(d.sources)*layers*dim)
	for psi, group := range groups {
		z := gather(d.z, dim, group)
		for _, i := range group {
			z = append(z, d.sources[i].secondZ(dim)...)
		}
		styles, err := d.Styles(ctx, z, psi)
		if err != nil {
			return nil, err
		}
		second := len(group)
		for at, i := range group {
			p, to := d.sources[i], row(out, layers*dim, i)
			copy(to, row(styles, layers*dim, at))
			if p.secondZ(dim) != nil {
				d.combine(i, to, row(styles, layers*dim, second))
				second++
			}
			for k := range to {
				if p.Offset != nil {
					to[k] += p.Offset[k%dim]
				}
			}
		}
	}
	return out, nil
}

// secondZ is the other z [Z] that a picture's styles come from, beside the predicted one; nil for most.
func (p *Picture) secondZ(dim int) []float32 {
	if p.InjectIndex > 0 {
		return seeds.Z(p.Seed, dim)
	}
	return p.z
}

// combine writes the styles [L,Z] of a source's second z over those of the predicted one: in the layers below its inject index,
// or in all, where the offset is kept by which W changes.
func (d *drawing) combine(source int, styles, second []float32) {
	dim := d.Generator.StyleDim
	if inject := d.sources[source].InjectIndex; inject > 0 {
		copy(styles, second[:inject*dim])
		return
	}
	offset := make([]float32, dim)
	for k := range offset {
		offset[k] = second[k] - styles[k]
	}
	d.offsets[source] = offset
	copy(styles, second)
}
