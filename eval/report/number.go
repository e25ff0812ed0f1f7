package report

import (
	"math"
	"slices"
	"strconv"

	"illustrator/eval/metrics"
)

// Number is a measured value.
type Number struct {
	Value    float64           `json:"value"`
	Interval *metrics.Interval `json:"interval,omitempty"` // nil where none is known
}

// Decimals returns the number of meaningful decimals: two digits of the interval's half-width, or four digits
// of the value where no interval has a width; never more than six.
func (n Number) Decimals() int {
	digits, scale := 4, math.Abs(n.Value)
	if n.wide() {
		digits, scale = 2, (n.Interval.High-n.Interval.Low)/2
	}
	if scale == 0 {
		return 0
	}
	return min(max(digits-1-int(math.Floor(math.Log10(scale))), 0), 6)
}

func (n Number) wide() bool { return n.Interval != nil && n.Interval.High > n.Interval.Low }

// Format prints the value and its interval, "[low, high]", with the given decimals; no interval is "".
func (n Number) Format(decimals int) (value, interval string) {
	value = decimal(n.Value, decimals)
	if n.Interval != nil {
		interval = "[" + decimal(n.Interval.Low, decimals) + ", " + decimal(n.Interval.High, decimals) + "]"
	}
	return value, interval
}

// decimal prints v without a sign on zero.
func decimal(v float64, decimals int) string {
	s := strconv.FormatFloat(v, 'f', decimals, 64)
	if zero, _ := strconv.ParseFloat(s, 64); zero == 0 {
		return strconv.FormatFloat(0, 'f', decimals, 64)
	}
	return s
}

// decimals returns the number of decimals of a column's cell. The numbers of one metric share them: those that
// the most exact of them needs, so that none is rounded more than its interval allows.
func (t Table) decimals(column int, cell *Cell) int {
	if t.Columns[column].Mixed {
		return cell.Number.Decimals()
	}
	var wide, all []int
	for _, row := range t.Rows {
		if n := row.Cells[column].Number; n != nil {
			all = append(all, n.Decimals())
			if n.wide() {
				wide = append(wide, n.Decimals())
			}
		}
	}
	if len(wide) > 0 {
		return slices.Max(wide)
	}
	return slices.Max(all)
}
