package metrics

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"

	"illustrator/internal/fault"
)

// Difference is the difference of two systems' means, on the same texts and seeds.
type Difference struct {
	Value    float64   `json:"value"`
	Interval *Interval `json:"interval,omitempty"` // 95 %, as of Mean; nil for one text
	N        int       `json:"n"`                  // pairs of samples
	// P is the two-sided probability of a difference at least as large if the systems were the same, by flipping the sign
	// of whole texts: all 2^T ways if they are no more than the resamples, which makes it exact, else as many at random.
	P float64 `json:"p"`
	// BootstrapP is twice the share of resampled differences on the other side of 0. It is P's check, less trustworthy
	// for few texts.
	BootstrapP float64 `json:"bootstrap_p"`
	Caveat     string  `json:"caveat,omitempty"`
}

// Compare returns the difference of a's mean from b's, sample by sample: both must have been measured on the same texts
// and seeds, equally often.
func Compare(a, b []Sample, boot Bootstrap) (Difference, error) {
	paired, err := pair(a, b)
	if err != nil {
		return Difference{}, err
	}
	c, err := byText("comparison", paired)
	if err != nil {
		return Difference{}, err
	}
	d := Difference{Value: c.mean(), N: len(paired)}
	if d.Interval, d.Caveat, err = c.interval(boot); err != nil {
		return Difference{}, fmt.Errorf("comparison: %w", err)
	}
	draws, _ := boot.resamples() // interval has checked it
	d.P, d.BootstrapP = c.signFlip(draws, boot.Seed), c.bootstrapP(draws, boot.Seed)
	return d, nil
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

// signFlip is the probability that the sum over texts, each with a random sign, is at least as far from 0 as it is.
func (c clusters) signFlip(draws int, seed uint64) float64 {
	sum, size := 0.0, 0.0
	for _, k := range c {
		sum, size = sum+k.sum, size+math.Abs(k.sum)
	}
	far := math.Abs(sum) - 1e-12*size // sums that differ by rounding are equal
	flipped := func(sign func(text int) bool) bool {
		s := 0.0
		for i, k := range c {
			if sign(i) {
				s -= k.sum
			} else {
				s += k.sum
			}
		}
		return math.Abs(s) >= far
	}
	atLeast := 0
	if len(c) < 62 && 1<<len(c) <= draws {
		for signs := range 1 << len(c) {
			if flipped(func(text int) bool { return signs>>text&1 == 1 }) {
				atLeast++
			}
		}
		return float64(atLeast) / float64(int(1)<<len(c))
	}
	r := rand.New(rand.NewPCG(seed, 1))
	for range draws {
		if flipped(func(int) bool { return r.Uint64()&1 == 1 }) {
			atLeast++
		}
	}
	return float64(atLeast+1) / float64(draws+1) // the unflipped one is a draw too, so that p is never 0
}

func (c clusters) bootstrapP(draws int, seed uint64) float64 {
	means := c.resample(draws, seed)
	atMost := sort.Search(len(means), func(i int) bool { return means[i] > 0 })
	atLeast := len(means) - sort.SearchFloat64s(means, 0)
	return math.Min(1, 2*float64(min(atMost, atLeast)+1)/float64(draws+1))
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
