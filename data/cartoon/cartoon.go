// Package cartoon redraws pictures: in classical styles, made of smoothing, palettes, lines and dots, or by an
// image-to-image network in an ONNX file.
//
// Classical styles give the same picture on every machine of a kind, and need no device. Their lengths are in thousandths of
// the picture's longer side, so that a picture of 64 pixels and one of 1024 look alike.
package cartoon

import (
	"context"
	"fmt"
	"image"

	"github.com/gomlx/gomlx/backends"

	"illustrator/internal/fault"
)

const (
	// MaxScale is the largest factor that Draw enlarges a picture by.
	MaxScale = 16
	// MaxSide and maxPixels bound what Draw makes: as large as the largest picture that data.ReadPicture reads.
	MaxSide   = 16_384
	maxPixels = 1 << 26
)

// Style is a way to redraw pictures. Draw may be called from several goroutines.
type Style struct {
	// Name is a classical style's, or the path of a network's YAML file.
	Name string
	// SHA256 is that of a network's ONNX file; empty for a classical style.
	SHA256 string

	params Params
}

// Open returns the classical style called name, or the network that the YAML file at that path describes. openBackend is
// called for a network only, when it first draws.
func Open(name string, openBackend func() (backends.Backend, error)) (*Style, error) {
	params, err := Classical(name)
	if err != nil {
		return nil, err
	}
	return &Style{Name: name, params: params}, nil
}

// Draw redraws a picture of any size. The result is scale times as wide and as high, and opaque: what is transparent is laid
// over white first. ctx ends the work of a network; a classical style takes moments.
func (s *Style) Draw(ctx context.Context, img image.Image, scale int) (*image.NRGBA, error) {
	size := img.Bounds().Size()
	if err := checkSize(size, scale); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return s.params.Draw(img, size.Mul(scale)), nil
}

func checkSize(size image.Point, scale int) error {
	if scale < 1 || scale > MaxScale {
		return fault.Usage(fmt.Errorf("scale %d", scale), "a picture is enlarged by 1 to %d", MaxScale)
	}
	w, h := size.X*scale, size.Y*scale
	if w < 1 || h < 1 {
		return fmt.Errorf("the picture is empty: %d × %d pixels", size.X, size.Y)
	}
	if w > MaxSide || h > MaxSide || w > maxPixels/h {
		return fault.Usage(fmt.Errorf("the drawing would have %d × %d pixels", w, h),
			"it may have %d pixels a side and %d in all: scale less, or make the picture smaller first", MaxSide, maxPixels)
	}
	return nil
}
