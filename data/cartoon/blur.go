package cartoon

import (
	"math"
	"runtime"
	"sync"
)

// blurPasses is the number of boxes in place of a Gaussian: three come within 12 % of its peak.
const blurPasses = 3

// minBlur is the least deviation in pixels that anything is blurred by.
const minBlur = 0.1

// blur returns the plane after a Gaussian of sigma pixels, edges repeated. Its time does not depend on sigma, as that
// of a true Gaussian does: styles blur by hundredths of the picture, some of them once for each colour. A box has
// fractions of pixels at its ends: Gwosdek et al., "Theoretical Foundations of Gaussian Convolution by Extended Box
// Filtering" (2011).
func (p plane) blur(sigma float64) plane {
	if sigma < minBlur {
		return p
	}
	across, out := newPlane(p.w, p.h), newPlane(p.w, p.h)
	p.blurInto(across, out, sigma)
	return out
}

// blurInto is blur for a sigma of minBlur or more. across and out, of the plane's size, must be zero.
func (p plane) blurInto(across, out plane, sigma float64) {
	// A box of width 2r+1+2a has the variance sigma² / passes.
	variance := sigma * sigma / blurPasses
	r := int((math.Sqrt(12*variance+1) - 1) / 2)
	n := float64(2*r + 1)
	b := box{r, float32(n * (float64(r*(r+1)) - 3*variance) / (6 * (variance - float64((r+1)*(r+1)))))}
	b.blurTracks(across.v, p.v, tracks{count: p.h, length: p.w, apart: p.w, step: 1})
	b.blurTracks(out.v, across.v, tracks{count: p.w, length: p.h, apart: 1, step: p.w})
}

// tracks are rows or columns of a plane: pixel j of track i is at i·apart + j·step.
type tracks struct{ count, length, apart, step int }

// lanes is the number of tracks that are blurred side by side, a multiple of 4: the sum of one doesn't wait for
// another's, and a row of columns fills a line of the processor's cache.
const lanes = 16

// tile is a pixel of each lane.
type tile = [lanes]float32

// box averages over r neighbours to each side, and the share ends of the next.
type box struct {
	r    int
	ends float32
}

// blurTracks writes the tracks of in, after all passes, to out, which must be zero.
func (b box) blurTracks(out, in []float32, l tracks) {
	pad := b.r + 1
	parts((l.count+lanes-1)/lanes, func(from, to int) {
		line, spare := make([]tile, l.length+2*pad), make([]tile, l.length+2*pad)
		for i := from; i < to; i++ {
			first, n := i*lanes*l.apart, min(lanes, l.count-i*lanes)
			start, end := gather(line[pad:pad+l.length], in[first:], n, l)
			if start == end {
				continue
			}
			// Zeros stay zero outside the reach of the passes.
			start, end = max(0, start-blurPasses*pad), min(l.length, end+blurPasses*pad)
			a, z := line[start:end+2*pad], spare[start:end+2*pad]
			for range blurPasses {
				repeatEdges(a, pad)
				b.pass(z[pad:len(z)-pad], a)
				a, z = z, a
			}
			for j, t := range a[pad : len(a)-pad] {
				at := first + (start+j)*l.step
				for k := range n {
					out[at+k*l.apart] = t[k]
				}
			}
		}
	})
}

// gather collects the first n tracks of in, and returns where they begin and end to be other than zero.
func gather(to []tile, in []float32, n int, l tracks) (start, end int) {
	for j := range to {
		t, at := tile{}, j*l.step
		if n == lanes {
			for k := 0; k < lanes; k += 4 {
				t[k], t[k+1], t[k+2], t[k+3] = in[at], in[at+l.apart], in[at+2*l.apart], in[at+3*l.apart]
				at += 4 * l.apart
			}
		} else {
			for k := range n {
				t[k] = in[at+k*l.apart]
			}
		}
		if to[j] = t; t != (tile{}) {
			if end == 0 {
				start = j
			}
			end = j + 1
		}
	}
	return start, end
}

func repeatEdges(line []tile, pad int) {
	for i := range pad {
		line[i], line[len(line)-1-i] = line[pad], line[len(line)-1-pad]
	}
}

// pass averages once. in has r+1 pixels more than out at each end.
func (b box) pass(out, in []tile) {
	n, last := len(out), 2*b.r+2
	before, leaves, enters := in[:n], in[1:1+n], in[last:last+n]
	var s [lanes]float64 // in float64, so that what leaves the window takes nothing else along
	for _, t := range in[1:last] {
		for k, v := range t {
			s[k] += float64(v)
		}
	}
	norm, ends := 1/(float64(2*b.r+1)+2*float64(b.ends)), b.ends
	for k := 0; k < lanes; k += 4 {
		s0, s1, s2, s3 := s[k], s[k+1], s[k+2], s[k+3]
		for i := range out {
			o, p, q, t := (*[4]float32)(out[i][k:]), (*[4]float32)(before[i][k:]), (*[4]float32)(leaves[i][k:]),
				(*[4]float32)(enters[i][k:])
			o[0] = float32((s0 + float64(ends*(p[0]+t[0]))) * norm)
			o[1] = float32((s1 + float64(ends*(p[1]+t[1]))) * norm)
			o[2] = float32((s2 + float64(ends*(p[2]+t[2]))) * norm)
			o[3] = float32((s3 + float64(ends*(p[3]+t[3]))) * norm)
			s0 += float64(t[0]) - float64(q[0])
			s1 += float64(t[1]) - float64(q[1])
			s2 += float64(t[2]) - float64(q[2])
			s3 += float64(t[3]) - float64(q[3])
		}
	}
}

// parts calls f for parts of 0 to n, on all processors. The results for different numbers must be independent.
func parts(n int, f func(from, to int)) {
	workers := max(1, min(runtime.GOMAXPROCS(0), n))
	var wait sync.WaitGroup
	for k := range workers {
		wait.Go(func() { f(k*n/workers, (k+1)*n/workers) })
	}
	wait.Wait()
}

// rows calls f for all rows, on all processors. A row must depend on no other.
func rows(h int, f func(y int)) {
	parts(h, func(from, to int) {
		for y := from; y < to; y++ {
			f(y)
		}
	})
}
