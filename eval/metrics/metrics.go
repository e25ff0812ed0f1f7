// Package metrics computes the numbers that pictures are judged by, from embeddings, features and judgements: plain
// float64, no graphs. Each metric states its definition and source; each refuses input that cannot give it, and carries
// a caveat where the input gives a number worth less than its name promises.
//
// Rows of a matrix are samples, columns are dimensions. Whatever draws at random is seeded: equal input and seed give
// equal bits on one machine.
package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"illustrator/internal/fault"
)

// Better says in which direction a metric improves.
type Better string

// The directions; a metric that only describes has none.
const (
	Higher Better = "higher"
	Lower  Better = "lower"
)

// Unit says which numbers a metric can be; "" for any.
type Unit string

// The units.
const (
	Share   Unit = "share"  // a number from 0 to 1
	Amount  Unit = "amount" // a number not below 0
	Seconds Unit = "s"
)

// Definition describes a metric: all of its values share it.
type Definition struct {
	Name   string `json:"name"` // as in files and flags: "clip_similarity"
	Unit   Unit   `json:"unit,omitempty"`
	Better Better `json:"better,omitempty"`
}

// Bounded returns the metric with an interval that ends where the metric's numbers do.
func (m Metric) Bounded() Metric {
	if m.Interval != nil {
		m.Interval = m.cut(m.Interval)
	}
	return m
}

// cut ends an interval where the metric's numbers do.
func (d Definition) cut(i *Interval) *Interval {
	cut := *i
	if d.Unit != "" {
		cut.Low, cut.High = max(0, i.Low), max(0, i.High)
	}
	if d.Unit == Share {
		cut.Low, cut.High = min(1, cut.Low), min(1, cut.High)
	}
	return &cut
}

// Interval contains the true value with 95 % confidence.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Metric is a measured value, with what its reader must know to judge it.
type Metric struct {
	Definition
	Value    float64   `json:"value"`
	Interval *Interval `json:"interval,omitempty"` // nil where none is known
	N        int       `json:"n"`                  // how many samples it was measured on; of two sets, the smaller
	// Caveat says what the number is not worth, as clauses joined by "; ". Empty: it is what it says.
	Caveat string `json:"caveat,omitempty"`
}

// With returns the metric with one more caveat; an empty one changes nothing.
func (m Metric) With(format string, args ...any) Metric {
	m.Caveat = join(m.Caveat, fmt.Sprintf(format, args...))
	return m
}

func join(caveat, more string) string {
	if caveat == "" || more == "" {
		return caveat + more
	}
	return caveat + "; " + more
}

// Rows returns values, row by row, as a matrix in float64: embeddings [N,dim] as networks return them.
func Rows[T float32 | float64](values []T, dim int) (*mat.Dense, error) {
	if dim < 1 || len(values) == 0 || len(values)%dim != 0 {
		return nil, fmt.Errorf("%d values are not rows of %d", len(values), dim)
	}
	wide := make([]float64, len(values))
	for i, v := range values {
		wide[i] = float64(v)
	}
	return mat.NewDense(len(values)/dim, dim, wide), nil
}

// Alike reports whether all rows of x are the same, but for what float32 rounds: no column varies by more than a
// millionth of the greatest value.
func Alike(x *mat.Dense) bool {
	n, d := x.Dims()
	first, spread, greatest := x.RawRowView(0), 0.0, 0.0
	for i := range n {
		row := x.RawRowView(i)
		for j := range d {
			spread, greatest = math.Max(spread, math.Abs(row[j]-first[j])), math.Max(greatest, math.Abs(row[j]))
		}
	}
	return spread <= 1e-6*greatest
}

// need returns an error unless x has at least rows rows, all of them finite. what names the rows in messages.
func need(what string, x *mat.Dense, rows int) error {
	n, d := x.Dims()
	if n < rows {
		return tooFew(what, n, rows)
	}
	for i := range n {
		for j := range d {
			if v := x.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
				return fault.Hint(fmt.Errorf("%s: row %d, column %d is %g", what, i, j, v),
					"the network that made the rows gave a number that is none: check its weights and its input")
			}
		}
	}
	return nil
}

// needBoth is need for two sets of rows, which must have equally many columns.
func needBoth(what string, x, y *mat.Dense, rows int) error {
	_, dx := x.Dims()
	_, dy := y.Dims()
	if dx != dy {
		return fmt.Errorf("%s: rows of %d and of %d dimensions cannot be compared", what, dx, dy)
	}
	if err := need(what+", first set", x, rows); err != nil {
		return err
	}
	return need(what+", second set", y, rows)
}

func tooFew(what string, have, want int) error {
	return fault.Usage(fmt.Errorf("%s: %d samples, at least %d are needed", what, have, want), "take more texts or seeds")
}
