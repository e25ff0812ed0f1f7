package pictures

import (
	"image"
	"image/color"
	"strings"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"pgregory.net/rapid"

	"illustrator/internal/fault"
)

func testPictures(n, w, h int) []image.Image {
	var pictures []image.Image
	for i := range n {
		img := image.NewNRGBA(image.Rect(0, 0, w, h))
		for p := 0; p < len(img.Pix); p += 4 {
			copy(img.Pix[p:], []uint8{uint8(40 * i), 90, 200, 255})
		}
		pictures = append(pictures, img)
	}
	return pictures
}

// Pictures stand row by row in the columns asked for, at the size asked for.
func TestGridPlaces(t *testing.T) {
	g, err := Grid(testPictures(5, 64, 64), nil, 3, GridOptions{CellSize: 100})
	if err != nil {
		t.Fatal(err)
	}
	if want := image.Pt(2*pageMargin+3*100+2*cardGap, 2*pageMargin+2*100+cardGap); g.Bounds().Size() != want {
		t.Errorf("size %v; want %v", g.Bounds().Size(), want)
	}
	for i := range 6 {
		x, y := pageMargin+(i%3)*(100+cardGap)+50, pageMargin+(i/3)*(100+cardGap)+50
		want := color.RGBA{uint8(40 * i), 90, 200, 255}
		if i == 5 {
			want = color.RGBA(pageColor)
		}
		if got := g.At(x, y); got != want {
			t.Errorf("place %d shows %v; want %v", i, got, want)
		}
	}
}

// ink is the number of pixels of a row that are darker than the paper they stand on.
func ink(g image.Image, r image.Rectangle) int {
	n := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if red, _, _, _ := g.At(x, y).RGBA(); red < 0xb000 {
				n++
			}
		}
	}
	return n
}

func TestGridWritesAllTexts(t *testing.T) {
	white := make([]image.Image, 4)
	for i := range white {
		white[i] = image.NewUniform(color.White)
	}
	for i := range white {
		blank := image.NewGray(image.Rect(0, 0, 64, 64))
		for k := range blank.Pix {
			blank.Pix[k] = 255
		}
		white[i] = blank
	}
	bare, err := Grid(white, nil, 2, GridOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n := ink(bare, bare.Bounds()); n != 0 {
		t.Fatalf("a grid of white pictures has %d dark pixels", n)
	}
	labels, notes := []string{"one", "zwei Größen", "Женщина", "日本語 🙂 \u0301\x01"}, []string{"1/2", "", "cos 0.5", "x"}
	for name, c := range map[string]struct {
		labels []string
		opts   GridOptions
	}{
		"labels":         {labels, GridOptions{}},
		"notes":          {nil, GridOptions{Notes: notes}},
		"title":          {nil, GridOptions{Title: "Title"}},
		"subtitle":       {nil, GridOptions{Subtitle: "Subtitle"}},
		"column headers": {nil, GridOptions{ColumnHeaders: []string{"α 0.5", "α 1"}}},
		"row headers":    {nil, GridOptions{RowHeaders: []string{"first", "second"}}},
		"all": {labels, GridOptions{Notes: notes, Title: "T", Subtitle: "S", Scale: 2,
			ColumnHeaders: []string{"a", "b"}, RowHeaders: []string{"c", "d"}}},
	} {
		g, err := Grid(white, c.labels, 2, c.opts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if ink(g, g.Bounds()) < 20 {
			t.Errorf("%s: no text is seen", name)
		}
		b := g.Bounds()
		edge := pageMargin / 2 * max(c.opts.Scale, 1)
		for _, margin := range []image.Rectangle{
			image.Rect(0, 0, b.Dx(), edge), image.Rect(0, b.Dy()-edge, b.Dx(), b.Dy()),
			image.Rect(0, 0, edge, b.Dy()), image.Rect(b.Dx()-edge, 0, b.Dx(), b.Dy()),
		} {
			if ink(g, margin) > 0 {
				t.Errorf("%s: text runs into the margin %v of %v", name, margin, b)
			}
		}
	}
}

func TestGridRefuses(t *testing.T) {
	p := testPictures(4, 8, 8)
	for want, draw := range map[string]func() (image.Image, error){
		"0 pictures":           func() (image.Image, error) { return Grid(nil, nil, 2, GridOptions{}) },
		"in 0 columns":         func() (image.Image, error) { return Grid(p, nil, 0, GridOptions{}) },
		"3 labels; expected 4": func() (image.Image, error) { return Grid(p, make([]string, 3), 2, GridOptions{}) },
		"5 notes; expected 4": func() (image.Image,
			error) {
			return Grid(p, nil, 2, GridOptions{Notes: make([]string, 5)})
		},
		"3 column headers; expected 2": func() (image.Image,
			error) {
			return Grid(p, nil, 2, GridOptions{ColumnHeaders: make([]string, 3)})
		},
		"1 row headers; expected 2": func() (image.Image,
			error) {
			return Grid(p, nil, 2, GridOptions{RowHeaders: make([]string, 1)})
		},
		"picture 1 is empty": func() (image.Image, error) {
			return Grid([]image.Image{p[0], image.NewGray(image.Rectangle{})}, nil, 2, GridOptions{})
		},
		"at most 67108864 are drawn": func() (image.Image,
			error) {
			return Grid(testPictures(3000, 1, 1), nil, 50, GridOptions{})
		},
	} {
		if _, err := draw(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
	_, err := Grid(p, nil, 2, GridOptions{CellSize: 1 << 14})
	if err == nil || fault.HintOf(err) == "" {
		t.Errorf("large cells: %v", err)
	}
}

// Wrapped lines fit, lose no character unless an ellipsis says so, and are no more than allowed.
func TestWrap(t *testing.T) {
	face := newGridFonts(1).label
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.StringMatching(`[a-zA-ZäЖ日,.-]{1,30}`), 0, 12).Draw(t, "words")
		width, maxLines := rapid.IntRange(20, 200).Draw(t, "width"), rapid.IntRange(1, 6).Draw(t, "lines")
		lines := wrap(face, strings.Join(words, " "), width, maxLines)
		if len(lines) > maxLines {
			t.Fatalf("%d lines; at most %d are allowed", len(lines), maxLines)
		}
		for _, line := range lines {
			if font.MeasureString(face, line) > fixed.I(width) {
				t.Fatalf("line %q is wider than %d", line, width)
			}
		}
		all := strings.Join(words, "")
		got := strings.ReplaceAll(strings.Join(lines, ""), " ", "")
		if cut, ok := strings.CutSuffix(got, "…"); ok {
			if !strings.HasPrefix(all, cut) {
				t.Fatalf("%q does not begin %q", cut, all)
			}
		} else if got != all {
			t.Fatalf("%q; want %q", got, all)
		}
	})
}
