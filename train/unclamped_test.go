package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/internal/parity"
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
	// The numbers are not those of CheckGradient: along z itself the generator, which normalizes z, has the gradient 0.
	rng := rand.New(rand.NewPCG(3, 4))
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

// TestUnclampedGolden compares the semantic loss and its gradient by z with PyTorch's, clamped and not, in float64. The
// tolerance is float32's rounding of what is compared.
func TestUnclampedGolden(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles Lorelei's gradient in float64")
	}
	training, _ := goldenTraining(t, dtypes.Float64)
	want := nntest.Golden(t, "testdata/unclamped.safetensors")
	rows := want.Tensors["z"].Shape[0]
	var inputs []any
	for _, name := range []string{"z", "embeds"} { // float64 values that float32 holds
		var values []float64
		for _, v := range goldenValues(t, want, name) {
			values = append(values, float64(v))
		}
		inputs = append(inputs, tensors.FromFlatDataAndDimensions(values, want.Tensors[name].Shape...))
	}
	out := nntest.Run(t, training.Networks.Store, func(scope *model.Scope, in []*graph.Node) (nodes []*graph.Node) {
		keys := graph.Const(in[0].Graph(), make([]uint64, rows))
		for _, training.Config.Unclamped = range []bool{false, true} {
			loss := training.compare(scope, nil, losses.Weights{Semantic: 1}, nil, in[0], in[1], keys).Total
			nodes = append(nodes, loss, graph.Gradient(loss, in[0])[0])
		}
		for i := range nodes {
			nodes[i] = graph.ConvertDType(nodes[i], dtypes.Float32)
		}
		return nodes
	}, inputs...)
	for i, name := range []string{"clamped", "clamped_grad", "unclamped", "unclamped_grad"} {
		if d := parity.Relative(out[i], goldenValues(t, want, name)); !(d < 1e-6) {
			t.Errorf("%s: relative error %g", name, d)
		}
	}
}
