package pictures

import (
	"image"

	"github.com/disintegration/gift"
)

// Enlarge returns a picture with each side a number of times as long, by Lanczos's filter of three lobes: sharp,
// without details that the picture does not have.
func Enlarge(img image.Image, factor int) *image.NRGBA {
	b := img.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx()*factor, b.Dy()*factor))
	gift.New(gift.Resize(out.Rect.Dx(), out.Rect.Dy(), gift.LanczosResampling)).Draw(out, img)
	return out
}
