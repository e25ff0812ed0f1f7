package decode

import (
	"image"
	"math"

	"illustrator/internal/jpeg"
)

// matrix turns Y'CbCr of 8 bits into R'G'B', in units of 1/65536: R is y[Y] + rv[Cr], and so on.
type matrix struct {
	y, rv, gu, gv, bu [256]int32
}

// newMatrix makes BT.601's matrix for luma that begins at black and has the given span, and chroma of a span.
func newMatrix(black, luma, chroma float64) *matrix {
	m := new(matrix)
	fix := func(x float64) int32 { return int32(math.Round(x * 65536)) }
	y, rv, bu := fix(255/luma), fix(1.402*255/chroma), fix(1.772*255/chroma)
	gu, gv := fix(-0.34414*255/chroma), fix(-0.71414*255/chroma)
	for i := range int32(256) {
		m.y[i] = y*(i-int32(black)) + 1<<15
		m.rv[i], m.gu[i], m.gv[i], m.bu[i] = rv*(i-128), gu*(i-128), gv*(i-128), bu*(i-128)
	}
	return m
}

// JFIF has the full range, VP8 the limited one (RFC 6386, section 9.2).
var fullRange, limitedRange = newMatrix(0, 255, 255), newMatrix(16, 219, 224)

// rgb converts one pixel.
func (m *matrix) rgb(y, u, v uint8) (r, g, b uint8) {
	luma := m.y[y]
	return clip((luma + m.rv[v]) >> 16), clip((luma + m.gu[u] + m.gv[v]) >> 16), clip((luma + m.bu[u]) >> 16)
}

func clip(v int32) uint8 { return uint8(max(0, min(v, 255))) }

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
	sums, shift := make([]int32, p.Width), 2
	for x := range sums {
		sums[x] = int32(a[x])
	}
	if p.Down == 2 {
		shift = 4
		for x := range sums {
			sums[x] = 3*sums[x] + int32(b[x])
		}
	}
	even, odd := int32(u.even), int32(u.odd)
	for x, sum := range sums {
		out[2*x] = uint8((3*sum + sums[max(x-1, 0)] + even) >> shift)
		if 2*x+1 < len(out) {
			out[2*x+1] = uint8((3*sum + sums[min(x+1, p.Width-1)] + odd) >> shift)
		}
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
