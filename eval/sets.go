package eval

import (
	"context"
	"errors"
	"fmt"

	"gonum.org/v1/gonum/mat"

	"illustrator/eval/metrics"
)

const (
	// mostPairs limits the pictures of metrics whose time grows with their square.
	mostPairs = 20_000
	// mostResampled limits the rows, of both sets, that the interval of such a metric is recomputed from.
	mostResampled = 6000
)

// whole stands for the group that is left out where none is.
const whole = -1

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
	sets := []set{{name: "CLIP " + m.Domain, dim: m.own.dim, own: m.rows.own, reference: reference.rows.own,
		caveat: reference.caveat}}
	if e := m.Judges.Inception; e != nil {
		s := set{name: e.Name, dim: e.Dim, own: m.rows.inception, reference: reference.rows.inception,
			caveat: reference.caveat}
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

// comparison is that of one set. own and reference are its rows; of own there may be fewer than pictures.
type comparison struct {
	*measurement
	set
	own, reference *mat.Dense
	texts          []int // of own's rows
}

// figure measures rows. It is told which of the jackknife's groups they lack.
type figure func(without int, own, reference *mat.Dense) (metrics.Metric, error)

// measureSet measures one kind of features. Its name is part of the metrics'.
func (m *measurement) measureSet(ctx context.Context, s set) (err error) {
	c := &comparison{measurement: m, set: s}
	for _, score := range m.judged() {
		c.texts = append(c.texts, score.Text)
	}
	if c.own, err = metrics.Rows(s.own, s.dim); err != nil {
		return err
	}
	if s.missing == "" {
		if c.reference, err = metrics.Rows(s.reference, s.dim); err != nil {
			return err
		}
	}
	c.frechet(ctx)
	c.own, c.texts = thin(c.own, c.texts, mostPairs)
	c.kernels(ctx)
	c.manifold(ctx)
	return context.Cause(ctx)
}

// add measures a figure that is asked for under the name wanted, and gives it its interval.
func (c *comparison) add(ctx context.Context, wanted MetricName, name string, measure figure,
	interval func(metrics.Metric) (metrics.Metric, error)) {
	if context.Cause(ctx) != nil {
		return
	}
	c.measurement.add(wanted, c.metric(name), func() (metrics.Metric, error) {
		if c.missing != "" {
			return metrics.Metric{}, errors.New(c.missing)
		}
		m, err := measure(whole, c.own, c.reference)
		if err != nil {
			return m, err
		}
		m = m.With("%s", c.caveat)
		if metrics.Alike(c.own) {
			m = m.With("all pictures have the same features")
		}
		if metrics.Alike(c.reference) {
			m = m.With("all pictures of the reference have the same features")
		}
		if n, all := rowsOf(c.own), len(c.judged()); n < all {
			m = m.With("of %d pictures, evenly picked", n)
		}
		return interval(m)
	})
}

// remeasure gives intervals by measuring again, on at most mostResampled rows.
func (c *comparison) remeasure(measure figure) func(metrics.Metric) (metrics.Metric, error) {
	return func(m metrics.Metric) (metrics.Metric, error) {
		own, reference, texts := c.own, c.reference, c.texts
		if rowsOf(own)+rowsOf(reference) > mostResampled {
			own, texts = thin(own, texts, mostResampled/2)
			reference, _ = thin(reference, make([]int, rowsOf(reference)), mostResampled/2)
			m = m.With("interval from %d of the pictures and %d of the reference: too wide", rowsOf(own), rowsOf(reference))
		}
		return jackknifed(m, c.groups(texts), func(without int, keep []int) (float64, error) {
			m, err := measure(without, metrics.Pick(own, keep), reference)
			return m.Value, err
		})
	}
}

// metric is the name of a metric of these features.
func (s *set) metric(name string) string { return fmt.Sprintf("%s (%s features)", name, s.name) }

// frechet measures FID. Its interval needs the moments of each group once, however many pictures there are.
func (c *comparison) frechet(ctx context.Context) {
	groups := c.groups(c.texts)
	if groups == nil {
		groups = [][]int{identity(rowsOf(c.own))}
	}
	var parts []*metrics.Moments
	var reference *metrics.Moments
	measure := func(without int, _, _ *mat.Dense) (_ metrics.Metric, err error) {
		if reference == nil {
			if reference, err = momentsOf(c.reference); err != nil {
				return metrics.Metric{}, err
			}
		}
		all := metrics.NewMoments(c.dim)
		for i, rows := range groups {
			if i == len(parts) {
				part, err := momentsOf(metrics.Pick(c.own, rows))
				if err != nil {
					return metrics.Metric{}, err
				}
				parts = append(parts, part)
			}
			if i == without {
				continue
			}
			if err := all.Merge(parts[i]); err != nil {
				return metrics.Metric{}, err
			}
		}
		return metrics.FrechetDistance(all, reference)
	}
	c.add(ctx, "fid", "fid", measure, func(m metrics.Metric) (metrics.Metric, error) {
		return jackknifed(m, c.groups(c.texts), func(without int, _ []int) (float64, error) {
			m, err := measure(without, nil, nil)
			return m.Value, err
		})
	})
}

// momentsOf returns the moments of rows, without the room that adding takes.
func momentsOf(x *mat.Dense) (*metrics.Moments, error) {
	_, dim := x.Dims()
	added, m := metrics.NewMoments(dim), metrics.NewMoments(dim)
	if err := added.Add(x); err != nil {
		return nil, err
	}
	return m, m.Merge(added)
}

// kernels measures KID and CMMD. KID over subsets and over the whole sets estimate one number: the interval of both is
// that of the whole sets, which are not resampled.
func (c *comparison) kernels(ctx context.Context) {
	known := map[int]metrics.Metric{}
	wholeSets := func(without int, own, reference *mat.Dense) (m metrics.Metric, err error) {
		m, ok := known[without]
		if !ok {
			m, err = metrics.KernelInceptionDistanceWhole(own, reference)
			known[without] = m
		}
		return m, err
	}
	c.add(ctx, "kid", "kid", func(_ int, own, reference *mat.Dense) (metrics.Metric, error) {
		m, std, err := metrics.KernelInceptionDistance(own, reference, metrics.Subsets{Seed: drawSeed})
		return m.With("standard deviation over subsets %.3g", std), err
	}, c.remeasure(wholeSets))
	c.add(ctx, "kid", "kid_whole", wholeSets, c.remeasure(wholeSets))
	if c.set.name == "CLIP "+c.Domain {
		cmmd := func(_ int, own, reference *mat.Dense) (metrics.Metric, error) {
			return metrics.CLIPMaximumMeanDiscrepancy(reference, own)
		}
		c.add(ctx, "cmmd", "cmmd", cmmd, c.remeasure(cmmd))
	}
}

// manifold measures precision, recall, density and coverage.
func (c *comparison) manifold(ctx context.Context) {
	known := map[int]metrics.ManifoldMetrics{} // one computation gives four
	of := func(name string) figure {
		return func(without int, own, reference *mat.Dense) (metrics.Metric, error) {
			m, ok := known[without]
			if !ok {
				var err error
				if m, err = metrics.Manifold(reference, own, metrics.Neighbours{}); err != nil {
					return metrics.Metric{}, err
				}
				known[without] = m
			}
			return map[string]metrics.Metric{"precision": m.Precision, "recall": m.Recall, "density": m.Density,
				"coverage": m.Coverage}[name], nil
		}
	}
	for _, name := range []string{"precision", "recall", "density", "coverage"} {
		c.add(ctx, MetricName(name), name, of(name), c.remeasure(of(name)))
	}
}

func rowsOf(x *mat.Dense) int {
	n, _ := x.Dims()
	return n
}

// thin picks most rows evenly, where there are more.
func thin(x *mat.Dense, texts []int, most int) (*mat.Dense, []int) {
	n := rowsOf(x)
	if n <= most {
		return x, texts
	}
	keep, picked := make([]int, most), make([]int, most)
	for i := range keep {
		keep[i] = i * n / most
		picked[i] = texts[keep[i]]
	}
	return metrics.Pick(x, keep), picked
}
