package metrics

import (
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// latentDistance is the distance of predicted z from the generator's prior: the squared 2-Wasserstein (Fréchet)
// distance between the diagonal Gaussian with their moments and N(0, I).
var latentDistance = Definition{Name: "z_distance", Unit: Amount, Better: Lower}

// Latents says how z [N,Z] are distributed.
type Latents struct {
	Mean float64 `json:"mean"` // over all values
	Std  float64 `json:"std"`  // over all values, divided by N·Z
	// Of the dimensions' means and standard deviations (divided by N), the least and the greatest, and where they are.
	LowestMean  Extreme `json:"lowest_mean"`
	HighestMean Extreme `json:"highest_mean"`
	LowestStd   Extreme `json:"lowest_std"`
	HighestStd  Extreme `json:"highest_std"`
	// Distance is Σ μ² + (σ-1)² over the dimensions. It stays finite where a dimension has collapsed (σ = 0), unlike the
	// Kullback-Leibler divergence; correlations don't enter it.
	Distance Metric `json:"distance"`
	// Floor is the Distance of N samples of N(0, I) itself, to first order: 3Z/2N.
	Floor float64 `json:"floor"`
}

// Extreme is a value and the dimension that has it.
type Extreme struct {
	Dimension int     `json:"dimension"`
	Value     float64 `json:"value"`
}

// LatentStatistics describes z [N,Z]. It needs two rows.
func LatentStatistics(z *mat.Dense) (Latents, error) {
	if err := need(latentDistance.Name, z, 2); err != nil {
		return Latents{}, err
	}
	n, d := z.Dims()
	s := Latents{
		LowestMean: Extreme{0, math.Inf(1)}, HighestMean: Extreme{0, math.Inf(-1)},
		LowestStd: Extreme{0, math.Inf(1)}, HighestStd: Extreme{0, math.Inf(-1)},
		Floor: 1.5 * float64(d) / float64(n),
	}
	squares, distance := 0.0, 0.0
	for j := range d {
		mean, std := stat.PopMeanStdDev(mat.Col(nil, j, z), nil)
		s.LowestMean, s.HighestMean = lower(s.LowestMean, j, mean), higher(s.HighestMean, j, mean)
		s.LowestStd, s.HighestStd = lower(s.LowestStd, j, std), higher(s.HighestStd, j, std)
		s.Mean += mean / float64(d)
		squares += (std*std + mean*mean) / float64(d)
		distance += mean*mean + (std-1)*(std-1)
	}
	s.Std = math.Sqrt(math.Max(0, squares-s.Mean*s.Mean))
	s.Distance = Metric{Definition: latentDistance, Value: distance, N: n}
	if s.Floor > 0.1*distance {
		s.Distance = s.Distance.With("%d samples of N(0, I) itself would have about %.3g", n, s.Floor)
	}
	return s, nil
}

func lower(e Extreme, dimension int, value float64) Extreme {
	if value < e.Value {
		return Extreme{dimension, value}
	}
	return e
}

func higher(e Extreme, dimension int, value float64) Extreme {
	if value > e.Value {
		return Extreme{dimension, value}
	}
	return e
}
