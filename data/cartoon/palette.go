package cartoon

import (
	"image/color"
	"math"
	"slices"

	"github.com/lucasb-eyer/go-colorful"
)

const (
	paletteSamples = 4096 // pixels that a palette is found from
	paletteRounds  = 12   // of k-means: it moves little after that
)

// toPalette paints the canvas in so many colours of its own.
func (c canvas) toPalette(colors int, rounding float64) {
	palette := c.palette(colors)
	labels := make([]uint8, len(c[0].v))
	w := c[0].w
	rows(c[0].h, func(y int) {
		for i := y * w; i < (y+1)*w; i++ {
			labels[i] = uint8(nearest(palette, c.lab(i)))
		}
	})
	c.paint(labels, palette, rounding)
}

// lab returns pixel i in OKLab.
func (c canvas) lab(i int) [3]float64 {
	l, a, b := colorful.Color{R: float64(c[0].v[i]), G: float64(c[1].v[i]), B: float64(c[2].v[i])}.OkLab()
	return [3]float64{l, a, b}
}

func distance(a, b [3]float64) float64 {
	return (a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2])
}

func nearest(palette [][3]float64, v [3]float64) int {
	best := 0
	for k := range palette {
		if distance(palette[k], v) < distance(palette[best], v) {
			best = k
		}
	}
	return best
}

// palette finds at most n colours, in OKLab, by k-means that starts from colours far from each other.
func (c canvas) palette(n int) [][3]float64 {
	step := max(1, int(math.Sqrt(float64(len(c[0].v))/paletteSamples)))
	var samples [][3]float64
	for y := step / 2; y < c[0].h; y += step {
		for x := step / 2; x < c[0].w; x += step {
			samples = append(samples, c.lab(y*c[0].w+x))
		}
	}
	if len(samples) == 0 {
		samples = append(samples, c.lab(0))
	}
	palette := farColors(samples, n)
	for range paletteRounds {
		sums, counts := make([][3]float64, len(palette)), make([]float64, len(palette))
		for _, s := range samples {
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

// farColors starts with the mean and adds the sample that is farthest from all colours until there are n.
func farColors(samples [][3]float64, n int) [][3]float64 {
	var mean [3]float64
	for _, s := range samples {
		for j := range s {
			mean[j] += s[j] / float64(len(samples))
		}
	}
	palette := [][3]float64{mean}
	away := make([]float64, len(samples))
	for i, s := range samples {
		away[i] = distance(mean, s)
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
	return slices.Clip(palette)
}

// toTones paints by luminance. Tones share the picture's luminances evenly.
func (c canvas) toTones(tones []color.NRGBA, rounding float64) {
	luminance := c.luminance()
	sorted := slices.Clone(luminance.v)
	slices.Sort(sorted)
	// Between the picture's own darkest and brightest twentieth, so that dark pictures have light tones too.
	low, high := sorted[len(sorted)/20], sorted[len(sorted)-1-len(sorted)/20]
	palette := make([][3]float64, len(tones))
	for k, t := range tones {
		v, _ := colorful.MakeColor(t)
		palette[k][0], palette[k][1], palette[k][2] = v.OkLab()
	}
	labels := make([]uint8, len(luminance.v))
	for i, l := range luminance.v {
		share := (l - low) / max(high-low, 0.05)
		labels[i] = uint8(min(max(int(share*float32(len(tones))), 0), len(tones)-1))
	}
	c.paint(labels, palette, rounding)
}

// paint gives every pixel the colour of its label. Borders are rounded: near one, each label weighs what a blur by rounding
// leaves of it, to the eighth power, so that the strongest wins by a narrow soft margin.
func (c canvas) paint(labels []uint8, palette [][3]float64, rounding float64) {
	total := newPlane(c[0].w, c[0].h)
	sum := canvas{newPlane(total.w, total.h), newPlane(total.w, total.h), newPlane(total.w, total.h)}
	member := newPlane(total.w, total.h)
	for k, lab := range palette {
		paint := colorful.OkLab(lab[0], lab[1], lab[2]).Clamped()
		for i, l := range labels {
			member.v[i] = 0
			if int(l) == k {
				member.v[i] = 1
			}
		}
		for i, v := range member.blur(rounding).v {
			v *= v
			v *= v
			v *= v
			total.v[i] += v
			sum[0].v[i] += v * float32(paint.R)
			sum[1].v[i] += v * float32(paint.G)
			sum[2].v[i] += v * float32(paint.B)
		}
	}
	for i, t := range total.v {
		for k := range c {
			if t > 0 {
				c[k].v[i] = sum[k].v[i] / t
			}
		}
	}
}
