package stylegan2

import (
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
)

// TestDiscriminatorGradients compares the gradients of pictures and of all weights with finite differences in float64.
func TestDiscriminatorGradients(t *testing.T) {
	cfg, store := trainedTiny, model.NewStore()
	if err := nn.Load(store.RootScope(), InitDiscriminator(cfg, 3), dtypes.Float64, true); err != nil {
		t.Fatal(err)
	}
	const batch = 3
	values := make([]float64, batch*3*cfg.Size*cfg.Size)
	for i := range values {
		values[i] = float64(i*i%211)/105 - 1
	}
	pixels := len(values)
	var weights []*model.Variable
	for v := range store.IterVariables() {
		weights = append(weights, v)
		values = append(values, tensors.MustCopyFlatData[float64](v.MustValue())...)
	}
	nntest.CheckGradient(t, store, func(scope *model.Scope, x *Node) *Node {
		from := pixels
		for _, v := range weights {
			size := v.Shape().Size()
			v.SetNodeValue(Reshape(Slice(x, AxisRange(from, from+size)), v.Shape().Dimensions...))
			from += size
		}
		images := Reshape(Slice(x, AxisRange(0, pixels)), batch, 3, cfg.Size, cfg.Size)
		w := Sin(Iota(x.Graph(), Reshape(Slice(x, AxisRange(0, batch*cfg.StyleDim)), batch, cfg.StyleDim).Shape(), 1))
		return Discriminate(scope, cfg, images, w)
	}, tensors.FromFlatDataAndDimensions(values, len(values)), 1e-6, 1e-5)
}
