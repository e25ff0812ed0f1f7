package cartoon

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"github.com/disintegration/gift"
)

// Classical styles draw at the size of the result, within these bounds of its longer side, and scale then: dots and
// lines need pixels, and beyond the second they don't get better.
const (
	minDrawn = 512
	maxDrawn = 2048
)

// plane is one number for each pixel, row by row.
type plane struct {
	w, h int
	v    []float32
}

func newPlane(w, h int) plane { return plane{w, h, make([]float32, w*h)} }

// canvas is a picture at work: red, green and blue in [0,1].
type canvas [3]plane

// newCanvas brings a picture, laid over white, to a size. grain is the width that its own pixels have there.
func newCanvas(img image.Image, size image.Point) (c canvas, grain float64) {
	b := img.Bounds()
	scaled := flatten(img)
	if size != b.Size() {
		scaled = resize(scaled, size)
	}
	grain = float64(max(size.X, size.Y)) / float64(max(b.Dx(), b.Dy()))
	for k := range c {
		c[k] = newPlane(size.X, size.Y)
		parts(len(c[k].v), func(from, to int) {
			for i := from; i < to; i++ {
				c[k].v[i] = float32(scaled.Pix[4*i+k]) / 255
			}
		})
		if grain > 1.5 {
			c[k] = c[k].blur(0.35 * grain) // so that slanting edges don't show the pixels that they had
		}
	}
	return c, grain
}

// Enlarged returns a picture as it is at another size.
func Enlarged(img image.Image, size image.Point) *image.NRGBA { return resize(flatten(img), size) }

// flatten lays a picture over white.
func flatten(img image.Image) *image.NRGBA {
	b := img.Bounds()
	flat := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy())) // which draw has fast ways to
	draw.Draw(flat, flat.Rect, image.White, image.Point{}, draw.Src)
	draw.Draw(flat, flat.Rect, img, b.Min, draw.Over)
	return &image.NRGBA{Pix: flat.Pix, Stride: flat.Stride, Rect: flat.Rect} // the same, since it is opaque
}

// resize scales by Catmull-Rom's cubic, which averages where it makes smaller.
func resize(img *image.NRGBA, size image.Point) *image.NRGBA {
	out := image.NewNRGBA(image.Rectangle{Max: size})
	gift.New(gift.Resize(size.X, size.Y, gift.CubicResampling)).Draw(out, img)
	return out
}

// image returns the canvas with 8 bits a channel, at a size.
func (c canvas) image(size image.Point) *image.NRGBA {
	w, h := c[0].w, c[0].h
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	parts(w*h, func(from, to int) {
		for i := from; i < to; i++ {
			for k := range c {
				img.Pix[4*i+k] = uint8(clamp01(c[k].v[i])*255 + 0.5)
			}
			img.Pix[4*i+3] = 255
		}
	})
	if size.X != w || size.Y != h {
		return resize(img, size)
	}
	return img
}

// luma are the weights of Rec. 601.
var luma = [3]float32{0.299, 0.587, 0.114}

// luminance is Rec. 601's, of values as they are.
func (c canvas) luminance() plane {
	p := newPlane(c[0].w, c[0].h)
	parts(len(p.v), func(from, to int) {
		for i := from; i < to; i++ {
			p.v[i] = luma[0]*c[0].v[i] + luma[1]*c[1].v[i] + luma[2]*c[2].v[i]
		}
	})
	return p
}

// unit is a thousandth of the longer side in pixels.
func (c canvas) unit() float64 { return float64(max(c[0].w, c[0].h)) / 1000 }

// mix moves pixel i towards a colour.
func (c canvas) mix(i int, to color.NRGBA, share float32) {
	for k, v := range [3]uint8{to.R, to.G, to.B} {
		c[k].v[i] += share * (float32(v)/255 - c[k].v[i])
	}
}

func clamp01(v float32) float32 { return min(max(v, 0), 1) }

// smoothstep goes from 0 at a to 1 at b.
func smoothstep(a, b, x float32) float32 {
	t := clamp01((x - a) / (b - a))
	return t * t * (3 - 2*t)
}

// drawnSize is the size that a result of the given size is drawn at.
func drawnSize(size image.Point) image.Point {
	longer := float64(max(size.X, size.Y))
	factor := min(max(longer, minDrawn), maxDrawn) / longer
	side := func(v int) int { return max(1, int(math.Round(float64(v)*factor))) }
	return image.Pt(side(size.X), side(size.Y))
}
