package metrics

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"illustrator/internal/fault"
)

func TestCLIPScores(t *testing.T) {
	got := CLIPScores([]float64{-0.5, 0, 0.2, 1})
	for i, want := range []float64{0, 0, 0.5, 2.5} {
		if got[i] != want {
			t.Errorf("score %d is %g, want %g", i, got[i], want)
		}
	}
	if m := must[Metric](t)(TorchMetricsCLIPScore([]float64{0.4, -0.2})); math.Abs(m.Value-10) > 1e-12 || m.N != 2 {
		t.Errorf("%+v, want 10: the mean before the cut", m)
	}
	if _, err := TorchMetricsCLIPScore(nil); err == nil || !fault.IsUsage(err) {
		t.Errorf("of nothing: %v", err)
	}
	if _, err := cosines(normal(1, 3, 2, 0, 1), normal(1, 4, 2, 0, 1)); err == nil {
		t.Error("3 pictures are paired with 4 texts")
	}
}

func TestRows(t *testing.T) {
	x := must[*mat.Dense](t)(Rows([]float32{1, 2, 3, 4, 5, 6}, 3))
	if n, d := x.Dims(); n != 2 || d != 3 || x.At(1, 0) != 4 {
		t.Errorf("%v", mat.Formatted(x))
	}
	for _, dim := range []int{0, -1, 4} {
		if _, err := Rows([]float32{1, 2, 3, 4, 5, 6}, dim); err == nil {
			t.Errorf("6 values are rows of %d", dim)
		}
	}
	if _, err := Rows([]float32{}, 3); err == nil {
		t.Error("nothing is rows")
	}
}

func TestRPrecisionSharesTheFirstPlace(t *testing.T) {
	texts := mat.NewDense(4, 2, []float64{1, 0, 0, 1, 2, 0, 0, -1}) // the first and the third have one direction
	images := mat.NewDense(3, 2, []float64{1, 0.1, 0, 1, 0.1, 1})
	got := must[[]float64](t)(RPrecisions(images, texts, []int{2, 1, 0}, 0, 0))
	for i, want := range []float64{0.5, 1, 0} {
		if got[i] != want {
			t.Errorf("picture %d has credit %g, want %g", i, got[i], want)
		}
	}
}

// Without any knowledge, 1 of 100 is right once in 100: whether texts are all different or all the same.
func TestRPrecisionOfChance(t *testing.T) {
	const n, texts = 4000, 150
	own := make([]int, n)
	for i := range own {
		own[i] = i % texts
	}
	images := normal(1, n, 16, 0, 1)
	random := must[[]float64](t)(RPrecisions(images, normal(2, texts, 16, 0, 1), own, 100, 3))
	mean, std := stat.MeanStdDev(random, nil)
	if math.Abs(mean-0.01) > 4*std/math.Sqrt(n) {
		t.Errorf("random texts: %g", mean)
	}
	same := mat.NewDense(texts, 16, nil)
	same.Apply(func(_, j int, _ float64) float64 { return float64(j) }, same)
	for i, c := range must[[]float64](t)(RPrecisions(images, same, own, 100, 3)) {
		if math.Abs(c-0.01) > 1e-15 {
			t.Fatalf("equal texts: credit %g for picture %d", c, i)
		}
	}
}

// The seed draws the others for each picture; the own text is never among them.
func TestRPrecisionDrawsBySeed(t *testing.T) {
	const n = 300
	own := make([]int, n)
	sequence(own)
	texts := normal(1, n, 8, 0, 1)
	images := normal(2, n, 8, 0, 1)
	images.Add(images, texts)
	credits := func(candidates int, seed uint64) []float64 {
		return must[[]float64](t)(RPrecisions(images, texts, own, candidates, seed))
	}
	first, again, other, all := credits(20, 1), credits(20, 1), credits(20, 2), credits(0, 1)
	differ := 0
	for i := range first {
		if first[i] != again[i] {
			t.Fatal("one seed draws differently")
		}
		if first[i] != other[i] {
			differ++
		}
		if all[i] > first[i] {
			t.Errorf("picture %d wins among all texts and loses among 20", i)
		}
	}
	if differ == 0 || stat.Mean(all, nil) >= stat.Mean(first, nil) {
		t.Errorf("%d pictures depend on the seed; 1 of 20 is %g, 1 of %d is %g", differ, stat.Mean(first, nil), n,
			stat.Mean(all, nil))
	}
	exact := must[[]float64](t)(RPrecisions(texts, texts, own, 100, 1))
	if stat.Mean(exact, nil) != 1 {
		t.Errorf("pictures that are their texts have %g", stat.Mean(exact, nil))
	}
}

func TestRPrecisionRefuses(t *testing.T) {
	x := normal(1, 4, 3, 0, 1)
	for _, c := range []struct {
		own        []int
		candidates int
		message    string
	}{
		{[]int{0, 1, 2, 3}, 100, "1 of 100 needs 100 different texts, there are 4"},
		{[]int{0, 1, 2, 3}, 1, "1 of 1 is not a choice"},
		{[]int{0, 1, 2}, 0, "4 pictures have 3 texts"},
		{[]int{0, 1, 2, 4}, 0, "picture 3 belongs to text 4 of 4"},
	} {
		if _, err := RPrecisions(x, x, c.own, c.candidates, 0); err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestDiversity(t *testing.T) {
	x := mat.NewDense(5, 2, []float64{1, 0, 2, 0, 1, 0, 0, 3, -1, 0})
	got := must[[]Sample](t)(Diversities(x, []int{7, 7, 2, 2, 2}))
	// Text 2: cosines 0, -1, 0; text 7: the same direction twice.
	if len(got) != 2 || got[0].Text != 2 || math.Abs(got[0].Value-4.0/3) > 1e-12 || got[1].Text != 7 ||
		math.Abs(got[1].Value) > 1e-12 {
		t.Errorf("%+v", got)
	}
	if _, err := Diversities(x, []int{7, 7, 2, 2, 1}); err == nil || !strings.Contains(err.Error(), "text 1: 1 samples") {
		t.Errorf("a text with one picture: %v", err)
	}
}

func TestVendiClosedForms(t *testing.T) {
	for _, c := range []struct {
		rows []float64
		dim  int
		want float64
	}{
		{[]float64{1, 0, 3, 0, 0.5, 0}, 2, 1},              // one direction
		{[]float64{1, 0, 0, 0, 2, 0, 0, 0, 3}, 3, 3},       // orthogonal
		{[]float64{1, 0, 0, 1, 1, 0, 0, 1}, 2, 2},          // two kinds, equally often
		{[]float64{1, 0, 0, 0, 0, 1, 0, 0}, 4, 2},          // fewer rows than dimensions
		{[]float64{1, 1, 1}, 1, 1},                         // one dimension
		{[]float64{1, 0, 1, 0, 1, 0, 0, 1}, 2, 1.75476535}, // exp of the entropy of (3/4, 1/4)
	} {
		if m := must[Metric](t)(Vendi(must[*mat.Dense](t)(Rows(c.rows, c.dim)))); math.Abs(m.Value-c.want) > 1e-8 {
			t.Errorf("%v: %g, want %g", c.rows, m.Value, c.want)
		}
	}
}

// Kernels of parts, added, are that of the whole.
func TestVendiOfParts(t *testing.T) {
	x := normal(4, 50, 6, 0.5, 1)
	all := &Kernel{}
	for from := 0; from < 50; from += 20 {
		all = all.Plus(CosineKernel(mat.DenseCopyOf(x.Slice(from, min(from+20, 50), 0, 6))))
	}
	got, want := must[Metric](t)(all.Vendi()), must[Metric](t)(Vendi(x))
	if math.Abs(got.Value-want.Value) > 1e-12 || got.N != 50 {
		t.Errorf("of parts %+v, of the whole %+v", got, want)
	}
	if _, err := (&Kernel{}).Vendi(); err == nil {
		t.Error("no rows have a score")
	}
}

func TestLatentStatistics(t *testing.T) {
	// Collapsed to one point at distance 2: (σ-1)² of each dimension, and the mean's square.
	s := must[Latents](t)(LatentStatistics(mat.NewDense(2, 3, []float64{2, 0, 0, 2, 0, 0})))
	if s.Distance.Value != 4+3 || s.LowestStd.Value != 0 || s.HighestMean != (Extreme{0, 2}) ||
		math.Abs(s.Std-math.Sqrt(8.0/9)) > 1e-12 {
		t.Errorf("%+v", s)
	}
	// Samples of N(0, I): distance near its floor, which the caveat states.
	s = must[Latents](t)(LatentStatistics(normal(1, 400, 256, 0, 1)))
	if math.Abs(s.Distance.Value/s.Floor-1) > 0.2 || !strings.Contains(s.Distance.Caveat, "N(0, I) itself") {
		t.Errorf("distance %g, floor %g, caveat %q", s.Distance.Value, s.Floor, s.Distance.Caveat)
	}
	if s := must[Latents](t)(LatentStatistics(normal(1, 400, 4, 3, 2))); s.Distance.Caveat != "" ||
		math.Abs(s.Distance.Value-40) > 4 {
		t.Errorf("N(3, 4) in 4 dimensions: %+v, want about 40", s.Distance)
	}
	if _, err := LatentStatistics(mat.NewDense(1, 3, nil)); err == nil {
		t.Error("one z has a spread")
	}
}
