package eval

import (
	"context"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"illustrator/eval/metrics"
)

const (
	// mostPairs is how many pictures metrics take whose time grows with their square.
	mostPairs = 20_000
	// mostResampled is up to how many rows, of both sets, such a metric is computed anew for its interval.
	mostResampled = 6000
)

// set is one kind of features of generated and reference pictures.
type set struct {
	name            string
	dim             int
	own, reference  []float32
	missing, caveat string
}

// measureSets compares the pictures with the reference, as sets.
func (m *measurement) measureSets(ctx context.Context) error {
	if !m.ComparesSets() {
		return nil
	}
	reference, err := m.reference(ctx)
	if err != nil {
		return err
	}
	m.result.SkippedReference = reference.Skipped
	sets := []set{{name: "CLIP " + m.Domain, dim: m.own.dim, own: m.rows.own, reference: reference.rows.own, caveat: reference.caveat}}
	if e := m.Judges.Inception; e != nil {
		s := set{name: e.Name, dim: e.Dim, own: m.rows.inception, reference: reference.rows.inception, caveat: reference.caveat}
		if len(s.reference) == 0 {
			s.missing = "pairs have CLIP's features only: give a folder of pictures as the reference"
		}
		sets = append(sets, s)
	}
	for _, s := range sets {
		if err := m.measureSet(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// measureSet measures one kind of features. Its name is part of the metrics'.
func (m *measurement) measureSet(ctx context.Context, s set) error {
	own, err := metrics.Rows(s.own, s.dim)
	if err != nil {
		return err
	}
	texts := []int{}
	for _, score := range m.judged() {
		texts = append(texts, score.Text)
	}
	var reference *mat.Dense
	if s.missing == "" {
		if reference, err = metrics.Rows(s.reference, s.dim); err != nil {
			return err
		}
	}
	add := func(wanted, name string, own *mat.Dense, texts []int, measure func(own *mat.Dense) (metrics.Metric, error)) {
		if context.Cause(ctx) != nil {
			return
		}
		m.add(wanted, fmt.Sprintf("%s (%s features)", name, s.name), func() (metrics.Metric, error) {
			if s.missing != "" {
				return metrics.Metric{}, fmt.Errorf("%s", s.missing)
			}
			metric, err := measure(own)
			if err != nil {
				return metric, err
			}
			metric = metric.With("%s", s.caveat)
			if n, _ := own.Dims(); n < len(m.judged()) {
				metric = metric.With("of %d pictures, evenly picked", n)
			}
			if rows := rowsOf(own) + rowsOf(reference); rows > mostResampled || name == "kid" {
				return metric.With("no interval"), nil
			}
			return jackknifed(metric, m.groups(texts), func(keep []int) (float64, error) {
				again, err := measure(metrics.Pick(own, keep))
				return again.Value, err
			})
		})
	}
	add("fid", "fid", own, texts, func(own *mat.Dense) (metrics.Metric, error) { return frechet(own, reference) })
	own, texts = thin(own, texts)
	add("kid", "kid", own, texts, func(own *mat.Dense) (metrics.Metric, error) {
		metric, std, err := metrics.KernelInceptionDistance(own, reference, metrics.Subsets{Seed: m.Bootstrap.Seed})
		return metric.With("standard deviation over subsets %.3g", std), err
	})
	add("kid", "kid_whole", own, texts, func(own *mat.Dense) (metrics.Metric, error) {
		return metrics.KernelInceptionDistanceWhole(own, reference)
	})
	if s.dim == m.own.dim && s.name == "CLIP "+m.Domain {
		add("cmmd", "cmmd", own, texts, func(own *mat.Dense) (metrics.Metric, error) {
			return metrics.CLIPMaximumMeanDiscrepancy(reference, own)
		})
	}
	known := map[*mat.Dense]metrics.ManifoldMetrics{} // one computation gives four
	for _, name := range []string{"precision", "recall", "density", "coverage"} {
		add(name, name, own, texts, func(of *mat.Dense) (metrics.Metric, error) {
			manifold, ok := known[of]
			if !ok {
				var err error
				if manifold, err = metrics.Manifold(reference, of, metrics.Neighbours{}); err != nil {
					return metrics.Metric{}, err
				}
				if of == own {
					known[of] = manifold
				}
			}
			return map[string]metrics.Metric{"precision": manifold.Precision, "recall": manifold.Recall,
				"density": manifold.Density, "coverage": manifold.Coverage}[name], nil
		})
	}
	return context.Cause(ctx)
}

func rowsOf(x *mat.Dense) int {
	n, _ := x.Dims()
	return n
}

func frechet(own, reference *mat.Dense) (metrics.Metric, error) {
	_, dim := own.Dims()
	a, b := metrics.NewMoments(dim), metrics.NewMoments(dim)
	if err := a.Add(own); err != nil {
		return metrics.Metric{}, err
	}
	if err := b.Add(reference); err != nil {
		return metrics.Metric{}, err
	}
	return metrics.FrechetDistance(a, b)
}

// thin picks mostPairs rows evenly, where there are more.
func thin(x *mat.Dense, texts []int) (*mat.Dense, []int) {
	n := rowsOf(x)
	if n <= mostPairs {
		return x, texts
	}
	keep, picked := make([]int, mostPairs), make([]int, mostPairs)
	for i := range keep {
		keep[i] = i * n / mostPairs
		picked[i] = texts[keep[i]]
	}
	return metrics.Pick(x, keep), picked
}
