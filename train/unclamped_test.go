package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/losses"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/stylegan2"
)

// Unclamped pictures change the semantic loss of a training, whose gradient is then that of finite differences, and not
// the embeddings that pairs are sampled with.
func TestUnclampedReachesTheLossOnly(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the tiny domain's gradient")
	}
	const rows = 2
	n, dir := tinyNetworks(t, nntest.Backend(t))
	training := sharedTraining(t, 1)
	training.Networks = n
	if err := pipelinetest.LoadFloat64(n.Store, n.Generator, dir); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	draw := func(width int) *tensors.Tensor {
		x := make([]float64, rows*width)
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		return tensors.FromFlatDataAndDimensions(x, rows, width)
	}
	z, target := draw(pipelinetest.ZDim), draw(pipelinetest.EmbedDim)
	semantic := func(scope *model.Scope, z *graph.Node) *graph.Node {
		keys := graph.Const(z.Graph(), make([]uint64, rows))
		return training.compare(scope, nil, losses.Weights{Semantic: 1}, nil, z, graph.Const(z.Graph(), target), keys).Total
	}
	out := nntest.Run(t, n.Store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		noise := stylegan2.Noise{Mode: training.Config.NoiseMode, Keys: graph.Const(in[0].Graph(), make([]uint64, rows))}
		nodes := []*graph.Node{stylegan2.Build(scope.At("generator"), n.Generator, in[0], noise)}
		for _, training.Config.Unclamped = range []bool{false, true} {
			nodes = append(nodes, semantic(scope, in[0]))
		}
		sampled := n.ImageEmbedsIn(scope, pipeline.Float32, in[0], noise)
		nodes = append(nodes, losses.Semantic(graph.Const(in[0].Graph(), target), sampled))
		for i := range nodes {
			nodes[i] = graph.ConvertDType(nodes[i], dtypes.Float32)
		}
		return nodes
	}, z)
	outside := 0
	for _, v := range out[0] {
		if math.Abs(float64(v)) > 1 {
			outside++
		}
	}
	if loss, free, sampled := out[1][0], out[2][0], out[3][0]; outside == 0 || loss == free || sampled != loss {
		t.Errorf("%d values are out of range: the loss is %g, unclamped %g, by the embeddings of sampling %g", outside,
			loss, free, sampled)
	}
	training.Config.Unclamped = true
	nntest.CheckGradient(t, n.Store, semantic, z, 1e-5, 1e-5)
}
