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

// weights are those of the old pixels from first on, in units of 2^-weightBits, that make a new pixel.
type weights struct {
	first int
	by    []int32
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
				all[i-begin] = weights{min(int(at), from-1), []int32{1 << weightBits}}
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
		all[i] = weights{first, make([]int32, len(plain))}
		for k, w := range plain {
			if sum != 0 {
				w /= sum
			}
			all[i].by[k] = int32(math.Round(w * (1 << weightBits)))
		}
	}
	return all
}

// resampled scales an opaque picture to w × h pixels and returns those in crop, black where there are none. It is
// Pillow's resize, rounding included: one direction after the other, each to 8 bits.
func resampled(img *image.NRGBA, w, h int, f Filter, crop image.Rectangle) *image.NRGBA {
	out := image.NewNRGBA(image.Rectangle{Max: crop.Size()})
	for i := 3; i < len(out.Pix); i += 4 {
		out.Pix[i] = 255
	}
	in := crop.Intersect(image.Rect(0, 0, w, h))
	if in.Empty() {
		return out
	}
	across, down := f.axis(img.Rect.Dx(), w, in.Min.X, in.Max.X), f.axis(img.Rect.Dy(), h, in.Min.Y, in.Max.Y)
	// Pillow 13's rule; before, rows were always first
	if less := img.Rect.Dy() - h; less > 0 && less > 2*(img.Rect.Dx()-w) {
		img = columns(img, down)
		img = rows(img, across)
	} else {
		img = rows(img, across)
		img = columns(img, down)
	}
	at := in.Min.Sub(crop.Min)
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
	var sum [3]int64
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
