package pipeline

import (
	"context"
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/batch"
	"illustrator/models/stylegan2"
)

// meanSamples is the number of random z for the mean W if the weights store none; NVIDIA's training code uses
// as many.
const meanSamples = 10_000

// MeanW returns the mean W [Z] that truncation pulls towards: the one stored with the weights, else a sample's mean.
func (n *Networks) MeanW(ctx context.Context) ([]float32, error) {
	if n.mean != nil {
		return n.mean, nil
	}
	p := n.Precision
	if err := n.needIn(p, generatorScope); err != nil {
		return nil, err
	}
	scope := p.in(n.Store.RootScope(), generatorScope)
	if v := scope.GetVariable(stylegan2.LatentAvg); v != nil {
		value, err := v.Value()
		if err != nil {
			return nil, err
		}
		n.mean, err = tensors.CopyFlatData[float32](value)
		return n.mean, err
	}
	dim := n.Generator.StyleDim
	rng := rand.New(rand.NewPCG(0, 0))
	z := make([]float32, meanSamples*dim)
	for i := range z {
		z[i] = float32(rng.NormFloat64())
	}
	// In batches of one size, whatever shapes others have: the mean is the same everywhere.
	defer func(shapes []int) { n.Shapes = shapes }(n.Shapes)
	n.Shapes = nil
	out, err := batch.Run(ctx, n.Runner, p.program("mean style"), func(scope *model.Scope, z *graph.Node) *graph.Node {
		return stylegan2.Mapping(p.in(scope, generatorScope), n.Generator, z)
	}, 1000, batch.Rows(z, dim))
	if err != nil {
		return nil, err
	}
	sums := make([]float64, dim)
	for i, v := range out[0] {
		sums[i%dim] += float64(v)
	}
	n.mean = make([]float32, dim)
	for i, s := range sums {
		n.mean[i] = float32(s / meanSamples)
	}
	return n.mean, nil
}
