package data

import (
	"context"
	"errors"
	"fmt"

	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// SampleOptions say which pairs are sampled.
type SampleOptions struct {
	Domain    string
	Rows      int
	Seed      uint64 // row i is drawn from Seed + i
	NoiseMode stylegan2.NoiseMode
	CreatedBy string
	Progress  func(rows int) // told of every finished batch; may be nil
}

// sampleBatch is the number of pictures rendered at once.
const sampleBatch = 32

// Meta describes the pairs that n and o give.
func (o SampleOptions) Meta(n *pipeline.Networks) PairsMeta {
	return PairsMeta{
		Domain: o.Domain, Seed: o.Seed, NoiseMode: string(o.NoiseMode), CreatedBy: o.CreatedBy,
		GeneratorSHA256: n.Hashes["generator"], CLIPSHA256: n.Hashes["clip"], Preprocessing: n.Preprocessing(), DType: "float32",
		ZDim: n.Generator.StyleDim, EmbedDim: n.CLIP.ProjectionDim,
	}
}

// Sample draws z ~ N(0, I), renders each and writes it with the scaled CLIP embedding of its picture to path. The file
// appears under its name when it is complete. Noise mode "random" draws a row's noise from its seed too.
func Sample(ctx context.Context, n *pipeline.Networks, path string, o SampleOptions) (err error) {
	w, err := CreatePairs(path, o.Meta(n))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Abort())
		}
	}()
	for from := 0; from < o.Rows; from += sampleBatch {
		// A full batch even at the end keeps the compiled program; the surplus is dropped.
		seeds, z := make([]uint64, sampleBatch), make([]float32, 0, sampleBatch*n.Generator.StyleDim)
		for i := range seeds {
			seeds[i] = o.Seed + uint64(from+i)
			z = append(z, Z(seeds[i], n.Generator.StyleDim)...)
		}
		embeds, err := n.RenderAndEmbed(ctx, z, pipeline.Synthesis{NoiseMode: o.NoiseMode, Keys: seeds})
		if err != nil {
			return fmt.Errorf("sample pairs: %w", err)
		}
		count := min(sampleBatch, o.Rows-from)
		if err := w.Append(seeds[:count], z[:count*n.Generator.StyleDim], embeds[:count*n.CLIP.ProjectionDim]); err != nil {
			return err
		}
		if o.Progress != nil {
			o.Progress(from + count)
		}
	}
	return w.Close()
}
