package chart

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

func variants(bars bool) Figure {
	names := []string{"L1 only", "L1 + semantic", "L1 + regularization", "semantic + regularization", "all terms",
		"baseline network"}
	f := Figure{Title: "Loss ablation", Note: "95 % intervals over texts and seeds", Width: 1100, Height: 420}
	for _, metric := range []struct {
		name, unit string
		first      float64
	}{{"CLIP similarity", "cosine", 0.22}, {"attribute accuracy", "share", 0.4}} {
		p := Panel{Title: metric.name, Y: metric.unit, Categories: names, Bars: bars}
		for j, kind := range []string{"limited words", "open-world words"} {
			s := Series{Name: kind}
			for i := range names {
				if i == 3 && j == 1 {
					continue // failed
				}
				value := metric.first * (1 + 0.15*float64(i%5) - 0.2*float64(j))
				s.Points = append(s.Points, Point{float64(i), value})
				s.Intervals = append(s.Intervals, Interval{value * 0.93, value * 1.05})
			}
			p.Series = append(p.Series, s)
		}
		f.Panels = append(f.Panels, p)
	}
	return f
}

func TestCategoriesAreDrawn(t *testing.T) {
	for _, bars := range []bool{false, true} {
		f := variants(bars)
		picture := decode(t, f)
		for i, want := range []bool{true, true, false} {
			if n := count(picture, palette[i]); n > 300 != want {
				t.Errorf("bars %v: %d pixels have colour %d of the palette", bars, n, i)
			}
		}
		file, err := f.Encode(".svg")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range append(f.Panels[0].Categories, "cosine", "open-world words") {
			if !strings.Contains(string(file), ">"+name+"<") {
				t.Errorf("bars %v: the SVG has no text %q", bars, name)
			}
		}
	}
}

// TestCategoriesAreWhereTheyBelong finds the points of two categories: the first above, the larger value to the right.
func TestCategoriesAreWhereTheyBelong(t *testing.T) {
	p := Panel{Categories: []string{"a", "b"}, Series: []Series{{Points: []Point{{0, 10}, {1, 20}}}}}
	chart := p.plot([]string{""})
	canvas := vgimg.New(300, 300)
	chart.Draw(draw.New(canvas))
	data := chart.DataCanvas(draw.New(canvas))
	x, y := chart.Transforms(&data)
	for _, at := range []struct{ value, category, fraction float64 }{{10, 0, 0.25}, {20, 1, 0.75}} {
		point := vg.Point{X: x(at.value), Y: y(-at.category)}
		r, g, b, _ := canvas.Image().At(int(point.X.Dots(96)), canvas.Image().Bounds().Dy()-int(point.Y.Dots(96))).RGBA()
		if [3]uint32{r >> 8, g >> 8, b >> 8} != [3]uint32{0, 0x72, 0xb2} {
			t.Errorf("category %g, value %g: colour %x %x %x", at.category, at.value, r>>8, g>>8, b>>8)
		}
		if down := float64((data.Max.Y - point.Y) / data.Size().Y); math.Abs(down-at.fraction) > 0.01 {
			t.Errorf("category %g is at %g of the height from the top", at.category, down)
		}
	}
}

func TestBarsBeginAtZero(t *testing.T) {
	for _, c := range []struct{ value, low, high float64 }{{10, 0, 10.6}, {-10, -10.6, 0}} {
		p := Panel{Categories: []string{"a"}, Bars: true, Series: []Series{{Points: []Point{{0, c.value}}}}}
		if x := p.plot([]string{""}).X; math.Abs(x.Min-c.low) > 1e-9 || math.Abs(x.Max-c.high) > 1e-9 {
			t.Errorf("the axis of the value %g is from %g to %g", c.value, x.Min, x.Max)
		}
	}
}

func TestCategoriesThatCannotBeDrawn(t *testing.T) {
	at := func(x float64) []Series { return []Series{{Name: "s", Points: []Point{{x, 1}}}} }
	for want, p := range map[string]Panel{
		"category 2, of 2":   {Categories: []string{"a", "b"}, Series: at(2)},
		"category 0.5, of 2": {Categories: []string{"a", "b"}, Series: at(0.5)},
		"bars begin at 0":    {Categories: []string{"a"}, Series: at(0), Bars: true, LogY: true},
		"there are none":     {Series: at(0), Bars: true},
	} {
		if _, err := (Figure{Panels: []Panel{p}}).Encode(".png"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := (Panel{Categories: []string{"a"}, Series: at(0)}).Text(20, 4, false); err == nil {
		t.Error("categories are drawn in characters")
	}
}
