package metrics

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"illustrator/internal/fault"
)

// diagonal returns a covariance of d equal variances.
func diagonal(d int, variance float64) *mat.SymDense {
	s := mat.NewSymDense(d, nil)
	for i := range d {
		s.SetSym(i, i, variance)
	}
	return s
}

func TestFrechetClosedForms(t *testing.T) {
	const d = 6
	zero, shifted := make([]float64, d), []float64{3, 0, -4, 0, 0, 0}
	full := must[*mat.SymDense](t)(momentsOf(t, normal(1, 50, d, 2, 3)).Covariance())
	for _, c := range []struct {
		name           string
		mean1, mean2   []float64
		first, second  *mat.SymDense
		want, accuracy float64
	}{
		{"equal Gaussians", zero, zero, full, full, 0, 1e-10},
		{"shifted mean", zero, shifted, full, full, 25, 1e-10},
		{"N(0,1) and N(0,σ²), d(1-σ)²", zero, zero, diagonal(d, 1), diagonal(d, 0.3*0.3), d * 0.7 * 0.7, 1e-12},
		{"N(0,σ²) and N(0,1)", zero, zero, diagonal(d, 2.5*2.5), diagonal(d, 1), d * 1.5 * 1.5, 1e-12},
		{"a point and N(0,1)", zero, zero, diagonal(d, 0), diagonal(d, 1), d, 1e-12},
		{"N(0,1) and a point", zero, zero, diagonal(d, 1), diagonal(d, 0), d, 1e-12},
		{"two points", zero, shifted, diagonal(d, 0), diagonal(d, 0), 25, 1e-12},
	} {
		got := must[float64](t)(frechet(c.mean1, c.mean2, c.first, c.second))
		if !(math.Abs(got-c.want) <= c.accuracy) {
			t.Errorf("%s: %.15g, want %g", c.name, got, c.want)
		}
	}
}

// The closed form for Gaussians that share their axes, and the symmetry, with fewer samples than dimensions. The square
// roots of rounded zeros among the eigenvalues are near 1e-8 of the scale.
func TestFrechetOfDeficientCovariances(t *testing.T) {
	a, b := momentsOf(t, normal(1, 10, 40, 0, 1)), momentsOf(t, normal(2, 12, 40, 0, 1))
	doubled := must[*mat.SymDense](t)(a.Covariance())
	single := must[*mat.SymDense](t)(a.Covariance())
	doubled.ScaleSym(4, doubled)
	got, want := must[float64](t)(frechet(a.mean, a.mean, single, doubled)), mat.Trace(single) // (1-2)² of each variance
	if math.Abs(got-want) > 1e-6*want {
		t.Errorf("distance to the doubled Gaussian %g, want %g", got, want)
	}
	if got := must[Metric](t)(FrechetDistance(a, a)); got.Value > 1e-6 {
		t.Errorf("distance to itself %g", got.Value)
	}
	ab, ba := must[Metric](t)(FrechetDistance(a, b)), must[Metric](t)(FrechetDistance(b, a))
	if math.Abs(ab.Value-ba.Value) > 1e-6*ab.Value || ab.Value < 1 {
		t.Errorf("not symmetric: %g and %g", ab.Value, ba.Value)
	}
	if ab.N != 10 || !strings.Contains(ab.Caveat, "rank-deficient") || !strings.Contains(ab.Caveat, "biased upwards") {
		t.Errorf("%+v carries no fit caveat", ab)
	}
}

func TestFrechetCaveatsAndRefusals(t *testing.T) {
	enough, few := momentsOf(t, normal(1, 2048, 3, 0, 1)), momentsOf(t, normal(2, 2047, 3, 0, 1))
	if m := must[Metric](t)(FrechetDistance(enough, enough)); m.Caveat != "" || m.N != 2048 || m.Better != Lower {
		t.Errorf("%+v", m)
	}
	if m := must[Metric](t)(FrechetDistance(enough, few)); !strings.Contains(m.Caveat, "2047 samples") ||
		strings.Contains(m.Caveat, "deficient") {
		t.Errorf("%+v", m)
	}
	if _, err := FrechetDistance(enough, momentsOf(t, normal(1, 1, 3, 0, 1))); err == nil || !fault.IsUsage(err) ||
		!strings.Contains(err.Error(), "1 samples") {
		t.Errorf("one sample: %v", err)
	}
	if _, err := FrechetDistance(enough, momentsOf(t, normal(1, 9, 4, 0, 1))); err == nil {
		t.Error("features of 3 and 4 dimensions are compared")
	}
}

// Means far from 0 cost a sum of squares its digits; merging keeps them.
func TestMomentsKeepTheirDigits(t *testing.T) {
	const offset = 1e6
	x := normal(3, 1000, 4, 0, 1)
	want := must[*mat.SymDense](t)(momentsOf(t, x).Covariance())
	x.Apply(func(_, _ int, v float64) float64 { return v + offset }, x)
	whole, inBatches, merged, rest := momentsOf(t, x), NewMoments(4), NewMoments(4), NewMoments(4)
	for from := 0; from < 1000; from += 130 {
		batch := mat.DenseCopyOf(x.Slice(from, min(from+130, 1000), 0, 4))
		to := merged
		if from > 500 {
			to = rest
		}
		for _, m := range []*Moments{inBatches, to} {
			if err := m.Add(batch); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, m := range []*Moments{rest, NewMoments(4)} {
		if err := merged.Merge(m); err != nil {
			t.Fatal(err)
		}
	}
	for name, m := range map[string]*Moments{"whole": whole, "in batches": inBatches, "merged": merged} {
		got := must[*mat.SymDense](t)(m.Covariance())
		// The offset's own rounding, 1e6·2⁻⁵³, is 1e-10.
		if m.N() != 1000 || !mat.EqualApprox(got, want, 1e-8) || math.Abs(m.Mean()[0]-whole.Mean()[0]) > 1e-8 {
			t.Errorf("%s: %d rows, mean %v, covariance\n%v\nwant\n%v", name, m.N(), m.Mean(), mat.Formatted(got),
				mat.Formatted(want))
		}
	}
	if err := whole.Merge(NewMoments(5)); err == nil {
		t.Error("moments of other dimensions are merged")
	}
	if err := whole.Add(mat.NewDense(1, 4, []float64{1, 2, math.NaN(), 4})); err == nil ||
		!strings.Contains(err.Error(), "column 2 is NaN") {
		t.Errorf("NaN: %v", err)
	}
}
