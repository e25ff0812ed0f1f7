package methods

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/draw"
	"illustrator/internal/vectors"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/stylegan2"
)

const (
	zDim     = pipelinetest.ZDim
	embedDim = pipelinetest.EmbedDim
)

func TestMain(m *testing.M) {
	nntest.CompileFast()
	os.Exit(m.Run())
}

func tiny(t *testing.T) (draw.Model, string) {
	t.Helper()
	dir := t.TempDir()
	if _, err := pipelinetest.Write(dir, 1); err != nil {
		t.Fatal(err)
	}
	at := pipeline.Locations{Generator: filepath.Join(dir, "generator"), CLIP: filepath.Join(dir, "clip")}
	n, err := pipeline.Open(nntest.Backend(t), at)
	if err != nil {
		t.Fatal(err)
	}
	prompts := pipeline.Prompts{Text: wave(embedDim, 20), Image: wave(embedDim, 21)}
	return draw.Model{Name: "tiny", Alpha: 1.5, Networks: n, Prompts: prompts}, dir
}

// wave gives n values that look like no other n.
func wave(n int, phase float64) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(math.Sin(1.7*float64(i)+phase) * 1.3)
	}
	return values
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// recipes are two texts without projection, by a noise that is the same in all pictures.
func recipes(first uint64) []draw.Recipe {
	manner := draw.Manner{NoProjection: true, NoiseMode: stylegan2.NoiseConst, TruncationPsi: 1}
	return []draw.Recipe{
		{TextEmbed: wave(embedDim, 2), Manner: manner, Seed: first},
		{TextEmbed: wave(embedDim, 5), Manner: manner, Seed: first + 1},
	}
}

// The gradient of the loss with respect to the styles of each space, in float64.
func TestOptimizationGradient(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the gradient of all networks")
	}
	m, dir := tiny(t)
	if err := pipelinetest.LoadFloat64(m.Store, m.Generator, dir); err != nil {
		t.Fatal(err)
	}
	for space, rows := range map[Space]int{W: 1, WPlus: m.Generator.NumLayers()} {
		o := Optimizer{m, Optimization{Space: space}}
		constant := func(g *graph.Graph, values []float32, dims ...int) *graph.Node {
			return graph.ConstTensor(g, tensors.FromFlatDataAndDimensions(wide(values), dims...))
		}
		// Activations have corners, which a step of 1e-6 crosses almost never.
		nntest.CheckGradient(t, m.Store, func(scope *model.Scope, w *graph.Node) *graph.Node {
			g := w.Graph()
			return o.loss(scope, stylegan2.NoiseConst, w, constant(g, wave(2*embedDim, 2), 2, embedDim), nil,
				constant(g, wave(zDim, 9), 1, zDim), graph.Const(g, 0.05))
		}, tensors.FromFlatDataAndDimensions(wide(wave(2*rows*zDim, 0)), 2, rows, zDim), 1e-6, 1e-5)
	}
}

// The pictures come closer to their texts than the mean's, closer in W+ than in W; a great weight of the distance holds
// them at the mean; the same call gives the same bits.
func TestOptimize(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the gradient of all networks")
	}
	m, _ := tiny(t)
	similarity := func(o Optimization) (mean float64, styles []float32) {
		t.Helper()
		pictures, err := Optimizer{m, o}.Draw(t.Context(), recipes(0)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range pictures {
			embed, err := m.EmbedImages(t.Context(), p.Pixels, pipelinetest.Size, pipelinetest.Size)
			if err != nil {
				t.Fatal(err)
			}
			mean += vectors.Cosine(embed, p.TextEmbed) / float64(len(pictures))
			styles = append(styles, p.Styles...)
		}
		return mean, styles
	}
	const steps = 40
	// The first step's rate is 0, so one step stays at the mean.
	before, atMean := similarity(Optimization{Space: W, Steps: 1, LearningRate: 0.1})
	w, styles := similarity(Optimization{Space: W, Steps: steps, LearningRate: 0.1})
	plus, _ := similarity(Optimization{Space: WPlus, Steps: steps, LearningRate: 0.1})
	_, held := similarity(Optimization{Space: W, Steps: steps, LearningRate: 0.1, L2: 1000})
	if !(before+0.05 < w && w < plus) {
		t.Errorf("similarity %.3f at the mean, %.3f in W, %.3f in W+", before, w, plus)
	}
	if far, near := distance(styles, atMean), distance(held, atMean); near > far/5 {
		t.Errorf("a weight of 1000 leaves %.3f of a distance of %.3f", near, far)
	}
	if _, again := similarity(Optimization{Space: W, Steps: steps, LearningRate: 0.1}); !slices.Equal(again, styles) {
		t.Error("the same call gave other bits")
	}
}

func distance(a, b []float32) (sum float64) {
	for i := range a {
		sum += math.Pow(float64(a[i]-b[i]), 2)
	}
	return math.Sqrt(sum)
}

// The schedule of StyleCLIP's get_lr(t, 0.1, rampdown 0.25, rampup 0.05) for 20 steps.
func TestOptimizationRate(t *testing.T) {
	o := Optimization{Steps: 20, LearningRate: 0.1}
	for i, want := range map[int]float64{0: 0, 1: 0.1, 10: 0.1, 15: 0.1, 16: 0.0904508, 18: 0.0345492, 19: 0.00954915} {
		if got := o.rate(i); math.Abs(got-want) > 1e-7 {
			t.Errorf("step %d: %g, want %g", i, got, want)
		}
	}
}

// The pictures of a text are those of its nearest pairs, the nearest first.
func TestRetrieve(t *testing.T) {
	m, _ := tiny(t)
	const pairs = 5
	r := &Retriever{Model: m, z: wave(pairs*zDim, 3), embeds: wave(pairs*embedDim, 7), first: 10}
	same := recipes(10)
	same[1].TextEmbed = same[0].TextEmbed
	pictures, err := r.Draw(t.Context(), same...)
	if err != nil {
		t.Fatal(err)
	}
	cosine := func(i int) float64 { return vectors.Cosine(same[0].TextEmbed, r.embeds[i*embedDim:(i+1)*embedDim]) }
	var best [2]int
	for i := range pairs {
		above := 0
		for j := range pairs {
			if cosine(j) > cosine(i) {
				above++
			}
		}
		if above < 2 {
			best[above] = i
		}
	}
	for rank, p := range pictures {
		if want := r.z[best[rank]*zDim : (best[rank]+1)*zDim]; !slices.Equal(p.Z, want) {
			t.Errorf("picture %d has another z than pair %d", rank, best[rank])
		}
	}
	same[0].Seed = 10 + pairs
	if _, err := r.Draw(t.Context(), same[:1]...); err == nil {
		t.Error("more pictures than pairs")
	}
}

// A projected text looks for the pair of its projection.
func TestRetrieveByProjection(t *testing.T) {
	m, _ := tiny(t)
	recipe := recipes(0)[0]
	recipe.NoProjection, recipe.Alpha = false, m.Alpha
	projected, err := m.Project(t.Context(), recipe.TextEmbed, m.Prompts, m.Alpha)
	if err != nil {
		t.Fatal(err)
	}
	r := &Retriever{Model: m, z: wave(2*zDim, 3), embeds: slices.Concat(recipe.TextEmbed, projected)}
	for plain, want := range []int{1, 0} {
		recipe.NoProjection = plain == 1
		pictures, err := r.Draw(t.Context(), recipe)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(pictures[0].Z, r.z[want*zDim:(want+1)*zDim]) {
			t.Errorf("without projection %v: not pair %d", plain == 1, want)
		}
	}
}

func TestMeter(t *testing.T) {
	m, _ := tiny(t)
	file := filepath.Join(t.TempDir(), "cost.json")
	r := &Retriever{Model: m, z: wave(2*zDim, 3), embeds: wave(2*embedDim, 7)}
	meter, err := NewMeter(r, file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := meter.Figures(0); err == nil {
		t.Error("a figure of no picture")
	}
	for range 2 {
		if _, err := meter.Draw(t.Context(), recipes(0)...); err != nil {
			t.Fatal(err)
		}
	}
	again, err := NewMeter(r, file) // as after an interruption
	if err != nil {
		t.Fatal(err)
	}
	figures, err := again.Figures(7)
	if err != nil || figures[0].N != 2 || figures[1].Value != 0 || figures[2].Value != 7 {
		t.Errorf("%v, %v", figures, err)
	}
	if err := os.WriteFile(file, []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := NewMeter(r, file); err == nil {
		t.Error("a damaged file is read")
	}
}

func TestSettings(t *testing.T) {
	for want, err := range map[string]error{
		"retrieval.pairs":            Retrieval{Pairs: -1}.Validate(),
		"optimization.space":         Optimization{Space: "z", Steps: 1, LearningRate: 1}.Validate(),
		"optimization.steps":         Optimization{Space: W, LearningRate: 1}.Validate(),
		"optimization.learning_rate": Optimization{Space: W, Steps: 1, LearningRate: math.NaN()}.Validate(),
		"optimization.l2":            Optimization{Space: WPlus, Steps: 1, LearningRate: 1, L2: math.Inf(1)}.Validate(),
	} {
		if err == nil {
			t.Errorf("%s is accepted", want)
		}
	}
	if err := (Optimization{Space: WPlus, Steps: 300, LearningRate: 0.1, L2: 0.008}).Validate(); err != nil {
		t.Error(err)
	}
}
