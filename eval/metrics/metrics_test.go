package metrics

import (
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// normal returns [n,d] values of mean + std·N(0, 1).
func normal(seed uint64, n, d int, mean, std float64) *mat.Dense {
	r := rand.New(rand.NewPCG(seed, 0))
	x := mat.NewDense(n, d, nil)
	x.Apply(func(_, _ int, _ float64) float64 { return mean + std*r.NormFloat64() }, x)
	return x
}

func momentsOf(t *testing.T, x *mat.Dense) *Moments {
	t.Helper()
	_, d := x.Dims()
	m := NewMoments(d)
	if err := m.Add(x); err != nil {
		t.Fatal(err)
	}
	return m
}
