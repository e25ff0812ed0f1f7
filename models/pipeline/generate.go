package pipeline

import (
	"context"
	"fmt"
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
	// RandomZ [len(Seeds),Z] and InjectIndex diversify: layers below InjectIndex take the seed's random style, the
	// others the predicted one. InjectIndex 0 takes the predicted style everywhere and needs no RandomZ.
	RandomZ     []float32
	InjectIndex int
	Synthesis
}

// Generated are pictures [N·S,3,Size,Size], all seeds of a text one after the other, and the z predicted for each text [N,Z].
type Generated struct{ Images, Z []float32 }

// Generate is the method: text embedding → prompt projection → mapper → styles → picture.
func (n *Networks) Generate(ctx context.Context, r Request) (Generated, error) {
	if r.InjectIndex < 0 || r.InjectIndex > n.Generator.NumLayers() {
		return Generated{}, fmt.Errorf("inject index %d: the generator has layers 0 to %d", r.InjectIndex, n.Generator.NumLayers())
	}
	if want := len(r.Seeds) * n.Generator.StyleDim; r.InjectIndex > 0 && len(r.RandomZ) != want {
		return Generated{}, fmt.Errorf("%d values of random z for %d seeds; expected %d", len(r.RandomZ), len(r.Seeds), want)
	}
	embeds, err := r.TextEmbeds, error(nil)
	if r.Prompts != nil {
		if embeds, err = n.Project(ctx, embeds, *r.Prompts, r.Alpha); err != nil {
			return Generated{}, err
		}
	}
	z, err := n.MapToZ(ctx, embeds)
	if err != nil {
		return Generated{}, err
	}
	predicted, err := n.Styles(ctx, z, r.TruncationPsi)
	if err != nil {
		return Generated{}, err
	}
	var random []float32
	if r.InjectIndex > 0 {
		if random, err = n.Styles(ctx, r.RandomZ, r.TruncationPsi); err != nil {
			return Generated{}, err
		}
	}
	styles, keys := n.combine(predicted, random, r)
	r.Keys = keys
	images, err := n.Render(ctx, styles, r.Synthesis)
	return Generated{Images: images, Z: z}, err
}

// combine pairs every text's styles with every seed: styles [N·S,L,Z] and their noise keys.
func (n *Networks) combine(predicted, random []float32, r Request) (styles []float32, keys []uint64) {
	width := n.Generator.NumLayers() * n.Generator.StyleDim
	inject := r.InjectIndex * n.Generator.StyleDim
	for text := 0; text < len(predicted); text += width {
		for s, seed := range r.Seeds {
			if inject > 0 {
				styles = append(styles, random[s*width:s*width+inject]...)
			}
			styles = append(styles, predicted[text+inject:text+width]...)
			keys = append(keys, seed)
		}
	}
	return styles, keys
}
