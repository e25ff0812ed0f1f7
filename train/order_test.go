package train

import (
	"math"
	"testing"
)

// Every epoch holds each row once, in an order of its own, which seed and epoch alone decide.
func TestOrderCoversEachRowOnce(t *testing.T) {
	for _, rows := range []int{1, 2, 3, 7, 64, 1000, 4097} {
		o, again := NewOrder(5, rows), NewOrder(5, rows)
		var first []int
		for epoch := range 3 {
			seen := make([]bool, rows)
			for i := range rows {
				row := o.At(epoch*rows + i)
				if row < 0 || row >= rows || seen[row] {
					t.Fatalf("%d rows, epoch %d: row %d again, or none", rows, epoch, row)
				}
				seen[row] = true
				if epoch == 0 {
					first = append(first, row)
				}
			}
			if epoch == 1 && rows > 60 {
				fixed := 0
				for i := range rows {
					if o.At(rows+i) == first[i] {
						fixed++
					}
				}
				if fixed > 10 { // 1 is expected of two random orders
					t.Errorf("%d rows: %d stand where they stood in the epoch before", rows, fixed)
				}
			}
		}
		if p := 2*rows + rows/2; again.At(p) != o.At(p) {
			t.Errorf("%d rows: place %d depends on what was asked before", rows, p)
		}
	}
}

// The order looks random: neighbours in it are as far apart as in a random permutation, a third of the rows on average.
func TestOrderIsShuffled(t *testing.T) {
	const rows = 10_000
	o, sum := NewOrder(1, rows), 0.0
	for p := range rows - 1 {
		sum += math.Abs(float64(o.At(p+1) - o.At(p)))
	}
	// The mean distance has a standard error of 0.24 · rows / √rows.
	if mean := sum / rows / rows; math.Abs(mean-1.0/3) > 5*0.24/100 {
		t.Errorf("neighbours are %.4f of all rows apart, want 1/3", mean)
	}
}
