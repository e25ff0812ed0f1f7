package draw

import (
	"context"
	"math"

	"illustrator/models/pipeline"
)

// mapToStyles maps the z of all styles [.,L,Z], those of one truncation together.
func (b *drawing) mapToStyles(ctx context.Context) error {
	dim := b.Generator.StyleDim
	b.styles.fill(b.Generator.NumLayers() * dim)
	for _, of := range [][2]int{{0, b.predicted}, {b.predicted, len(b.styles.keys)}} {
		groups, order := map[float64][]int{}, []float64{}
		for i := of[0]; i < of[1]; i++ {
			psi := b.styles.keys[i].psi
			if groups[psi] == nil {
				order = append(order, psi)
			}
			groups[psi] = append(groups[psi], i)
		}
		for _, psi := range order {
			var z []float32
			for _, i := range groups[psi] {
				z = append(z, b.z.row(b.styles.keys[i].z)...)
			}
			styles, err := b.Styles(ctx, z, psi)
			if err != nil {
				return err
			}
			for at, i := range groups[psi] {
				copy(b.styles.row(i), row(styles, b.styles.width, at))
			}
		}
	}
	return nil
}

// combine returns the styles [L,Z] of a source.
func (b *drawing) combine(source int) []float32 {
	p, r := b.parts[source], b.sources[source]
	styles := append([]float32(nil), b.styles.row(p.own)...)
	if p.kept != none {
		kept, base := b.styles.row(p.kept), b.styles.row(p.base)
		for i, predicted := range styles {
			styles[i] = kept[i] + predicted - base[i]
		}
	}
	if p.random != none {
		copy(styles[:r.InjectIndex*b.Generator.StyleDim], b.styles.row(p.random))
	}
	if r.Offset != nil {
		for i := range styles {
			styles[i] += r.Offset[i%b.Generator.StyleDim]
		}
	}
	return styles
}

// render draws the pictures of all recipes, those of one noise mode together.
func (b *drawing) render(ctx context.Context) error {
	sources := make([][]float32, len(b.sources))
	for i := range sources {
		sources[i] = b.combine(i)
	}
	groups, order := map[NoiseMode][]int{}, []NoiseMode{}
	for i, r := range b.recipes {
		mode := r.noise()
		if groups[mode] == nil {
			order = append(order, mode)
		}
		groups[mode] = append(groups[mode], i)
	}
	width := 3 * b.Generator.Size * b.Generator.Size
	b.used = make([][]float32, len(b.recipes))
	for _, mode := range order {
		s := pipeline.Synthesis{NoiseMode: mode}
		var styles []float32
		for _, i := range groups[mode] {
			r, own := b.recipes[i], sources[b.ends[i][0]]
			if r.Way != nil {
				own = between(own, sources[b.ends[i][1]], float32(r.At))
			}
			b.used[i] = own
			styles, s.Keys = append(styles, own...), append(s.Keys, r.Seed)
		}
		images, err := b.Render(ctx, styles, s)
		if err != nil {
			return err
		}
		if len(order) == 1 {
			b.images = images
			return nil
		}
		if b.images == nil {
			b.images = make([]float32, len(b.recipes)*width)
		}
		for at, i := range groups[mode] {
			copy(row(b.images, width, i), row(images, width, at))
		}
	}
	return nil
}

// between returns the styles at t, from 0 to 1, on the straight line between two styles: exactly them at both ends.
func between(from, to []float32, t float32) []float32 {
	out := make([]float32, len(from))
	for i := range from {
		out[i] = (1-t)*from[i] + t*to[i]
	}
	return out
}

// spreadZ draws a z around a predicted one: √(1-s²)·z + s·r·ε, where ε is a random z brought to root mean square 1 and
// r is that of z. In many dimensions the two are nearly at right angles: the length of z stays, the cosine with it
// becomes about √(1-s²), and a normal z stays normal. Spread 0 leaves z, 1 forgets it.
func spreadZ(z, random []float32, spread float64) []float32 {
	out := make([]float32, len(z))
	keep, scale := math.Sqrt(1-spread*spread), spread*rms(z)/max(rms(random), 1e-12)
	for i := range z {
		out[i] = float32(keep*float64(z[i]) + scale*float64(random[i]))
	}
	return out
}

func rms(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(x)))
}
