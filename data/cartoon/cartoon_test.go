package cartoon

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"illustrator/data/pictures"
	"illustrator/internal/fault"
)

var update = flag.Bool("update", false, "rewrite the golden pictures: look at them before they are committed")

// scene is a picture with what styles look at: flat and shaded areas, soft and hard edges, thin lines, fine texture.
func scene(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			u, v := (float64(x)+0.5)/float64(w), (float64(y)+0.5)/float64(h)
			c := [3]float64{0.75 + 0.2*v, 0.85, 1 - 0.15*v} // sky
			if v > 0.75+0.04*math.Sin(9*u) {                // ground, textured
				c = [3]float64{0.35, 0.5 + 0.08*math.Sin(70*u)*math.Sin(50*v), 0.2}
			}
			if d := math.Hypot(u-0.45, (v-0.5)*0.75) / 0.24; d < 1 { // ball, shaded, with a rim
				light := 0.4 + 0.6*math.Sqrt(1-d*d)*(0.8-0.5*(u-0.45)/0.24)
				c = [3]float64{math.Min(1, 0.95*light+0.1), 0.45 * light, 0.25 * light}
				if d > 0.93 {
					c = [3]float64{0.1, 0.05, 0.05}
				}
			}
			if u > 0.78 && u < 0.84 && v > 0.3 && v < 0.85 { // post
				c = [3]float64{0.98, 0.85, 0.2}
			}
			img.SetNRGBA(x, y, color.NRGBA{uint8(255 * c[0]), uint8(255 * c[1]), uint8(255 * c[2]), 255})
		}
	}
	return img
}

func redraw(t *testing.T, name string, img image.Image, scale int) *image.NRGBA {
	t.Helper()
	s, err := Open(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	result, err := s.Draw(t.Context(), img, scale)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// difference is the share of channel values that differ by more than one level.
func difference(a, b *image.NRGBA) float64 {
	n := 0
	for i := range a.Pix {
		if d := int(a.Pix[i]) - int(b.Pix[i]); d < -1 || d > 1 {
			n++
		}
	}
	return float64(n) / float64(len(a.Pix))
}

// The goldens were looked at. On the kind of machine that made them the pictures are the same to the byte; compilers
// for others fuse multiplications with additions, which moves a threshold here and there: there one value in 200 may
// differ.
func TestGoldenPictures(t *testing.T) {
	results := map[string]*image.NRGBA{"plain": Enlarged(scene(80, 60), image.Pt(160, 120))}
	for _, s := range Styles() {
		t.Run(s.Name, func(t *testing.T) {
			got, path := redraw(t, s.Name, scene(80, 60), 2), filepath.Join("testdata", s.Name+".png")
			if *update {
				if err := pictures.WritePNG(path, got, nil); err != nil {
					t.Fatal(err)
				}
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			img, err := png.Decode(f)
			if err != nil {
				t.Fatal(err)
			}
			want := flatten(img)
			if want.Rect != got.Rect {
				t.Fatalf("%v; want %v", got.Rect, want.Rect)
			}
			if runtime.GOARCH == "amd64" && !bytes.Equal(got.Pix, want.Pix) || difference(got, want) > 0.005 {
				t.Errorf("%.2f %% of the values differ by more than one level", 100*difference(got, want))
			}
			for name, other := range results {
				if d := difference(got, other); d < 0.05 {
					t.Errorf("it and %s differ in %.1f %% only", name, 100*d)
				}
			}
			results[s.Name] = got
		})
	}
}

// The number of processors changes nothing.
func TestAnyNumberOfProcessors(t *testing.T) {
	if testing.Short() {
		t.Skip("draws all styles twice")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	img := scene(80, 61)
	for _, s := range Styles() {
		runtime.GOMAXPROCS(1)
		want := redraw(t, s.Name, img, 2)
		runtime.GOMAXPROCS(7)
		if got := redraw(t, s.Name, img, 2); !bytes.Equal(got.Pix, want.Pix) {
			t.Errorf("%s differs in %.2f %% between 1 processor and 7", s.Name, 100*difference(got, want))
		}
	}
}

// A small and a large picture of one scene become much the same: lengths follow the size.
func TestSizesLookAlike(t *testing.T) {
	if testing.Short() {
		t.Skip("draws large pictures")
	}
	for _, s := range Styles() {
		small, large := redraw(t, s.Name, scene(96, 72), 1), Enlarged(redraw(t, s.Name, scene(960, 720), 1), image.Pt(96, 72))
		sum := 0.0
		for i := range small.Pix {
			sum += math.Abs(float64(small.Pix[i]) - float64(large.Pix[i]))
		}
		if mean := sum / float64(len(small.Pix)); mean > 12 {
			t.Errorf("%s: they differ by %.1f of 255 on average", s.Name, mean)
		}
	}
}

// Pictures of any size and kind: one pixel, a line, gray, transparent, shifted bounds.
func TestAnyPicture(t *testing.T) {
	gray := image.NewGray16(image.Rect(3, 2, 10, 9))
	clear := image.NewNRGBA(image.Rect(0, 0, 5, 4))
	paletted := image.NewPaletted(image.Rect(-4, -4, 8, 8), color.Palette{color.Black, color.White})
	try := func(name string, img image.Image) {
		if got, want := redraw(t, name, img, 2).Rect, (image.Rectangle{Max: img.Bounds().Size().Mul(2)}); got != want {
			t.Errorf("%s of %T: %v, want %v", name, img, got, want)
		}
	}
	for _, s := range Styles() {
		try(s.Name, scene(40, 1))
		try(s.Name, scene(1, 33))
	}
	for _, img := range []image.Image{scene(1, 1), gray, clear, paletted,
		scene(30, 30).SubImage(image.Rect(7, 8, 20, 30))} {
		try("popart", img)
	}
	white := image.NewNRGBA(clear.Rect)
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	opaque := redraw(t, "comic", clear, 1)
	for i := 3; i < len(opaque.Pix); i += 4 {
		opaque.Pix[i] = 255
	}
	if !bytes.Equal(opaque.Pix, redraw(t, "comic", white, 1).Pix) {
		t.Error("a transparent picture is not drawn as on white")
	}
}

func TestMistakes(t *testing.T) {
	s, err := Open("ink", nil)
	if err != nil {
		t.Fatal(err)
	}
	stopped, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	cancel(stop)
	if _, err := s.Draw(stopped, scene(4, 4), 1); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
	open := func(name string) error { _, err := Open(name, nil); return err }
	try := func(img image.Image, scale int) error { _, err := s.Draw(t.Context(), img, scale); return err }
	for want, err := range map[string]error{
		`style "comix" is unknown`: open("comix"),
		`style "xyzzy" is unknown`: open("xyzzy"),
		`style "" is unknown`:      open(""),
		"scale 0":                  try(scene(4, 4), 0),
		"scale 17":                 try(scene(4, 4), 17),
		"32000 × 16 pixels":        try(image.NewAlpha(image.Rect(0, 0, 2000, 1)), 16),
	} {
		if err == nil || !strings.Contains(err.Error(), want) || !fault.IsUsage(err) || fault.HintOf(err) == "" {
			t.Errorf("got %v (hint %q), want %q", err, fault.HintOf(err), want)
		}
	}
	if _, err := s.Draw(t.Context(), image.NewNRGBA(image.Rectangle{}), 1); err == nil {
		t.Error("an empty picture is drawn")
	}
}

// BenchmarkStyles draws a picture of 512 × 512 pixels in each style, and one of 64 × 64 at eight times its size.
func BenchmarkStyles(b *testing.B) {
	for _, c := range []struct{ side, scale int }{{512, 1}, {64, 8}} {
		img := scene(c.side, c.side)
		for _, s := range Styles() {
			b.Run(fmt.Sprintf("%s/%dx%d", s.Name, c.side, c.scale), func(b *testing.B) {
				style, err := Open(s.Name, nil)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if _, err := style.Draw(b.Context(), img, c.scale); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
