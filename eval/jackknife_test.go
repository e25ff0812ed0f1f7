package eval

import (
	"math"
	"strings"
	"testing"

	"illustrator/data/texts"
	"illustrator/eval/metrics"
)

// Of a mean over groups of one row each, the jackknife's interval is the textbook's: mean ± t·s/√n. t of 9 degrees of
// freedom is 2.262157 in the tables.
func TestJackknifeOfAMean(t *testing.T) {
	values := []float64{3, 1, 4, 1, 5, 9, 2, 6, 5, 3}
	var m measurement
	mean := func(_ int, keep []int) (float64, error) {
		sum := 0.0
		for _, i := range keep {
			sum += values[i]
		}
		return sum / float64(len(keep)), nil
	}
	all := identity(len(values))
	value, _ := mean(whole, all)
	got, err := jackknifed(metrics.Metric{Value: value}, m.groups(all), mean)
	if err != nil {
		t.Fatal(err)
	}
	squares := 0.0
	for _, v := range values {
		squares += (v - value) * (v - value)
	}
	half := 2.262157 * math.Sqrt(squares/9) / math.Sqrt(10)
	if math.Abs(got.Interval.Low-(value-half)) > 1e-5 || math.Abs(got.Interval.High-(value+half)) > 1e-5 {
		t.Errorf("interval %+v, want %g ± %g", *got.Interval, value, half)
	}
	share, err := jackknifed(metrics.Metric{Definition: metrics.Precision, Value: 0.99}, m.groups(all), mean)
	if err != nil || share.Interval.Low != 0 || share.Interval.High != 1 {
		t.Errorf("share: %+v, %v", share.Interval, err)
	}
}

// Texts stay whole, and too few of them give no interval.
func TestJackknifeLeavesWholeTextsOut(t *testing.T) {
	var m measurement
	var texts []int
	for i := range 60 {
		texts = append(texts, i/5) // 12 texts of 5 pictures
	}
	seen := map[int]int{}
	rows := 0
	for g, group := range m.groups(texts) {
		for _, row := range group {
			if before, ok := seen[texts[row]]; ok && before != g {
				t.Errorf("text %d is in groups %d and %d", texts[row], before, g)
			}
			seen[texts[row]] = g
			rows++
		}
	}
	if rows != 60 || len(seen) != 12 {
		t.Errorf("%d rows of %d texts", rows, len(seen))
	}
	few, err := jackknifed(metrics.Metric{Value: 1}, m.groups(texts[:45]), nil) // 9 texts
	if err != nil || few.Interval != nil || !strings.Contains(few.Caveat, "no interval") {
		t.Errorf("9 texts: %+v, %v", few, err)
	}
}

// Pictures of one text share a batch where they fit.
func TestBatches(t *testing.T) {
	for seeds, want := range map[int][]int{3: {30, 30, 12}, 32: {32, 32, 32, 32, 32, 32}, 50: {32, 18, 32, 18}} {
		var m measurement
		textCount := map[int]int{3: 24, 32: 6, 50: 2}[seeds]
		m.Texts, m.Seeds = make([]texts.Text, textCount), make([]uint64, seeds)
		var got []int
		for _, b := range m.batches() {
			got = append(got, len(b))
		}
		if len(got) != len(want) {
			t.Errorf("%d texts of %d seeds: batches of %v, want %v", textCount, seeds, got, want)
			continue
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%d texts of %d seeds: batches of %v, want %v", textCount, seeds, got, want)
				break
			}
		}
	}
}
