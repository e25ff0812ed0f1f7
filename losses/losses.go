// Package losses holds the three losses that train the mapper, as graph functions of nodes alone, and those that train
// CLIPs and generators.
//
// Axes: B batch, E image embedding, Z latent. Losses are computed in at least float32.
package losses

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas

	"illustrator/internal/fault"
)

// L1 is eq. 8, ‖SE_pred - SE_true‖₁, as the mean over all elements (torch.nn.L1Loss in the release): z [B,Z] → scalar.
func L1(predicted, z *Node) *Node {
	return ReduceAllMean(Abs(Sub(wide(predicted), wide(z))))
}

// Semantic is eq. 9, 1 - cos(CIE_in, CLIP_I(G(SE_pred))), as the mean over the batch: embeddings [B,E] → scalar.
func Semantic(imageEmbeds, predicted *Node) *Node {
	return OneMinus(ReduceAllMean(cosines(imageEmbeds, predicted)))
}

// Semantics is eq. 9 of each sample: embeddings [B,E] → [B].
func Semantics(imageEmbeds, predicted *Node) *Node {
	return OneMinus(cosines(imageEmbeds, predicted))
}

// cosines are those of the rows of two batches of embeddings [B,E] → [B].
func cosines(imageEmbeds, predicted *Node) *Node {
	a, b := wide(imageEmbeds), wide(predicted)
	dot := ReduceSum(Mul(a, b), -1)
	// The lower bound keeps the gradient finite at a zero vector, as torch.nn.functional.cosine_similarity does.
	lengths := Mul(length(a), length(b))
	return Div(dot, lengths)
}

// length is the Euclidean norm of the rows of x [B,E], at least 1e-8.
func length(x *Node) *Node {
	return Sqrt(MaxScalar(ReduceSum(Square(x), -1), 1e-16))
}

// Regularization is eq. 10, |mean(SE_pred)| + |std(SE_pred) - 1|, over the values of each sample with the unbiased
// standard deviation, as the mean over the batch: z [B,Z] → scalar.
func Regularization(predicted *Node) *Node {
	return ReduceAllMean(Regularizations(predicted))
}

// Regularizations is eq. 10 of each sample: z [B,Z] → [B].
func Regularizations(predicted *Node) *Node {
	z := wide(predicted)
	mean := ReduceAndKeep(z, ReduceMean, -1)
	variance := DivScalar(ReduceSum(Square(Sub(z, mean)), -1), float64(z.Shape().Dim(-1)-1))
	// A sample of equal values has deviation 0, where the root's slope is infinite: the bound makes it 0 there.
	deviation := Sqrt(MaxScalar(variance, 1e-20))
	return Add(Abs(Squeeze(mean, -1)), Abs(AddScalar(deviation, -1)))
}

// Flow is the loss of flow matching (Lipman et al. 2023): the mean square of the difference between a predicted
// velocity and that of the straight line from noise to z: all [B,Z] → scalar.
func Flow(velocity, noise, z *Node) *Node {
	return ReduceAllMean(Square(Sub(wide(velocity), Sub(wide(z), wide(noise)))))
}

// Weights weigh the losses. Zero takes a loss, and what only it needs, out of the graph.
type Weights struct {
	L1             float64 `yaml:"l1" json:"l1"`
	Semantic       float64 `yaml:"semantic" json:"semantic"`
	Regularization float64 `yaml:"regularization" json:"regularization"`
	// Flow weighs the loss of a prior, which has no other. Metrics have it as the total.
	Flow float64 `yaml:"flow,omitempty" json:"flow,omitempty"`
}

// Loss is one of the losses as settings, metrics and tables know it.
type Loss struct {
	Name   string
	Weight func(Weights) float64 // 0 where the loss is not measured
	Value  func(Values) float64
}

// All are the losses in the order of their equations.
var All = []Loss{
	{"l1", func(w Weights) float64 { return w.L1 }, func(v Values) float64 { return v.L1 }},
	{"semantic", func(w Weights) float64 { return w.Semantic }, func(v Values) float64 { return v.Semantic }},
	{"regularization", func(w Weights) float64 { return w.Regularization },
		func(v Values) float64 { return v.Regularization }},
}

// Total is the weighted sum, which is always measured.
var Total = Loss{"total", func(Weights) float64 { return 1 }, func(v Values) float64 { return v.Total }}

// Validate reports the first invalid weight.
func (w Weights) Validate() error {
	for _, l := range All {
		if weight := l.Weight(w); !(weight >= 0) || math.IsInf(weight, 1) {
			return fault.Usage(fmt.Errorf("losses.%s is %g", l.Name, weight),
				"a loss's weight is 0 or more; 0 leaves the loss out")
		}
	}
	if !(w.Flow >= 0) || math.IsInf(w.Flow, 1) {
		return fault.Usage(fmt.Errorf("losses.flow is %g", w.Flow),
			"a loss's weight is 0 or more; 0 leaves the loss out")
	}
	if flow := w.Flow; flow > 0 && w != (Weights{Flow: flow}) {
		return fault.Usage(fmt.Errorf("losses.flow is %g beside other losses", flow),
			"a prior is trained by flow alone: set l1, semantic and regularization to 0")
	}
	if w == (Weights{}) {
		return fault.Usage(fmt.Errorf("losses: all weights are 0"),
			"give at least one of l1, semantic and regularization a positive weight, or flow to a prior")
	}
	return nil
}

// Inputs holds the nodes that the losses compare.
type Inputs struct {
	Z, PredictedZ *Node // [B,Z]
	ImageEmbeds   *Node // [B,E], the mapper's input
	// Render draws the pictures of PredictedZ and returns their embeddings [B,E]. It is called for the semantic loss only.
	Render func() *Node
	// Match builds the flow loss. It is called for that loss only, which needs none of the above.
	Match func() *Node
}

// Terms are the losses as scalars; a loss without weight is nil.
type Terms struct{ Total, L1, Semantic, Regularization *Node }

// Compute builds the losses that have a weight, and their weighted sum.
func Compute(w Weights, in Inputs) Terms {
	var t Terms
	add := func(weight float64, build func() *Node) *Node {
		if weight == 0 {
			return nil
		}
		loss := build()
		weighted := MulScalar(loss, weight)
		if t.Total == nil {
			t.Total = weighted
		} else {
			t.Total = Add(t.Total, weighted)
		}
		return loss
	}
	t.L1 = add(w.L1, func() *Node { return L1(in.PredictedZ, in.Z) })
	t.Semantic = add(w.Semantic, func() *Node { return Semantic(in.ImageEmbeds, in.Render()) })
	add(w.Flow, func() *Node { return in.Match() })
	t.Regularization = add(w.Regularization, func() *Node { return Regularization(in.PredictedZ) })
	return t
}

// Node packs the losses into one float32 node [4] that ValuesOf reads: total, l1, semantic, regularization. A loss
// without weight is 0.
func (t Terms) Node() *Node {
	parts := make([]*Node, 0, 4)
	for _, term := range []*Node{t.Total, t.L1, t.Semantic, t.Regularization} {
		if term == nil {
			term = ScalarZero(t.Total.Graph(), dtypes.Float32)
		}
		parts = append(parts, ConvertDType(term, dtypes.Float32))
	}
	return StopGradient(Stack(parts, 0))
}

// Values are the losses of a step as numbers.
type Values struct {
	Total          float64 `json:"total"`
	L1             float64 `json:"l1"`
	Semantic       float64 `json:"semantic"`
	Regularization float64 `json:"regularization"`
}

// ValuesOf reads what Terms.Node packed.
func ValuesOf(packed []float32) Values {
	return Values{float64(packed[0]), float64(packed[1]), float64(packed[2]), float64(packed[3])}
}

// Plus returns v + weight·other.
func (v Values) Plus(other Values, weight float64) Values {
	return Values{
		v.Total + weight*other.Total, v.L1 + weight*other.L1,
		v.Semantic + weight*other.Semantic, v.Regularization + weight*other.Regularization,
	}
}

// NonFinite returns the name and the value of the first loss that is infinite or not a number, the total last; "" if
// none is.
func (v Values) NonFinite() (string, float64) {
	for _, l := range append(slices.Clone(All), Total) {
		if value := l.Value(v); math.IsNaN(value) || math.IsInf(value, 0) {
			return l.Name, value
		}
	}
	return "", 0
}

// wide converts to float32 what is narrower.
func wide(x *Node) *Node {
	if x.DType() == dtypes.BFloat16 || x.DType() == dtypes.Float16 {
		return ConvertDType(x, dtypes.Float32)
	}
	return x
}
