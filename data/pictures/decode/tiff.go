package decode

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"

	"golang.org/x/image/tiff"
)

// Tags of a TIFF's first picture: TIFF 6.0, and ICC.1:2022, annex B.4.
const (
	tagCompression = 259
	tagProfile     = 34675
)

// tiffTag returns the count and the value, or the place of the values, of a tag.
func tiffTag(file []byte, tag uint16) (count, value int, ok bool) {
	if len(file) < 8 {
		return 0, 0, false
	}
	var order binary.ByteOrder = binary.LittleEndian
	if file[0] == 'M' {
		order = binary.BigEndian
	}
	at := int(order.Uint32(file[4:]))
	if at+2 > len(file) {
		return 0, 0, false
	}
	entries := file[at+2:]
	for n := int(order.Uint16(file[at:])); n > 0 && len(entries) >= 12; n, entries = n-1, entries[12:] {
		if order.Uint16(entries) != tag {
			continue
		}
		const short = 3
		if count = int(order.Uint32(entries[4:])); order.Uint16(entries[2:]) == short && count == 1 {
			return count, int(order.Uint16(entries[8:])), true
		}
		return count, int(order.Uint32(entries[8:])), true
	}
	return 0, 0, false
}

// tiffSpace reads the profile of a TIFF file's first picture.
func tiffSpace(file []byte) (*space, error) {
	size, from, ok := tiffTag(file, tagProfile)
	if !ok {
		return nil, nil
	}
	if from > len(file) || size > len(file)-from {
		return nil, errProfile
	}
	return iccSpace(file[from : from+size])
}

func decodeTIFF(ctx context.Context, file []byte) (image.Image, error) {
	// The library inverts black and white of fax compressions.
	if _, compression, ok := tiffTag(file, tagCompression); ok && compression >= 2 && compression <= 4 {
		return nil, tiff.UnsupportedError("fax compression")
	}
	return tiff.Decode(newReader(ctx, file))
}

func tiffSize(file []byte) (image.Point, error) {
	c, err := tiff.DecodeConfig(bytes.NewReader(file))
	return image.Pt(c.Width, c.Height), err
}
