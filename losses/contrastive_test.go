package losses

import (
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn/nntest"
)

// float64s reads a tensor of the goldens.
func float64s(t *testing.T, w *checkpoints.Weights, name string) *tensors.Tensor {
	t.Helper()
	values, err := w.Tensors[name].Float64s()
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Tensors[name].Shape) == 0 {
		return tensors.FromScalar(values[0])
	}
	return tensors.FromFlatDataAndDimensions(values, w.Tensors[name].Shape...)
}

// CLIP's loss and its gradients as PyTorch has them, in float64: they differ by rounding of some 100 operations.
func TestContrastiveGolden(t *testing.T) {
	w := nntest.Golden(t, "testdata/contrastive.safetensors")
	exec := model.MustNewExec(nntest.Backend(t), model.NewStore(), func(_ *model.Scope, in []*Node) []*Node {
		loss := Contrastive(in[0], in[1], in[2])
		return append([]*Node{loss}, Gradient(loss, in...)...)
	})
	defer exec.Finalize()
	out, err := exec.Call(float64s(t, w, "images"), float64s(t, w, "texts"), float64s(t, w, "scale"))
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"loss", "images_grad", "texts_grad", "scale_grad"} {
		got, want := tensors.MustCopyFlatData[float64](out[i]), tensors.MustCopyFlatData[float64](float64s(t, w, name))
		for j := range want {
			if !(math.Abs(got[j]-want[j]) <= 1e-12) {
				t.Errorf("%s[%d] is %g, PyTorch's %g", name, j, got[j], want[j])
			}
		}
	}
}

func TestContrastiveGradient(t *testing.T) {
	w := nntest.Golden(t, "testdata/contrastive.safetensors")
	for _, name := range []string{"images", "texts", "scale"} {
		nntest.CheckGradient(t, model.NewStore(), func(_ *model.Scope, x *Node) *Node {
			in := map[string]*Node{}
			for _, other := range []string{"images", "texts", "scale"} {
				in[other] = Const(x.Graph(), float64s(t, w, other))
			}
			in[name] = Reshape(x, in[name].Shape().Dimensions...)
			return Contrastive(in["images"], in["texts"], in["scale"])
		}, tensors.FromFlatDataAndDimensions(tensors.MustCopyFlatData[float64](float64s(t, w, name)), max(1, float64s(t, w,
			name).Shape().Size())), 1e-5, 1e-7)
	}
}

// Pairs whose embeddings are orthogonal to all others' have cosine 1 to their own and 0 to others: the loss is
// log(1 + (n-1)·exp(-factor)).
func TestContrastiveValue(t *testing.T) {
	eye := [][]float32{{2, 0, 0}, {0, 3, 0}, {0, 0, .5}}
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*Node) []*Node {
		return []*Node{Contrastive(in[0], in[0], Const(in[0].Graph(), float32(math.Log(4))))}
	}, eye)
	if want := math.Log1p(2 * math.Exp(-4)); math.Abs(float64(out[0][0])-want) > 1e-6 {
		t.Errorf("loss is %g, want %g", out[0][0], want)
	}
}
