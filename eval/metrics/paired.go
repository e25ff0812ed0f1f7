package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"illustrator/internal/fault"
)

// Difference is the difference of two systems' means, on the same texts and seeds.
type Difference struct {
	Value    float64   `json:"value"`
	Interval *Interval `json:"interval,omitempty"` // 95 %; nil for one text
	N        int       `json:"n"`                  // pairs of samples
	// P is the two-sided probability of a difference at least as far from 0 if the systems were the same. It is below 0.05
	// where 0 is outside of Interval: both are of one test.
	P float64 `json:"p"`
	// Texts and Seeds are the numbers of units that the test takes as drawn at random. Texts is 0 where only seeds are,
	// for a figure that each run has one of.
	Texts  int    `json:"texts,omitempty"`
	Seeds  int    `json:"seeds,omitempty"`
	Caveat string `json:"caveat,omitempty"`

	deviation, freedom float64 // the standard error, and its degrees of freedom
}

// Unit names what the test takes as drawn at random: its conclusions hold for new ones.
func (d Difference) Unit() string {
	switch {
	case d.Texts == 0:
		return "seeds"
	case d.Seeds > 1:
		return "texts and seeds"
	}
	return "texts"
}

// compare returns the difference of a's mean from b's, sample by sample: both must have been measured on the same texts
// and seeds, equally often. of says what was measured.
func compare(of Definition, a, b []Sample) (Difference, error) {
	return CompareRuns(of, [][]Sample{a}, [][]Sample{b})
}

// CompareRuns returns how much a's mean is above b's, run by run and sample by sample: run i of both must share texts
// and seeds. Interval and P are as MeanOverRuns' of the differences: for new texts and new runs at once, or new texts
// alone where there is one run.
//
// Shares of few texts may differ by the same in all of them, which proves little: their test counts two more
// texts, which differ by 0, by 1 and by -1 as matched pairs do that show nothing (Agresti and Min 2005,
// Statistics in Medicine 24:5).
func CompareRuns(of Definition, a, b [][]Sample) (Difference, error) {
	if len(a) != len(b) {
		return Difference{}, fmt.Errorf("comparison: %d runs cannot be paired with %d", len(a), len(b))
	}
	paired := make([][]Sample, len(a))
	for r := range a {
		var err error
		if paired[r], err = pair(a[r], b[r]); err != nil {
			if len(a) > 1 {
				err = fmt.Errorf("run %d: %w", r+1, err)
			}
			return Difference{}, err
		}
	}
	table, n, err := crossed("comparison", paired)
	if err != nil {
		return Difference{}, err
	}
	e := table.estimate()
	d := Difference{Value: e.mean, N: n, Texts: e.texts, Seeds: e.runs, Caveat: e.caveat()}
	if of.Unit == Share && e.texts > 1 {
		e = e.cautious()
	}
	d.P, d.deviation, d.freedom = e.p(), math.Sqrt(e.variance), e.freedom
	if e.texts > 1 {
		d.Interval = e.interval()
	}
	if of.Unit == Share && d.Interval != nil {
		d.Interval = &Interval{max(-1, d.Interval.Low), min(1, d.Interval.High)}
	}
	return d, nil
}

// cautious adds two texts to a difference of shares: half a text of 1, half of -1, and one of 0.
func (e estimate) cautious() estimate {
	texts := float64(e.texts)
	more := texts + 2
	e.variance = square(texts/more)*e.variance + 1/square(more) + 2*texts*square(e.mean)/(more*more*more)
	e.mean *= texts / more
	e.alike = false
	return e
}

// pair subtracts b's samples from a's. Samples of one picture are subtracted in their order.
func pair(a, b []Sample) ([]Sample, error) {
	sorted := func(s []Sample) []Sample {
		return slices.SortedStableFunc(slices.Values(s), func(x, y Sample) int {
			return cmp.Or(cmp.Compare(x.Text, y.Text), cmp.Compare(x.Seed, y.Seed))
		})
	}
	const hint = "measure both systems on the same texts and seeds"
	if len(a) != len(b) {
		return nil, fault.Usage(fmt.Errorf("%d samples cannot be paired with %d", len(a), len(b)), hint)
	}
	a, b = sorted(a), sorted(b)
	for i := range a {
		if a[i].Text != b[i].Text || a[i].Seed != b[i].Seed {
			return nil, fault.Usage(fmt.Errorf("text %d, seed %d of one system has no partner: the other has text %d, seed %d",
				a[i].Text, a[i].Seed, b[i].Text, b[i].Seed), hint)
		}
		a[i].Value -= b[i].Value
	}
	return a, nil
}

// Holm returns probabilities adjusted for the number of comparisons (Holm 1979): with those below 0.05 called
// significant, the probability of one or more false calls is below 0.05.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	sequence(order)
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	adjusted, most := make([]float64, len(p)), 0.0
	for rank, i := range order {
		most = math.Max(most, math.Min(1, p[i]*float64(len(p)-rank)))
		adjusted[i] = most
	}
	return adjusted
}
