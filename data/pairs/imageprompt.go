package pairs

import (
	"context"
	"fmt"
	"math"
)

// ImagePrompt is eq. 4-7: the mean of image embeddings [N,E], normalised and scaled to length √E. Of all unit vectors
// it has the largest mean cosine with them.
func ImagePrompt(imageEmbeds []float32, dim int) ([]float32, error) {
	sum := make([]float64, dim)
	addRows(sum, imageEmbeds)
	return direction(sum, len(imageEmbeds)/dim)
}

// ImagePrompt is the image prompt of all rows, read from the files in order.
func (p *Set) ImagePrompt(ctx context.Context) ([]float32, error) {
	sum := make([]float64, p.Meta.EmbedDim)
	for batch, err := range p.Batches() {
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return nil, err
		}
		addRows(sum, batch.ImageEmbeds)
	}
	return direction(sum, p.Len())
}

// addRows adds rows [N,E] to sum [E].
func addRows(sum []float64, rows []float32) {
	for i, v := range rows {
		sum[i%len(sum)] += float64(v)
	}
}

// direction scales the sum of count rows to length √E.
func direction(sum []float64, count int) ([]float32, error) {
	norm := 0.0
	for _, v := range sum {
		norm += v * v
	}
	if norm == 0 || math.IsNaN(norm) || math.IsInf(norm, 0) {
		return nil, fmt.Errorf("the mean of %d image embeddings has no direction", count)
	}
	scale := math.Sqrt(float64(len(sum)) / norm)
	prompt := make([]float32, len(sum))
	for i, v := range sum {
		prompt[i] = float32(v * scale)
	}
	return prompt, nil
}
