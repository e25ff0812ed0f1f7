package decode

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/gif"
	"io"
)

func gifSize(file []byte) (image.Point, error) { return sizeBy(gif.DecodeConfig)(file) }

// decodeGIF returns the first picture on the canvas.
func decodeGIF(ctx context.Context, file []byte) (image.Image, error) {
	size, err := gifSize(file)
	if err != nil {
		return nil, err
	}
	img, err := gif.Decode(newReader(ctx, file))
	if err != nil {
		return nil, err
	}
	return onCanvas(img, image.Rectangle{Max: size}, img.Bounds().Min), nil
}

// plain returns a picture with 8 bits a channel, not premultiplied, from (0, 0) on. Of 16 bits the upper 8 are taken.
func plain(img image.Image) *image.NRGBA {
	b := img.Bounds()
	switch img := img.(type) {
	case *image.NRGBA:
		if b.Min == (image.Point{}) {
			return img
		}
	case *image.RGBA:
		if b.Min == (image.Point{}) && img.Opaque() {
			return &image.NRGBA{Pix: img.Pix, Stride: img.Stride, Rect: img.Rect}
		}
	}
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	at := pixels(img)
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := at(b.Min.X+x, b.Min.Y+y)
			p := out.Pix[y*out.Stride+4*x:]
			p[0], p[1], p[2], p[3] = c.R, c.G, c.B, c.A
		}
	}
	return out
}

// pixels returns a reader of a picture's pixels, without going through premultiplied values where the picture has
// others.
func pixels(img image.Image) func(x, y int) color.NRGBA {
	switch img := img.(type) {
	case *image.Gray:
		return func(x, y int) color.NRGBA {
			v := img.GrayAt(x, y).Y
			return color.NRGBA{v, v, v, 255}
		}
	case *image.Gray16:
		return func(x, y int) color.NRGBA {
			v := uint8(img.Gray16At(x, y).Y >> 8)
			return color.NRGBA{v, v, v, 255}
		}
	case *image.NRGBA64:
		return func(x, y int) color.NRGBA {
			c := img.NRGBA64At(x, y)
			return color.NRGBA{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8), uint8(c.A >> 8)}
		}
	case *image.Paletted:
		palette := make([]color.NRGBA, 256) // indices beyond the file's palette are transparent
		for i, c := range img.Palette {
			palette[i] = color.NRGBAModel.Convert(c).(color.NRGBA)
		}
		return func(x, y int) color.NRGBA { return palette[img.ColorIndexAt(x, y)] }
	}
	return func(x, y int) color.NRGBA { return color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA) }
}

// by is a decoder of the standard library's form.
func by(decode func(io.Reader) (image.Image, error)) func(context.Context, []byte) (image.Image, error) {
	return func(ctx context.Context, file []byte) (image.Image, error) { return decode(newReader(ctx, file)) }
}

// sizeBy is a reader of sizes of the standard library's form.
func sizeBy(config func(io.Reader) (image.Config, error)) func([]byte) (image.Point, error) {
	return func(file []byte) (image.Point, error) {
		c, err := config(bytes.NewReader(file))
		return image.Pt(c.Width, c.Height), err
	}
}
