package cartoon

import (
	"image"
	"image/color"
)

// withAlpha makes a drawing as transparent as its source.
func withAlpha(drawn *image.NRGBA, source image.Image) *image.NRGBA {
	if o, ok := source.(interface{ Opaque() bool }); !ok || o.Opaque() {
		return drawn
	}
	b := source.Bounds()
	alpha := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			a := color.AlphaModel.Convert(source.At(b.Min.X+x, b.Min.Y+y)).(color.Alpha).A
			alpha.SetNRGBA(x, y, color.NRGBA{a, a, a, 255})
		}
	}
	if alpha.Rect.Size() != drawn.Rect.Size() {
		alpha = resize(alpha, drawn.Rect.Size())
	}
	for y := range drawn.Rect.Dy() {
		for x := range drawn.Rect.Dx() {
			drawn.Pix[y*drawn.Stride+4*x+3] = alpha.Pix[y*alpha.Stride+4*x]
		}
	}
	return drawn
}
