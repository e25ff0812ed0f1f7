package metrics

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// MeanOfRuns is the mean of a figure that each run has one of, such as FID, with the interval of Student's t for new
// runs. Runs that are all alike give the interval that the figure has by itself.
func MeanOfRuns(runs []Metric) (Metric, error) {
	if len(runs) == 0 {
		return Metric{}, tooFew("mean of runs", 0, 1)
	}
	m := runs[0]
	if len(runs) == 1 {
		return m.With("of one run"), nil
	}
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = r.Value
	}
	mean, deviation := stat.MeanStdDev(values, nil)
	if deviation == 0 { // a figure that no run changes: what it says of new texts is all that is known
		return m.With("the same in all %d runs", len(runs)), nil
	}
	e := estimate{mean: mean, variance: square(deviation) / float64(len(runs)), freedom: float64(len(runs) - 1)}
	m.Value, m.Interval = mean, m.cut(e.interval())
	return m.With("the interval is over %d runs, on the same texts", len(runs)), nil
}

// CompareOfRuns returns how much a's figures are above b's, run by run, for a figure that each run has one of: the
// paired t-test, whose interval and P are for new runs on the same texts. One run, or runs that all differ by the same,
// give no interval, and P 1.
func CompareOfRuns(a, b []Metric) (Difference, error) {
	if len(a) != len(b) || len(a) == 0 {
		return Difference{}, fmt.Errorf("comparison: %d runs cannot be paired with %d", len(a), len(b))
	}
	values := make([]float64, len(a))
	for i := range a {
		values[i] = a[i].Value - b[i].Value
	}
	d := Difference{Value: stat.Mean(values, nil), N: len(a), P: 1, Seeds: len(a)}
	if len(a) == 1 {
		d.Caveat = "of one run"
		return d, nil
	}
	deviation := stat.StdDev(values, nil)
	if deviation == 0 {
		d.Caveat = fmt.Sprintf("the same in all %d runs", len(a))
		return d, nil
	}
	e := estimate{mean: d.Value, variance: square(deviation) / float64(len(a)), freedom: float64(len(a) - 1)}
	d.Interval = e.interval()
	d.P = 2 * e.student().Survival(math.Abs(e.mean)/math.Sqrt(e.variance))
	d.deviation, d.freedom = math.Sqrt(e.variance), e.freedom
	return d, nil
}

// Power is the chance with which Difference.Detectable is found.
const Power = 0.8

// Detectable is the smallest true difference that a comparison like this one finds with a chance of Power, where a P
// below level counts: (t(1 - level/2) + t(Power)) standard errors, with the quantiles of Student's t (Bloom 1995,
// Evaluation Review 19:5). False where the comparison has no variance to tell it by.
func (d Difference) Detectable(level float64) (float64, bool) {
	if d.deviation == 0 {
		return 0, false
	}
	t := distuv.StudentsT{Sigma: 1, Nu: d.freedom}
	return (t.Quantile(1-level/2) + t.Quantile(Power)) * d.deviation, true
}
