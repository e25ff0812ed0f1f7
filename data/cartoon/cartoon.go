// Package cartoon redraws pictures: in classical styles, made of smoothing, palettes, lines and dots, or by an
// image-to-image network in an ONNX file.
//
// Classical styles give the same picture on every machine of a kind, and need no device. Their lengths are in
// thousandths of the picture's longer side, so that a picture of 64 pixels and one of 1024 look alike.
package cartoon

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"

	"illustrator/internal/fault"
)

const (
	// MaxScale is the largest factor that Draw enlarges a picture by.
	MaxScale = 16
	// maxSide and maxPixels bound what Draw makes: as large as the largest picture that pictures.Read reads.
	maxSide   = 16_384
	maxPixels = 1 << 26
)

// Style is a way to redraw pictures. Draw may be called from several goroutines.
type Style struct {
	// Name is a classical style's, or the path of a network's YAML file.
	Name string
	// SHA256 is that of a network's ONNX file and YAML file together; empty for a classical style.
	SHA256 string

	params  Params
	network *network
}

// Open returns the classical style called name, or the network that the YAML file at that path describes. openBackend
// is called for a network only, when it first draws.
func Open(name string, openBackend func() (compute.Backend, error)) (*Style, error) {
	if ext := strings.ToLower(filepath.Ext(name)); ext == ".yaml" || ext == ".yml" {
		n, err := openNetwork(name, openBackend)
		if err != nil {
			return nil, fmt.Errorf("open style %q: %w", name, err)
		}
		return &Style{Name: name, SHA256: n.sha256, network: n}, nil
	}
	params, err := Classical(name)
	if err != nil {
		return nil, err
	}
	return &Style{Name: name, params: params}, nil
}

// Draw redraws a picture of any size. The result is scale times as wide and as high. Transparent parts are
// drawn over white and keep their transparency in the result. ctx ends the work of a network; a classical style takes
// moments.
func (s *Style) Draw(ctx context.Context, img image.Image, scale int) (*image.NRGBA, error) {
	if err := CheckScale(scale); err != nil {
		return nil, err
	}
	return s.DrawAt(ctx, img, img.Bounds().Size().Mul(scale))
}

// DrawAt is Draw for a result of the given size.
func (s *Style) DrawAt(ctx context.Context, img image.Image, size image.Point) (*image.NRGBA, error) {
	w, h := size.X, size.Y
	if w < 1 || h < 1 || img.Bounds().Empty() {
		return nil, fmt.Errorf("the picture is empty: %v to be result at %d × %d pixels", img.Bounds().Size(), w, h)
	}
	if w > maxSide || h > maxSide || w > maxPixels/h {
		return nil, fault.Usage(fmt.Errorf("the drawing would have %d × %d pixels", w, h),
			"it may have %d pixels a side and %d in all: scale less, or make the picture smaller first", maxSide, maxPixels)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if s.network == nil {
		return withAlpha(s.params.draw(img, size), img), nil
	}
	result, err := s.network.draw(ctx, img, size)
	if err != nil {
		return nil, err
	}
	return withAlpha(result, img), nil
}

// CheckScale returns an error if Draw cannot enlarge by scale.
func CheckScale(scale int) error {
	if scale < 1 || scale > MaxScale {
		return fault.Usage(fmt.Errorf("scale %d", scale), "a picture is enlarged by 1 to %d", MaxScale)
	}
	return nil
}
