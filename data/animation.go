package data

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"io"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/ericpauley/go-quantize/quantize"
	"github.com/kettek/apng"

	"illustrator/internal/fault"
)

// AnimationExtensions are the file names that WriteAnimation takes.
var AnimationExtensions = []string{".gif", ".apng"}

// WriteAnimation writes frames of one size as an endless GIF or APNG, by the extension of path, each shown for delay. A GIF
// has 256 colours a frame, chosen for the frame by median cut and not dithered, which would flicker, and no metadata.
func WriteAnimation(path string, frames []image.Image, delay time.Duration, meta []Meta) error {
	if len(frames) == 0 {
		return fmt.Errorf("write %q: no frames", path)
	}
	for i, f := range frames {
		if f.Bounds() != frames[0].Bounds() {
			return fmt.Errorf("write %q: frame %d has bounds %v, the first %v", path, i, f.Bounds(), frames[0].Bounds())
		}
	}
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".gif":
		return writeFile(path, func(f io.Writer) error { return gif.EncodeAll(f, gifOf(frames, delay)) })
	case ".apng":
		return writeFile(path, func(f io.Writer) error { return encodeAPNG(f, frames, delay, meta) })
	default:
		return fault.Usage(fmt.Errorf("write %q: %q is no animation", path, ext), "name a file that ends in %s", strings.Join(AnimationExtensions, " or "))
	}
}

func gifOf(frames []image.Image, delay time.Duration) *gif.GIF {
	var g gif.GIF
	for _, frame := range frames {
		palette := quantize.MedianCutQuantizer{Aggregation: quantize.Mean}.Quantize(make(color.Palette, 0, 256), frame)
		paletted := image.NewPaletted(frame.Bounds(), palette)
		draw.Draw(paletted, frame.Bounds(), frame, frame.Bounds().Min, draw.Src)
		g.Image, g.Delay = append(g.Image, paletted), append(g.Delay, int(math.Round(delay.Seconds()*100)))
	}
	return &g
}

func encodeAPNG(w io.Writer, frames []image.Image, delay time.Duration, meta []Meta) error {
	var a apng.APNG
	for _, frame := range frames {
		a.Frames = append(a.Frames, apng.Frame{Image: frame, DelayNumerator: uint16(delay.Milliseconds()), DelayDenominator: 1000})
	}
	var file bytes.Buffer
	if err := apng.Encode(&file, a); err != nil {
		return err
	}
	return writeWithTexts(w, file.Bytes(), meta)
}
