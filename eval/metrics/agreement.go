package metrics

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Level says what the differences of ratings mean, and so how Agreement weighs them.
type Level string

// The levels of measurement.
const (
	NominalLevel  Level = "nominal"  // ratings are equal or not
	OrdinalLevel  Level = "ordinal"  // ratings have an order
	IntervalLevel Level = "interval" // differences of ratings are comparable
)

// Agreement returns Krippendorff's alpha of ratings (Computing Krippendorff's Alpha-Reliability, 2011): 1 for perfect
// agreement, 0 for that of chance. ratings[r][u] is rater r's rating of unit u, NaN where there is none. Units with
// fewer than two ratings don't count. Ratings that are all equal have no alpha, which is an error.
func Agreement(ratings [][]float64, level Level) (float64, error) {
	units, values, err := ratedUnits(ratings)
	if err != nil {
		return 0, err
	}
	counts, n := make([]float64, len(values)), 0.0
	for _, unit := range units {
		for v, count := range unit {
			counts[v] += count
			n += count
		}
	}
	distance, err := distances(values, counts, level)
	if err != nil {
		return 0, err
	}
	observed, expected := 0.0, 0.0
	for _, unit := range units {
		m := 0.0
		for _, count := range unit {
			m += count
		}
		observed += disagreement(unit, distance) / (m - 1)
	}
	if expected = disagreement(counts, distance) / (n - 1); expected == 0 {
		return 0, errors.New("agreement: all ratings that units share are equal, so chance disagrees as little")
	}
	return 1 - observed/expected, nil
}

// ratedUnits returns how often each value was given to each unit of two ratings or more, and the values, ascending.
func ratedUnits(ratings [][]float64) (units [][]float64, values []float64, err error) {
	for r, row := range ratings {
		if len(row) != len(ratings[0]) {
			return nil, nil, fmt.Errorf("agreement: rater %d has %d units, not %d", r, len(row), len(ratings[0]))
		}
		for u, v := range row {
			if math.IsInf(v, 0) {
				return nil, nil, fmt.Errorf("agreement: rater %d, unit %d: the rating is %g", r, u, v)
			}
			if !math.IsNaN(v) {
				values = append(values, v)
			}
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	for u := 0; len(ratings) > 0 && u < len(ratings[0]); u++ {
		unit, m := make([]float64, len(values)), 0
		for _, row := range ratings {
			if at, is := slices.BinarySearch(values, row[u]); is && !math.IsNaN(row[u]) {
				unit[at]++
				m++
			}
		}
		if m > 1 {
			units = append(units, unit)
		}
	}
	if len(units) == 0 {
		return nil, nil, errors.New("agreement: no unit has ratings of two raters")
	}
	return units, values, nil
}

// distances returns the squared distance between each two values.
func distances(values, counts []float64, level Level) ([][]float64, error) {
	square := make([][]float64, len(values))
	for i := range square {
		square[i] = make([]float64, len(values))
		for j := range square[i] {
			d := 0.0
			switch level {
			case NominalLevel:
				if i != j {
					d = 1
				}
			case OrdinalLevel:
				low, high := min(i, j), max(i, j)
				for _, count := range counts[low : high+1] {
					d += count
				}
				d -= (counts[low] + counts[high]) / 2
			case IntervalLevel:
				d = values[i] - values[j]
			default:
				return nil, fmt.Errorf("agreement: the level %q is unknown", level)
			}
			square[i][j] = d * d
		}
	}
	return square, nil
}

// disagreement sums the distances of all ordered pairs of ratings.
func disagreement(counts []float64, distance [][]float64) float64 {
	sum := 0.0
	for i, a := range counts {
		for j, b := range counts {
			sum += a * b * distance[i][j]
		}
	}
	return sum
}
