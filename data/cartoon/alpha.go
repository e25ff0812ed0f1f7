package cartoon

import (
	"image"
	"image/color"
)

// withAlpha makes a drawing as transparent as its source.
func withAlpha(result *image.NRGBA, source image.Image) *image.NRGBA {
	if o, ok := source.(interface{ Opaque() bool }); !ok || o.Opaque() {
		return result
	}
	b := source.Bounds()
	alpha := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			a := color.AlphaModel.Convert(source.At(b.Min.X+x, b.Min.Y+y)).(color.Alpha).A
			alpha.SetNRGBA(x, y, color.NRGBA{a, a, a, 255})
		}
	}
	if alpha.Rect.Size() != result.Rect.Size() {
		alpha = resize(alpha, result.Rect.Size())
	}
	for y := range result.Rect.Dy() {
		for x := range result.Rect.Dx() {
			result.Pix[y*result.Stride+4*x+3] = alpha.Pix[y*alpha.Stride+4*x]
		}
	}
	return result
}
