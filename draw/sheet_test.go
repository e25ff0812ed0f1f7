package draw

import (
	"image"
	"testing"

	"illustrator/data/texts"
)

func TestSheet(t *testing.T) {
	low, high := 0.5, 1.0
	rows := []texts.Text{{Text: "one", Alpha: &low}, {Text: "one", Alpha: &high}}
	img, err := Sheet([]image.Image{square(1), square(2), square(3), square(4)}, rows, []uint64{3, 4}, "a", "b")
	if err != nil || img.Bounds().Dx() < 300 {
		t.Errorf("%v", err)
	}
	if _, err := Sheet([]image.Image{square(1)}, rows, []uint64{3, 4}, "a", "b"); err == nil {
		t.Error("a sheet with a missing picture")
	}
}

func square(v uint8) image.Image {
	img := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range img.Pix {
		img.Pix[i] = v
	}
	return img
}
