package train

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	mlcontext "github.com/gomlx/gomlx/pkg/ml/context"

	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
)

// BenchmarkMapperStep is a training step with the L1 loss alone, in the embedded domain's size and in the paper's, by the
// number of steps to a call.
func BenchmarkMapperStep(b *testing.B) {
	for _, size := range []struct{ width, batch int }{{128, 32}, {512, 8}} {
		for _, k := range []int{1, 25} {
			b.Run(fmt.Sprintf("width=%d/batch=%d/steps=%d", size.width, size.batch, k), func(b *testing.B) {
				benchmarkStep(b, size.width, size.batch, k)
			})
		}
	}
}

func benchmarkStep(b *testing.B, width, batch, k int) {
	cfg := mapper.Config{
		ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: width, ZDim: width, Width: width, Blocks: 5, Layers: 5, Dropout: 0.1,
	}
	ctx := mlcontext.New().Checked(false)
	if err := ctx.SetRNGStateFromSeed(1); err != nil {
		b.Fatal(err)
	}
	if err := mapper.Load(ctx.In("mapper"), cfg, mapper.Init(cfg, 1)); err != nil {
		b.Fatal(err)
	}
	exec, err := repeat(nntest.Backend(b), ctx, func(ctx *mlcontext.Context, inputs []*graph.Node) *graph.Node {
		embeds, z, rate := inputs[0], inputs[1], inputs[2]
		ctx.SetTraining(z.Graph(), true)
		terms := losses.Compute(losses.Weights{L1: 1}, losses.Inputs{PredictedZ: mapper.Build(ctx.In("mapper"), cfg, embeds), Z: z})
		torchAdam.Update(ctx, terms.Total, rate)
		return terms.Node()
	})
	if err != nil {
		b.Fatal(err)
	}
	defer exec.Finalize()
	rng, rates := rand.New(rand.NewPCG(1, 0)), make([]float32, k)
	for i := range rates {
		rates[i] = 1e-3
	}
	normal := func() *tensors.Tensor {
		values := make([]float32, k*batch*width)
		for i := range values {
			values[i] = float32(rng.NormFloat64())
		}
		return tensors.FromFlatDataAndDimensions(values, k, batch, width)
	}
	call := func() {
		out, err := exec.Exec1(int32(k), normal(), normal(), rates)
		if err != nil {
			b.Fatal(err)
		}
		out.MustFinalizeAll()
	}
	start := time.Now()
	call()
	first := time.Since(start)
	steps := 0
	b.ResetTimer()
	for b.Loop() {
		call()
		steps += k
	}
	b.ReportMetric(first.Seconds(), "first-s")
	b.ReportMetric(float64(b.Elapsed().Microseconds())/1000/float64(steps), "ms/step")
	b.ReportMetric(0, "ns/op")
}
