package losses

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/nn/nntest"
)

// all returns the three losses, given z predicted, z true, and the embeddings going in and coming out.
func all(in []*Node) []*Node {
	return []*Node{L1(in[0], in[1]), Semantic(in[2], in[3]), Regularization(in[0])}
}

// The losses of the stored first training step, as PyTorch computed them. They are means of at most 2,048 numbers near
// 1 in float32: rounding stays far below 1e-5.
func TestGolden(t *testing.T) {
	w, err := checkpoints.ReadSafetensors("../train/testdata/mapper.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	const batch, width = 16, 128
	var in []any
	for _, name := range []string{"z_pred", "z_true", "embeds", "image_embeds"} {
		values, err := w.Tensors[name].Float32s()
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, tensors.FromFlatDataAndDimensions(values[:batch*width], batch, width))
	}
	want, err := w.Tensors["losses"].Float32s() // [20,4]: total, l1, semantic, regularization
	if err != nil {
		t.Fatal(err)
	}
	packed := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*Node) []*Node {
		return []*Node{Compute(Weights{L1: 0.3, Semantic: 1, Regularization: 0.3}, Inputs{
			PredictedZ: in[0], Z: in[1], ImageEmbeds: in[2], Render: func() *Node { return in[3] },
		}).Node()}
	}, in...)[0]
	if d := nntest.MaxAbs(t, packed, want[:4]); d > 1e-5 {
		t.Errorf("losses are %v, want %v", packed, want[:4])
	}
}

// Small cases by hand.
func TestValues(t *testing.T) {
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*Node) []*Node { return all(in) },
		[][]float32{{1, 3}, {0, 0}}, [][]float32{{0, 5}, {0, -1}}, // |1| + |-2| + 0 + |1| over 4
		[][]float32{{1, 0}, {3, 4}}, [][]float32{{0, 2}, {-6, -8}}) // cosines 0 and -1
	// Means 2 and 0; deviations √2 and 0: (2 + √2-1 + 0 + 1) / 2.
	for i, want := range []float64{1, 1.5, (2 + math.Sqrt2) / 2} {
		if got := float64(out[i][0]); math.Abs(got-want) > 1e-6 {
			t.Errorf("loss %d is %g, want %g", i, got, want)
		}
	}
}

func random(seed uint64, dims ...int) *tensors.Tensor {
	rng := rand.New(rand.NewPCG(seed, 0))
	values := make([]float64, checkpoints.Tensor{Shape: dims}.Elements())
	for i := range values {
		values[i] = rng.NormFloat64()
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

func TestGradients(t *testing.T) {
	const b, n = 5, 7
	other := random(1, b, n)
	for name, loss := range map[string]func(x, other *Node) *Node{
		"l1":                      L1,
		"semantic, input":         Semantic,
		"semantic, picture":       func(x, other *Node) *Node { return Semantic(other, x) },
		"regularization":          func(x, _ *Node) *Node { return Regularization(x) },
		"regularization, steeper": func(x, _ *Node) *Node { return Regularization(AddScalar(MulScalar(x, 3), 0.5)) },
	} {
		t.Run(name, func(t *testing.T) {
			nntest.CheckGradient(t, model.NewStore(), func(_ *model.Scope, x *Node) *Node {
				return loss(x, Const(x.Graph(), other))
			}, random(2, b, n), 1e-6, 1e-6)
		})
	}
}

// Where a root or a quotient has no slope, at a sample of equal values and at a zero vector, gradients stay finite.
func TestFiniteAtZero(t *testing.T) {
	zero, other := make([][]float32, 2), [][]float32{{1, -2, 3}, {0.5, 0, 1}}
	for i := range zero {
		zero[i] = make([]float32, 3)
	}
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*Node) []*Node {
		flat, other := in[0], in[1]
		var nodes []*Node
		for _, loss := range []*Node{L1(flat, other), Semantic(flat, other), Semantic(other, flat), Semantic(flat, flat),
			Regularization(flat), Regularization(AddScalar(flat, 2))} {
			nodes = append(nodes, loss, Gradient(loss, flat)[0])
		}
		return nodes
	}, zero, other)
	for i, values := range out {
		for _, v := range values {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				t.Errorf("output %d holds %g", i, v)
			}
		}
	}
	for i, want := range map[int]float32{2: 1, 4: 1, 6: 1, 8: 1, 10: 3} {
		if got := out[i][0]; math.Abs(float64(got-want)) > 1e-6 {
			t.Errorf("output %d is %g, want %g", i, got, want)
		}
	}
}

// Half precision is widened before it is compared: 4,096 terms would not add up in bfloat16.
func TestHalfPrecision(t *testing.T) {
	const b, n = 64, 64
	wide := func(in []*Node) []*Node {
		narrow := make([]*Node, len(in))
		for i := range in {
			narrow[i] = ConvertDType(in[i], dtypes.BFloat16)
		}
		var nodes []*Node
		exact := make([]*Node, len(in))
		for i := range in {
			exact[i] = ConvertDType(narrow[i], dtypes.Float32)
		}
		for i, loss := range all(narrow) {
			if loss.DType() != dtypes.Float32 {
				t.Errorf("loss %d is of type %s", i, loss.DType())
			}
			nodes = append(nodes, loss)
		}
		return append(nodes, all(exact)...)
	}
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*Node) []*Node { return wide(in) },
		random(1, b, n), random(2, b, n), random(3, b, n), random(4, b, n))
	for i := range 3 {
		if d := math.Abs(float64(out[i][0] - out[i+3][0])); d > 1e-6 {
			t.Errorf("loss %d differs by %g from the same in float32", i, d)
		}
	}
}

// A zero weight takes the loss out of the graph with what only it needs: the picture is not drawn, the true z not read.
// No loss draws a picture twice, or one of the true z: the semantic loss draws that of the predicted z once.
func TestZeroWeights(t *testing.T) {
	z := [][]float32{{1, 2, 3}, {-1, 0, 2}}
	for name, c := range map[string]struct {
		weights Weights
		reads   string // what the graph may read besides the prediction
	}{
		"l1":             {Weights{L1: 2}, "z"},
		"semantic":       {Weights{Semantic: 2}, "embeds render"},
		"regularization": {Weights{Regularization: 2}, ""},
		"all":            {Weights{L1: 1, Semantic: 2, Regularization: 3}, "z embeds render"},
	} {
		t.Run(name, func(t *testing.T) {
			renders := 0
			nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*Node) []*Node {
				inputs := Inputs{PredictedZ: in[0], Render: func() *Node { renders++; return in[0] }}
				// Unread inputs may be missing: nil panics on use.
				if strings.Contains(c.reads, "z") {
					inputs.Z = in[0]
				}
				if strings.Contains(c.reads, "embeds") {
					inputs.ImageEmbeds = in[0]
				}
				terms := Compute(c.weights, inputs)
				for i, pair := range []struct {
					weight float64
					term   *Node
				}{{c.weights.L1, terms.L1}, {c.weights.Semantic, terms.Semantic},
					{c.weights.Regularization, terms.Regularization}} {
					if (pair.weight == 0) != (pair.term == nil) {
						t.Errorf("loss %d of weight %g is %v", i, pair.weight, pair.term)
					}
				}
				return []*Node{terms.Node()}
			}, z)
			if want := strings.Count(c.reads, "render"); renders != want {
				t.Errorf("%d pictures were drawn, want %d", renders, want)
			}
		})
	}
}

// The total is the weighted sum, and its gradient too.
func TestTotal(t *testing.T) {
	w := Weights{L1: 0.3, Semantic: 2, Regularization: 0.7}
	out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*Node) []*Node {
		render := func() *Node { return Sin(in[0]) }
		terms := Compute(w, Inputs{PredictedZ: in[0], Z: in[1], ImageEmbeds: in[1], Render: render})
		sum := Add(Add(MulScalar(L1(in[0], in[1]), w.L1), MulScalar(Semantic(in[1], render()), w.Semantic)),
			MulScalar(Regularization(in[0]), w.Regularization))
		return []*Node{terms.Total, sum, Gradient(terms.Total, in[0])[0], Gradient(sum, in[0])[0]}
	}, [][]float32{{1, 2, 4}, {0.5, -1, 1}}, [][]float32{{0, 1, 1}, {2, 2, 3}})
	for i := 0; i < 4; i += 2 {
		if d := nntest.MaxAbs(t, out[i], out[i+1]); d > 1e-6 {
			t.Errorf("output %d is %v, want %v", i, out[i], out[i+1])
		}
	}
}

func TestValidate(t *testing.T) {
	if err := (Weights{L1: 0.3, Semantic: 1, Regularization: 0.3}).Validate(); err != nil {
		t.Errorf("the paper's weights: %v", err)
	}
	for field, w := range map[string]Weights{
		"l1":             {L1: -1},
		"semantic":       {L1: 1, Semantic: math.NaN()},
		"regularization": {Regularization: math.Inf(1)},
		"all weights":    {},
	} {
		err := w.Validate()
		if err == nil || !strings.Contains(err.Error(), field) || !fault.IsUsage(err) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v (hint %q)", field, err, fault.HintOf(err))
		}
	}
}

// The same names stand in YAML, in the metrics and in tables.
func TestNames(t *testing.T) {
	text, err := json.Marshal(ValuesOf([]float32{1, 2, 3, 4}))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"total":1,"l1":2,"semantic":3,"regularization":4}`; string(text) != want {
		t.Errorf("values are written as %s, want %s", text, want)
	}
}
