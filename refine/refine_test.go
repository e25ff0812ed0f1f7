package refine

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn"
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
	n, err := pipeline.Open(nntest.Backend(t), pipeline.Locations{Generator: filepath.Join(dir, "generator"), CLIP: filepath.Join(dir, "clip")})
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
	for _, network := range []string{"generator", "clip"} {
		folder, err := checkpoints.Open(filepath.Join(dir, network))
		if err != nil {
			t.Fatal(err)
		}
		weights, err := folder.Weights()
		if err != nil {
			t.Fatal(err)
		}
		if network == "generator" {
			err = stylegan2.Load(n.Store.Scope(network), n.Generator, weights, dtypes.Float64)
		} else {
			err = nn.Load(n.Store.Scope(network), weights, dtypes.Float64, false)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	wide := func(x []float32) []float64 {
		out := make([]float64, len(x))
		for i, v := range x {
			out[i] = float64(v)
		}
		return out
	}
	target := tensors.FromFlatDataAndDimensions(wide(wave(2*embedDim, 2)), 2, embedDim)
	r := Options{NoiseMode: stylegan2.NoiseConst}
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
		r, bound := corrected(rate, step)
		out := nntest.Run(t, model.NewStore(), func(_ *model.Scope, in []*graph.Node) []*graph.Node {
			a, b, c := adam(in[0], in[1], in[2], in[3], in[4], in[5])
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

// Both losses fall for each picture; the result is the z with the losses it states; pictures of a batch do not know of each
// other; and the same request gives the same bits.
func TestRefine(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the gradient of all networks")
	}
	n, _ := tiny(t)
	t.Run("mistakes", func(t *testing.T) { checkMistakes(t, n) }) // compiles too: the program serves what follows
	r := Request{
		Z: wave(3*zDim, 0), ImageEmbeds: wave(3*embedDim, 2), Keys: []uint64{1, 2, 3}, Steps: 20,
		Options: Options{stylegan2.NoiseConst, DefaultLearningRate, DefaultRegularization, pipeline.Float32},
	}
	var told []int
	r.Progress = func(done, total int) { told = append(told, done, total) }
	got := refine(t, n, r)
	if !slices.Equal(told[:2], []int{3, 60}) || !slices.Equal(told[len(told)-2:], []int{60, 60}) || got.Drawn != 63 {
		t.Errorf("told %v, drawn %d", told, got.Drawn)
	}
	embeds, err := n.RenderAndEmbed(t.Context(), got.Z, pipeline.Synthesis{NoiseMode: r.NoiseMode, Keys: r.Keys})
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Keys {
		before, after := got.Before[i], got.After[i]
		if !(after.Total < before.Total-0.01) || !(after.Semantic < before.Semantic) {
			t.Errorf("picture %d: losses %+v became %+v", i, before, after)
		}
		if want := 1 - cosine(embeds[i*embedDim:(i+1)*embedDim], r.ImageEmbeds[i*embedDim:(i+1)*embedDim]); math.Abs(after.Semantic-want) > 1e-4 {
			t.Errorf("picture %d: eq. 9 of its z is %g, stated is %g", i, want, after.Semantic)
		}
		if want := after.Semantic + r.Regularization*after.Regularization; after.Total != want {
			t.Errorf("picture %d: total %g, want %g", i, after.Total, want)
		}
	}
	if again := refine(t, n, r); !slices.Equal(again.Z, got.Z) {
		t.Error("the same request gives another z")
	}
	alone := r
	alone.Z, alone.ImageEmbeds, alone.Keys = r.Z[zDim:2*zDim], r.ImageEmbeds[embedDim:2*embedDim], r.Keys[1:2]
	// Sums run in another order where the batch is another, and 20 steps carry that on.
	if d := nntest.MaxAbs(t, refine(t, n, alone).Z, got.Z[zDim:2*zDim]); d > 1e-3 {
		t.Errorf("a picture by itself: z differs by %g", d)
	}
	// Pictures that have come differently far take their steps together.
	first, second := NewPicture(r.Z[:zDim], r.ImageEmbeds[:embedDim], 1), NewPicture(r.Z[zDim:2*zDim], r.ImageEmbeds[embedDim:2*embedDim], 2)
	for round := range 20 + 1 + 5 {
		var together []*Picture
		for p, begins := range map[*Picture]int{first: 0, second: 5} {
			if round >= begins && p.Rounds <= 20 {
				together = append(together, p)
			}
		}
		if err := Step(t.Context(), n, r.Options, together); err != nil {
			t.Fatal(err)
		}
	}
	if d := nntest.MaxAbs(t, append(first.Best, second.Best...), got.Z[:2*zDim]); d > 1e-3 || first.Rounds != 21 || second.Rounds != 21 {
		t.Errorf("pictures that began one after the other: z differs by %g, %d and %d rounds", d, first.Rounds, second.Rounds)
	}
	wild := r
	wild.LearningRate = 1000
	if wild := refine(t, n, wild); slices.ContainsFunc(wild.After, func(l Loss) bool { return !(l.Total <= 2.6) }) || wild.After[0].Total > got.Before[0].Total {
		t.Errorf("steps that are too long make it worse: %+v", wild.After)
	}
}

func refine(t *testing.T, n *pipeline.Networks, r Request) *Result {
	t.Helper()
	result, err := Refine(t.Context(), n, r)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

func checkMistakes(t *testing.T, n *pipeline.Networks) {
	good := Request{
		Z: wave(3*zDim, 0), ImageEmbeds: wave(3*embedDim, 2), Keys: []uint64{1, 2, 3}, Steps: 2,
		Options: Options{NoiseMode: stylegan2.NoiseConst, LearningRate: 0.1, Precision: pipeline.Float32},
	}
	for name, change := range map[string]func(*Request){
		"no pictures":       func(r *Request) { r.Keys = nil },
		"a part of a z":     func(r *Request) { r.Z = r.Z[1:] },
		"a part of a row":   func(r *Request) { r.ImageEmbeds = r.ImageEmbeds[1:] },
		"no steps":          func(r *Request) { r.Steps = 0 },
		"no rate":           func(r *Request) { r.LearningRate = 0 },
		"a negative weight": func(r *Request) { r.Regularization = -1 },
	} {
		r := good
		change(&r)
		if _, err := Refine(t.Context(), n, r); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	stop := errors.New("stop")
	stopped, cancel := context.WithCancelCause(t.Context())
	good.Progress = func(int, int) { cancel(stop) }
	if _, err := Refine(stopped, n, good); !errors.Is(err, stop) {
		t.Errorf("a cancelled context: %v", err)
	}
}
