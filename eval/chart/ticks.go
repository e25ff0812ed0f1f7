package chart

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// linearTicks labels the multiples of 1, 2 or 5 times a power of ten, some five to ten of them.
type linearTicks struct{}

func (linearTicks) Ticks(low, high float64) []plot.Tick {
	power := math.Pow(10, math.Floor(math.Log10(high-low)))
	step := power
	for _, part := range []float64{0.1, 0.2, 0.5} {
		if (high-low)/(part*power) <= 10 {
			step = part * power
			break
		}
	}
	var ticks []plot.Tick
	for i := math.Ceil(low / step); i*step <= high; i++ {
		ticks = append(ticks, plot.Tick{Value: i * step, Label: number(i*step, 6)})
	}
	return ticks
}

// logTicks marks 1, 2 … 9 in each power of ten, and labels as many as there is room for.
type logTicks struct{}

func (logTicks) Ticks(low, high float64) []plot.Tick {
	decades := math.Log10(high / low)
	if decades < 0.7 { // too few round numbers
		return linearTicks{}.Ticks(low, high)
	}
	var ticks []plot.Tick
	for power := math.Floor(math.Log10(low)); power <= math.Log10(high); power++ {
		for digit := 1.0; digit <= 9; digit++ {
			tick := plot.Tick{Value: digit * math.Pow(10, power)}
			if tick.Value < low || tick.Value > high {
				continue
			}
			if digit == 1 || decades < 3 && (digit == 2 || digit == 5) {
				tick.Label = number(tick.Value, 6)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// number writes a value with at most the given digits.
func number(v float64, digits int) string {
	short, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	switch size := math.Abs(short); {
	case size == 0: // no "-0"
		return "0"
	case size >= 1e-4 && size < 1e6:
		return strconv.FormatFloat(short, 'f', -1, 64)
	}
	return strconv.FormatFloat(short, 'g', -1, 64)
}
