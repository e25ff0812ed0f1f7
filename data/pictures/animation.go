package pictures

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"io"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/ericpauley/go-quantize/quantize"
	"github.com/kettek/apng"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// AnimationExtensions are the file names that WriteAnimation takes.
var AnimationExtensions = []string{".gif", ".apng"}

// WriteAnimation writes frames of one size as an endless GIF or APNG, by the extension of path, each shown for delay. A
// GIF has 256 colours a frame, chosen for the frame by median cut and not dithered, which would flicker, and no
// metadata.
func WriteAnimation(path string, frames []image.Image, delay time.Duration, meta []Meta) error {
	file, err := EncodeAnimation(filepath.Ext(path), frames, delay, meta)
	if err != nil {
		return fmt.Errorf("write %q: %w", path, err)
	}
	return files.Write(path, func(f io.Writer) error {
		_, err := f.Write(file)
		return err
	})
}

// EncodeAnimation returns what WriteAnimation writes into a file with the given extension.
func EncodeAnimation(extension string, frames []image.Image, delay time.Duration, meta []Meta) ([]byte, error) {
	if len(frames) == 0 {
		return nil, errors.New("no frames")
	}
	for i, f := range frames {
		if f.Bounds() != frames[0].Bounds() {
			return nil, fmt.Errorf("frame %d has bounds %v, the first %v", i, f.Bounds(), frames[0].Bounds())
		}
	}
	var file bytes.Buffer
	var err error
	switch strings.ToLower(extension) {
	case ".gif":
		err = gif.EncodeAll(&file, gifOf(frames, delay))
	case ".apng":
		err = encodeAPNG(&file, frames, delay, meta)
	default:
		err = fault.Usage(fmt.Errorf("%q is not an animation format", extension), "name a file that ends in %s",
			strings.Join(AnimationExtensions, " or "))
	}
	return file.Bytes(), err
}

// DecodeAnimation returns the frames of an APNG that EncodeAnimation made. One whose frames together have more than
// maxPixels is an error before memory is taken for them.
func DecodeAnimation(file []byte, maxPixels int) (frames []image.Image, err error) {
	defer files.Recover(&err)
	size, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	most := bytes.Count(file, []byte("fcTL")) // each frame has one; chance may add some
	if size.Width < 1 || size.Height < 1 || most < 1 || size.Width > maxPixels/size.Height/most {
		return nil, fmt.Errorf("%d frames of %d × %d pixels; at most %d pixels are read", most, size.Width, size.Height,
			maxPixels)
	}
	a, err := apng.DecodeAll(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	for i, frame := range a.Frames {
		if frame.Image == nil || frame.Image.Bounds() != image.Rect(0, 0, size.Width, size.Height) {
			return nil, fmt.Errorf("frame %d does not have the animation's size", i)
		}
		frames = append(frames, frame.Image)
	}
	return frames, nil
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
		a.Frames = append(a.Frames, apng.Frame{Image: frame, DelayNumerator: uint16(delay.Milliseconds()),
			DelayDenominator: 1000})
	}
	var file bytes.Buffer
	if err := apng.Encode(&file, a); err != nil {
		return err
	}
	return writeWithTexts(w, file.Bytes(), meta)
}
