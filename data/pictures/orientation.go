package pictures

import (
	"bytes"
	"image"
	"io"

	"github.com/bep/imagemeta"
	"github.com/disintegration/gift"
	"golang.org/x/image/riff"
)

const maxEXIF = 1 << 20 // bytes of a WebP file's EXIF block; JPEG's holds 64 KB

// orientation returns EXIF's orientation of a picture file, 1 to 8. Where there is none, or it cannot be read, it is 1: a
// picture with broken EXIF is shown as it lies.
func orientation(f io.ReadSeeker, format imagemeta.ImageFormat) int {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return 1 // the pixels' decoder will say so
	}
	if format == imagemeta.WebP {
		// The library's own reader of WebP loses its way behind a chunk of odd length.
		f, format = bytes.NewReader(webpEXIF(f)), imagemeta.TIFF
	}
	found := 1
	_, _ = imagemeta.Decode(imagemeta.Options{ // an error leaves found as it is
		R: f, ImageFormat: format, Sources: imagemeta.EXIF,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return t.Tag == "Orientation" && t.Namespace == "IFD0" },
		HandleTag: func(t imagemeta.TagInfo) error {
			if v, ok := t.Value.(uint16); ok && v >= 1 && v <= 8 {
				found = int(v)
			}
			return imagemeta.ErrStopWalking
		},
	})
	return found
}

// webpEXIF returns the EXIF block of a WebP file, without the header that some programs take over from JPEG; nil without one.
func webpEXIF(f io.Reader) []byte {
	_, chunks, err := riff.NewReader(f)
	if err != nil {
		return nil
	}
	for {
		id, length, body, err := chunks.Next()
		switch {
		case err != nil:
			return nil
		case id == riff.FourCC{'E', 'X', 'I', 'F'} && length <= maxEXIF:
			block, err := io.ReadAll(body)
			if err != nil {
				return nil
			}
			return bytes.TrimPrefix(block, []byte("Exif\x00\x00"))
		}
	}
}

// lies reports whether pictures of an orientation are stored with rows for columns.
func lies(orientation int) bool { return orientation >= 5 }

// upright turns a stored picture as its orientation says.
func upright(img image.Image, orientation int) image.Image {
	var turn gift.Filter
	switch orientation {
	case 2:
		turn = gift.FlipHorizontal()
	case 3:
		turn = gift.Rotate180()
	case 4:
		turn = gift.FlipVertical()
	case 5:
		turn = gift.Transpose()
	case 6:
		turn = gift.Rotate270() // gift's turns are counter-clockwise
	case 7:
		turn = gift.Transverse()
	case 8:
		turn = gift.Rotate90()
	default:
		return img
	}
	out := image.NewNRGBA(turn.Bounds(img.Bounds()))
	turn.Draw(out, img, nil)
	return out
}
