package metrics

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"illustrator/internal/fault"
)

func TestKID(t *testing.T) {
	x, y := normal(1, 400, 8, 0, 1), normal(2, 300, 8, 0.3, 1)
	subsets := Subsets{Count: 20, Size: 100, Seed: 7}
	m, std, err := KernelInceptionDistance(x, y, subsets)
	if err != nil {
		t.Fatal(err)
	}
	again, _, _ := KernelInceptionDistance(x, y, subsets)
	subsets.Seed++
	other, _, _ := KernelInceptionDistance(x, y, subsets)
	if m.Value != again.Value || m.Value == other.Value {
		t.Errorf("by seed: %g, again %g, by another %g", m.Value, again.Value, other.Value)
	}
	if m.N != 300 || m.Caveat != "" || m.Better != Lower {
		t.Errorf("%+v", m)
	}
	// The mean over subsets estimates what the whole sets do: within five of its standard errors.
	whole := must[Metric](t)(KernelInceptionDistanceWhole(x, y))
	if math.Abs(m.Value-whole.Value) > 5*std/math.Sqrt(20) || whole.Value < 0.01 {
		t.Errorf("over subsets %g ± %g, of the whole %g", m.Value, std, whole.Value)
	}
	few, std, err := KernelInceptionDistance(normal(1, 30, 8, 0, 1), normal(2, 30, 8, 0, 1), Subsets{Count: 3})
	if err != nil || !strings.Contains(few.Caveat, "whole sets of 30") || std > 1e-12 {
		t.Errorf("small sets: %+v, deviation %g, %v", few, std, err)
	}
	if few, _, _ := KernelInceptionDistance(x, y, Subsets{Count: 3}); !strings.Contains(few.Caveat, "subsets of 300") {
		t.Errorf("smaller subsets: %+v", few)
	}
}

// MMD² without bias is 0 on average for equal distributions, however few samples.
func TestKIDIsUnbiased(t *testing.T) {
	values := make([]float64, 400)
	for i := range values {
		values[i] = unbiasedMMD(normal(uint64(2*i), 10, 4, 0, 1), normal(uint64(2*i+1), 15, 4, 0, 1))
	}
	mean, std := stat.MeanStdDev(values, nil)
	if math.Abs(mean) > 4*std/20 {
		t.Errorf("mean %g, standard error %g", mean, std/20)
	}
}

// Sums over tiles are those over all pairs, on both sides of a tile's edge.
func TestTilesVisitEachPairOnce(t *testing.T) {
	for _, sizes := range [][2]int{{1, 1}, {3, tile}, {tile, tile + 1}, {2*tile + 3, 5}} {
		x, y := mat.NewDense(sizes[0], 1, nil), mat.NewDense(sizes[1], 1, nil)
		for i := range sizes[0] {
			x.Set(i, 0, float64(i))
		}
		for j := range sizes[1] {
			y.Set(j, 0, float64(j))
		}
		triangle := func(n int) float64 { return float64(n) * float64(n-1) / 2 }
		product := func(xy, _, _ float64) float64 { return xy }
		if got, want := kernelSum(x, y, false, product), triangle(sizes[0])*triangle(sizes[1]); got != want {
			t.Errorf("%v: sum %g, want %g", sizes, got, want)
		}
		pairs := kernelSum(x, x, true, func(_, xx, yy float64) float64 {
			if xx >= yy {
				t.Fatalf("%v: a pair on or below the diagonal", sizes)
			}
			return 1
		})
		if pairs != triangle(sizes[0]) {
			t.Errorf("%d rows: %g pairs, want %g", sizes[0], pairs, triangle(sizes[0]))
		}
	}
}

func TestCMMD(t *testing.T) {
	x := normal(1, 200, 6, 1, 1)
	// The diagonals make equal sets equal: all sums are the same.
	if m := must[Metric](t)(CLIPMaximumMeanDiscrepancy(x, x)); math.Abs(m.Value) > 1e-9 {
		t.Errorf("of a set with itself: %g", m.Value)
	}
	scaled := mat.DenseCopyOf(x)
	scaled.Scale(3, scaled)
	y := normal(2, 150, 6, -1, 1)
	a, b := must[Metric](t)(CLIPMaximumMeanDiscrepancy(x, y)), must[Metric](t)(CLIPMaximumMeanDiscrepancy(scaled, y))
	if math.Abs(a.Value-b.Value) > 1e-9 || a.Value < 1 || a.Caveat != "" {
		t.Errorf("%+v; of longer embeddings %g", a, b.Value)
	}
	// Two points: k = exp(-2²/200) between them, 1 within each.
	two := mat.NewDense(2, 1, []float64{1, 1})
	far := mat.NewDense(2, 1, []float64{-5, -5})
	if m, want := must[Metric](t)(CLIPMaximumMeanDiscrepancy(two, far)),
		2000*(1-math.Exp(-0.02)); math.Abs(m.Value-want) > 1e-9 {
		t.Errorf("of two points %g, want %g", m.Value, want)
	}
	if m := must[Metric](t)(CLIPMaximumMeanDiscrepancy(x, normal(3, 200, 6, 1, 1))); !strings.Contains(m.Caveat, "bias") {
		t.Errorf("of two samples of one distribution: %+v", m)
	}
}

func TestManifoldClosedForms(t *testing.T) {
	line := func(at ...float64) *mat.Dense { return mat.NewDense(len(at), 1, at) }
	one := Neighbours{PrecisionRecall: 1, DensityCoverage: 1}
	for _, c := range []struct {
		name                                 string
		real, generated                      *mat.Dense
		precision, recall, density, coverage float64
	}{
		{"equal", line(0, 1, 10, 11), line(0, 1, 10, 11), 1, 1, 1, 1},
		{"one mode of two", line(0, 1, 10, 11), line(0.4, 0.5), 1, 0, 2, 0.5},
		{"far away", line(0, 1, 10, 11), line(50, 51), 0, 0, 0, 0},
		{"half outside", line(0, 1, 10, 11), line(0.5, 30), 0.5, 1, 1, 0.5},
	} {
		m := must[ManifoldMetrics](t)(Manifold(c.real, c.generated, one))
		if m.Precision.Value != c.precision || m.Recall.Value != c.recall || m.Density.Value != c.density ||
			m.Coverage.Value != c.coverage {
			t.Errorf("%s: precision %g, recall %g, density %g, coverage %g, want %+v", c.name,
				m.Precision.Value, m.Recall.Value, m.Density.Value, m.Coverage.Value, c)
		}
	}
	m := must[ManifoldMetrics](t)(Manifold(normal(1, 9, 2, 0, 1), normal(2, 7, 2, 0, 1), Neighbours{}))
	if !strings.Contains(m.Recall.Caveat, "9 real and 7 generated") || m.Recall.N != 7 {
		t.Errorf("unequal sets: %+v", m.Recall)
	}
}

// Radii over several tiles are those that sorting gives.
func TestRadiiAcrossTiles(t *testing.T) {
	const n = tile + 200
	x := normal(1, n, 2, 0, 1)
	got := radii(x, 2, 1)
	for _, i := range []int{0, 1, tile - 1, tile, n - 1} {
		first, second := math.Inf(1), math.Inf(1)
		for j := range n {
			if j != i {
				dx, dy := x.At(i, 0)-x.At(j, 0), x.At(i, 1)-x.At(j, 1)
				switch d := dx*dx + dy*dy; {
				case d < first:
					first, second = d, first
				case d < second:
					second = d
				}
			}
		}
		if math.Abs(got[1][i]-first) > 1e-12 || math.Abs(got[0][i]-second) > 1e-12 {
			t.Errorf("row %d: %g and %g, want %g and %g", i, got[1][i], got[0][i], first, second)
		}
	}
}

func TestSetsAreRefused(t *testing.T) {
	ok, one, wide := normal(1, 9, 3, 0, 1), normal(1, 1, 3, 0, 1), normal(1, 9, 4, 0, 1)
	broken := normal(1, 9, 3, 0, 1)
	broken.Set(4, 1, math.Inf(1))
	for name, measure := range map[string]func(x, y *mat.Dense) error{
		"kid":       func(x, y *mat.Dense) error { _, _, err := KernelInceptionDistance(x, y, Subsets{}); return err },
		"kid_whole": func(x, y *mat.Dense) error { _, err := KernelInceptionDistanceWhole(x, y); return err },
		"cmmd":      func(x, y *mat.Dense) error { _, err := CLIPMaximumMeanDiscrepancy(x, y); return err },
		"precision": func(x, y *mat.Dense) error { _, err := Manifold(x, y, Neighbours{}); return err },
	} {
		if err := measure(ok, ok); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := measure(ok, one); err == nil || !fault.IsUsage(err) || !strings.Contains(err.Error(), name) ||
			!strings.Contains(err.Error(), "1 samples") {
			t.Errorf("%s of one sample: %v", name, err)
		}
		if err := measure(wide, ok); err == nil || !strings.Contains(err.Error(), "4 and of 3 dimensions") {
			t.Errorf("%s of other dimensions: %v", name, err)
		}
		if err := measure(broken, ok); err == nil || !strings.Contains(err.Error(), "row 4, column 1 is +Inf") {
			t.Errorf("%s of an infinite feature: %v", name, err)
		}
		if err := measure(&mat.Dense{}, &mat.Dense{}); err == nil {
			t.Errorf("%s of nothing gives no error", name)
		}
	}
	constant := mat.NewDense(9, 3, nil)
	if _, err := Manifold(constant, ok, Neighbours{}); err == nil ||
		!strings.Contains(err.Error(), "all real samples are alike") || fault.HintOf(err) == "" {
		t.Errorf("real rows without variance: %v", err)
	}
	if m, err := Manifold(ok, constant, Neighbours{}); err != nil || m.Recall.Value != 0 {
		t.Errorf("generated rows without variance: %+v, %v", m.Recall, err)
	}
	if _, err := Manifold(ok, ok, Neighbours{PrecisionRecall: 9}); err == nil ||
		!strings.Contains(err.Error(), "at least 10") {
		t.Errorf("9 neighbours among 9: %v", err)
	}
	if _, err := Manifold(ok, ok, Neighbours{PrecisionRecall: -1}); err == nil {
		t.Error("-1 neighbours")
	}
	if _, _, err := KernelInceptionDistance(ok, ok, Subsets{Size: 1}); err == nil {
		t.Error("subsets of one row")
	}
}
