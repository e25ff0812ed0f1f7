package cartoon

import (
	"image"
	"image/color"
	"testing"
)

// Transparent parts of a picture stay transparent in its drawing, at any size; the rest is opaque.
func TestTransparencyIsKept(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	for y := range 16 {
		for x := range 8 {
			img.SetNRGBA(x, y, color.NRGBA{200, 30, 30, 255})
		}
	}
	style, err := Open("comic", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, scale := range []int{1, 3} {
		result, err := style.Draw(t.Context(), img, scale)
		if err != nil {
			t.Fatal(err)
		}
		if a := result.NRGBAAt(2*scale, 8*scale).A; a != 255 {
			t.Errorf("scale %d: the picture's alpha is %d", scale, a)
		}
		if a := result.NRGBAAt(13*scale, 8*scale).A; a != 0 {
			t.Errorf("scale %d: the hole's alpha is %d", scale, a)
		}
	}
}
