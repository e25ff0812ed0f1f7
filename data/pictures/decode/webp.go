package decode

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/draw"

	"golang.org/x/image/webp"
)

// webpFile holds the chunks of a WebP file that are read; of an animation those of its first picture.
type webpFile struct {
	extended, alpha, pixels []byte // VP8X, ALPH, VP8 or VP8L
	kind                    string // of pixels
	profile, exif           []byte
	frame                   []byte // the first 16 bytes of ANMF
}

var errWebP = errors.New("the WebP file is damaged or cut short")

// readWebP finds the chunks.
func readWebP(file []byte) (w webpFile, err error) {
	if len(file) < 12 {
		return w, errWebP
	}
	if w.chunks(file[12:]); w.pixels == nil {
		return w, errWebP
	}
	return w, nil
}

func (w *webpFile) chunks(body []byte) {
	for len(body) >= 8 {
		kind, size := string(body[:4]), int(binary.LittleEndian.Uint32(body[4:]))
		data := body[8:]
		if size > len(data) {
			size = len(data) // cut short: the decoder of pixels says so
		}
		data, body = data[:size:size], data[min(size+size%2, len(data)):]
		switch {
		case kind == "VP8X" && w.extended == nil && size >= 10:
			w.extended = data
		case kind == "ICCP" && w.profile == nil:
			w.profile = data
		case kind == "EXIF" && w.exif == nil:
			w.exif = data
		case kind == "ANMF" && w.frame == nil && w.pixels == nil && size > 16:
			w.frame = data[:16]
			w.chunks(data[16:])
		case kind == "ALPH" && w.pixels == nil:
			w.alpha = data
		case (kind == "VP8 " || kind == "VP8L") && w.pixels == nil:
			w.pixels, w.kind = data, kind
		}
	}
}

// still returns a WebP file of the pixels alone.
func (w *webpFile) still() ([]byte, error) {
	size, err := webp.DecodeConfig(bytes.NewReader(riff(chunk(nil, w.kind, w.pixels))))
	if err != nil {
		return nil, err
	}
	var body []byte
	if w.alpha != nil && w.kind == "VP8 " {
		head := make([]byte, 10)
		head[0] = 1 << 4 // alpha
		put24(head[4:], size.Width-1)
		put24(head[7:], size.Height-1)
		body = chunk(chunk(body, "VP8X", head), "ALPH", w.alpha)
	}
	return riff(chunk(body, w.kind, w.pixels)), nil
}

func riff(body []byte) []byte { return chunk(nil, "RIFF", append([]byte("WEBP"), body...)) }

func chunk(to []byte, kind string, data []byte) []byte {
	to = binary.LittleEndian.AppendUint32(append(to, kind...), uint32(len(data)))
	if to = append(to, data...); len(data)%2 == 1 {
		to = append(to, 0)
	}
	return to
}

func get24(b []byte) int    { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
func put24(b []byte, v int) { b[0], b[1], b[2] = byte(v), byte(v>>8), byte(v>>16) }

// webpSize returns the size of the canvas, which must hold the pixels.
func webpSize(file []byte) (image.Point, error) {
	w, err := readWebP(file)
	if err != nil {
		return image.Point{}, err
	}
	pixels, err := sizeBy(webp.DecodeConfig)(riff(chunk(nil, w.kind, w.pixels)))
	if err != nil || w.frame == nil {
		return pixels, err
	}
	if w.extended == nil {
		return pixels, errWebP
	}
	canvas := image.Pt(get24(w.extended[4:])+1, get24(w.extended[7:])+1)
	if at := w.origin(); at.X+pixels.X > canvas.X || at.Y+pixels.Y > canvas.Y {
		return canvas, errWebP
	}
	return canvas, nil
}

// origin returns the position of an animation's first picture on the canvas.
func (w *webpFile) origin() image.Point { return image.Pt(2*get24(w.frame), 2*get24(w.frame[3:])) }

func webpSpace(file []byte) (*space, error) {
	w, err := readWebP(file)
	if err != nil {
		return nil, err
	}
	return iccSpace(w.profile)
}

// webpEXIF returns the EXIF block, without the header that some programs take over from JPEG; nil without one.
func webpEXIF(file []byte) []byte {
	w, err := readWebP(file)
	if err != nil {
		return nil
	}
	return bytes.TrimPrefix(w.exif, []byte("Exif\x00\x00"))
}

func decodeWebP(ctx context.Context, file []byte) (image.Image, error) {
	w, err := readWebP(file)
	if err != nil {
		return nil, err
	}
	still, err := w.still()
	if err != nil {
		return nil, err
	}
	img, err := webp.Decode(newReader(ctx, still))
	if err != nil {
		return nil, err
	}
	switch lossy := img.(type) {
	case *image.YCbCr:
		img = fromVP8(lossy)
	case *image.NYCbCrA:
		out := fromVP8(&lossy.YCbCr)
		for y := range out.Rect.Dy() {
			for x := range out.Rect.Dx() {
				out.Pix[y*out.Stride+4*x+3] = lossy.A[y*lossy.AStride+x]
			}
		}
		img = out
	}
	if w.frame == nil {
		return img, nil
	}
	size, err := webpSize(file)
	if err != nil {
		return nil, err
	}
	return onCanvas(img, image.Rectangle{Max: size}, w.origin()), nil
}

// onCanvas lays the first picture of an animation on its transparent canvas.
func onCanvas(img image.Image, canvas image.Rectangle, at image.Point) image.Image {
	b := img.Bounds()
	if b.Size() == canvas.Size() {
		return img
	}
	out := image.NewNRGBA(canvas)
	draw.Draw(out, b.Sub(b.Min).Add(at), plain(img), image.Point{}, draw.Src)
	return out
}
