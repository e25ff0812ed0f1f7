package losses

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/models/nn/nntest"
)

// small is the discriminator of the goldens: x [B,12] → [B].
func small(first, second *Node) func(x *Node) *Node {
	return func(x *Node) *Node {
		hidden := Tanh(Dot(x, first).General([]int{1}, nil, []int{1}, nil))
		return Reshape(Dot(hidden, second).General([]int{1}, nil, []int{1}, nil), -1)
	}
}

// The adversarial losses and their gradients as PyTorch has them, in float64. R1's gradient is a central
// difference: its error is of second order in its step of 0.001, below 0.2 ‰ of the gradient's size.
func TestAdversarialGolden(t *testing.T) {
	w := nntest.Golden(t, "testdata/adversarial.safetensors")
	for _, c := range []struct {
		name     string
		relative float64
		loss     func(d func(*Node) *Node, x, y *Node) *Node
	}{
		{"generator", 1e-12, func(d func(*Node) *Node, _, y *Node) *Node { return GeneratorLoss(d(y)) }},
		{"discriminator", 1e-12, func(d func(*Node) *Node, x, y *Node) *Node { return DiscriminatorLoss(d(y), d(x)) }},
		{"r1", 2e-4, func(d func(*Node) *Node, x, _ *Node) *Node { return R1(d, x) }},
	} {
		exec := model.MustNewExec(nntest.Backend(t), model.NewStore(), func(_ *model.Scope, in []*Node) []*Node {
			loss := c.loss(small(in[0], in[1]), in[2], in[3])
			return append([]*Node{loss}, Gradient(loss, in[0], in[1])...)
		})
		out, err := exec.Call(float64s(t, w, "first"), float64s(t, w, "second"), float64s(t, w, "x"), float64s(t, w, "y"))
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range []string{c.name, c.name + "_first", c.name + "_second"} {
			got, want := tensors.MustCopyFlatData[float64](out[i]), tensors.MustCopyFlatData[float64](float64s(t, w, name))
			worst, size := 0.0, 0.0
			for j := range want {
				worst, size = max(worst, math.Abs(got[j]-want[j])), max(size, math.Abs(want[j]))
			}
			if !(worst <= c.relative*size) {
				t.Errorf("%s differs from PyTorch's by %g of %g", name, worst, size)
			}
		}
		exec.Finalize()
	}
}

// Logits far from 0 overflow nothing.
func TestSoftplus(t *testing.T) {
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*Node) []*Node {
		return []*Node{GeneratorLoss(in[0]), DiscriminatorLoss(in[0], in[0])}
	}, []float32{-500, 500})
	if out[0][0] != 250 || out[1][0] != 500 {
		t.Errorf("losses are %g and %g, want 250 and 500", out[0][0], out[1][0])
	}
}
