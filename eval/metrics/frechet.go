package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// FID is the Fréchet distance of features (Heusel et al. 2017, equation 6). The name promises the features of
// Inception's third pooling (2,048 dimensions); of others, say whose they are.
var FID = Definition{Name: "fid", Unit: Amount, Better: Lower}

// fidSamples is the number of samples that FID needs at least for a covariance of full rank in Inception's 2,048
// dimensions, as TTUR, the reference implementation, demands.
const fidSamples = 2048

// FrechetDistance returns FID between the Gaussians with the moments of two sets:
//
//	‖μ₁-μ₂‖² + tr(Σ₁) + tr(Σ₂) - 2·tr((Σ₁Σ₂)^½)
//
// Both need two samples. From fewer than 2,048 samples, or no more samples than dimensions, the value is biased
// upwards, and compares only with values from equally many samples: the caveat says so.
func FrechetDistance(a, b *Moments) (Metric, error) {
	if a.Dim() != b.Dim() {
		return Metric{}, fmt.Errorf("%s: features of %d and of %d dimensions cannot be compared", FID.Name, a.Dim(), b.Dim())
	}
	ca, err := a.Covariance()
	if err != nil {
		return Metric{}, fmt.Errorf("%s, first set: %w", FID.Name, err)
	}
	cb, err := b.Covariance()
	if err != nil {
		return Metric{}, fmt.Errorf("%s, second set: %w", FID.Name, err)
	}
	distance, err := frechet(a.mean, b.mean, ca, cb)
	if err != nil {
		return Metric{}, fmt.Errorf("%s: %w", FID.Name, err)
	}
	m := Metric{Definition: FID, Value: distance, N: min(a.n, b.n)}
	if need := max(fidSamples, a.Dim()+1); m.N < need {
		m = m.With("from %d samples of %d dimensions, below %d: biased upwards, compares only at the same count", m.N,
			a.Dim(), need)
	}
	if m.N <= a.Dim() {
		m = m.With("its covariance is rank-deficient")
	}
	return m, nil
}

// frechet returns the squared Fréchet distance of two Gaussians. Rounding may leave it a little below 0; it is cut off
// there.
func frechet(mean1, mean2 []float64, c1, c2 *mat.SymDense) (float64, error) {
	cross, err := traceSqrtProduct(c1, c2)
	if err != nil {
		return 0, err
	}
	shift := floats.Distance(mean1, mean2, 2)
	return math.Max(0, shift*shift+mat.Trace(c1)+mat.Trace(c2)-2*cross), nil
}

// traceSqrtProduct returns tr((AB)^½) of covariances: with A = RᵀR, AB has the eigenvalues of the symmetric RBRᵀ,
// beside zeros. R is the pivoted Cholesky factor, which exists where A is rank-deficient too.
func traceSqrtProduct(a, b *mat.SymDense) (float64, error) {
	r, rank := root(a)
	if rank == 0 {
		return 0, nil
	}
	var rb, rbr mat.Dense
	rb.Mul(r, b)
	rbr.Mul(&rb, r.T())
	product := mat.NewSymDense(rank, nil)
	for i := range rank {
		for j := i; j < rank; j++ {
			product.SetSym(i, j, (rbr.At(i, j)+rbr.At(j, i))/2)
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(product, false) {
		return 0, fmt.Errorf("the eigenvalues of the covariances' product did not converge")
	}
	trace := 0.0
	for _, v := range eigen.Values(nil) {
		trace += math.Sqrt(math.Max(v, 0)) // below 0 by rounding only: the product is positive semi-definite
	}
	return trace, nil
}

// root returns R [rank,D] with RᵀR = a, and a's numerical rank.
func root(a *mat.SymDense) (*mat.Dense, int) {
	d := a.SymmetricDim()
	var c mat.PivotedCholesky
	c.Factorize(a, -1)
	rank := c.Rank()
	if rank == 0 {
		return nil, 0
	}
	var u mat.TriDense
	c.UTo(&u)
	pivots := c.ColumnPivots(nil)
	r := mat.NewDense(rank, d, nil)
	for i := range rank {
		for j := i; j < d; j++ {
			r.Set(i, pivots[j], u.At(i, j))
		}
	}
	return r, rank
}
