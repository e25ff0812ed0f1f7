package decode

import (
	"image"
	"math"

	"illustrator/internal/jpeg"
)

// matrix turns Y'CbCr of 8 bits into R'G'B', in units of 1/65536: R is y·(Y - black) + rv·(Cr - 128) and so on.
type matrix struct {
	black, y, rv, gu, gv, bu int
}

// fix is a factor as matrix holds it.
func fix(x float64) int { return int(math.Round(x * 65536)) }

// Of BT.601: JFIF's full range, and the limited range of VP8 (RFC 6386, section 9.2).
var (
	fullRange    = matrix{0, fix(1), fix(1.402), fix(-0.34414), fix(-0.71414), fix(1.772)}
	limitedRange = matrix{16, fix(255.0 / 219), fix(1.402 * 255 / 224), fix(-0.34414 * 255 / 224),
		fix(-0.71414 * 255 / 224), fix(1.772 * 255 / 224)}
)

// rgb converts one pixel.
func (m matrix) rgb(y, u, v uint8) (r, g, b uint8) {
	luma, cb, cr := m.y*(int(y)-m.black)+1<<15, int(u)-128, int(v)-128
	return clip((luma + m.rv*cr) >> 16), clip((luma + m.gu*cb + m.gv*cr) >> 16), clip((luma + m.bu*cb) >> 16)
}

func clip(v int) uint8 { return uint8(max(0, min(v, 255))) }

// upsampling says how the samples of a channel become pixels. A triangle takes 3 of the near sample and 1 of the far
// one in each direction in which a sample covers two pixels; even and odd are added before the sum is divided, at even
// and odd positions. Without it samples are repeated.
type upsampling struct {
	triangle  bool
	even, odd int
}

// row makes the pixels of row y.
func (u upsampling) row(out []uint8, p jpeg.Plane, y int) {
	if !u.triangle {
		from := p.Samples[y/p.Down*p.Stride:]
		for x := range out {
			out[x] = from[x/p.Across]
		}
		return
	}
	near, far := y, y
	if p.Down == 2 {
		near = y / 2
		far = max(0, min(near+2*(y%2)-1, p.Height-1))
	}
	a, b := p.Samples[near*p.Stride:], p.Samples[far*p.Stride:]
	if p.Across == 1 {
		bias := u.even
		if y%2 == 1 {
			bias = u.odd
		}
		for x := range out {
			out[x] = uint8((3*int(a[x]) + int(b[x]) + bias) >> 2)
		}
		return
	}
	sum, shift := func(x int) int { return int(a[x]) }, 2
	if p.Down == 2 {
		sum, shift = func(x int) int { return 3*int(a[x]) + int(b[x]) }, 4
	}
	for x := range out {
		at, bias := x/2, u.even
		beside := max(at-1, 0)
		if x%2 == 1 {
			beside, bias = min(at+1, p.Width-1), u.odd
		}
		out[x] = uint8((3*sum(at) + sum(beside) + bias) >> shift)
	}
}

// fromVP8 converts the pixels of a lossy WebP as libwebp does, with its default upsampling ("fancy").
func fromVP8(img *image.YCbCr) *image.NRGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	chroma := func(samples []uint8) jpeg.Plane {
		return jpeg.Plane{Width: (w + 1) / 2, Height: (h + 1) / 2, Stride: img.CStride, Samples: samples, Across: 2, Down: 2}
	}
	up, cb, cr := upsampling{triangle: true, even: 8, odd: 8}, chroma(img.Cb), chroma(img.Cr)
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	u, v := make([]uint8, w), make([]uint8, w)
	for y := range h {
		up.row(u, cb, y)
		up.row(v, cr, y)
		luma, row := img.Y[y*img.YStride:], out.Pix[y*out.Stride:]
		for x := range w {
			row[4*x], row[4*x+1], row[4*x+2] = limitedRange.rgb(luma[x], u[x], v[x])
			row[4*x+3] = 255
		}
	}
	return out
}
