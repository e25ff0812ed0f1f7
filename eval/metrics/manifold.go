package metrics

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"illustrator/internal/fault"
)

// Fidelity and variety of a set of features against a real one, by balls around each row that reach to its k-th nearest
// neighbour.
var (
	// Precision is the share of generated rows in a ball of a real one, Recall the share of real rows in a ball of a
	// generated one (Kynkäänniemi et al. 2019, equations 1 and 2).
	Precision = Definition{Name: "precision", Unit: Share, Better: Higher}
	Recall    = Definition{Name: "recall", Unit: Share, Better: Higher}
	// Density is in how many real balls a generated row lies, over k; it may be above 1. Coverage is the share of real
	// balls that hold a generated row (Naeem et al. 2020, equations 4 and 5).
	Density  = Definition{Name: "density", Unit: Amount, Better: Higher}
	Coverage = Definition{Name: "coverage", Unit: Share, Better: Higher}
)

// Neighbours are the k of the balls; 0 means the papers' 3 and 5.
type Neighbours struct {
	PrecisionRecall, DensityCoverage int
}

// ManifoldMetrics compares the manifolds of generated and real features.
type ManifoldMetrics struct {
	Precision Metric `json:"precision"`
	Recall    Metric `json:"recall"`
	Density   Metric `json:"density"`
	Coverage  Metric `json:"coverage"`
}

// manifoldSamples is the number of samples that Naeem et al. take and recommend; Kynkäänniemi et al. take 50,000.
const manifoldSamples = 10_000

// Manifold measures generated against real features, in time of all pairs and memory for one tile of them. A row counts
// as in a ball when it is nearer than the radius, as in Naeem's package prdc, not on it as in Kynkäänniemi's text; that
// matters for exact repetitions only. Each set needs more than k rows, and the real ones must differ: balls have no
// size else.
func Manifold(real, generated *mat.Dense, k Neighbours) (ManifoldMetrics, error) {
	if k.PrecisionRecall == 0 {
		k.PrecisionRecall = 3
	}
	if k.DensityCoverage == 0 {
		k.DensityCoverage = 5
	}
	if k.PrecisionRecall < 1 || k.DensityCoverage < 1 {
		return ManifoldMetrics{}, fault.Usage(fmt.Errorf("precision and recall: %d and %d neighbours", k.PrecisionRecall,
			k.DensityCoverage), "take at least 1")
	}
	if err := needBoth("precision and recall", real, generated, max(k.PrecisionRecall, k.DensityCoverage)+1); err != nil {
		return ManifoldMetrics{}, err
	}
	if Alike(real) {
		return ManifoldMetrics{},
			fault.Hint(errors.New("precision and recall: all real samples are alike, so their balls have no size"),
				"compare with pictures that differ")
	}
	real, generated = centre(real, generated)
	realRadii := radii(real, k.PrecisionRecall, k.DensityCoverage)
	generatedRadii := radii(generated, k.PrecisionRecall)
	c := count(real, generated, realRadii[0], generatedRadii[0], realRadii[1])

	n, _ := real.Dims()
	m, _ := generated.Dims()
	metric := func(of Definition, value float64) Metric {
		metric := Metric{Definition: of, Value: value, N: min(n, m)}
		if n != m {
			metric = metric.With(
				"%d real and %d generated samples: balls shrink with their number, compares only at the same counts", n, m)
		} else if n < manifoldSamples {
			metric = metric.With("from %d samples, below %d: compares only at the same count", n, manifoldSamples)
		}
		return metric
	}
	return ManifoldMetrics{
		Precision: metric(Precision, share(c.precise)),
		Recall:    metric(Recall, share(c.recalled)),
		Density:   metric(Density, float64(c.balls)/float64(k.DensityCoverage)/float64(m)),
		Coverage:  metric(Coverage, share(c.covered)),
	}, nil
}

// counts holds Manifold's counts over all pairs of rows.
type counts struct {
	precise           []bool // of generated rows
	recalled, covered []bool // of real rows
	balls             int
}

// count compares the squared distances of all pairs with the squared radii: of real and generated balls of precision
// and recall, and of the real balls of density and coverage.
func count(real, generated *mat.Dense, precision, recall, density []float64) counts {
	n, _ := real.Dims()
	m, _ := generated.Dims()
	c := counts{precise: make([]bool, m), recalled: make([]bool, n), covered: make([]bool, n)}
	squaredDistances(real, generated, false, func(i, j int, distance float64) {
		if distance < precision[i] {
			c.precise[j] = true
		}
		if distance < recall[j] {
			c.recalled[i] = true
		}
		if distance < density[i] {
			c.balls++
			c.covered[i] = true
		}
	})
	return c
}

// radii returns for each k the squared distance of each row to its k-th nearest other row.
func radii(x *mat.Dense, ks ...int) [][]float64 {
	n, _ := x.Dims()
	most := 0
	for _, k := range ks {
		most = max(most, k)
	}
	nearest := make([]float64, n*most) // for each row its least distances, ascending
	for i := range nearest {
		nearest[i] = math.Inf(1)
	}
	keep := func(row int, distance float64) {
		least := nearest[row*most : (row+1)*most]
		at := most
		for ; at > 0 && distance < least[at-1]; at-- {
			if at < most {
				least[at] = least[at-1]
			}
		}
		if at < most {
			least[at] = distance
		}
	}
	squaredDistances(x, x, true, func(i, j int, distance float64) {
		keep(i, distance)
		keep(j, distance)
	})
	all := make([][]float64, len(ks))
	for a, k := range ks {
		all[a] = make([]float64, n)
		for i := range n {
			all[a][i] = nearest[i*most+k-1]
		}
	}
	return all
}

// squaredDistances visits all pairs of rows, or with symmetric, where x is y, those above the diagonal.
func squaredDistances(x, y *mat.Dense, symmetric bool, visit func(i, j int, distance float64)) {
	rowPairs(x, y, symmetric, func(i, j int, xy, xx, yy float64) { visit(i, j, math.Max(xx+yy-2*xy, 0)) })
}

// centre moves both sets so that the first has mean 0: distances stay, and lose fewer digits when they are computed
// from inner products.
func centre(x, y *mat.Dense) (*mat.Dense, *mat.Dense) {
	n, d := x.Dims()
	mean := make([]float64, d)
	for i := range n {
		floats.AddScaled(mean, 1/float64(n), x.RawRowView(i))
	}
	move := func(x *mat.Dense) *mat.Dense {
		moved := mat.DenseCopyOf(x)
		n, _ := moved.Dims()
		for i := range n {
			floats.Sub(moved.RawRowView(i), mean)
		}
		return moved
	}
	return move(x), move(y)
}

func share(of []bool) float64 {
	n := 0
	for _, b := range of {
		if b {
			n++
		}
	}
	return float64(n) / float64(len(of))
}
