package eval

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"illustrator/eval/metrics"
)

// compared measures own rows [N,4] of ten texts against reference rows.
func compared(t *testing.T, own, reference []float32) map[string]metrics.Metric {
	t.Helper()
	m := &measurement{Request: Request{Domain: "d"}, result: &Result{}}
	n := len(own) / 4
	for i := range n {
		m.scores = append(m.scores, pictureScore{Text: i * 20 / n})
	}
	if err := m.measureSet(t.Context(), set{name: "CLIP d", dim: 4, own: own, reference: reference,
		caveat: "against these"}); err != nil {
		t.Fatal(err)
	}
	figures := map[string]metrics.Metric{}
	for _, f := range m.result.Metrics {
		figures[strings.TrimSuffix(f.Name, " (CLIP d features)")] = f
	}
	for _, r := range m.result.Refused {
		figures["refused "+strings.TrimSuffix(r.Metric, " (CLIP d features)")] = metrics.Metric{Caveat: r.Reason}
	}
	return figures
}

func normals(seed uint64, rows int, mean float64) []float32 {
	rng := rand.New(rand.NewPCG(seed, 0))
	values := make([]float32, 4*rows)
	for i := range values {
		values[i] = float32(mean + rng.NormFloat64())
	}
	return values
}

// FID from the moments of groups is FID of the rows, and so is its interval.
func TestFrechetOfGroups(t *testing.T) {
	own, reference := normals(1, 400, 0.3), normals(2, 300, 0)
	got := compared(t, own, reference)["fid"]
	x, _ := metrics.Rows(own, 4)
	y, _ := metrics.Rows(reference, 4)
	distance := func(keep []int) (float64, error) {
		a, err := momentsOf(metrics.Pick(x, keep))
		if err != nil {
			return 0, err
		}
		b, err := momentsOf(y)
		if err != nil {
			return 0, err
		}
		m, err := metrics.FrechetDistance(a, b)
		return m.Value, err
	}
	value, err := distance(identity(400))
	if err != nil {
		t.Fatal(err)
	}
	texts := make([]int, 400)
	for i := range texts {
		texts[i] = i / 20
	}
	want, err := jackknifed(metrics.Metric{Value: value}, (&measurement{}).groups(texts),
		func(_ int, keep []int) (float64, error) { return distance(keep) })
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(got.Value-value) > 1e-9 || math.Abs(got.Interval.Low-want.Interval.Low) > 1e-9 ||
		math.Abs(got.Interval.High-want.Interval.High) > 1e-9 {
		t.Errorf("got %g %v, want %g %v", got.Value, *got.Interval, value, *want.Interval)
	}
}

// KID over subsets has the interval of the whole sets' KID, around its own value.
func TestKernelIntervals(t *testing.T) {
	if testing.Short() {
		t.Skip("draws 100 subsets of 1,000 rows")
	}
	got := compared(t, normals(1, 1100, 0.3), normals(2, 1200, 0))
	subsets, all := got["kid"], got["kid_whole"]
	if subsets.Value == all.Value ||
		math.Abs((subsets.Interval.High-subsets.Value)-(all.Interval.High-all.Value)) > 1e-12 {
		t.Errorf("%+v, %+v", subsets, all)
	}
	if !(all.Interval.Low > 0) || all.Interval.High < all.Value {
		t.Errorf("sets that differ: %g, %v", all.Value, *all.Interval)
	}
}

// A set that does not vary is said to; what needs balls around its rows is refused.
func TestSetsWithoutVariance(t *testing.T) {
	varied := normals(1, 60, 0)
	constant := make([]float32, len(varied))
	for i := range constant {
		constant[i] = float32(3 + i%4)
	}
	constant[40] += 1e-6 // as float32 rounds
	got := compared(t, constant, varied)
	for _, name := range []string{"fid", "kid", "kid_whole", "cmmd", "precision", "recall", "density", "coverage"} {
		if f, ok := got[name]; !ok || math.IsNaN(f.Value) ||
			!strings.Contains(f.Caveat, "all pictures have the same features") {
			t.Errorf("%s of equal pictures: %+v, %v", name, f, ok)
		}
	}
	if got["recall"].Value != 0 {
		t.Errorf("recall of equal pictures is %g", got["recall"].Value)
	}
	got = compared(t, varied, constant)
	for _, name := range []string{"fid", "kid", "kid_whole", "cmmd"} {
		if f, ok := got[name]; !ok || math.IsNaN(f.Value) ||
			!strings.Contains(f.Caveat, "all pictures of the reference have the same features") {
			t.Errorf("%s against equal pictures: %+v, %v", name, f, ok)
		}
	}
	for _, name := range []string{"precision", "recall", "density", "coverage"} {
		if f, ok := got["refused "+name]; !ok || !strings.Contains(f.Caveat, "all real samples are alike") {
			t.Errorf("%s against equal pictures: %+v, %v", name, f, ok)
		}
	}
}

// Of many rows the interval is that of some, and says so; features that are no numbers take their figures only.
func TestSetsOfManyRowsAndOfNoNumbers(t *testing.T) {
	if testing.Short() {
		t.Skip("compares all pairs of 6,000 rows")
	}
	got := compared(t, normals(1, mostResampled, 0.3), normals(2, 60, 0))
	for name, thinned := range map[string]bool{"fid": false, "kid_whole": true, "precision": true} {
		f := got[name]
		if f.Interval == nil || strings.Contains(f.Caveat,
			"interval from 3000 of the pictures and 60 of the reference: too wide") != thinned {
			t.Errorf("%s: %+v", name, f)
		}
	}
	broken := normals(1, 60, 0)
	broken[17] = float32(math.NaN())
	for name, f := range compared(t, broken, normals(2, 60, 0)) {
		if !strings.HasPrefix(name, "refused ") || !strings.Contains(f.Caveat, "is NaN") {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
