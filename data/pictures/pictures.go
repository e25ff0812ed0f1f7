// Package pictures reads pictures and writes them with their texts, draws labelled grids of them, and encodes
// animations (GIF, APNG).
package pictures

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"
)

// Picture is an RGB picture as the networks see it: planar [3, Height, Width], float32, -1 black and 1 white.
type Picture struct {
	Width, Height int
	Pixels        []float32
}

// Split cuts a batch [n, 3, height, width] into its pictures, which share its memory. Values that are not numbers
// are an error; values beyond [-1, 1] are not, as generators overshoot.
func Split(pixels []float32, height, width int) ([]Picture, error) {
	size := 3 * height * width
	if height < 1 || width < 1 || len(pixels)%size != 0 {
		return nil, fmt.Errorf("%d values are not pictures of [3, %d, %d]", len(pixels), height, width)
	}
	pictures := make([]Picture, len(pixels)/size)
	for i := range pictures {
		p := Picture{Width: width, Height: height, Pixels: slices.Clip(pixels[i*size : (i+1)*size])}
		for at, v := range p.Pixels {
			if v != v {
				return nil, fmt.Errorf("picture %d: channel %d, row %d, column %d is not a number", i, at/(height*width),
					at/width%height, at%width)
			}
		}
		pictures[i] = p
	}
	return pictures, nil
}

// Image returns the picture with 8 bits a channel: round(255 · clamp((x + 1) / 2, 0, 1)), halves rounded up, NaN black.
func (p Picture) Image() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, p.Width, p.Height))
	plane := p.Width * p.Height
	for i := range plane {
		for c := range 3 {
			img.Pix[4*i+c] = toByte(p.Pixels[c*plane+i])
		}
		img.Pix[4*i+3] = 255
	}
	return img
}

func toByte(x float32) uint8 {
	v := (float64(x) + 1) / 2 * 255
	if !(v > 0) { // NaN too
		return 0
	}
	return uint8(math.Floor(math.Min(v, 255) + 0.5))
}

// FromImage returns the picture with x = v/255 · 2 - 1 for each 8-bit channel v. Transparent parts are laid over
// white.
func FromImage(img image.Image) Picture {
	b := img.Bounds()
	flat := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(flat, flat.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Bounds(), img, b.Min, draw.Over)
	plane := b.Dx() * b.Dy()
	p := Picture{Width: b.Dx(), Height: b.Dy(), Pixels: make([]float32, 3*plane)}
	for i := range plane {
		for c := range 3 {
			p.Pixels[c*plane+i] = float32(flat.Pix[4*i+c])/255*2 - 1
		}
	}
	return p
}
