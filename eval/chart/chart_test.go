package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// falling is a noisy line of training and one of validation, as a run has them.
func falling(name string, scale float64) []Series {
	faint, strong := Series{Name: name, Faint: true}, Series{Name: name}
	for step := 25.0; step <= 4700; step += 25 {
		y := scale * (0.3 + 0.6*math.Exp(-step/800))
		faint.Points = append(faint.Points, Point{step, y * (1 + 0.05*math.Sin(step))})
		if math.Mod(step, 500) == 0 {
			strong.Points = append(strong.Points, Point{step, y})
		}
	}
	return []Series{faint, strong}
}

func example() Figure {
	f := Figure{Title: "Losses", Note: "thin lines: training; points: validation"}
	for i, loss := range []string{"total", "l1", "semantic"} {
		p := Panel{Title: loss, X: "step", Y: "loss", LogY: true}
		for j, run := range []string{"00001-lorelei", "00002-wide"} {
			p.Series = append(p.Series, falling(run, math.Pow(4, float64(-i))*(1+float64(j)))...)
		}
		f.Panels = append(f.Panels, p)
	}
	return f
}

func decode(t *testing.T, f Figure) image.Image {
	t.Helper()
	file, err := f.Encode(".png")
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// count is the number of pixels of exactly this colour.
func count(picture image.Image, c color.Color) (n int) {
	r, g, b, _ := c.RGBA()
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			if pr, pg, pb, _ := picture.At(x, y).RGBA(); pr == r && pg == g && pb == b {
				n++
			}
		}
	}
	return n
}

func TestPNGHasEachSeriesInItsColour(t *testing.T) {
	f := example()
	picture := decode(t, f)
	if size := picture.Bounds().Size(); size != image.Pt(1200, 700) {
		t.Errorf("the picture has the size %v", size)
	}
	for i, want := range []bool{true, true, false} {
		if n := count(picture, palette[i]); n > 100 != want {
			t.Errorf("%d pixels have colour %d of the palette", n, i)
		}
	}
	f.Width, f.Height = 500, 300
	if size := decode(t, f).Bounds().Size(); size != image.Pt(500, 300) {
		t.Errorf("the small picture has the size %v", size)
	}
	again, err := example().Encode(".png")
	if first, _ := example().Encode(".png"); err != nil || !bytes.Equal(first, again) {
		t.Errorf("the same figure gives other bytes, %v", err)
	}
}

// TestPointsAreWhereTheyBelong draws one point in the middle of known ranges and finds it there.
func TestPointsAreWhereTheyBelong(t *testing.T) {
	for _, c := range []struct {
		name   string
		log    bool
		middle float64
	}{{"linear", false, 5.5}, {"log", true, math.Sqrt(10)}} {
		// Faint lines set the range; the point has a full colour.
		p := Panel{LogY: c.log, Series: []Series{
			{Name: "range", Faint: true, Points: []Point{{0, 1}, {1, 10}}},
			{Name: "point", Points: []Point{{0.5, c.middle}}},
		}}
		canvas := vgimg.New(300, 300)
		p.plot([]string{"range", "point"}).Draw(draw.New(canvas))
		data := p.plot([]string{"range", "point"}).DataCanvas(draw.New(canvas))
		at := func(p vg.Point) color.Color {
			return canvas.Image().At(int(p.X.Dots(96)), canvas.Image().Bounds().Dy()-int(p.Y.Dots(96)))
		}
		r, g, b, _ := at(data.Center()).RGBA()
		if got := (color.NRGBA{R: uint8(r >> 8), G: uint8(g >> 8), B: uint8(b >> 8), A: 0xff}); got != palette[1] {
			t.Errorf("%s: the middle has the colour %v, want %v", c.name, got, palette[1])
		}
	}
}

func TestIntervalsAreDrawn(t *testing.T) {
	s := Series{Name: "alpha", Points: []Point{{0, 0.3}, {1, 0.5}}}
	bare := count(decode(t, Figure{Panels: []Panel{{Series: []Series{s}}}}), palette[0])
	// The range stays: the bars end at the values that the faint line has.
	s.Intervals = []Interval{{0.3, 0.45}, {0.35, 0.5}}
	barred := count(decode(t, Figure{Panels: []Panel{{Series: []Series{s}}}}), palette[0])
	if barred < bare+100 {
		t.Errorf("%d pixels have the line's colour with error bars, %d without", barred, bare)
	}
}

func TestSVGNamesAllTexts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "curves.SVG")
	if err := example().Write(path); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var texts strings.Builder
	for decoder := xml.NewDecoder(bytes.NewReader(file)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok {
			texts.Write(text)
		}
	}
	for _, want := range []string{"Losses", "thin lines", "total", "semantic", "step", "00001-lorelei", "00002-wide",
		"4500"} {
		if !strings.Contains(texts.String(), want) {
			t.Errorf("the SVG has no text %q", want)
		}
	}
}

func TestWhatCannotBeDrawnIsAnError(t *testing.T) {
	one := func(s Series) Figure { return Figure{Panels: []Panel{{Title: "l1", LogY: true, Series: []Series{s}}}} }
	for want, f := range map[string]Figure{
		"no panels":           {},
		`"l1" has no points`:  one(Series{}),
		"not above 0":         one(Series{Points: []Point{{1, 0}}}),
		"has the value NaN":   one(Series{Points: []Point{{1, math.NaN()}}}),
		"has the value +Inf":  one(Series{Points: []Point{{math.Inf(1), 1}}}),
		"1 intervals for 2":   one(Series{Points: []Point{{1, 1}, {2, 1}}, Intervals: make([]Interval, 1)}),
		"does not hold":       one(Series{Points: []Point{{1, 1}}, Intervals: []Interval{{2, 3}}}),
		"the value -1 at 1 i": one(Series{Points: []Point{{1, 1}}, Intervals: []Interval{{-1, 3}}}),
	} {
		if _, err := f.Encode(".png"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if err := example().Write(filepath.Join(t.TempDir(), "a.gif")); err == nil ||
		!strings.Contains(err.Error(), `".gif"`) {
		t.Errorf("a.gif: %v", err)
	}
}

// TestRangesOfOneValue draws what has no extent in a direction.
func TestRangesOfOneValue(t *testing.T) {
	for _, y := range []float64{1e-9, 1, 3e8} {
		for _, log := range []bool{false, true} {
			for _, faint := range []bool{false, true} {
				f := Figure{Panels: []Panel{{LogY: log, Series: []Series{{Points: []Point{{5, y}}, Faint: faint}}}}}
				if n := count(decode(t, f), palette[0]); n < 10 {
					t.Errorf("%g, log %v, faint %v: %d pixels", y, log, faint, n)
				}
			}
		}
	}
}

func TestSharedX(t *testing.T) {
	one := func(x float64) *plot.Plot {
		return Panel{Series: []Series{{Points: []Point{{0, 1}, {x, 2}}}}}.plot([]string{""})
	}
	plots := [][]*plot.Plot{{one(10), one(100)}, {one(-5), nil}}
	shareX(plots)
	for _, p := range []*plot.Plot{plots[0][0], plots[0][1], plots[1][0]} {
		if p.X.Min > -5 || p.X.Max < 100 || p.X.Min != plots[0][0].X.Min || p.X.Max != plots[0][0].X.Max {
			t.Errorf("X is from %g to %g", p.X.Min, p.X.Max)
		}
	}
	f := example()
	f.Panels[0].Series = f.Panels[0].Series[:1]
	f.SharedX = true
	decode(t, f)
}

func TestTicks(t *testing.T) {
	labels := func(ticker plot.Ticker, low, high float64) string {
		var texts []string
		for _, tick := range ticker.Ticks(low, high) {
			if !tick.IsMinor() {
				texts = append(texts, tick.Label)
			}
		}
		return strings.Join(texts, " ")
	}
	for _, c := range []struct {
		got, want string
	}{
		{labels(linearTicks{}, -0.02, 1.02), "0 0.2 0.4 0.6 0.8 1"},
		{labels(linearTicks{}, -90, 4790), "0 500 1000 1500 2000 2500 3000 3500 4000 4500"},
		{labels(linearTicks{}, 0, 7.5e6), "0 1e+06 2e+06 3e+06 4e+06 5e+06 6e+06 7e+06"},
		{labels(linearTicks{}, 0.9e-6, 3.1e-6), "1e-06 1.5e-06 2e-06 2.5e-06 3e-06"},
		{labels(logTicks{}, 0.04, 3), "0.05 0.1 0.2 0.5 1 2"},
		{labels(logTicks{}, 1e-5, 2), "1e-05 0.0001 0.001 0.01 0.1 1"},
		{labels(logTicks{}, 0.49, 0.71), "0.5 0.55 0.6 0.65 0.7"},
	} {
		if c.got != c.want {
			t.Errorf("ticks %q, want %q", c.got, c.want)
		}
	}
}

func TestTextChart(t *testing.T) {
	p := Panel{Title: "total", LogY: true, Series: []Series{
		{Name: "a", Faint: true, Points: []Point{{0, 5}}}, // not shown: a has a strong line
		{Name: "a", Points: []Point{{0, 1}, {100, 100}}},
		{Name: "b", Points: []Point{{50, 100}, {75, 100}}},
		{Name: "c", Faint: true, Points: []Point{{100, 10}}},
		{Name: "d"},
	}}
	got, err := p.Text(21, 4, false)
	if err != nil {
		t.Fatal(err)
	}
	const want = `total
  100 ┤         xxxxxxx ╭──
 31.6 ┤            ╭────╯
   10 ┤       ╭────╯      o
 3.16 ┤  ╭────╯
    1 ┼──╯
      └┬────┬────┬────┬────┬
       0   25   50   75   100
─ a   x b   o c`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if coloured, err := p.Text(21, 4, true); err != nil || !strings.Contains(coloured, "\x1b[94m") ||
		strings.Contains(got, "\x1b") {
		t.Errorf("%v, with colours:\n%s", err, coloured)
	}
	if _, err := (Panel{}).Text(21, 4, false); err == nil {
		t.Error("no error without points")
	}
}
