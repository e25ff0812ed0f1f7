package clip

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

const fittedSize = 32 // of testdata/preprocessor.py

func readPNG(t *testing.T, name string) image.Image {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "preprocessor", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Pictures of any shape become what transformers' CLIPImageProcessor makes of them, by each of Pillow's filters,
// exactly.
func TestFitEqualsTransformers(t *testing.T) {
	goldens, err := filepath.Glob("testdata/preprocessor/*.golden.png")
	if err != nil || len(goldens) < 40 {
		t.Fatal("goldens are missing", err)
	}
	for _, path := range goldens {
		name := strings.TrimSuffix(filepath.Base(path), ".golden.png")
		config, source, _ := strings.Cut(name, "-")
		raw, err := os.ReadFile(filepath.Join("testdata", "preprocessor", config+".json"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := DecodePreprocessor(raw, fittedSize)
		if err != nil {
			t.Errorf("%s: %v", config, err)
			continue
		}
		got, want := p.Fit(readPNG(t, source+".png")), readPNG(t, name+".golden.png")
		largest := 0
		for i, v := range got {
			x, y, c := i%fittedSize, i/fittedSize%fittedSize, i/fittedSize/fittedSize
			w := color.NRGBAModel.Convert(want.At(x, y)).(color.NRGBA)
			d := int((v+1)/2*255+0.5) - int([]uint8{w.R, w.G, w.B}[c])
			largest = max(largest, d, -d)
		}
		if largest > 0 {
			t.Errorf("%s differs by %d of 255", name, largest)
		}
	}
}

// Padding keeps all of a picture, on white; what is transparent is white.
func TestFitPads(t *testing.T) {
	p := DefaultPreprocessor(fittedSize)
	img := image.NewNRGBA(image.Rect(0, 0, 80, 40))
	for i := range img.Pix {
		img.Pix[i] = uint8(255 * (i % 4 / 3)) // opaque black
	}
	if got := p.FitImage(img, 8).NRGBAAt(4, 0); got.R != 0 {
		t.Errorf("cropped: %v at the top", got)
	}
	p.Pad = true
	padded := p.FitImage(img, 8)
	if top, middle := padded.NRGBAAt(4, 0), padded.NRGBAAt(0, 4); top.R != 255 || middle.R != 0 {
		t.Errorf("padded: %v at the top, %v at the left", top, middle)
	}
	if got := p.FitImage(image.NewNRGBA(image.Rect(0, 0, 5, 5)), 8).NRGBAAt(2,
		2); got != (color.NRGBA{255, 255, 255, 255}) {
		t.Errorf("transparent: %v", got)
	}
}

// A padded picture is, pixel for pixel, that of a white square with the picture in it, which is not made: it could have
// a gigabyte.
func TestPaddingTakesNoMemory(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	for filter := Nearest; filter <= Hamming; filter++ {
		for _, size := range []image.Point{{90, 7}, {7, 90}, {33, 32}, {1, 64}, {3, 2}, {40, 40}} {
			side := max(size.X, size.Y)
			img, square := image.NewNRGBA(image.Rectangle{Max: size}), image.NewNRGBA(image.Rect(0, 0, side, side))
			for i := range img.Pix {
				img.Pix[i] = uint8(rng.Uint32()) | uint8(255*(i%4/3))
			}
			draw.Draw(square, square.Rect, image.White, image.Point{}, draw.Src)
			at := image.Pt((side-size.X)/2, (side-size.Y)/2)
			draw.Draw(square, img.Rect.Add(at), img, image.Point{}, draw.Src)
			for _, p := range []Preprocessor{{ShortestEdge: 32}, {ShortestEdge: 40}, {Width: 60, Height: 20}} {
				p.Filter, p.Crop, p.Size = filter, true, fittedSize
				want := p.Fit(square)
				if p.Pad = true; !slices.Equal(p.Fit(img), want) {
					t.Errorf("%v, %v: not the padded picture", p, size)
				}
			}
		}
	}
	p := DefaultPreprocessor(224)
	p.Pad = true
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p.Fit(image.NewGray(image.Rect(0, 0, 16_384, 1)))
	p.Fit(image.NewGray(image.Rect(0, 0, 1, 16_384)))
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
		t.Errorf("pictures of 16,384 pixels took %d bytes", grown)
	}
}

func TestPreprocessorMistakes(t *testing.T) {
	for raw, want := range map[string]string{
		`{"resample": 6}`: "resample is 6",
		`{"size": {"shortest_edge": 0, "width": 5}}`: "size is 0, 5 × 0",
		`{"size": -4}`:      "size is -4",
		`{"size": "big"}`:   "a size is a number",
		`{"crop_size": 48}`: "crop_size is 48 × 48; the network takes 32 × 32",
		`{"do_center_crop": false, "size": {"shortest_edge": 32}}`: "do_center_crop is false",
		`{"do_resize": false}`:            "do_resize is false",
		`{"do_normalize": false}`:         "do_normalize is false",
		`{"rescale_factor": 0.5}`:         "rescale_factor is 0.5",
		`{"image_mean": [0.5, 0.5, 0.5]}`: "image_mean is [0.5 0.5 0.5]",
		`[]`:                              "array",
	} {
		if _, err := DecodePreprocessor([]byte(raw), fittedSize); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %q", raw, err, want)
		}
	}
	if p, err := DecodePreprocessor([]byte(`{}`), 9); err != nil || p != DefaultPreprocessor(9) {
		t.Error(fmt.Sprint(p), err)
	}
}
