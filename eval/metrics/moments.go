package metrics

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Moments gathers the mean and the covariance of rows that come in batches, in float64 and in memory for two matrices
// [D,D] however many rows there are. Batches are merged as in Chan, Golub and LeVeque 1983 (The American Statistician
// 37:3, equations 2.1), which loses no digits to large means.
type Moments struct {
	n       int
	mean    []float64
	scatter *mat.Dense // [D,D]: the sum of (x-mean)(x-mean)ᵀ
	batch   *mat.Dense // room for the scatter of a batch
}

// NewMoments returns the moments of no rows of dim dimensions.
func NewMoments(dim int) *Moments {
	return &Moments{mean: make([]float64, dim), scatter: mat.NewDense(dim, dim, nil)}
}

// N returns how many rows were added, Dim how many dimensions they have.
func (m *Moments) N() int   { return m.n }
func (m *Moments) Dim() int { return len(m.mean) }

// Mean returns the mean [D] of the rows.
func (m *Moments) Mean() []float64 { return slices.Clone(m.mean) }

// Covariance returns the unbiased covariance [D,D], divided by N-1. It needs two rows.
func (m *Moments) Covariance() (*mat.SymDense, error) {
	if m.n < 2 {
		return nil, tooFew("covariance", m.n, 2)
	}
	s := mat.NewSymDense(m.Dim(), nil)
	for i := range m.mean {
		for j := i; j < m.Dim(); j++ {
			s.SetSym(i, j, m.scatter.At(i, j)/float64(m.n-1))
		}
	}
	return s, nil
}

// Add adds the rows of x [N,D].
func (m *Moments) Add(x *mat.Dense) error {
	n, d := x.Dims()
	if d != m.Dim() {
		return fmt.Errorf("moments of %d dimensions cannot take rows of %d", m.Dim(), d)
	}
	if err := need("moments", x, 1); err != nil {
		return err
	}
	mean := make([]float64, d)
	for i := range n {
		for j, v := range x.RawRowView(i) {
			mean[j] += v / float64(n)
		}
	}
	centred := mat.NewDense(d, n, nil) // transposed, for the product of rows with rows is gonum's fastest
	for i := range n {
		for j, v := range x.RawRowView(i) {
			centred.Set(j, i, v-mean[j])
		}
	}
	if m.batch == nil {
		m.batch = mat.NewDense(d, d, nil)
	}
	m.batch.Mul(centred, centred.T())
	m.merge(n, mean, m.batch)
	return nil
}

// Merge adds all rows that were added to o.
func (m *Moments) Merge(o *Moments) error {
	if o.Dim() != m.Dim() {
		return fmt.Errorf("moments of %d dimensions cannot take those of %d", m.Dim(), o.Dim())
	}
	if o.n > 0 {
		m.merge(o.n, o.mean, o.scatter)
	}
	return nil
}

func (m *Moments) merge(n int, mean []float64, scatter *mat.Dense) {
	total := float64(m.n + n)
	shift := make([]float64, len(mean))
	for j := range shift {
		shift[j] = mean[j] - m.mean[j]
	}
	weight := float64(m.n) * float64(n) / total
	for i, si := range shift {
		row, more := m.scatter.RawRowView(i), scatter.RawRowView(i)
		for j, sj := range shift {
			row[j] += more[j] + weight*si*sj
		}
		m.mean[i] += si * (float64(n) / total)
	}
	m.n += n
}
