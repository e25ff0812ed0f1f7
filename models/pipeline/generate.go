package pipeline

import (
	"context"
	"fmt"
	"math"
)

// Request asks for pictures of texts: one for each text and each seed.
type Request struct {
	// TextEmbeds are the scaled embeddings of the texts [N,E].
	TextEmbeds []float32
	// Prompts and Alpha are eq. 3's. Without Prompts the text embedding is used as an image embedding.
	Prompts *Prompts
	Alpha   float64
	// Seeds are the keys of the generator's noise.
	Seeds []uint64
	// RandomZ [len(Seeds),Z] diversifies, by InjectIndex or by Spread: it may be left out where both are 0.
	RandomZ []float32
	// Layers below InjectIndex take the seed's random style, the others the predicted one.
	InjectIndex int
	// Spread, from 0 to 1, mixes the seed's random z into the predicted one, as SpreadZ does.
	Spread float64
	Synthesis
}

// Generated is what Generate draws: N texts and S seeds, all seeds of a text one after the other.
type Generated struct {
	Images      []float32 // [N·S,3,Size,Size]
	ImageEmbeds []float32 // [N,E], the mapper's input: the text embeddings after eq. 3
	Z           []float32 // [N,Z], predicted by the mapper
	PictureZ    []float32 // [N·S,Z], what each picture was drawn from: the predicted z after Spread
}

// Generate is the method: text embedding → prompt projection → mapper → styles → picture.
func (n *Networks) Generate(ctx context.Context, r Request) (g Generated, err error) {
	if err := r.check(n); err != nil {
		return Generated{}, err
	}
	g.ImageEmbeds = r.TextEmbeds
	if r.Prompts != nil {
		if g.ImageEmbeds, err = n.Project(ctx, r.TextEmbeds, *r.Prompts, r.Alpha); err != nil {
			return Generated{}, err
		}
	}
	if g.Z, err = n.MapToZ(ctx, g.ImageEmbeds); err != nil {
		return Generated{}, err
	}
	drawn := g.Z // without Spread the seeds of a text share its style, which is mapped once
	g.PictureZ = repeatRows(g.Z, n.Generator.StyleDim, len(r.Seeds))
	if r.Spread > 0 {
		g.PictureZ = SpreadZ(g.Z, r.RandomZ, n.Generator.StyleDim, r.Spread)
		drawn = g.PictureZ
	}
	predicted, err := n.Styles(ctx, drawn, r.TruncationPsi)
	if err != nil {
		return Generated{}, err
	}
	if r.Spread == 0 {
		predicted = repeatRows(predicted, n.Generator.NumLayers()*n.Generator.StyleDim, len(r.Seeds))
	}
	var random []float32
	if r.InjectIndex > 0 {
		if random, err = n.Styles(ctx, r.RandomZ, r.TruncationPsi); err != nil {
			return Generated{}, err
		}
	}
	styles, keys := n.combine(predicted, random, r)
	r.Keys = keys
	g.Images, err = n.Render(ctx, styles, r.Synthesis)
	return g, err
}

func (r Request) check(n *Networks) error {
	if layers := n.Generator.NumLayers(); r.InjectIndex < 0 || r.InjectIndex > layers {
		return fmt.Errorf("inject index %d: the generator has layers 0 to %d", r.InjectIndex, layers)
	}
	if !(r.Spread >= 0 && r.Spread <= 1) {
		return fmt.Errorf("spread %g: expected 0 to 1", r.Spread)
	}
	if want := len(r.Seeds) * n.Generator.StyleDim; (r.InjectIndex > 0 || r.Spread > 0) && len(r.RandomZ) != want {
		return fmt.Errorf("%d values of random z for %d seeds; expected %d", len(r.RandomZ), len(r.Seeds), want)
	}
	return nil
}

// combine gives every picture its styles, of which those below InjectIndex are its seed's: predicted [N·S,L,Z] and random
// [S,L,Z] → styles [N·S,L,Z] and the pictures' noise keys.
func (n *Networks) combine(predicted, random []float32, r Request) (styles []float32, keys []uint64) {
	width := n.Generator.NumLayers() * n.Generator.StyleDim
	inject := r.InjectIndex * n.Generator.StyleDim
	for i := range len(predicted) / width {
		s := i % len(r.Seeds)
		if inject > 0 {
			styles = append(styles, random[s*width:s*width+inject]...)
		}
		styles = append(styles, predicted[i*width+inject:(i+1)*width]...)
		keys = append(keys, r.Seeds[s])
	}
	return styles, keys
}

// repeatRows repeats each row of x [N,width], times times: [N·times,width].
func repeatRows(x []float32, width, times int) []float32 {
	out := make([]float32, 0, len(x)*times)
	for from := 0; from < len(x); from += width {
		for range times {
			out = append(out, x[from:from+width]...)
		}
	}
	return out
}

// SpreadZ draws z around predicted ones: z [N,dim] and random z [S,dim] → [N·S,dim], √(1-s²)·z + s·r·ε, where ε is a random z
// brought to root mean square 1 and r is that of z. In many dimensions the two are nearly at right angles: the length of z
// stays, the cosine with it becomes about √(1-s²), and a normal z stays normal. Spread 0 leaves z, 1 forgets it.
func SpreadZ(z, random []float32, dim int, spread float64) []float32 {
	out := make([]float32, 0, len(z)*len(random)/dim)
	keep := math.Sqrt(1 - spread*spread)
	for from := 0; from < len(z); from += dim {
		row := z[from : from+dim]
		for at := 0; at < len(random); at += dim {
			noise := random[at : at+dim]
			scale := spread * rms(row) / max(rms(noise), 1e-12)
			for i := range row {
				out = append(out, float32(keep*float64(row[i])+scale*float64(noise[i])))
			}
		}
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
