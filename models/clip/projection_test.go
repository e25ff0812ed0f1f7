package clip

import (
	"math"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn/nntest"
)

func TestScaledAndProject(t *testing.T) {
	_, scope, want := tiny(t, dtypes.Float64)
	cte := wide(goldenTensor(t, want, "text_embeds"))  // [5,10]
	cie := wide(goldenTensor(t, want, "image_embeds")) // [3,10]
	project := func(alpha any) func(*model.Scope, *graph.Node) *graph.Node {
		return func(_ *model.Scope, x *graph.Node) *graph.Node {
			prompts := graph.ConstTensor(x.Graph(), cie)
			text, image := graph.Slice(prompts, graph.AxisRange(0, 1)), graph.Slice(prompts, graph.AxisRange(1, 2))
			return Project(Scaled(x), Scaled(text), Scaled(image), graph.Const(x.Graph(), alpha))
		}
	}
	scaled := func(_ *model.Scope, x *graph.Node) *graph.Node { return Scaled(x) }
	for name, fn := range map[string]func(*model.Scope, *graph.Node) *graph.Node{
		"scaled": scaled, "project": project(1.75), "an alpha each": project([]float64{0, 0.5, 1, 1.75, 3})} {
		t.Run(name, func(t *testing.T) { nntest.CheckGradient(t, scope, fn, cte, 1e-6, 1e-7) })
	}

	// α = 0 is the image prompt, and a text that is the text prompt too.
	alone := func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		cte, prompt, zero := Scaled(in[0]), Scaled(in[1]), graph.Scalar(in[0].Graph(), in[0].DType(), 0)
		at0 := Project(cte, cte, graph.BroadcastToShape(prompt, cte.Shape()), zero)
		return []*graph.Node{graph.ConvertDType(at0, dtypes.Float32),
			graph.ConvertDType(graph.BroadcastToShape(prompt, cte.Shape()), dtypes.Float32),
			graph.ConvertDType(graph.ReduceSum(graph.Square(cte), -1), dtypes.Float32)}
	}
	out := nntest.Run(t, scope, alone, cte, tensors.FromValue([][]float64{{3, -1, 2, 0, 0, 1, 1, 1, 0, -4}}))
	if d := nntest.MaxAbs(t, out[0], out[1]); d > 1e-6 {
		t.Errorf("α = 0 differs from the image prompt by %g", d)
	}
	if d := nntest.MaxAbs(t, out[2], []float32{10, 10, 10, 10, 10}); d > 1e-5 {
		t.Errorf("the squared length of scaled embeddings is not E: %v", out[2])
	}
}

// A zero embedding has no direction, but neither it nor its gradient may poison a batch with NaN.
func TestScaledZero(t *testing.T) {
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		y := Scaled(in[0])
		return []*graph.Node{y, graph.Gradient(graph.ReduceAllSum(y), in[0])[0]}
	}, [][]float32{{0, 0, 0}, {1, 2, 2}})
	for i, values := range out {
		for j, v := range values {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				t.Errorf("output %d, value %d is %g", i, j, v)
			}
		}
	}
}
