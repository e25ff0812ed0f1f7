package world

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/cmd/worlds/lorelei"
	"illustrator/cmd/worlds/scene"
	"illustrator/cmd/worlds/scene/scenetest"
	"illustrator/cmd/worlds/whiskers"
	"illustrator/models/clip"
	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
)

func labelsOf(domains ...scene.Domain) labels {
	var shares []Share
	for _, d := range domains {
		shares = append(shares, Share{renderCaptions{&Renders{Domain: d}, 0}, 1})
	}
	return newLabels(shares)
}

// TestLabels puts a domain's attributes behind those of the domains before it, and leaves those of others and of a
// source with few pictures empty.
func TestLabels(t *testing.T) {
	one, two := renders(t, lorelei.Domain{}), renders(t, whiskers.Domain{})
	mix, err := newMixture([]Share{{renderCaptions{one, 0}, 0.4}, {renderCaptions{two, 0}, 0.6}}, 30, 7)
	if err != nil {
		t.Fatal(err)
	}
	b, err := mix.batch(0)
	if err != nil {
		t.Fatal(err)
	}
	first, width := len(one.Domain.Attributes()), len(one.Domain.Attributes())+len(two.Domain.Attributes())
	for i := range 30 {
		want := slices.Repeat([]int32{-1}, width)
		if i >= 12 {
			copy(want[first:], two.Values(mix.rowsAt(0, 1)[i-12:i-11]))
		}
		if got := b.values[i*width : (i+1)*width]; !slices.Equal(got, want) {
			t.Errorf("label of picture %d is %v, want %v", i, got, want)
		}
	}
}

// TestCenter takes each domain's mean off, and gives 0 to pictures without a label.
func TestCenter(t *testing.T) {
	l := labelsOf(lorelei.Domain{}, whiskers.Domain{})
	values := slices.Concat(l.of("lorelei", []int32{-1, 3}), l.none(), l.of("whiskers", []int32{1}),
		l.of("lorelei", []int32{0}))
	out, err := ExecOnce(nntest.Backend(t), l.center, [][]float32{{1, 2}, {5, 5}, {3, 4}, {2, 6}},
		tensors.FromFlatDataAndDimensions(values, 4, len(l.all.Attributes)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := tensors.CopyFlatData[float32](out)
	if err != nil {
		t.Fatal(err)
	}
	if want := []float32{-0.5, -2, 0, 0, 0, 0, 0.5, 2}; !slices.Equal(got, want) {
		t.Errorf("centered are %v, want %v", got, want)
	}
}

// TestNameGradients compares the gradients of embeddings and of the linear layer with finite differences in float64.
// They pass through the means of the domains; a picture without a label has the gradient 0.
func TestNameGradients(t *testing.T) {
	const width = 6
	l, store := labelsOf(scenetest.Toy{}, lorelei.Domain{}), model.NewStore()
	lines := [][]int32{l.of("toy", []int32{0, 1, 1}), l.of("toy", []int32{3, 2, -1}), l.none(),
		l.of("lorelei", []int32{1, 2, 0, 1}), l.of("toy", []int32{1, 1, 0}), l.of("lorelei", []int32{0, 1, 1, -1}),
		l.of("lorelei", []int32{2, 0, 1, 0})}
	values := tensors.FromFlatDataAndDimensions(slices.Concat(lines...), len(lines), len(l.all.Attributes))
	variable := func(name string, rows int) *model.Variable {
		flat := make([]float64, rows*width)
		for i := range flat {
			flat[i] = 0.5 * math.Sin(float64(i*i%97))
		}
		return store.VariableWithValue(name, tensors.FromFlatDataAndDimensions(flat, rows, width))
	}
	embeds := variable("embeds", len(lines))
	variable(headName, l.head(1, width).Shape().Dim(0))
	nntest.CheckWeightGradients(t, store, func(scope *model.Scope, g *Graph) *Node {
		return l.crossEntropy(scope, embeds.NodeValue(g), Const(g, values))
	}, 1e-6, 1e-6)
	out, err := model.CallOnce(nntest.Backend(t), store, func(scope *model.Scope, g *Graph) *Node {
		x := embeds.NodeValue(g)
		return Slice(Gradient(l.crossEntropy(scope, x, Const(g, values)), x)[0], AxisElem(2))
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := tensors.MustCopyFlatData[float64](out); !slices.Equal(got, make([]float64, width)) {
		t.Errorf("the gradient of a picture without a label is %v", got)
	}
}

// TestStartOf loads the towers and the linear layer in one order, whichever call it is, and nothing of the optimizer.
func TestStartOf(t *testing.T) {
	one := checkpoints.Float32Tensor([]float32{1}, 1)
	for range 20 {
		store, err := startOf(&checkpoints.Weights{Tensors: map[string]checkpoints.Tensor{
			"optimizers/adam/step": one, headName: one, "clip/b": one, "clip/a": one}})
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for v := range store.IterVariables() {
			paths = append(paths, v.Path())
		}
		if want := []string{"/clip/a", "/clip/b", "/head"}; !slices.Equal(paths, want) {
			t.Fatalf("the order is %v, want %v", paths, want)
		}
	}
}

// TestCones compares the mean cosines of a fresh CLIP's pictures, and of its texts, with those without biases.
func TestCones(t *testing.T) {
	const batch = 8
	m := &Maker{Plan: TinyPlan()}
	cfg := m.Plan.CLIP
	cfg.Text.VocabSize, cfg.Text.EOSTokenID = 50, 49
	rows, ids, random := make([]int, batch), make([]int32, batch*contextTokens), scene.Random(4, 0)
	for i := range rows {
		rows[i] = i
	}
	for i := range ids {
		ids[i] = int32(random.IntN(50))
	}
	pixels, err := renders(t, whiskers.Domain{}).Pictures(rows)
	if err != nil {
		t.Fatal(err)
	}
	cosines := func(w *checkpoints.Weights) (pictures, texts float32) {
		store := model.NewStore()
		if err := nn.Load(store.Scope("/"+clipScope), w, dtypes.Float32, false); err != nil {
			t.Fatal(err)
		}
		out := nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
			mean := func(x *Node) *Node { // of all pairs, those with itself among them
				return ReduceAllSum(Square(ReduceMean(L2Normalize(x, -1), 0)))
			}
			x := clip.Preprocess(cfg, images(in[0], Scalar(in[0].Graph(), dtypes.Float32, 0)))
			return []*Node{mean(clip.ImageEmbeds(scope.At(clipScope), cfg, x)),
				mean(clip.TextEmbeds(scope.At(clipScope), cfg, in[1]))}
		}, tensors.FromFlatDataAndDimensions(pixels, batch, cfg.Vision.ImageSize, cfg.Vision.ImageSize, 3),
			tensors.FromFlatDataAndDimensions(ids, batch, contextTokens))
		return out[0][0], out[1][0]
	}
	pictures, texts := cosines(m.cones(cfg))
	wide, wideTexts := cosines(clip.Init(cfg, m.Plan.Seed+21))
	if !(1-pictures < (1-wide)/2 && 1-texts < (1-wideTexts)/2) {
		t.Errorf("mean cosines of pictures %.2f, of texts %.2f; without biases %.2f, %.2f", pictures, texts, wide, wideTexts)
	}
}
