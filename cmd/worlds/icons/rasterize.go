package icons

import (
	"errors"
	"fmt"
	"image"
	"math"
	"regexp"
	"strings"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"

	"illustrator/cmd/worlds/paint"
)

var (
	pathData = regexp.MustCompile(` d="([^"]*)"`)
	// beyond matches what oksvg 0.2.0 does not draw: clipping, references to shapes, filters, gradients that inherit.
	beyond = regexp.MustCompile(`<clipPath|<use|<symbol|<filter|Gradient[^>]* href=`)
)

// errBeyond is the error of a picture that the library does not draw right.
var errBeyond = errors.New("clipping, filters and references are not drawn")

// rasterize draws the body of an SVG picture on transparency. Paths reach the library in absolute lines and curves only
// (see paint.ParseSVG).
func rasterize(body string, width, height float64, size int) (*image.RGBA, error) {
	if beyond.MatchString(body) {
		return nil, errBeyond
	}
	var failed error
	body = pathData.ReplaceAllStringFunc(body, func(attribute string) string {
		path, err := paint.ParseSVG(pathData.FindStringSubmatch(attribute)[1])
		if err != nil {
			failed = err
			return attribute
		}
		return ` d="` + path.SVG() + `"`
	})
	if failed != nil {
		return nil, failed
	}
	svg := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g">%s</svg>`, width, height, body)
	drawing, err := oksvg.ReadIconStream(strings.NewReader(svg), oksvg.IgnoreErrorMode)
	if err != nil {
		return nil, err
	}
	picture := image.NewRGBA(image.Rect(0, 0, size, size))
	scale := float64(size) / max(width, height)
	w, h := width*scale, height*scale
	drawing.SetTarget((float64(size)-w)/2, (float64(size)-h)/2, w, h)
	scanner := rasterx.NewScannerGV(size, size, picture, picture.Bounds())
	drawing.Draw(rasterx.NewDasher(size, size, scanner), 1)
	return picture, nil
}

// mainColor returns the name of the color that half of the opaque pixels have, or "".
func mainColor(picture *image.RGBA) string {
	counts, opaque := make(map[string]int), 0
	for i := 0; i < len(picture.Pix); i += 4 {
		if picture.Pix[i+3] < 200 {
			continue
		}
		opaque++
		counts[colorName(picture.Pix[i], picture.Pix[i+1], picture.Pix[i+2])]++
	}
	for name, count := range counts {
		if 2*count > opaque {
			return name
		}
	}
	return ""
}

// colorName names a color by its hue, or by its lightness where it has little.
func colorName(r, g, b uint8) string {
	x, y, z := float64(r), float64(g), float64(b)
	high, low := max(x, y, z), min(x, y, z)
	if high < 64 {
		return "black"
	}
	if high-low < 0.16*high {
		if high > 220 {
			return "white"
		}
		return "grey"
	}
	// The hue in degrees, from the hexagon of red, yellow, green, cyan, blue and magenta.
	hue := math.Mod(math.Atan2(math.Sqrt(3)*(y-z), 2*x-y-z)*180/math.Pi+360, 360)
	switch {
	case hue < 15 || hue >= 340:
		if low > 130 {
			return "pink"
		}
		return "red"
	case hue < 40:
		if high < 180 {
			return "brown"
		}
		return "orange"
	case hue < 70:
		return "yellow"
	case hue < 165:
		return "green"
	case hue < 255:
		return "blue"
	case hue < 300:
		return "purple"
	}
	return "pink"
}
