package metrics

import (
	"math"
	"math/rand/v2"
	"reflect"
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

// TestCoverage simulates 300 evaluations, whose true mean is 0, and counts the intervals that hold it. 95 % of 300 is
// 285 with a standard deviation of 3.8 if the intervals are right; four of them are allowed for.
func TestCoverage(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates 300 evaluations; run without -short")
	}
	const runs, texts, seeds = 300, 40, 4
	for _, c := range []struct {
		name            string
		between, within float64
	}{{"texts differ", 1, 0.3}, {"seeds differ", 0.1, 1}} {
		covered, pooled := 0, 0
		for run := range runs {
			samples := drawTexts(rand.New(rand.NewPCG(uint64(run), 8)), texts, seeds, c.between, c.within)
			b := Bootstrap{Resamples: minResamples, Seed: uint64(run)}
			holds := func(samples []Sample) bool {
				m := must[Metric](t)(Mean(CLIPSimilarity, samples, b))
				return m.Interval.Low <= 0 && 0 <= m.Interval.High
			}
			if holds(samples) {
				covered++
			}
			for i := range samples {
				samples[i].Text = i // as if every picture had a text of its own
			}
			if holds(samples) {
				pooled++
			}
		}
		t.Logf("%s: %d of %d intervals hold the mean; %d if texts are ignored", c.name, covered, runs, pooled)
		if covered < 270 || covered == runs {
			t.Errorf("%s: %d of %d intervals hold the mean", c.name, covered, runs)
		}
		if c.between > c.within && pooled > 240 {
			t.Errorf("%s: intervals that ignore texts hold the mean %d times of %d; this test shows nothing", c.name, pooled,
				runs)
		}
	}
}

// Under equal systems p is below 0.05 in one of 20 comparisons, within four standard deviations of the binomial.
func TestComparisonsOfEqualSystems(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates 300 comparisons; run without -short")
	}
	const runs = 300
	flips, boots, outside := 0, 0, 0
	for run := range runs {
		r := rand.New(rand.NewPCG(uint64(run), 9))
		a, b := drawTexts(r, 30, 3, 1, 0.5), drawTexts(r, 30, 3, 1, 0.5)
		d := must[Difference](t)(Compare(a, b, Bootstrap{Resamples: minResamples, Seed: uint64(run)}))
		if d.P < 0.05 {
			flips++
		}
		if d.BootstrapP < 0.05 {
			boots++
		}
		if d.Interval.Low > 0 || d.Interval.High < 0 {
			outside++
		}
	}
	t.Logf("of %d: %d by flipping signs, %d by the bootstrap, %d intervals without 0", runs, flips, boots, outside)
	for _, n := range []int{flips, boots, outside} {
		if n < 1 || n > 15+15 {
			t.Errorf("of %d equal systems %d are called different", runs, n)
		}
	}
}

func TestMeanIsDeterministicAndOrderless(t *testing.T) {
	samples := drawTexts(rand.New(rand.NewPCG(1, 1)), 30, 3, 1, 1)
	b := Bootstrap{Resamples: 2000, Seed: 4}
	want := must[Metric](t)(Mean(CLIPSimilarity, samples, b))
	if again := must[Metric](t)(Mean(CLIPSimilarity, samples, b)); !reflect.DeepEqual(again, want) {
		t.Errorf("again: %+v, want %+v", again, want)
	}
	rand.New(rand.NewPCG(2, 2)).Shuffle(len(samples), func(i, j int) { samples[i], samples[j] = samples[j], samples[i] })
	got := must[Metric](t)(Mean(CLIPSimilarity, samples, b))
	if math.Abs(got.Value-want.Value) > 1e-12 || math.Abs(got.Interval.Low-want.Interval.Low) > 1e-12 {
		t.Errorf("in another order: %+v, want %+v", got, want)
	}
	b.Seed++
	if other := must[Metric](t)(Mean(CLIPSimilarity, samples, b)); *other.Interval == *want.Interval {
		t.Error("another seed draws the same")
	}
	if want.N != 90 || want.Name != "clip_similarity" || want.Caveat != "" {
		t.Errorf("%+v", want)
	}
}

func TestMeanCaveatsAndRefusals(t *testing.T) {
	one := []Sample{{Text: 3, Seed: 1, Value: 0.5}, {Text: 3, Seed: 2, Value: 0.7}}
	if m := must[Metric](t)(Mean(CLIPSimilarity, one, Bootstrap{})); m.Interval != nil || m.Value != 0.6 ||
		!strings.Contains(m.Caveat, "one text") {
		t.Errorf("one text: %+v", m)
	}
	alike := []Sample{{Text: 1, Value: 1}, {Text: 2, Value: 1}, {Text: 3, Value: 1}}
	if m := must[Metric](t)(Mean(CLIPSimilarity, alike, Bootstrap{})); *m.Interval != (Interval{1, 1}) ||
		!strings.Contains(m.Caveat, "3 texts, below 10") || !strings.Contains(m.Caveat, "alike") {
		t.Errorf("equal texts: %+v", m)
	}
	for name, samples := range map[string][]Sample{"no samples": nil, "NaN": {{Value: math.NaN()}}} {
		if _, err := Mean(CLIPSimilarity, samples, Bootstrap{}); err == nil {
			t.Errorf("%s give a mean", name)
		}
	}
	if _, err := Mean(CLIPSimilarity, alike, Bootstrap{Resamples: 10}); err == nil || !fault.IsUsage(err) {
		t.Errorf("10 resamples: %v", err)
	}
}

func TestCompare(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	b := drawTexts(r, 40, 2, 5, 0.1)
	a := make([]Sample, len(b))
	for i, s := range b {
		s.Value += 0.2 + 0.1*r.NormFloat64()
		a[len(a)-1-i] = s // pairs are found by text and seed
	}
	d := must[Difference](t)(Compare(a, b, Bootstrap{Resamples: 2000}))
	// Texts differ by 5, systems by 0.2: only pairs show it.
	if math.Abs(d.Value-0.2) > 0.05 || d.Interval.Low < 0.1 || d.Interval.High > 0.3 || d.P > 0.001 ||
		d.BootstrapP > 0.002 || d.N != 80 {
		t.Errorf("%+v, interval %+v", d, d.Interval)
	}
	back := must[Difference](t)(Compare(b, a, Bootstrap{Resamples: 2000}))
	if math.Abs(back.Value+d.Value) > 1e-12 || back.P != d.P {
		t.Errorf("the other way round: %+v, want %+v reversed", back, d)
	}
	same := must[Difference](t)(Compare(a, a, Bootstrap{}))
	if same.Value != 0 || same.P != 1 || same.BootstrapP != 1 {
		t.Errorf("a system with itself: %+v", same)
	}
	// Samples that don't vary: the difference is certain as far as they say, and the caveat says how far that is.
	half, whole := make([]Sample, 12), make([]Sample, 12)
	for i := range half {
		half[i], whole[i] = Sample{Text: i, Value: 0.5}, Sample{Text: i, Value: 1}
	}
	constant := must[Difference](t)(Compare(whole, half, Bootstrap{}))
	if constant.Value != 0.5 || *constant.Interval != (Interval{0.5, 0.5}) || constant.P != 2.0/4096 ||
		!strings.Contains(constant.Caveat, "all texts are alike") {
		t.Errorf("constant samples: %+v", constant)
	}
	if equal := must[Difference](t)(Compare(half, half, Bootstrap{})); equal.Value != 0 || equal.P != 1 ||
		!strings.Contains(equal.Caveat, "all texts are alike") {
		t.Errorf("equal constant samples: %+v", equal)
	}
	if one := must[Difference](t)(Compare(a[:1], a[:1], Bootstrap{})); one.Interval != nil || one.P != 1 ||
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
		if _, err := Compare(a, b, Bootstrap{}); err == nil || !fault.IsUsage(err) || !strings.Contains(err.Error(), name) {
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
	a := must[Accuracies](t)(Accuracy(judgements, Bootstrap{}))
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
	if _, err := Accuracy(append(judgements, Judgement{1, 1, "hair", true}), Bootstrap{}); err == nil ||
		!strings.Contains(err.Error(), `"hair" is judged twice`) {
		t.Errorf("judged twice: %v", err)
	}
	if _, err := Accuracy(nil, Bootstrap{}); err == nil {
		t.Error("no judgements have an accuracy")
	}
}
