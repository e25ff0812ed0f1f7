package metrics

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// How different the pictures of one text are.
var (
	// Diversity is the mean cosine distance, 1-cos, between the embeddings of two pictures of one text, mean over texts.
	Diversity = Definition{Name: "diversity", Unit: Amount, Better: Higher}
	// LPIPSDiversity is the mean LPIPS (Zhang et al. 2018, equation 1) over pairs of pictures of one text, as in Zhu et
	// al. 2017 (BicycleGAN, section 4); the mean of Mean is over all pairs alike.
	LPIPSDiversity = Definition{Name: "lpips_diversity", Unit: Amount, Better: Higher}
	// VendiScore is the effective number of different samples: the exponential of the entropy of the eigenvalues of the
	// cosines' matrix over N (Friedman and Dieng 2023, definition 3.1). 1 where all are alike, N where all are orthogonal.
	VendiScore = Definition{Name: "vendi_score", Unit: Amount, Better: Higher}
)

// Diversities returns, for each text in ascending order, the mean cosine distance over the pairs of its pictures' rows
// of x [N,E]; text[i] is the text of row i. The mean of the samples is Diversity. Each text needs two pictures.
func Diversities(x *mat.Dense, text []int) ([]Sample, error) {
	if err := need(Diversity.Name, x, 2); err != nil {
		return nil, err
	}
	if n, _ := x.Dims(); len(text) != n {
		return nil, fmt.Errorf("%s: %d pictures have %d texts", Diversity.Name, n, len(text))
	}
	rows := map[int][]int{}
	for i, t := range text {
		rows[t] = append(rows[t], i)
	}
	var samples []Sample
	for _, t := range slices.Sorted(maps.Keys(rows)) {
		n := float64(len(rows[t]))
		if n < 2 {
			return nil, tooFew(fmt.Sprintf("%s of text %d", Diversity.Name, t), 1, 2)
		}
		sum, squares := make([]float64, x.RawMatrix().Cols), 0.0
		for _, row := range rows[t] {
			v := x.RawRowView(row)
			if length := floats.Norm(v, 2); length > 0 { // a row of zeros has the cosine 0 with all, itself too
				floats.AddScaled(sum, 1/length, v)
				squares++
			}
		}
		// The square of the sum holds each pair's cosine twice, and each row's with itself.
		samples = append(samples, Sample{Text: t, Value: 1 - (floats.Dot(sum, sum)-squares)/(n*(n-1))})
	}
	return samples, nil
}

// Vendi returns VendiScore of rows x [N,E], with the cosine as the kernel. It takes the eigenvalues of the smaller of
// the [N,N] and the [E,E] product, which has the same ones but zeros.
func Vendi(x *mat.Dense) (Metric, error) {
	if err := need(VendiScore.Name, x, 1); err != nil {
		return Metric{}, err
	}
	n, d := x.Dims()
	if d < n {
		return CosineKernel(x).Vendi()
	}
	kernel := mat.NewSymDense(n, nil)
	kernel.SymOuterK(1/float64(n), unit(x))
	return vendi(kernel, n, d)
}

// Kernel gathers Σ u·uᵀ [E,E] over rows of length 1, in memory for one such matrix however many rows there are.
type Kernel struct {
	n   int
	sum *mat.SymDense
}

// CosineKernel returns the kernel of the rows of x [N,E], which it scales to length 1.
func CosineKernel(x *mat.Dense) *Kernel {
	n, d := x.Dims()
	k := &Kernel{n, mat.NewSymDense(d, nil)}
	for from := 0; from < n; from += tile {
		rows := unit(x.Slice(from, min(from+tile, n), 0, d).(*mat.Dense))
		k.sum.SymRankK(k.sum, 1, mat.DenseCopyOf(rows.T())) // rows with rows are gonum's fastest product
	}
	return k
}

// Plus returns the kernel of the rows of both. The zero Kernel has none.
func (k *Kernel) Plus(more *Kernel) *Kernel {
	if k.sum == nil {
		return more
	}
	sum := mat.NewSymDense(k.sum.SymmetricDim(), nil)
	sum.AddSym(k.sum, more.sum)
	return &Kernel{k.n + more.n, sum}
}

// Vendi returns VendiScore of the kernel's rows.
func (k *Kernel) Vendi() (Metric, error) {
	if k.n < 1 {
		return Metric{}, tooFew(VendiScore.Name, k.n, 1)
	}
	d := k.sum.SymmetricDim()
	mean := mat.NewSymDense(d, nil)
	mean.ScaleSym(1/float64(k.n), k.sum)
	return vendi(mean, k.n, d)
}

// vendi is VendiScore of a kernel over N, of n rows of d dimensions.
func vendi(kernel *mat.SymDense, n, d int) (Metric, error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(kernel, false) {
		return Metric{}, fmt.Errorf("%s: the eigenvalues did not converge", VendiScore.Name)
	}
	entropy := 0.0
	for _, p := range eigen.Values(nil) {
		if p > 0 { // rounding may leave a zero below 0
			entropy -= p * math.Log(p)
		}
	}
	m := Metric{Definition: VendiScore, Value: math.Exp(entropy), N: n}
	return m.With("at most %d: compares only at the same count", min(n, d)), nil
}
