// Package decode reads picture files as they come: PNG, JPEG, WebP, GIF, BMP and TIFF, of animations the first picture.
// Pixels equal those of libjpeg-turbo and libwebp within 2 of 255, are converted to sRGB where the file has a colour
// profile, and are turned upright. Size, work and time are bounded: files may come from anyone.
package decode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"slices"
	"time"

	"github.com/bep/imagemeta"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jpeg"
)

const (
	maxSide = 16_384
	maxTime = time.Minute // of decoding one file
)

// format is a kind of picture file that is read. magic is how a file begins; "?" is any byte.
type format struct {
	magic string
	exif  imagemeta.ImageFormat // 0 without EXIF
	size  func(file []byte) (image.Point, error)
	// decode returns the pixels as they are stored.
	decode func(ctx context.Context, file []byte) (image.Image, error)
	// space returns the colour space that the file names; nil is sRGB.
	space func(file []byte) (*space, error)
}

// formats are all of them: image.Decode would use what any package registers for these beginnings, and for others.
var formats = []format{
	{"\x89PNG\r\n\x1a\n", imagemeta.PNG, sizeBy(png.DecodeConfig), by(png.Decode), pngSpace},
	{"\xff\xd8", imagemeta.JPEG, jpegSize, decodeJPEG, jpegSpace},
	{"RIFF????WEBP", imagemeta.WebP, webpSize, decodeWebP, webpSpace},
	{"GIF8", 0, gifSize, decodeGIF, nil},
	{"BM", 0, sizeBy(bmp.DecodeConfig), by(bmp.Decode), nil},
	{"II*\x00", imagemeta.TIFF, tiffSize, decodeTIFF, tiffSpace},
	{"MM\x00*", imagemeta.TIFF, tiffSize, decodeTIFF, tiffSpace},
}

// Extensions are the endings of the names of files that Image reads.
func Extensions() []string {
	return []string{".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff"}
}

// others names pictures of other kinds by their beginning, to refuse them by name.
var others = map[string]string{
	"????ftypavif": "AVIF", "????ftypavis": "AVIF", "????ftypheic": "HEIC", "????ftypheix": "HEIC", "????ftypmif1": "HEIF",
	"\xff\x0a": "JPEG XL", "\x00\x00\x00\x0cJXL ": "JPEG XL", "\x00\x00\x00\x0cjP  ": "JPEG 2000", "8BPS": "Photoshop",
	"%PDF": "PDF", "<svg": "SVG",
}

// Begins reports whether a file that begins with head is a picture, of a format that Image reads or knows by name.
func Begins(head []byte) bool {
	for magic := range others {
		if begins(head, magic) {
			return true
		}
	}
	return slices.ContainsFunc(formats, func(f format) bool { return begins(head, f.magic) })
}

// Image decodes a picture file of at most maxPixels pixels, which is checked before it is decoded. The result has 8
// bits a channel in sRGB, is not premultiplied, and lies upright as EXIF's orientation says. Decoding ends with ctx, or
// after a minute. A colour space that cannot be converted is an entry of warnings: the picture has the colours that are
// stored.
func Image(ctx context.Context, file []byte, maxPixels int) (img *image.NRGBA, warnings []string, err error) {
	defer explain(ctx, &err)
	defer recovered(&err)
	f, _, err := identify(file, maxPixels)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxTime,
		fault.Usage(fmt.Errorf("decoding takes more than %v", maxTime), "save the picture again as PNG"))
	defer cancel()
	stored, err := f.decode(ctx, file)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, nil, err
	}
	var colours *space
	var unknown error
	if f.space != nil {
		colours, unknown = f.space(file)
	}
	img, warning, err := toSRGB(ctx, stored, colours, unknown)
	if err != nil {
		return nil, nil, err
	}
	if warning != "" {
		warnings = append(warnings, warning)
	}
	return upright(img, f.orientation(file)), warnings, nil
}

// Size returns the size of the picture that Image returns, without decoding it.
func Size(file []byte, maxPixels int) (size image.Point, err error) {
	defer explain(context.Background(), &err)
	defer recovered(&err)
	f, size, err := identify(file, maxPixels)
	if err == nil && lies(f.orientation(file)) {
		size.X, size.Y = size.Y, size.X
	}
	return size, err
}

// identify finds a file's format and checks its size, which it returns as stored.
func identify(file []byte, maxPixels int) (f format, size image.Point, err error) {
	at := slices.IndexFunc(formats, func(f format) bool { return begins(file, f.magic) })
	if at < 0 {
		return f, size, notRead(file)
	}
	f = formats[at]
	if size, err = f.size(file); err != nil {
		return f, size, err
	}
	if w, h := size.X, size.Y; w < 1 || h < 1 || w > maxSide || h > maxSide || w > maxPixels/h {
		return f, size, fault.Usage(fmt.Errorf("it is %d × %d pixels", w, h),
			"scale it down to at most %d pixels a side and %d in all", maxSide, maxPixels)
	}
	return f, size, nil
}

// notRead refuses a file whose format is not read, by its name where that is known.
func notRead(file []byte) error {
	const hint = "convert it to PNG"
	if err := files.CheckPointer(file); err != nil {
		return err
	}
	for magic, name := range others {
		if begins(file, magic) {
			return fault.Usage(fmt.Errorf("%s pictures are not read", name), hint)
		}
	}
	return fault.Usage(errors.New("not a PNG, JPEG, WebP, GIF, BMP or TIFF picture"), hint)
}

// begins reports whether a file begins with magic.
func begins(file []byte, magic string) bool {
	if len(file) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != file[i] {
			return false
		}
	}
	return true
}

// recovered turns a panic of a decoding library on a damaged file into *err. Use it as a deferred call.
func recovered(err *error) {
	if r := recover(); r != nil {
		*err = errors.New("the file is damaged")
	}
}

// explain gives an error of a decoder a hint, and names the end of a file that is cut short. Errors of ctx stay as they
// are. Use it as a deferred call.
func explain(ctx context.Context, err *error) {
	if *err == nil || ctx.Err() != nil || fault.HintOf(*err) != "" {
		return
	}
	if notSupported(*err) {
		*err = fault.Usage(*err, "save it again as PNG")
		return
	}
	if errors.Is(*err, io.EOF) || errors.Is(*err, io.ErrUnexpectedEOF) {
		*err = errors.New("the file is cut short or damaged")
	}
	*err = fault.Hint(*err, "fetch the picture again, or save it again as PNG")
}

// notSupported reports whether a decoder refuses a sound file of a kind that it does not know.
func notSupported(err error) bool {
	var ofTIFF tiff.UnsupportedError
	var ofPNG png.UnsupportedError
	return errors.As(err, &ofTIFF) || errors.As(err, &ofPNG) || errors.Is(err, bmp.ErrUnsupported) ||
		errors.Is(err, jpeg.ErrUnsupported)
}

// reader reads a file until its context ends.
type reader struct {
	*bytes.Reader
	ctx context.Context
}

func newReader(ctx context.Context, file []byte) *reader { return &reader{bytes.NewReader(file), ctx} }

func (r *reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.Read(p)
}

func (r *reader) ReadAt(p []byte, at int64) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.ReadAt(p, at)
}

// ReadByte is Read of one byte: decoders that find it take it instead of Read.
func (r *reader) ReadByte() (byte, error) {
	if r.Reader.Len()%4096 == 0 && r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.Reader.ReadByte()
}
