package decode

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// All orientations of all formats, as Pillow writes them, give the picture that Pillow turned them from. JPEG loses a
// little.
func TestOrientations(t *testing.T) {
	want := read(t, "orientation/upright.png")
	for number := range 8 {
		for ending, tolerance := range map[string]int{"jpg": 12, "png": 0, "webp": 0} {
			name := fmt.Sprintf("orientation/%d.%s", number+1, ending)
			largest, _, err := difference(read(t, name), want)
			if err != nil || largest > tolerance {
				t.Errorf("%s differs by %d, %v", name, largest, err)
			}
			file, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			if size, err := Size(file, 24*16); size != want.Rect.Size() || err != nil {
				t.Errorf("%s has the size %v, %v", name, size, err)
			}
		}
	}
}

// exifBlock is a TIFF structure of one entry: tag 0x0112 with a type, a count and a value.
func exifBlock(order binary.AppendByteOrder, kind uint16, count, value uint32) []byte {
	b := []byte("MM")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		b = []byte("II")
	}
	b = order.AppendUint32(order.AppendUint16(b, 42), 8) // the entries follow
	b = order.AppendUint16(b, 1)
	b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, 0x0112), kind), count)
	if kind == 3 && count == 1 {
		b = order.AppendUint16(order.AppendUint16(b, uint16(value)), 0)
	} else {
		b = order.AppendUint32(b, value)
	}
	return order.AppendUint32(b, 0)
}

// withEXIF puts a block into a JPEG and a PNG of 2 × 1 pixels, and into a WebP of one, there behind a chunk of odd
// length.
func withEXIF(t testing.TB, block []byte) map[string][]byte {
	t.Helper()
	img := gradient(2, 1)
	var jpg, pic bytes.Buffer
	if err := jpeg.Encode(&jpg, img, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&pic, img); err != nil {
		t.Fatal(err)
	}
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(block)))
	chunk = append(append(chunk, "eXIf"...), block...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	segment := binary.BigEndian.AppendUint16([]byte("\xff\xe1"), uint16(2+6+len(block)))
	segment = append(append(segment, "Exif\x00\x00"...), block...)
	body := []byte("WEBPVP8X\x0a\x00\x00\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	body = append(append(body, tinyWebP[12:33]...), 0) // 13 bytes of pixels, padded
	body = append(append(body, "EXIF"...), binary.LittleEndian.AppendUint32(nil, uint32(6+len(block)))...)
	body = append(append(append(body, "Exif\x00\x00"...), block...), make([]byte, len(block)%2)...)
	return map[string][]byte{
		"jpeg": bytes.Join([][]byte{jpg.Bytes()[:2], segment, jpg.Bytes()[2:]}, nil),
		"png":  bytes.Join([][]byte{pic.Bytes()[:33], chunk, pic.Bytes()[33:]}, nil),
		"webp": append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...),
	}
}

// Both byte orders are read; EXIF that is broken, or means nothing, leaves a picture as it lies and never fails it.
func TestBrokenEXIF(t *testing.T) {
	little, big := binary.LittleEndian, binary.BigEndian
	good := exifBlock(big, 3, 1, 6)
	for name, c := range map[string]struct {
		block []byte
		want  int
	}{
		"big-endian":     {good, 6},
		"little-endian":  {exifBlock(little, 3, 1, 8), 8},
		"orientation 0":  {exifBlock(big, 3, 1, 0), 1},
		"orientation 9":  {exifBlock(little, 3, 1, 9), 1},
		"no type":        {exifBlock(big, 77, 1, 6), 1},
		"text":           {exifBlock(big, 2, 1, 6), 1},
		"many":           {exifBlock(big, 3, 60_000, 6), 1},
		"far away":       {exifBlock(big, 3, 4, 0xfffffff0), 1},
		"more than is":   {exifBlock(big, 4, 0xffffffff, 6), 1},
		"cut":            {good[:len(good)-8], 1},
		"no entries":     {append(bytes.Clone(good[:8]), 0xff, 0xff), 1},
		"starts nowhere": {append(bytes.Clone(good[:4]), 0xff, 0xff, 0xff, 0xff), 1},
		"no TIFF":        {[]byte("hello"), 1},
		"empty":          {nil, 1},
	} {
		size := image.Pt(2, 1)
		if lies(c.want) {
			size = image.Pt(1, 2)
		}
		for format, file := range withEXIF(t, c.block) {
			f, _, err := identify(file, 2)
			if err != nil || f.orientation(file) != c.want {
				t.Errorf("%s in %s: %v; want %d", name, format, err, c.want)
			}
			want := size
			if format == "webp" {
				want = image.Pt(1, 1)
			}
			if got, _, err := Image(t.Context(), file, 2); err != nil || got.Bounds().Size() != want {
				t.Errorf("%s in %s: %v, %v; want %v", name, format, got, err, want)
			}
		}
	}
}

// Whatever stands in the block, a picture is read.
func FuzzEXIF(f *testing.F) {
	f.Add(exifBlock(binary.BigEndian, 3, 1, 6))
	f.Add(exifBlock(binary.LittleEndian, 4, 9, 30))
	f.Fuzz(func(t *testing.T, block []byte) {
		if len(block) > 60_000 {
			return
		}
		for format, file := range withEXIF(t, block) {
			if _, _, err := Image(t.Context(), file, 2); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
	})
}
