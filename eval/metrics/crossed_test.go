package metrics

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// simulated has a value for each text and run: a mean, effects of texts and of runs, and what is left.
func simulated(r *rand.Rand, texts, runs int, mean, ofText, ofRun, left float64) [][]Sample {
	effects := make([]float64, texts)
	for i := range effects {
		effects[i] = mean + ofText*r.NormFloat64()
	}
	all := make([][]Sample, runs)
	for i := range all {
		effect := ofRun * r.NormFloat64()
		for t := range texts {
			all[i] = append(all[i], Sample{Text: t, Value: effects[t] + effect + left*r.NormFloat64()})
		}
	}
	return all
}

func TestCompareRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	a := simulated(r, 30, 4, 0.5, 0.3, 0.02, 0.02)
	b := make([][]Sample, len(a))
	for i, samples := range a {
		for j := range samples { // 0.05 below, but for noise; in another order
			s := samples[len(samples)-1-j]
			s.Value -= 0.05 + 0.01*r.NormFloat64()
			b[i] = append(b[i], s)
		}
	}
	d, err := CompareRuns(CLIPSimilarity, a, b)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(d.Value-0.05) > 0.005 || d.Interval.Low < 0.03 || d.Interval.High > 0.07 || d.P > 0.001 || d.N != 120 {
		t.Errorf("%+v, interval %+v", d, d.Interval)
	}
	if d.Unit() != "texts and seeds" || d.Texts != 30 || d.Seeds != 4 {
		t.Errorf("%+v", d)
	}
	same, err := CompareRuns(CLIPSimilarity, a, a)
	if err != nil || same.Value != 0 || same.P != 1 {
		t.Errorf("%+v, %v", same, err)
	}
	one, err := CompareRuns(CLIPSimilarity, a[:1], b[:1])
	direct, _ := compare(CLIPSimilarity, a[0], b[0])
	if err != nil || one.Value != direct.Value || *one.Interval != *direct.Interval {
		t.Errorf("one run: %+v, %+v, %v", one, direct, err)
	}
	if _, err := CompareRuns(CLIPSimilarity, a, b[:2]); err == nil {
		t.Error("4 runs are paired with 2")
	}
	if _, err := CompareRuns(CLIPSimilarity, a, [][]Sample{b[0], b[1], b[2], b[3][1:]}); err == nil {
		t.Error("a missing sample is paired")
	}
}

func TestMeanOfRuns(t *testing.T) {
	of := func(values ...float64) (runs []Metric) {
		for _, v := range values {
			runs = append(runs, Metric{Definition: FID, Value: v, N: 10})
		}
		return runs
	}
	runs := of(1, 2, 3)
	for i := range runs {
		runs[i].Definition = KID
	}
	m, err := MeanOfRuns(runs)
	// scipy.stats.t.interval(0.95, 2, 2, 1/sqrt(3))
	if err != nil || m.Value != 2 || math.Abs(m.Interval.Low+0.484138) > 1e-6 ||
		math.Abs(m.Interval.High-4.484138) > 1e-6 {
		t.Errorf("%+v %+v %v", m, m.Interval, err)
	}
	if fid, err := MeanOfRuns(of(1, 2, 3)); err != nil || fid.Interval.Low != 0 || fid.Interval.High != m.Interval.High {
		t.Errorf("no FID is below 0: %+v %v", fid.Interval, err)
	}
	if one, err := MeanOfRuns(of(1)); err != nil || one.Value != 1 || one.Interval != nil {
		t.Errorf("%+v %v", one, err)
	}
	alike := of(2, 2)
	alike[0].Interval = &Interval{1, 3}
	if m, err := MeanOfRuns(alike); err != nil || m.Value != 2 || *m.Interval != (Interval{1, 3}) {
		t.Errorf("%+v %v", m, err)
	}
	if _, err := MeanOfRuns(nil); err == nil {
		t.Error("no runs have a mean")
	}
}

func TestCompareOfRuns(t *testing.T) {
	of := func(values ...float64) (runs []Metric) {
		for _, v := range values {
			runs = append(runs, Metric{Definition: FID, Value: v})
		}
		return runs
	}
	d, err := CompareOfRuns(of(1, 2, 4, 5), of(0.5, 1, 3.5, 3))
	// scipy.stats.ttest_rel([1, 2, 4, 5], [.5, 1, 3.5, 3])
	if err != nil || d.Value != 1 || math.Abs(d.P-0.0663) > 1e-3 || d.Interval.Low > 0 {
		t.Errorf("%+v %v", d, err)
	}
	if same, err := CompareOfRuns(of(1, 2), of(1, 2)); err != nil || same.P != 1 || same.Value != 0 {
		t.Errorf("%+v %v", same, err)
	}
	if shifted, err := CompareOfRuns(of(1, 2), of(2, 3)); err != nil || shifted.P != 1 || shifted.Value != -1 ||
		shifted.Interval != nil {
		t.Errorf("%+v %v", shifted, err)
	}
	if one, err := CompareOfRuns(of(1), of(2)); err != nil || one.P != 1 || one.Interval != nil {
		t.Errorf("%+v %v", one, err)
	}
	if _, err := CompareOfRuns(of(1), of(1, 2)); err == nil {
		t.Error("1 run is paired with 2")
	}
}

func TestRunsMustShareTexts(t *testing.T) {
	runs := [][]Sample{{{Text: 0}, {Text: 1}}, {{Text: 0}, {Text: 2}}}
	if _, err := MeanOverRuns(Definition{Name: "x"}, runs); err == nil ||
		!strings.Contains(err.Error(), "run 2 has no samples of text 1") {
		t.Errorf("%v", err)
	}
	runs[1] = runs[1][:1]
	if _, err := MeanOverRuns(Definition{Name: "x"}, runs); err == nil ||
		!strings.Contains(err.Error(), "run 2 has 1 texts, the first has 2") {
		t.Errorf("%v", err)
	}
	if _, err := MeanOverRuns(Definition{Name: "x"}, nil); err == nil {
		t.Error("no runs have a mean")
	}
}
