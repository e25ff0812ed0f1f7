package cartoon

import (
	"math"
	"runtime"
	"sync"
)

// blurPasses is the number of boxes in place of a Gaussian: three come within 12 % of its peak.
const blurPasses = 3

// blur returns the plane after a Gaussian of so many pixels, edges repeated. Its time does not depend on sigma, as that of
// a true Gaussian does: styles blur by hundredths of the picture, some of them once for each colour. A box has fractions of
// pixels at its ends: Gwosdek et al., "Theoretical Foundations of Gaussian Convolution by Extended Box Filtering" (2011).
func (p plane) blur(sigma float64) plane {
	if sigma < 0.1 {
		return p
	}
	// A box of width 2r+1+2a has the variance sigma² / passes.
	variance := sigma * sigma / blurPasses
	r := int((math.Sqrt(12*variance+1) - 1) / 2)
	n := float64(2*r + 1)
	ends := n * (float64(r*(r+1)) - 3*variance) / (6 * (variance - float64((r+1)*(r+1))))
	turned := p
	for range 2 { // along rows, then along columns as rows
		lines := newPlane(turned.h, turned.w)
		rows(lines.w, func(x int) {
			line, spare := make([]float32, lines.h), make([]float32, lines.h)
			copy(line, turned.v[x*turned.w:])
			for range blurPasses {
				box(spare, line, r, float32(ends))
				line, spare = spare, line
			}
			for y, v := range line {
				lines.v[y*lines.w+x] = v
			}
		})
		turned = lines
	}
	return turned
}

// box averages over r neighbours to each side, and the share ends of the next.
func box(out, in []float32, r int, ends float32) {
	last := len(in) - 1
	at := func(i int) float32 { return in[min(max(i, 0), last)] }
	var sum float64 // in float64, so that what leaves the window takes nothing else along
	for i := -r; i <= r; i++ {
		sum += float64(at(i))
	}
	norm := 1 / (float64(2*r+1) + 2*float64(ends))
	for i := range in {
		out[i] = float32((sum + float64(ends*(at(i-r-1)+at(i+r+1)))) * norm)
		sum += float64(at(i+r+1)) - float64(at(i-r))
	}
}

// rows calls f for all rows, on all processors. A row must depend on no other.
func rows(h int, f func(y int)) {
	var wait sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), h)
	for k := range workers {
		wait.Go(func() {
			for y := k; y < h; y += workers {
				f(y)
			}
		})
	}
	wait.Wait()
}
