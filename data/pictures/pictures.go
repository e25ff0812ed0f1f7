// Package pictures reads and writes pictures (PNG, JPEG, WebP) with their texts, draws labelled grids of them, and encodes
// animations (GIF, APNG).
package pictures

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bep/imagemeta"
	"golang.org/x/image/webp"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

const (
	maxPictureSide   = 16_384
	maxPicturePixels = 1 << 26 // 64 megapixels: 0.8 GB as float32
)

// Picture is an RGB picture as the networks see it: planar [3, Height, Width], float32, -1 black and 1 white.
type Picture struct {
	Width, Height int
	Pixels        []float32
}

// Split cuts a batch [n, 3, height, width] into its pictures, which share its memory. Values that are not numbers
// are an error; values beyond [-1, 1] are not, as generators overshoot.
func Split(pixels []float32, height, width int) ([]Picture, error) {
	size := 3 * height * width
	if height < 1 || width < 1 || len(pixels)%size != 0 {
		return nil, fmt.Errorf("%d values are not pictures of [3, %d, %d]", len(pixels), height, width)
	}
	pictures := make([]Picture, len(pixels)/size)
	for i := range pictures {
		p := Picture{Width: width, Height: height, Pixels: slices.Clip(pixels[i*size : (i+1)*size])}
		for at, v := range p.Pixels {
			if v != v {
				return nil, fmt.Errorf("picture %d: channel %d, row %d, column %d is not a number", i, at/(height*width), at/width%height, at%width)
			}
		}
		pictures[i] = p
	}
	return pictures, nil
}

// Image returns the picture with 8 bits a channel: round(255 · clamp((x + 1) / 2, 0, 1)), halves rounded up, NaN black.
func (p Picture) Image() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, p.Width, p.Height))
	plane := p.Width * p.Height
	for i := range plane {
		for c := range 3 {
			img.Pix[4*i+c] = toByte(p.Pixels[c*plane+i])
		}
		img.Pix[4*i+3] = 255
	}
	return img
}

func toByte(x float32) uint8 {
	v := (float64(x) + 1) / 2 * 255
	if !(v > 0) { // NaN too
		return 0
	}
	return uint8(math.Floor(math.Min(v, 255) + 0.5))
}

// FromImage returns the picture with x = v/255 · 2 - 1 for each 8-bit channel v. What is transparent is laid over white.
func FromImage(img image.Image) Picture {
	b := img.Bounds()
	flat := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(flat, flat.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Bounds(), img, b.Min, draw.Over)
	plane := b.Dx() * b.Dy()
	p := Picture{Width: b.Dx(), Height: b.Dy(), Pixels: make([]float32, 3*plane)}
	for i := range plane {
		for c := range 3 {
			p.Pixels[c*plane+i] = float32(flat.Pix[4*i+c])/255*2 - 1
		}
	}
	return p
}

// Read is FromImage of a file that ReadImage reads.
func Read(path string) (Picture, error) {
	img, err := ReadImage(path)
	if err != nil {
		return Picture{}, err
	}
	return FromImage(img), nil
}

// ReadImage decodes a PNG, JPEG or WebP file. Its size is checked before it is decoded. It is turned upright as EXIF's
// orientation says, which phones write instead of turning pixels.
func ReadImage(path string) (image.Image, error) {
	img, err := readImage(path)
	if err != nil {
		return nil, fmt.Errorf("read picture %q: %w", path, err)
	}
	return img, nil
}

func readImage(path string) (img image.Image, err error) {
	defer files.Recover(&err)
	f, _, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return decodeImage(f, maxPicturePixels)
}

// Size returns the size in pixels of the picture that ReadImage would return, without decoding it.
func Size(path string) (image.Point, error) {
	size, err := pictureSize(path)
	if err != nil {
		return image.Point{}, fmt.Errorf("read picture %q: %w", path, err)
	}
	return size, nil
}

func pictureSize(path string) (size image.Point, err error) {
	defer files.Recover(&err)
	f, _, err := files.Open(path)
	if err != nil {
		return image.Point{}, err
	}
	defer f.Close()
	h, err := readHeader(f, maxPicturePixels)
	if err == nil && lies(h.orientation) {
		h.size.X, h.size.Y = h.size.Y, h.size.X
	}
	return h.size, err
}

// Decode decodes the bytes of a PNG, JPEG or WebP file that has at most maxPixels pixels, which is checked before it
// is decoded, and turns it upright, as ReadImage does.
func Decode(file []byte, maxPixels int) (img image.Image, err error) {
	defer files.Recover(&err)
	return decodeImage(bytes.NewReader(file), maxPixels)
}

// decoder is one of those of the pictures that are read. magic is how a file begins; "?" is any byte.
type decoder struct {
	magic  string
	format imagemeta.ImageFormat
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

// decoders are all of them: image.Decode would use whatever decoder any package registers for these beginnings, and for others.
var decoders = []decoder{
	{"\x89PNG\r\n\x1a\n", imagemeta.PNG, png.DecodeConfig, png.Decode},
	{"\xff\xd8", imagemeta.JPEG, jpeg.DecodeConfig, jpeg.Decode},
	{"RIFF????WEBPVP8", imagemeta.WebP, webp.DecodeConfig, webp.Decode},
}

// header is what is known of a picture file before its pixels.
type header struct {
	decoder
	size        image.Point // as it is stored
	orientation int
}

// readHeader finds a file's decoder and checks its size.
func readHeader(f io.ReadSeeker, maxPixels int) (h header, err error) {
	start := make([]byte, 16)
	if n, err := io.ReadFull(f, start); err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return h, err
	} else {
		start = start[:n]
	}
	at := slices.IndexFunc(decoders, func(d decoder) bool { return begins(start, d.magic) })
	if at < 0 {
		return h, fault.Usage(errors.New("not a PNG, JPEG or WebP picture"), "convert it to PNG")
	}
	h.decoder = decoders[at]
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return h, err
	}
	config, err := h.config(f)
	if err != nil {
		return h, err
	}
	w, height := config.Width, config.Height
	if w < 1 || height < 1 || w > maxPictureSide || height > maxPictureSide || w > maxPixels/height {
		return h, fault.Usage(fmt.Errorf("it is %d × %d pixels", w, height),
			"scale it down to at most %d pixels a side and %d in all", maxPictureSide, maxPixels)
	}
	h.size, h.orientation = image.Pt(w, height), orientation(f, h.format)
	return h, nil
}

func decodeImage(f io.ReadSeeker, maxPixels int) (image.Image, error) {
	h, err := readHeader(f, maxPixels)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	img, err := h.decode(f)
	if err != nil {
		return nil, err
	}
	return upright(img, h.orientation), nil
}

// begins reports whether a file that starts with start has the magic.
func begins(start []byte, magic string) bool {
	if len(start) < len(magic) {
		return false
	}
	for i := range magic {
		if magic[i] != '?' && magic[i] != start[i] {
			return false
		}
	}
	return true
}

// Paths returns the picture files that the arguments name: files as they are, of folders every file ending in .png,
// .jpg, .jpeg or .webp, sorted by name, without subfolders. Nothing is decoded: read the pictures one by one with
// Read, since many do not fit in memory.
func Paths(args ...string) ([]string, error) {
	var paths []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, fmt.Errorf("find pictures: %w", err)
		}
		if !info.IsDir() {
			paths = append(paths, arg)
			continue
		}
		entries, err := os.ReadDir(arg)
		if err != nil {
			return nil, fmt.Errorf("find pictures: %w", err)
		}
		found := 0
		for _, e := range entries {
			switch strings.ToLower(filepath.Ext(e.Name())) {
			case ".png", ".jpg", ".jpeg", ".webp":
				if !e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
					paths = append(paths, filepath.Join(arg, e.Name()))
					found++
				}
			}
		}
		if found == 0 {
			return nil, fault.Usage(fmt.Errorf("find pictures: folder %q holds none", arg), "pictures are .png, .jpg, .jpeg or .webp files; subfolders are not searched")
		}
	}
	return paths, nil
}
