package eval

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"illustrator/eval/metrics"
)

// jackknifeGroups is the number of times that a metric of a whole set is recomputed. A bootstrap would repeat rows,
// which such metrics take for pictures that are alike; leaving some out does not.
const jackknifeGroups = 10

// groups deals rows to jackknifeGroups groups, whole texts each: pictures of one text are alike. nil where the texts
// are too few.
func (m *measurement) groups(texts []int) [][]int {
	place := map[int]int{}
	for _, t := range texts {
		if _, ok := place[t]; !ok {
			place[t] = len(place)
		}
	}
	if len(place) < jackknifeGroups {
		return nil
	}
	groups := make([][]int, jackknifeGroups)
	for row, t := range texts {
		g := place[t] % jackknifeGroups
		groups[g] = append(groups[g], row)
	}
	return groups
}

// jackknifed gives a metric of a set its interval over texts, by the delete-a-group jackknife (Efron and Tibshirani
// 1993, section 11.5): the metric without each group in turn, Student's t with a degree of freedom less than groups.
// The reference is held fixed. An interval ends where the metric does: at 0, of shares at 1 too.
// measure gets the group that is left out, and the rows to keep.
func jackknifed(of metrics.Metric, groups [][]int,
	measure func(without int, keep []int) (float64, error)) (metrics.Metric, error) {
	if groups == nil {
		return of.With("no interval: fewer than %d texts", jackknifeGroups), nil
	}
	values := make([]float64, len(groups))
	for without := range groups {
		var keep []int
		for g, rows := range groups {
			if g != without {
				keep = append(keep, rows...)
			}
		}
		v, err := measure(without, keep)
		if err != nil {
			return of.With("no interval: too few pictures to leave some out"), nil
		}
		values[without] = v
	}
	g := float64(len(groups))
	// The variance is (g-1)/g·Σ(vᵢ-mean)².
	deviation := stat.PopStdDev(values, nil) * math.Sqrt(g-1)
	t := distuv.StudentsT{Sigma: 1, Nu: g - 1}.Quantile(0.975)
	of.Interval = &metrics.Interval{Low: of.Value - t*deviation, High: of.Value + t*deviation}
	return of.Bounded(), nil
}
