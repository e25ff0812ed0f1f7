package metrics

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/sampleuv"

	"illustrator/internal/fault"
)

// Distances of two sets of rows by their maximum mean discrepancy, MMD² (Gretton et al. 2012, JMLR 13).
var (
	// KID is the unbiased MMD² with the kernel (xᵀy/d + 1)³ (Bińkowski et al. 2018, section 4), of Inception's features
	// unless another network is named. It may be below 0.
	KID = Definition{Name: "kid", Better: Lower}
	// KIDWhole is KID of the whole sets, without subsets.
	KIDWhole = Definition{Name: "kid_whole", Better: Lower}
	// CMMD is 1,000·MMD² with the kernel exp(-‖x-y‖²/(2·10²)) (Jayasumana et al. 2024), of CLIP embeddings of length 1.
	CMMD = Definition{Name: "cmmd", Better: Lower}
)

// Subsets says how KID draws: Count pairs of subsets of Size rows, without repetition within a subset. 0 means the
// paper's 100 and 1,000. A set with fewer rows than Size makes all subsets as small.
type Subsets struct {
	Count, Size int
	Seed        uint64
}

// KernelInceptionDistance returns KID as the mean over subsets, and the standard deviation over them (not of the mean,
// and no interval: subsets share rows).
func KernelInceptionDistance(x, y *mat.Dense, s Subsets) (m Metric, std float64, err error) {
	if err := needBoth(KID.Name, x, y, 2); err != nil {
		return Metric{}, 0, err
	}
	if s.Count == 0 {
		s.Count = 100
	}
	if s.Size == 0 {
		s.Size = 1000
	}
	if s.Count < 1 || s.Size < 2 {
		return Metric{}, 0, fault.Usage(fmt.Errorf("%s: %d subsets of %d rows", KID.Name, s.Count, s.Size),
			"take at least 1 subset of 2 rows")
	}
	n, _ := x.Dims()
	k, _ := y.Dims()
	size, source := min(n, k, s.Size), rand.NewPCG(s.Seed, 0)
	values, rows := make([]float64, s.Count), make([]int, size)
	draw := func(from *mat.Dense, of int) *mat.Dense {
		sampleuv.WithoutReplacement(rows, of, source)
		return Pick(from, rows)
	}
	for i := range values {
		values[i] = unbiasedMMD(draw(x, n), draw(y, k))
	}
	m = Metric{Definition: KID, Value: stat.Mean(values, nil), N: min(n, k)}
	if n == size && k == size {
		m = m.With("all subsets are the whole sets of %d, so the deviation over them is 0", size)
	} else if size < s.Size {
		m = m.With("subsets of %d instead of %d", size, s.Size)
	}
	return m, stat.PopStdDev(values, nil), nil
}

// KernelInceptionDistanceWhole returns KID of all rows against all rows.
func KernelInceptionDistanceWhole(x, y *mat.Dense) (Metric, error) {
	if err := needBoth(KIDWhole.Name, x, y, 2); err != nil {
		return Metric{}, err
	}
	n, _ := x.Dims()
	k, _ := y.Dims()
	return Metric{Definition: KIDWhole, Value: unbiasedMMD(x, y), N: min(n, k)}, nil
}

// unbiasedMMD is MMD² with KID's kernel, without the diagonals (Gretton's equation 3).
func unbiasedMMD(x, y *mat.Dense) float64 {
	n, d := x.Dims()
	m, _ := y.Dims()
	cubic := func(xy, _, _ float64) float64 {
		k := xy/float64(d) + 1
		return k * k * k
	}
	return kernelMean(x, cubic) + kernelMean(y, cubic) - 2*kernelSum(x, y, false, cubic)/(float64(n)*float64(m))
}

// CLIPMaximumMeanDiscrepancy returns CMMD of embeddings, which it scales to length 1. As in the reference
// implementation (google-research/cmmd) the diagonals count, which biases the value upwards; the caveat says by how
// much where that is more than a hundredth of the value.
func CLIPMaximumMeanDiscrepancy(x, y *mat.Dense) (Metric, error) {
	if err := needBoth(CMMD.Name, x, y, 2); err != nil {
		return Metric{}, err
	}
	const scale, gamma = 1000, 1 / (2 * 10.0 * 10.0)
	// k-1 instead of k: the ones cancel in the sum, and with them the digits that all kernels near 1 share.
	rbf := func(xy, xx, yy float64) float64 { return math.Expm1(-gamma * math.Max(xx+yy-2*xy, 0)) }
	x, y = unit(x), unit(y)
	n, _ := x.Dims()
	k, _ := y.Dims()
	nf, kf := float64(n), float64(k)
	// On the diagonal k-1 is 0, so the mean with it is that without it, less one part in n.
	withinX, withinY := kernelMean(x, rbf), kernelMean(y, rbf)
	value := scale * (withinX*(nf-1)/nf + withinY*(kf-1)/kf - 2*kernelSum(x, y, false, rbf)/(nf*kf))
	m := Metric{Definition: CMMD, Value: value, N: min(n, k)}
	if bias := -scale * (withinX/nf + withinY/kf); bias > 0.01*value {
		m = m.With("of which about %.2g is bias of the few samples", bias)
	}
	return m, nil
}

// kernelMean returns the mean of kernel over the pairs of different rows of x.
func kernelMean(x *mat.Dense, kernel func(xy, xx, yy float64) float64) float64 {
	n, _ := x.Dims()
	return 2 * kernelSum(x, x, true, kernel) / (float64(n) * float64(n-1))
}

// kernelSum returns the sum of kernel over all pairs of rows, or with symmetric, where x is y, over those above the
// diagonal.
func kernelSum(x, y *mat.Dense, symmetric bool, kernel func(xy, xx, yy float64) float64) float64 {
	sum := 0.0
	rowPairs(x, y, symmetric, func(_, _ int, xy, xx, yy float64) { sum += kernel(xy, xx, yy) })
	return sum
}

// Pick returns the given rows of x, copied.
func Pick(x *mat.Dense, rows []int) *mat.Dense {
	_, d := x.Dims()
	picked := mat.NewDense(len(rows), d, nil)
	for i, row := range rows {
		picked.SetRow(i, x.RawRowView(row))
	}
	return picked
}
