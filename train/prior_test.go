package train

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
)

const priorGolden = "../models/mapper/testdata/prior.safetensors"

// tinyPrior is the network of models/mapper/testdata/make_prior.py.
var tinyPrior = mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Prior, EmbedDim: 6, ZDim: 5, Width: 8,
	Blocks: 2, Prior: mapper.PriorConfig{Steps: 4, Guidance: 1}}

func golden64(t *testing.T, w *checkpoints.Weights, name string) *tensors.Tensor {
	t.Helper()
	g := w.Tensors[name]
	values := make([]float64, g.Elements())
	if _, err := binary.Decode(g.Data, binary.LittleEndian, values); err != nil {
		t.Fatal(err)
	}
	if len(g.Shape) == 0 {
		return tensors.FromScalar(values[0])
	}
	return tensors.FromFlatDataAndDimensions(values, g.Shape...)
}

// priorLoss is the flow loss of the golden's batch, z given.
func priorLoss(t *testing.T, w *checkpoints.Weights, scope *model.Scope, z *graph.Node) *graph.Node {
	constant := func(name string) *graph.Node { return graph.ConstTensor(z.Graph(), golden64(t, w, name)) }
	d := mapper.Draft{Noise: constant("noise"), Time: constant("time"), Condition: constant("condition")}
	velocity := mapper.Velocity(scope, tinyPrior, d.At(z), d.Time, d.Condition)
	return losses.Compute(losses.Weights{Flow: 1}, losses.Inputs{
		Match: func() *graph.Node { return losses.Flow(velocity, d.Noise, z) },
	}).Total
}

// The loss of a prior and its gradients with respect to all weights are PyTorch's in float64; they differ by rounding.
func TestPriorLossGolden(t *testing.T) {
	w := nntest.Golden(t, priorGolden)
	store := model.NewStore()
	names := tinyPrior.Names()
	for _, name := range names {
		store.VariableWithValue(name, golden64(t, w, "weights."+name))
	}
	exec := model.MustNewExec(nntest.Backend(t), store, func(scope *model.Scope, z *graph.Node) []*graph.Node {
		loss := priorLoss(t, w, scope, z)
		var variables []*graph.Node
		for _, name := range names {
			variables = append(variables, scope.GetVariable(name).NodeValue(z.Graph()))
		}
		return append([]*graph.Node{loss}, graph.Gradient(loss, variables...)...)
	})
	defer exec.Finalize()
	out, err := exec.Call(golden64(t, w, "z"))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range append([]string{"loss"}, names...) {
		if i > 0 {
			name = "gradients." + name
		}
		got, want := tensors.MustCopyFlatData[float64](out[i]), tensors.MustCopyFlatData[float64](golden64(t, w, name))
		for j := range want {
			if !(math.Abs(got[j]-want[j]) <= 1e-12) {
				t.Errorf("%s[%d] is %g, PyTorch's %g", name, j, got[j], want[j])
			}
		}
	}
}

// The loss's gradient with respect to z, in float64.
func TestPriorLossGradient(t *testing.T) {
	w := nntest.Golden(t, priorGolden)
	store := model.NewStore()
	for _, name := range tinyPrior.Names() {
		store.VariableWithValue(name, golden64(t, w, "weights."+name))
	}
	nntest.CheckGradient(t, store, func(scope *model.Scope, z *graph.Node) *graph.Node {
		return graph.Reshape(priorLoss(t, w, scope, z), 1)
	}, golden64(t, w, "z"), 1e-5, 1e-7)
}

// A prior is trained by the flow loss alone, and nothing else is.
func TestPriorNeedsFlow(t *testing.T) {
	flow := Config{Stages: []Stage{{Name: "one", Losses: losses.Weights{Flow: 1}}}}
	other := Config{Stages: []Stage{{Name: "one", Losses: losses.Weights{L1: 1}}}}
	if err := flow.CheckMapper(tinyPrior); err != nil {
		t.Error(err)
	}
	if err := other.CheckMapper(tinyPrior); err == nil || !strings.Contains(err.Error(), "has no losses.flow") {
		t.Error(err)
	}
	if err := flow.CheckMapper(mapper.Config{Arch: mapper.Dense}); err == nil {
		t.Error("a mapper is trained by the flow loss")
	}
	for want, weights := range map[string]losses.Weights{
		"beside other losses": {Flow: 1, L1: 1}, "losses.flow is -1": {Flow: -1}, "all weights are 0": {},
	} {
		if err := weights.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", weights, err)
		}
	}
}
