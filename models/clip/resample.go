package clip

import (
	"image"
	"math"
)

// Filter is a resampling filter by Pillow's number.
type Filter uint8

// Pillow's filters.
const (
	Nearest Filter = iota
	Lanczos
	Bilinear
	Bicubic
	Box
	Hamming
)

// kernel returns the filter's function and the distance beyond which it is zero.
func (f Filter) kernel() (func(x float64) float64, float64) {
	switch f {
	case Lanczos:
		return func(x float64) float64 {
			if x < -3 || x >= 3 {
				return 0
			}
			return sinc(x) * sinc(x/3)
		}, 3
	case Bilinear:
		return func(x float64) float64 { return max(0, 1-math.Abs(x)) }, 1
	case Box:
		return func(x float64) float64 {
			if x > -0.5 && x <= 0.5 {
				return 1
			}
			return 0
		}, 0.5
	case Hamming:
		return func(x float64) float64 {
			if x = math.Abs(x); x >= 1 {
				return 0
			}
			return sinc(x) * (0.54 + 0.46*math.Cos(math.Pi*x))
		}, 1
	}
	return cubic, 2
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// cubic is Keys' cubic with a = -0.5.
func cubic(x float64) float64 {
	const a = -0.5
	switch x = math.Abs(x); {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return ((x-5)*x+8)*x*a - 4*a
	}
	return 0
}

// weights are those of the old pixels from first on, in units of 2^-weightBits, that make a new pixel. white is what
// white pixels beside the picture add.
type weights struct {
	first int
	by    []int32
	white int64
}

const weightBits = 22 // Pillow's: 8 bits of colour, 2 of overshoot

// axis returns the weights of the new pixels begin to end of an axis that is scaled from one length to another. Filters
// are as wide as the new pixels where these are larger.
func (f Filter) axis(from, to, begin, end int) []weights {
	all := make([]weights, end-begin)
	scale := float64(from) / float64(to)
	if f == Nearest {
		at := scale * 0.5
		for i := range end { // summed up, as in Pillow, whose rounding decides between neighbours
			if i >= begin {
				all[i-begin] = weights{first: min(int(at), from-1), by: []int32{1 << weightBits}}
			}
			at += scale
		}
		return all
	}
	kernel, support := f.kernel()
	wide := max(scale, 1)
	for i := range all {
		center := (float64(begin+i) + 0.5) * scale
		first := max(0, int(center-support*wide+0.5))
		last := min(from, int(center+support*wide+0.5))
		plain, sum := make([]float64, max(0, last-first)), 0.0
		for k := range plain {
			plain[k] = kernel((float64(k+first) - center + 0.5) / wide)
			sum += plain[k]
		}
		all[i] = weights{first: first, by: make([]int32, len(plain))}
		for k, w := range plain {
			if sum != 0 {
				w /= sum
			}
			all[i].by[k] = int32(math.Round(w * (1 << weightBits)))
		}
	}
	return all
}

// within returns the weights of an axis of which the pixels from `from` to `to` are those of the picture, and others
// are white: a narrow picture's white square may be far too large to be made.
func within(axis []weights, from, to int) []weights {
	for i := range axis {
		w := &axis[i]
		begin := max(0, min(from-w.first, len(w.by)))
		end := max(begin, min(to-w.first, len(w.by)))
		for k, by := range w.by {
			if k < begin || k >= end {
				w.white += math.MaxUint8 * int64(by)
			}
		}
		w.first, w.by = max(0, min(w.first+begin, to-1)-from), w.by[begin:end]
	}
	return axis
}

// resampled scales an opaque picture on a white canvas, in whose coordinates the picture begins at (0, 0), to w × h
// pixels and returns those in crop, black where there are none. It is Pillow's resize, rounding included: one direction
// after the other, each to 8 bits.
func resampled(img *image.NRGBA, canvas image.Rectangle, w, h int, f Filter, crop image.Rectangle) *image.NRGBA {
	out := image.NewNRGBA(image.Rectangle{Max: crop.Size()})
	for i := 3; i < len(out.Pix); i += 4 {
		out.Pix[i] = 255
	}
	in := crop.Intersect(image.Rect(0, 0, w, h))
	if in.Empty() {
		return out
	}
	at := image.Point{}.Sub(canvas.Min)
	across := within(f.axis(canvas.Dx(), w, in.Min.X, in.Max.X), at.X, at.X+img.Rect.Dx())
	down := within(f.axis(canvas.Dy(), h, in.Min.Y, in.Max.Y), at.Y, at.Y+img.Rect.Dy())
	// Pillow 13's rule; before, rows were always first
	if less := canvas.Dy() - h; less > 0 && less > 2*(canvas.Dx()-w) {
		img = columns(img, down)
		img = rows(img, across)
	} else {
		img = rows(img, across)
		img = columns(img, down)
	}
	at = in.Min.Sub(crop.Min)
	for y := range in.Dy() {
		copy(out.Pix[(at.Y+y)*out.Stride+4*at.X:], img.Pix[y*img.Stride:y*img.Stride+4*in.Dx()])
	}
	return out
}

// rows scales each row.
func rows(img *image.NRGBA, across []weights) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, len(across), img.Rect.Dy()))
	for y := range out.Rect.Dy() {
		for x, w := range across {
			w.sum(out.Pix[y*out.Stride+4*x:], img.Pix[y*img.Stride+4*w.first:], 4)
		}
	}
	return out
}

// columns scales each column.
func columns(img *image.NRGBA, down []weights) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, img.Rect.Dx(), len(down)))
	for y, w := range down {
		for x := range out.Rect.Dx() {
			w.sum(out.Pix[y*out.Stride+4*x:], img.Pix[w.first*img.Stride+4*x:], img.Stride)
		}
	}
	return out
}

// sum weighs the colours of pixels that are step bytes apart.
func (w weights) sum(to, from []uint8, step int) {
	sum := [3]int64{w.white, w.white, w.white}
	for k, by := range w.by {
		p := from[k*step : k*step+3]
		for c := range sum {
			sum[c] += int64(p[c]) * int64(by)
		}
	}
	for c := range sum {
		to[c] = uint8(max(0, min((sum[c]+1<<(weightBits-1))>>weightBits, 255)))
	}
	to[3] = 255
}
