package decode

import (
	"bytes"
	"compress/zlib"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/internal/jpeg"
)

func read(t *testing.T, name string) *image.NRGBA {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	img, warnings, err := Image(context.Background(), file, 1<<20)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%s: %v %v", name, warnings, err)
	}
	return img
}

// difference returns the largest difference of two pictures in a channel. Colours of transparent pixels don't count.
func difference(a, b *image.NRGBA) (largest int, mean float64, err error) {
	if a.Rect != b.Rect {
		return 0, 0, fmt.Errorf("it is %v, expected %v", a.Rect, b.Rect)
	}
	for i := range a.Pix {
		if i%4 != 3 && a.Pix[i|3] == 0 && b.Pix[i|3] == 0 {
			continue
		}
		d := int(a.Pix[i]) - int(b.Pix[i])
		largest, mean = max(largest, d, -d), mean+float64(max(d, -d))/float64(len(a.Pix))
	}
	return largest, mean, nil
}

// Pixels equal Pillow's, with libjpeg-turbo, libwebp and littleCMS in it, within 2 of 255; formats without loss and
// without profile exactly.
func TestPixelsEqualPillow(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.golden.png")
	if err != nil || len(paths) < 30 {
		t.Fatal("goldens are missing", err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".golden.png")
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		golden, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		tolerance := 2
		switch name {
		case "lossless.webp", "alpha.webp", "a.bmp", "lzw.tif", "animated.gif", "transparent.gif", "gamma.png":
			tolerance = 0
		}
		largest, mean, err := difference(read(t, name), plain(golden))
		if err != nil || largest > tolerance {
			t.Errorf("%s: the largest difference is %d, the mean %.3f: %v", name, largest, mean, err)
		}
		t.Logf("%-20s largest %d mean %.4f", name, largest, mean)
	}
}

// profileOf returns the colour profile of a JPEG.
func profileOf(t *testing.T, name string) []byte {
	t.Helper()
	p, err := jpeg.ReadHeader(load(t, name))
	if err != nil || len(p.Profile) == 0 {
		t.Fatal(err)
	}
	return p.Profile
}

func deflated(t *testing.T, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
