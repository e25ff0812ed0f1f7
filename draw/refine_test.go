package draw

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

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

func tiny(t *testing.T) (*pipeline.Networks, string) {
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
	return n, dir
}

// wave gives n values that look like no other n.
func wave(n int, phase float64) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(math.Sin(1.7*float64(i)+phase) * 1.3)
	}
	return values
}

// The gradient of eq. 9 through generator and CLIP, and of eq. 10, with respect to z, in float64.
func TestGradient(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the gradient of all networks")
	}
	n, dir := tiny(t)
	if err := pipelinetest.LoadFloat64(n.Store, n.Generator, dir); err != nil {
		t.Fatal(err)
	}
	wide := func(x []float32) []float64 {
		out := make([]float64, len(x))
		for i, v := range x {
			out[i] = float64(v)
		}
		return out
	}
	target := tensors.FromFlatDataAndDimensions(wide(wave(2*embedDim, 2)), 2, embedDim)
	r := stepGraph{noise: stylegan2.NoiseConst}
	// Activations and the losses' absolute values have corners, which a step of 1e-6 crosses almost never.
	nntest.CheckGradient(t, n.Store, func(scope *model.Scope, z *graph.Node) *graph.Node {
		semantics, regularizations := r.losses(scope, n, z, graph.ConstTensor(z.Graph(), target), nil)
		return graph.Concatenate([]*graph.Node{semantics, regularizations}, 0)
	}, tensors.FromFlatDataAndDimensions(wide(wave(2*zDim, 0)), 2, zDim), 1e-6, 1e-5)
}

// Three steps of Adam as the paper writes them, in float64: float32 keeps seven digits of them.
func TestAdam(t *testing.T) {
	const rows, rate = 6, 0.05
	z, m, v := wave(rows, 0), make([]float32, rows), make([]float32, rows)
	want, wantM, wantV := make([]float64, rows), make([]float64, rows), make([]float64, rows)
	for i := range want {
		want[i] = float64(z[i])
	}
	for step := 1; step <= 3; step++ {
		gradient := wave(rows, float64(step))
		r, bound := AdamRate(rate, step)
		out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*graph.Node) []*graph.Node {
			a, b, c := AdamStep(in[0], in[1], in[2], in[3], in[4], in[5])
			return []*graph.Node{a, b, c}
		}, z, m, v, gradient, float32(r), float32(bound))
		z, m, v = out[0], out[1], out[2]
		for i, g := range gradient {
			wantM[i] = 0.9*wantM[i] + 0.1*float64(g)
			wantV[i] = 0.999*wantV[i] + 0.001*float64(g)*float64(g)
			mHat, vHat := wantM[i]/(1-math.Pow(0.9, float64(step))), wantV[i]/(1-math.Pow(0.999, float64(step)))
			want[i] -= rate * mHat / (math.Sqrt(vHat) + 1e-8)
			if math.Abs(float64(z[i])-want[i]) > 1e-6 {
				t.Errorf("step %d, value %d: %g, want %g", step, i, z[i], want[i])
			}
		}
	}
}

// Both losses fall for each picture; the result is the z with the losses it states; pictures of a batch do not know of
// each other, and may have come differently far; and the same steps give the same bits.
func TestRefine(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the gradient of all networks")
	}
	n, _ := tiny(t)
	const steps = 20
	start := func(places ...int) (all []*Refinement) {
		z, embeds := wave(3*zDim, 0), wave(3*embedDim, 2)
		for _, i := range places {
			r := NewRefinement(row(z, zDim, i), row(embeds, embedDim, i), uint64(i+1), stylegan2.NoiseConst, steps)
			all = append(all, r)
		}
		return all
	}
	take := func(all []*Refinement) []*Refinement {
		t.Helper()
		for range steps + 1 {
			if err := Step(t.Context(), n, all); err != nil {
				t.Fatal(err)
			}
		}
		return all
	}
	got := take(start(0, 1, 2))
	var z []float32
	for _, r := range got {
		z = append(z, r.best...)
	}
	synthesis := pipeline.Synthesis{NoiseMode: stylegan2.NoiseConst, Keys: []uint64{1, 2, 3}}
	embeds, err := n.RenderAndEmbed(t.Context(), z, synthesis)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range got {
		if !(r.after.Total < r.before.Total-0.01) || !(r.after.Semantic < r.before.Semantic) || !r.Done() {
			t.Errorf("picture %d: losses %+v became %+v", i, r.before, r.after)
		}
		if want := 1 - vectors.Cosine(row(embeds, embedDim, i), r.imageEmbed); math.Abs(r.after.Semantic-want) > 1e-4 {
			t.Errorf("picture %d: eq. 9 of its z is %g, stated is %g", i, want, r.after.Semantic)
		}
		if want := r.after.Semantic + refineWeight*r.after.Regularization; r.after.Total != want {
			t.Errorf("picture %d: total %g, want %g", i, r.after.Total, want)
		}
	}
	for i, r := range take(start(0, 1, 2)) {
		if !slices.Equal(r.best, got[i].best) {
			t.Error("the same steps give another z")
		}
	}
	// Sums run in another order where the batch is another, and 20 steps carry that on.
	if d := nntest.MaxAbs(t, take(start(1))[0].best, got[1].best); d > 1e-3 {
		t.Errorf("a picture by itself: z differs by %g", d)
	}
	pair := start(0, 1)
	for round := range steps + 1 + 5 {
		var together []*Refinement
		for i, begins := range []int{0, 5} {
			if round >= begins && !pair[i].Done() {
				together = append(together, pair[i])
			}
		}
		if err := Step(t.Context(), n, together); err != nil {
			t.Fatal(err)
		}
	}
	if d := nntest.MaxAbs(t, append(pair[0].best, pair[1].best...), z[:2*zDim]); d > 1e-3 {
		t.Errorf("pictures that began one after the other: z differs by %g", d)
	}
	stop := errors.New("stop")
	stopped, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if err := Step(stopped, n, start(0)); !errors.Is(err, stop) {
		t.Errorf("a cancelled context: %v", err)
	}
}

// The z of the lowest loss is kept, the first among equals.
func TestBestIsKept(t *testing.T) {
	r := NewRefinement([]float32{1}, nil, 0, stylegan2.NoiseConst, 3)
	for i, loss := range []float64{0.5, 0.7, 0.4, 0.4} {
		r.z = []float32{float32(i)}
		r.judge(Loss{Total: loss})
	}
	if r.best[0] != 2 || r.before.Total != 0.5 || r.after.Total != 0.4 || !r.Done() {
		t.Errorf("%+v", r)
	}
}
