package metrics

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"illustrator/checkpoints"
)

// goldens holds the values of accepted implementations for stored features; testdata/make_goldens.py wrote them.
type goldens struct {
	t *testing.T
	w *checkpoints.Weights
}

func openGoldens(t *testing.T) goldens {
	t.Helper()
	w, err := checkpoints.ReadSafetensors("testdata/goldens.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	return goldens{t, w}
}

func (g goldens) values(name string) []float64 {
	g.t.Helper()
	tensor, ok := g.w.Tensors[name]
	if !ok {
		g.t.Fatalf("no golden %q", name)
	}
	values, err := tensor.Float64s()
	if err != nil {
		g.t.Fatal(err)
	}
	return values
}

func (g goldens) rows(name string) *mat.Dense {
	g.t.Helper()
	shape := g.w.Tensors[name].Shape
	rows, err := Rows(g.values(name), shape[len(shape)-1])
	if err != nil {
		g.t.Fatal(err)
	}
	return rows
}

// near compares a value with a golden. Both are float64 throughout, so they differ by the order of sums only: at most
// 1e-9 of the value, or of 1 for those near 0.
func (g goldens) near(name string, got float64) {
	g.t.Helper()
	want := g.values(name)[0]
	if !(math.Abs(got-want) <= 1e-9*math.Max(1, math.Abs(want))) {
		g.t.Errorf("%s: got %.15g, want %.15g", name, got, want)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestParityOfFID(t *testing.T) {
	g := openGoldens(t)
	real, fake := momentsOf(t, g.rows("real")), momentsOf(t, g.rows("fake"))
	for i, want := range g.values("mean") {
		if math.Abs(real.Mean()[i]-want) > 1e-12 {
			t.Errorf("mean %d is %g, want %g", i, real.Mean()[i], want)
		}
	}
	covariance := must[*mat.SymDense](t)(real.Covariance())
	if want := g.rows("covariance"); !mat.EqualApprox(covariance, want, 1e-12) {
		t.Errorf("covariance %v, want %v", mat.Formatted(covariance), mat.Formatted(want))
	}
	for _, pair := range [][2]*Moments{{real, fake}, {fake, real}} {
		fid := must[Metric](t)(FrechetDistance(pair[0], pair[1]))
		g.near("fid.clean_fid", fid.Value)
		g.near("fid.torch_fidelity", fid.Value)
	}
}

func TestParityOfKernels(t *testing.T) {
	g := openGoldens(t)
	real, fake := g.rows("real"), g.rows("fake")
	rows := g.rows("kid.rows") // pairs of rows: a subset of real, a subset of fake
	subsets, size := rows.Dims()
	values := make([]float64, subsets/2)
	index := func(of []float64) []int {
		indices := make([]int, size)
		for i, v := range of {
			indices[i] = int(v)
		}
		return indices
	}
	mean, squares := 0.0, 0.0
	for i := range values {
		v := unbiasedMMD(Pick(real, index(rows.RawRowView(2*i))), Pick(fake, index(rows.RawRowView(2*i+1))))
		mean, squares = mean+v/float64(len(values)), squares+v*v/float64(len(values))
	}
	g.near("kid.mean", mean)
	g.near("kid.std", math.Sqrt(squares-mean*mean))
	g.near("kid.whole", must[Metric](t)(KernelInceptionDistanceWhole(real, fake)).Value)
	m, d := fake.Dims()
	equal := mat.DenseCopyOf(real.Slice(0, m, 0, d))
	g.near("kid.whole_equal", must[Metric](t)(KernelInceptionDistanceWhole(equal, fake)).Value)

	shift := func(x *mat.Dense) *mat.Dense {
		y := mat.DenseCopyOf(x)
		y.Apply(func(_, _ int, v float64) float64 { return v - 0.5 }, y)
		return y
	}
	g.near("cmmd", must[Metric](t)(CLIPMaximumMeanDiscrepancy(shift(real), shift(fake))).Value)
}

func TestParityOfManifold(t *testing.T) {
	g := openGoldens(t)
	real, fake := g.rows("real"), g.rows("fake")
	usual := must[ManifoldMetrics](t)(Manifold(real, fake, Neighbours{}))
	other := must[ManifoldMetrics](t)(Manifold(real, fake, Neighbours{PrecisionRecall: 5, DensityCoverage: 3}))
	for name, got := range map[string]Metric{
		"prdc.3.precision": usual.Precision, "prdc.3.recall": usual.Recall, "prdc.5.density": usual.Density,
		"prdc.5.coverage":  usual.Coverage,
		"prdc.5.precision": other.Precision, "prdc.5.recall": other.Recall, "prdc.3.density": other.Density,
		"prdc.3.coverage": other.Coverage,
	} {
		g.near(name, got.Value)
	}
}

func TestParityOfSimilarity(t *testing.T) {
	g := openGoldens(t)
	images, texts := g.rows("images"), g.rows("texts")
	cosines := must[[]float64](t)(cosines(images, texts))
	mixed, negative, scores := make([]float64, len(cosines)), make([]float64, len(cosines)), 0.0
	for i, want := range g.values("cosines") {
		if math.Abs(cosines[i]-want) > 1e-12 {
			t.Errorf("cosine %d is %g, want %g", i, cosines[i], want)
		}
		mixed[i], negative[i] = cosines[i]-0.8, -math.Abs(cosines[i])
		scores += CLIPScores(cosines)[i] / float64(len(cosines))
	}
	g.near("clip_score", scores)
	for name, c := range map[string][]float64{"positive": cosines, "mixed": mixed, "negative": negative} {
		g.near("torchmetrics."+name, must[Metric](t)(TorchMetricsCLIPScore(c)).Value)
	}

	own := make([]int, len(cosines))
	sequence(own)
	credits := must[[]float64](t)(RPrecisions(images, texts, own, 0, 0))
	sum := 0.0
	for i, c := range credits {
		if i != 3 && i != 7 { // their texts are the same: half a credit each at most, which torchmetrics does not know
			sum += c
		}
	}
	g.near32("r_precision.1_of_n", sum/float64(len(credits)-2))
}

// near32 is near for an implementation that answers in float32.
func (g goldens) near32(name string, got float64) {
	g.t.Helper()
	if want := g.values(name)[0]; !(math.Abs(got-want) <= 1e-7) {
		g.t.Errorf("%s: got %.15g, want %.15g", name, got, want)
	}
}

func TestParityOfDiversity(t *testing.T) {
	g := openGoldens(t)
	images := g.rows("images")
	n, d := images.Dims()
	samples := must[[]Sample](t)(Diversities(images, make([]int, n)))
	g.near("diversity", samples[0].Value)
	g.near("vendi.more_rows", must[Metric](t)(Vendi(images)).Value)
	g.near("vendi.more_dimensions", must[Metric](t)(Vendi(mat.DenseCopyOf(images.Slice(0, 8, 0, d)))).Value)
}

func TestParityOfLatents(t *testing.T) {
	g := openGoldens(t)
	s := must[Latents](t)(LatentStatistics(g.rows("z")))
	g.near("z.mean", s.Mean)
	g.near("z.std", s.Std)
	g.near("z.distance", s.Distance.Value)
	for name, e := range map[string][2]Extreme{"z.means": {s.LowestMean, s.HighestMean},
		"z.stds": {s.LowestStd, s.HighestStd}} {
		values := g.values(name)
		for i, v := range values {
			if v < e[0].Value-1e-12 || v > e[1].Value+1e-12 {
				t.Errorf("%s: %g of dimension %d lies outside %v", name, v, i, e)
			}
		}
		for _, e := range e {
			if math.Abs(values[e.Dimension]-e.Value) > 1e-12 {
				t.Errorf("%s: dimension %d has %g, not %g", name, e.Dimension, values[e.Dimension], e.Value)
			}
		}
	}
}

func TestParityOfIntervals(t *testing.T) {
	g := openGoldens(t)
	sample := g.values("bootstrap.sample")
	samples := make([]Sample, len(sample))
	for i, v := range sample {
		samples[i] = Sample{Text: i, Value: v}
	}
	// Another method than BCa: its ends differ by up to a tenth of the width for 40 skewed texts.
	want := g.values("bootstrap.bca")
	m := must[Metric](t)(Mean(CLIPSimilarity, samples))
	if width := want[1] - want[0]; math.Abs(m.Interval.Low-want[0]) > 0.1*width ||
		math.Abs(m.Interval.High-want[1]) > 0.1*width {
		t.Errorf("interval %v, want about %v", *m.Interval, want)
	}
}
