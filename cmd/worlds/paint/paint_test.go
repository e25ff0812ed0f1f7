package paint

import (
	"image/color"
	"math"
	"testing"
)

// cover returns the share of the canvas that a path fills.
func cover(p *Path) float64 {
	canvas := New(100, 1, color.RGBA{A: 255})
	canvas.Fill(p, Hex(0xffffff))
	picture := canvas.Picture()
	sum := 0
	for i := 0; i < len(picture.Pix); i += 4 {
		sum += int(picture.Pix[i])
	}
	return float64(sum) / 255 / 100 / 100
}

func TestAreas(t *testing.T) {
	for name, c := range map[string]struct {
		path *Path
		want float64
	}{
		"rectangle":              {Rect(10, 20, 30, 40), 0.12},
		"ellipse":                {Ellipse(50, 50, 20, 10), math.Pi * 0.02},
		"union of two":           {Rect(10, 10, 20, 20).Append(Rect(20, 10, 20, 20)), 0.06},
		"stroke":                 {Stroke(2, 10, 50, 60, 50), 0.01 + math.Pi*0.0001},
		"limb":                   {Limb(20, 50, 4, 60, 50, 4), 0.032 + math.Pi*0.0016},
		"turned":                 {Rect(10, 20, 30, 40).Map(Rotate(0.5, 50, 50)), 0.12},
		"half outside":           {Rect(-20, 20, 40, 40), 0.08},
		"beyond the canvas":      {Rect(200, 200, 40, 40), 0},
		"blob through a square":  {Blob(40, 40, 60, 40, 60, 60, 40, 60), 0.06},
		"scaled about its place": {Rect(10, 10, 10, 10).Map(Scale(2, 3, 10, 10)), 0.06},
	} {
		tolerance := 2e-4 + 0.012*c.want // x/image/vector flattens a circle to a polygon with 1 % less area
		if name == "blob through a square" {
			tolerance = 0.01 // a circle through its corners has 0.0628
		}
		if got := cover(c.path); math.Abs(got-c.want) > tolerance {
			t.Errorf("%s: area %.4f, want %.4f", name, got, c.want)
		}
	}
}

func TestParseSVG(t *testing.T) {
	for d, want := range map[string]float64{
		"M10 10h30v30h-30z":                               0.09,
		"m10,10 30,0 0,30 -30,0z":                         0.09,
		"M10 10H40V40L10 40Z m50 50 h10v10h-10z":          0.10,
		"M30 50a20 20 0 1 1 40 0a20 20 0 1 1-40 0":        math.Pi * 0.04,
		"M30 50a20 20 0 1140 0 20 20 0 11-40 0z":          math.Pi * 0.04,
		"M30 50a20 10 90 11.001.0z":                       0,
		"M10 50C10 40 20 40 20 50S30 60 30 50z":           0,
		"M10 50Q30 10 50 50T90 50z":                       0,
		"M1e1 10L40 1e1 40.0 40.0.5e2.4e2L10 40z":         0.09,
		"M50 50m-20 0a20 20 0 1 0 40 0a20 20 0 1 0 -40 0": math.Pi * 0.04,
	} {
		path, err := ParseSVG(d)
		if err != nil {
			t.Errorf("%q: %v", d, err)
			continue
		}
		if got := cover(path); want > 0 && math.Abs(got-want) > 3e-3 {
			t.Errorf("%q: area %.4f, want %.4f", d, got, want)
		}
	}
	for _, d := range []string{"M10", "10 10", "M1 1 Lx", "M1 1A2 2 0 2 0 1 1", "M1 1z 5 5", "M1 1 W3"} {
		if _, err := ParseSVG(d); err == nil {
			t.Errorf("%q: no error", d)
		}
	}
}

// A seam of two adjoining shapes shows the background with one sample per pixel, and hardly with four.
func TestSamples(t *testing.T) {
	seam := func(fine int) uint8 {
		canvas := New(50, fine, Hex(0))
		canvas.Fill(Rect(0, 0, 41, 100), Hex(0xffffff))
		canvas.Fill(Rect(41, 0, 60, 100), Hex(0xffffff))
		return canvas.Picture().NRGBAAt(20, 20).R
	}
	if one, two := seam(1), seam(2); one > 200 || two < 250 {
		t.Errorf("brightness at the seam: %d, then %d", one, two)
	}
}

func TestClip(t *testing.T) {
	canvas := New(50, 2, Hex(0))
	canvas.Clip(Rect(0, 0, 50, 100), func() { canvas.Fill(Rect(0, 0, 100, 50), Hex(0xff0000)) })
	picture := canvas.Picture()
	for _, c := range []struct {
		x, y int
		want uint8
	}{{10, 10, 255}, {40, 10, 0}, {10, 40, 0}} {
		if got := picture.NRGBAAt(c.x, c.y).R; got != c.want {
			t.Errorf("pixel %d, %d: %d, want %d", c.x, c.y, got, c.want)
		}
	}
}
