// Package sampling samples pairs: it draws z from seeds, renders pictures and embeds them, and writes the rows to a
// set.
package sampling

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"illustrator/data/pairs"
	"illustrator/data/seeds"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
)

// Meta describes the pairs that the networks of domain give, from seed on. Batch is the number of pictures computed at
// once. The last digits of an embedding depend on it (2e-5 of a length of 11 on Lorelei), so it is recorded
// with the pairs, and follows from the generator's size alone unless n says otherwise.
func Meta(n *pipeline.Networks, domain string, seed uint64, mode stylegan2.NoiseMode, createdBy string) pairs.Meta {
	return pairs.Meta{
		Domain: domain, Seed: seed, NoiseMode: mode, CreatedBy: createdBy,
		GeneratorSHA256: n.Hashes["generator"], CLIPSHA256: n.Hashes["clip"], Preprocessing: n.Preprocessing(),
		DType: n.Precision.String(), Batch: n.PictureBatch(), ZDim: n.Generator.StyleDim, EmbedDim: n.CLIP.ProjectionDim,
	}
}

// Pairs completes the set of w to rows rows: it draws each row's z ~ N(0, I) from its seed, renders it and embeds the
// picture. Noise mode "random" draws a row's noise from its seed too. Progress, which may be nil, gets the number of
// rows sampled in this call. Sampled rows are kept, whatever ends the call.
//
// Seeds are computed in batches that begin at the multiples of the batch: a seed has the same place among the same
// neighbours in whatever set, part or continuation it is sampled, and so the same bits. The precision is the set's.
func Pairs(ctx context.Context, n *pipeline.Networks, w *pairs.Writer, rows int, progress func(rows int)) error {
	defer func(p pipeline.Precision) { n.Precision = p }(n.Precision)
	if err := n.Precision.UnmarshalText([]byte(w.Meta().DType)); err != nil {
		return fmt.Errorf("pairs: dtype: %w", err)
	}
	missing, err := w.Missing(rows)
	if err != nil {
		return err
	}
	// The device computes the next rows while these are written.
	batches := make(chan pairs.Batch, 2)
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(batches)
		for _, seeds := range missing {
			if err := sampleRange(groupCtx, n, w.Meta(), seeds, batches); err != nil {
				return err
			}
		}
		return nil
	})
	group.Go(func() error {
		done := 0
		for b := range batches {
			if err := w.Append(b.FirstSeed, b.Z, b.ImageEmbeds); err != nil {
				return err
			}
			if done += b.Rows; progress != nil {
				progress(done)
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		if flushed := w.Flush(); flushed != nil && !errors.Is(err, flushed) {
			err = errors.Join(err, flushed)
		}
		return err
	}
	return w.Flush()
}

// sampleRange computes the rows of seeds, a batch at a time.
func sampleRange(ctx context.Context, n *pipeline.Networks, meta pairs.Meta, seeds pairs.SeedRange,
	batches chan<- pairs.Batch) error {
	size := uint64(n.PictureBatch())
	for first := seeds.First; ; {
		start := first - first%size
		last := min(start+size-1, seeds.Last)
		b, err := sampleOne(ctx, n, meta, start, int(first-start), int(last-start)+1)
		if err != nil {
			return err
		}
		select {
		case batches <- b:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if last == seeds.Last {
			return nil
		}
		first = last + 1
	}
}

// sampleOne computes the whole batch of seeds from start on and returns its rows [from,to).
func sampleOne(ctx context.Context, n *pipeline.Networks, meta pairs.Meta, start uint64, from, to int) (pairs.Batch,
	error) {
	size := n.PictureBatch()
	keys, z := make([]uint64, size), make([]float32, 0, size*meta.ZDim)
	for i := range keys {
		keys[i] = start + uint64(i)
		z = append(z, seeds.Z(keys[i], meta.ZDim)...)
	}
	embeds, err := n.RenderAndEmbed(ctx, z, pipeline.Synthesis{NoiseMode: meta.NoiseMode, Keys: keys})
	if err != nil {
		if context.Cause(ctx) != nil {
			return pairs.Batch{}, context.Cause(ctx)
		}
		return pairs.Batch{}, fmt.Errorf("sample pairs: %w", err)
	}
	return pairs.Batch{
		FirstSeed: start + uint64(from), Rows: to - from,
		Z: z[from*meta.ZDim : to*meta.ZDim], ImageEmbeds: embeds[from*meta.EmbedDim : to*meta.EmbedDim],
	}, nil
}
