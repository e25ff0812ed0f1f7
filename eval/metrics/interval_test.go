package metrics

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"illustrator/internal/fault"
)

// texts draws samples of texts whose means spread by between, and of seeds that spread by within around them.
func drawTexts(r *rand.Rand, texts, seeds int, between, within float64) []Sample {
	var samples []Sample
	for t := range texts {
		mean := between * r.NormFloat64()
		for s := range seeds {
			samples = append(samples, Sample{Text: t, Seed: uint64(s), Value: mean + within*r.NormFloat64()})
		}
	}
	return samples
}

// Under equal systems P is below 0.05 in one of 20 comparisons, within four standard deviations of the binomial, and
// exactly where 0 is outside of the interval.
func TestComparisonsOfEqualSystems(t *testing.T) {
	const comparisons = 1000
	for runs := range 4 {
		runs++
		called := 0
		for i := range comparisons {
			r := rand.New(rand.NewPCG(uint64(i), uint64(runs)))
			a, b := simulated(r, 30, runs, 0.5, 0.2, 0.1, 0.1), simulated(r, 30, runs, 0.5, 0.2, 0.1, 0.1)
			d := must[Difference](t)(CompareRuns(CLIPSimilarity, a, b))
			outside := d.Interval.Low > 0 || d.Interval.High < 0
			if outside != (d.P < 0.05) {
				t.Fatalf("P %g with the interval %v", d.P, *d.Interval)
			}
			if runs > 1 && d.P < 0.05 {
				called++
			}
			if runs > 1 {
				continue
			}
			x, y := drawTexts(r, 30, 3, 1, 0.5), drawTexts(r, 30, 3, 1, 0.5)
			if one := must[Difference](t)(compare(CLIPSimilarity, x, y)); one.P < 0.05 {
				called++
			}
		}
		t.Logf("%d runs: %d of %d equal systems are called different", runs, called, comparisons)
		most := 50 + 28
		if runs == 2 { // TestCoverage: the intervals of two runs hold the truth less often
			most = 130
		}
		if called < 1 || called > most {
			t.Errorf("%d runs: of %d equal systems %d are called different", runs, comparisons, called)
		}
	}
}

func TestMeanIsOrderless(t *testing.T) {
	samples := drawTexts(rand.New(rand.NewPCG(1, 1)), 30, 3, 1, 1)
	want := must[Metric](t)(Mean(CLIPSimilarity, samples))
	rand.New(rand.NewPCG(2, 2)).Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
	got := must[Metric](t)(Mean(CLIPSimilarity, samples))
	if math.Abs(got.Value-want.Value) > 1e-12 || math.Abs(got.Interval.Low-want.Interval.Low) > 1e-12 {
		t.Errorf("in another order: %+v, want %+v", got, want)
	}
	if want.N != 90 || want.Name != "clip_similarity" || want.Caveat != "" {
		t.Errorf("%+v", want)
	}
}

func TestMeanCaveatsAndRefusals(t *testing.T) {
	one := []Sample{{Text: 3, Seed: 1, Value: 0.5}, {Text: 3, Seed: 2, Value: 0.7}}
	if m := must[Metric](t)(Mean(CLIPSimilarity, one)); m.Interval != nil || m.Value != 0.6 ||
		!strings.Contains(m.Caveat, "one text") {
		t.Errorf("one text: %+v", m)
	}
	alike := []Sample{{Text: 1, Value: 1}, {Text: 2, Value: 1}, {Text: 3, Value: 1}}
	if m := must[Metric](t)(Mean(CLIPSimilarity, alike)); *m.Interval != (Interval{1, 1}) ||
		!strings.Contains(m.Caveat, "3 texts, below 10") || !strings.Contains(m.Caveat, "alike") {
		t.Errorf("equal texts: %+v", m)
	}
	for name, samples := range map[string][]Sample{"no samples": nil, "NaN": {{Value: math.NaN()}}} {
		if _, err := Mean(CLIPSimilarity, samples); err == nil {
			t.Errorf("%s give a mean", name)
		}
	}
}

func TestCompare(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	b := drawTexts(r, 40, 2, 5, 0.1)
	a := make([]Sample, len(b))
	for i, s := range b {
		s.Value += 0.2 + 0.1*r.NormFloat64()
		a[len(a)-1-i] = s // pairs are hits by text and seed
	}
	d := must[Difference](t)(compare(CLIPSimilarity, a, b))
	// Texts differ by 5, systems by 0.2: only pairs show it.
	if math.Abs(d.Value-0.2) > 0.05 || d.Interval.Low < 0.1 || d.Interval.High > 0.3 || d.P > 0.001 || d.N != 80 ||
		d.Unit() != "texts" {
		t.Errorf("%+v, interval %+v", d, d.Interval)
	}
	back := must[Difference](t)(compare(CLIPSimilarity, b, a))
	if math.Abs(back.Value+d.Value) > 1e-12 || math.Abs(back.P-d.P) > 1e-12 {
		t.Errorf("the other way round: %+v, want %+v reversed", back, d)
	}
	same := must[Difference](t)(compare(CLIPSimilarity, a, a))
	if same.Value != 0 || same.P != 1 {
		t.Errorf("a system with itself: %+v", same)
	}
	// Scores that don't vary: the difference is certain as far as they say, and the caveat says how far that is.
	half, whole := make([]Sample, 12), make([]Sample, 12)
	for i := range half {
		half[i], whole[i] = Sample{Text: i, Value: 0.5}, Sample{Text: i, Value: 1}
	}
	constant := must[Difference](t)(compare(CLIPSimilarity, whole, half))
	if constant.Value != 0.5 || *constant.Interval != (Interval{0.5, 0.5}) || constant.P != 2.0/4096 ||
		!strings.Contains(constant.Caveat, "all texts are alike") {
		t.Errorf("constant samples: %+v", constant)
	}
	if equal := must[Difference](t)(compare(CLIPSimilarity, half, half)); equal.Value != 0 || equal.P != 1 ||
		!strings.Contains(equal.Caveat, "all texts are alike") {
		t.Errorf("equal constant samples: %+v", equal)
	}
	if one := must[Difference](t)(compare(CLIPSimilarity, a[:1], a[:1])); one.Interval != nil || one.P != 1 ||
		one.Caveat == "" {
		t.Errorf("on one text: %+v", one)
	}
}

func TestCompareRefusesOtherPictures(t *testing.T) {
	a := []Sample{{Text: 0, Seed: 1}, {Text: 1, Seed: 1}}
	for name, b := range map[string][]Sample{
		"2 samples cannot be paired with 1":           a[:1],
		"text 1, seed 1 of one system has no partner": {{Text: 0, Seed: 1}, {Text: 1, Seed: 2}},
		"text 0, seed 1 of one system has no partner": {{Text: 1, Seed: 1}, {Text: 2, Seed: 1}},
		"no partner: the other has text 0, seed 1":    {{Text: 0, Seed: 1}, {Text: 0, Seed: 1}},
	} {
		if _, err := compare(CLIPSimilarity, a, b); err == nil || !fault.IsUsage(err) ||
			!strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a[0].Value != 0 || a[1].Value != 0 {
		t.Error("the samples were changed")
	}
}

func TestHolm(t *testing.T) {
	got := Holm([]float64{0.04, 0.01, 0.03, 0.5})
	for i, want := range []float64{0.09, 0.04, 0.09, 0.5} { // 0.01·4, 0.03·3, max(0.09, 0.04·2), 0.5
		if math.Abs(got[i]-want) > 1e-12 {
			t.Errorf("p %d is %g, want %g", i, got[i], want)
		}
	}
}

func TestAccuracy(t *testing.T) {
	judgements := []Judgement{
		{0, 1, "hair", true}, {0, 1, "beard", false}, {0, 2, "hair", true}, {0, 2, "beard", true},
		{1, 1, "hair", false},
		{2, 1, "hair", true}, {2, 1, "beard", true}, {2, 1, "glasses", true},
	}
	a := must[Accuracies](t)(Accuracy(judgements))
	if a.Overall.Value != 6.0/8 || a.Overall.N != 8 || a.Overall.Interval == nil || a.Overall.Unit != "share" {
		t.Errorf("overall %+v", a.Overall)
	}
	for name, want := range map[string]float64{"hair": 0.75, "beard": 2.0 / 3, "glasses": 1} {
		if got := a.ByAttribute[name]; got.Value != want {
			t.Errorf("%s: %+v, want %g", name, got, want)
		}
	}
	for named, want := range map[int]float64{1: 0, 2: 0.75, 3: 1} {
		if got := a.ByNamed[named]; got.Value != want {
			t.Errorf("%d named: %+v, want %g", named, got, want)
		}
	}
	if len(a.ByAttribute) != 3 || len(a.ByNamed) != 3 || a.ByAttribute["glasses"].Interval != nil {
		t.Errorf("%+v", a)
	}
	if _, err := Accuracy(append(judgements, Judgement{1, 1, "hair", true})); err == nil ||
		!strings.Contains(err.Error(), `"hair" is judged twice`) {
		t.Errorf("judged twice: %v", err)
	}
	if _, err := Accuracy(nil); err == nil {
		t.Error("no judgements have an accuracy")
	}
}

// Shares of texts that are all alike leave room: about 3 in the number of texts, as the rule of three has it.
func TestSharesOfAlikeTexts(t *testing.T) {
	of := func(value float64, texts int) (runs [][]Sample) {
		for range 3 {
			var run []Sample
			for i := range texts {
				run = append(run, Sample{Text: i, Value: value})
			}
			runs = append(runs, run)
		}
		return runs
	}
	for _, texts := range []int{5, 40, 140} {
		all := must[Metric](t)(MeanOverRuns(AttributeAccuracy, of(1, texts)))
		none := must[Metric](t)(MeanOverRuns(AttributeAccuracy, of(0, texts)))
		missed := 1 - all.Interval.Low
		if all.Interval.High != 1 || none.Interval.Low != 0 || math.Abs(missed-none.Interval.High) > 1e-12 ||
			missed < 3/float64(texts+3) || missed > 8/float64(texts+8) {
			t.Errorf("%d texts: %v and %v", texts, *all.Interval, *none.Interval)
		}
		d := must[Difference](t)(CompareRuns(AttributeAccuracy, of(1, texts), of(0, texts)))
		same := must[Difference](t)(CompareRuns(AttributeAccuracy, of(1, texts), of(1, texts)))
		if d.Value != 1 || d.Interval.High != 1 || d.Interval.Low > 1-2/float64(texts) || d.P == 0 ||
			same.P != 1 || same.Interval.High < 1/float64(texts) || same.Interval.Low != -same.Interval.High {
			t.Errorf("%d texts: %+v %v, %+v %v", texts, d, *d.Interval, same, *same.Interval)
		}
	}
}

// Wilson's interval ends where a true share is as far from the measured one as its own deviation allows.
func TestWilson(t *testing.T) {
	var samples []Sample
	for i := range 50 {
		samples = append(samples, Sample{Text: i, Value: float64(min(i, 1))}) // one failure
	}
	m := must[Metric](t)(Mean(AttributeAccuracy, samples))
	independent, reach := 49.0, 2.009575 // scipy.stats.t.ppf(0.975, 49); the variance has 49 degrees of freedom
	for _, p := range []float64{m.Interval.Low, m.Interval.High} {
		if distance := math.Abs(p-0.98) / math.Sqrt(p*(1-p)/independent); math.Abs(distance-reach) > 1e-4 {
			t.Errorf("%v: %g deviations from 0.98, want %g", *m.Interval, distance, reach)
		}
	}
}

// The variance of a mean over texts and runs, by hand: rows (1, 2), (3, 6), (5, 4).
func TestVarianceOfTextsAndRuns(t *testing.T) {
	table := [][]float64{{1, 3, 5}, {2, 6, 4}}
	var runs [][]Sample
	for _, values := range table {
		var run []Sample
		for i, v := range values {
			run = append(run, Sample{Text: i, Value: v})
		}
		runs = append(runs, run)
	}
	got, _, err := crossed("x", runs)
	if err != nil {
		t.Fatal(err)
	}
	// Mean 3.5; of texts 1.5, 4.5, 4.5; of runs 3, 4. The rest is 0, -1, 1 in the first run and 0, 1, -1 in the second:
	// MS texts 2·(4 + 1 + 1)/2 = 6, MS runs 3·(1/4 + 1/4)/1 = 1.5, MS rest 4/2 = 2. So texts alone count.
	e := got.estimate()
	total, freedom := 6.0, 36/(36.0/2+2.25/1+4.0/2)
	if e.mean != 3.5 || math.Abs(e.variance-total/6) > 1e-12 || math.Abs(e.freedom-freedom) > 1e-12 {
		t.Errorf("%+v, want the variance %g with %g degrees of freedom", e, total/6, freedom)
	}
}

// A comparison finds the difference that it calls detectable in Power of all simulations.
func TestDetectable(t *testing.T) {
	const simulations = 1000
	hits, smallest := 0, 0.0
	for i := range simulations {
		r := rand.New(rand.NewPCG(uint64(i), 11))
		a, b := simulated(r, 60, 4, 0, 0.1, 0.02, 0.1), simulated(r, 60, 4, 0, 0, 0.02, 0.1)
		d := must[Difference](t)(CompareRuns(CLIPSimilarity, a, b))
		detectable, ok := d.Detectable(0.05)
		if !ok {
			t.Fatal("nothing is detectable")
		}
		smallest += detectable / simulations
	}
	for i := range simulations {
		r := rand.New(rand.NewPCG(uint64(i), 12))
		a, b := simulated(r, 60, 4, smallest, 0.1, 0.02, 0.1), simulated(r, 60, 4, 0, 0, 0.02, 0.1)
		if d := must[Difference](t)(CompareRuns(CLIPSimilarity, a, b)); d.P < 0.05 {
			hits++
		}
	}
	t.Logf("a difference of %.3f is called one in %d of %d", smallest, hits, simulations)
	if hits < 740 || hits > 860 {
		t.Errorf("a difference of %.3f is called one in %d of %d", smallest, hits, simulations)
	}
}
