package cartoon

import (
	"image/color"
	"math"
	"sync"

	"github.com/lucasb-eyer/go-colorful"
)

const (
	flat           = 0.03 * 0.03 // squared distance of neighbours in OKLab that are of one area
	paletteSamples = 4096        // pixels that a palette is found from
	paletteRounds  = 12          // of k-means: it moves little after that
)

// toPalette reduces the canvas to a number of its own colours.
func (c canvas) toPalette(colors int, rounding float64) {
	palette := c.palette(colors)
	labels := make([]uint8, len(c[0].v))
	parts(len(labels), func(from, to int) {
		for i := from; i < to; i++ {
			labels[i] = uint8(nearest(palette, c.lab(i)))
		}
	})
	c.paint(labels, palette, rounding)
}

// lab returns pixel i in OKLab.
func (c canvas) lab(i int) [3]float64 {
	light := linear()
	l, a, b := colorful.XyzToOkLab(colorful.LinearRgbToXyz(light.at(c[0].v[i]), light.at(c[1].v[i]), light.at(c[2].v[i])))
	return [3]float64{l, a, b}
}

// linear is the light of sRGB's values, which takes a power for each.
var linear = sync.OnceValue(func() *table {
	return newTable(func(v float64) float64 {
		l, _, _ := colorful.Color{R: v}.LinearRgb()
		return l
	})
})

func distance(a, b [3]float64) float64 {
	return (a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2])
}

func nearest(palette [][3]float64, v [3]float64) int {
	best, least := 0, math.Inf(1)
	for k := range palette {
		lightness := palette[k][0] - v[0]
		if lightness*lightness >= least { // no nearer than that
			continue
		}
		if d := distance(palette[k], v); d < least {
			best, least = k, d
		}
	}
	return best
}

// palette finds at most n colours, in OKLab, by k-means that starts from colours far from each other.
func (c canvas) palette(n int) [][3]float64 {
	w, h := c[0].w, c[0].h
	step := max(1, int(math.Sqrt(float64(w*h)/paletteSamples)))
	var flats, all [][3]float64
	for y := step / 2; y < h; y += step {
		for x := step / 2; x < w; x += step {
			lab := c.lab(y*w + x)
			all = append(all, lab)
			// Edges are soft, and most of their colours between two others: areas come first.
			if distance(lab, c.lab(y*w+min(x+step, w-1))) < flat && distance(lab, c.lab(min(y+step, h-1)*w+x)) < flat {
				flats = append(flats, lab)
			}
		}
	}
	palette := farColors(nil, flats, 2*n/3)
	palette = farColors(palette, all, n)
	for range paletteRounds {
		sums, counts := make([][3]float64, len(palette)), make([]float64, len(palette))
		for _, s := range all {
			k := nearest(palette, s)
			counts[k]++
			for j := range s {
				sums[k][j] += s[j]
			}
		}
		for k := range palette {
			for j := range palette[k] {
				if counts[k] > 0 {
					palette[k][j] = sums[k][j] / counts[k]
				}
			}
		}
	}
	return palette
}

// farColors adds to a palette the sample that is farthest from all its colours, until it has n; to an empty one the
// mean first.
func farColors(palette, samples [][3]float64, n int) [][3]float64 {
	if len(samples) == 0 {
		return palette
	}
	if len(palette) == 0 {
		var mean [3]float64
		for _, s := range samples {
			for j := range s {
				mean[j] += s[j] / float64(len(samples))
			}
		}
		palette = append(palette, mean)
	}
	away := make([]float64, len(samples))
	for i, s := range samples {
		away[i] = distance(s, palette[nearest(palette, s)])
	}
	for len(palette) < n {
		far := 0
		for i := range away {
			if away[i] > away[far] {
				far = i
			}
		}
		if away[far] < 1e-5 { // the picture has no more colours
			break
		}
		palette = append(palette, samples[far])
		for i, s := range samples {
			away[i] = min(away[i], distance(samples[far], s))
		}
	}
	return palette
}

// toTones paints by luminance, in as many levels as there are tones.
func (c canvas) toTones(tones []color.NRGBA, rounding float64) {
	luminance := c.luminance()
	levels := lightLevels(luminance, len(tones))
	palette := make([][3]float64, len(tones))
	for k, t := range tones {
		v, _ := colorful.MakeColor(t)
		palette[k][0], palette[k][1], palette[k][2] = v.OkLab()
	}
	labels := make([]uint8, len(luminance.v))
	parts(len(labels), func(from, to int) {
		for i := from; i < to; i++ {
			for k := range levels {
				if l := luminance.v[i]; abs(l-levels[k]) < abs(l-levels[labels[i]]) {
					labels[i] = uint8(k)
				}
			}
		}
	})
	c.paint(labels, palette, rounding)
}

// lightLevels finds n luminances, dark to light, that the picture's gather around: k-means of a histogram, from even
// steps. Counts weigh by their roots, so that a large background leaves levels to the rest.
func lightLevels(luminance plane, n int) []float32 {
	var counts [256]float64
	for _, l := range luminance.v {
		counts[int(clamp01(l)*255+0.5)]++
	}
	low, high := 0, 255
	for low < high && counts[low] == 0 {
		low++
	}
	for high > low && counts[high] == 0 {
		high--
	}
	levels := make([]float32, n)
	for k := range levels {
		levels[k] = (float32(low) + (float32(k)+0.5)/float32(n)*float32(high-low)) / 255
	}
	for range paletteRounds {
		sums, weights := make([]float64, n), make([]float64, n)
		for v := low; v <= high; v++ {
			best := 0
			for k := range levels {
				if abs(float32(v)/255-levels[k]) < abs(float32(v)/255-levels[best]) {
					best = k
				}
			}
			weight := math.Sqrt(counts[v])
			sums[best] += weight * float64(v) / 255
			weights[best] += weight
		}
		for k := range levels {
			if weights[k] > 0 {
				levels[k] = float32(sums[k] / weights[k])
			}
		}
	}
	return levels
}

// paint gives every pixel the colour of its label. Borders are rounded: near one, each label weighs what a blur by
// rounding leaves of it, to the eighth power, so that the strongest wins by a narrow soft margin.
func (c canvas) paint(labels []uint8, palette [][3]float64, rounding float64) {
	w, h := c[0].w, c[0].h
	total, sum := newPlane(w, h), canvas{newPlane(w, h), newPlane(w, h), newPlane(w, h)}
	member, across, soft := newPlane(w, h), newPlane(w, h), newPlane(w, h)
	for k, lab := range palette {
		paint := colorful.OkLab(lab[0], lab[1], lab[2]).Clamped()
		red, green, blue := float32(paint.R), float32(paint.G), float32(paint.B)
		parts(len(labels), func(from, to int) {
			for i := from; i < to; i++ {
				member.v[i], across.v[i], soft.v[i] = 0, 0, 0
				if int(labels[i]) == k {
					member.v[i] = 1
				}
			}
		})
		share := member
		if rounding >= minBlur {
			member.blurInto(across, soft, rounding)
			share = soft
		}
		parts(len(labels), func(from, to int) {
			for i := from; i < to; i++ {
				v := share.v[i]
				if v == 0 {
					continue
				}
				v *= v
				v *= v
				v *= v
				total.v[i] += v
				sum[0].v[i] += v * red
				sum[1].v[i] += v * green
				sum[2].v[i] += v * blue
			}
		})
	}
	parts(len(labels), func(from, to int) {
		for i := from; i < to; i++ {
			if t := total.v[i]; t > 0 {
				for k := range c {
					c[k].v[i] = sum[k].v[i] / t
				}
			}
		}
	})
}
