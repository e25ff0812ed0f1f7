package decode

import (
	"bytes"
	"image"
	"io"

	"github.com/bep/imagemeta"
	"github.com/disintegration/gift"
)

// orientation returns EXIF's orientation of a picture file, 1 to 8. Where there is none, or it cannot be read, it is 1:
// a picture with broken EXIF is shown as it lies.
func (f format) orientation(file []byte) int {
	kind := f.exif
	if kind == 0 {
		return 1
	}
	var from io.ReadSeeker = bytes.NewReader(file)
	if kind == imagemeta.WebP {
		// The library's own reader of WebP loses its way behind a chunk of odd length.
		from, kind = bytes.NewReader(webpEXIF(file)), imagemeta.TIFF
	}
	value := 1
	_, _ = imagemeta.Decode(imagemeta.Options{ // an error leaves the value as it is
		R: from, ImageFormat: kind, Sources: imagemeta.EXIF,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return t.Tag == "Orientation" && t.Namespace == "IFD0" },
		HandleTag: func(t imagemeta.TagInfo) error {
			if v, ok := t.Value.(uint16); ok && v >= 1 && v <= 8 {
				value = int(v)
			}
			return imagemeta.ErrStopWalking
		},
	})
	return value
}

// lies reports whether pictures of an orientation are stored with rows for columns.
func lies(orientation int) bool { return orientation >= 5 }

// upright turns a stored picture as its orientation says.
func upright(img *image.NRGBA, orientation int) *image.NRGBA {
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
