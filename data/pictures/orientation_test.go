package pictures

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

// sameBut fails if a picture differs from another by more than a tolerance in any channel.
func sameBut(t *testing.T, name string, got, want image.Image, tolerance float32) {
	t.Helper()
	a, b := FromImage(got), FromImage(want)
	if a.Width != b.Width || a.Height != b.Height {
		t.Errorf("%s is %d × %d; want %d × %d", name, a.Width, a.Height, b.Width, b.Height)
		return
	}
	for i := range a.Pixels {
		if d := a.Pixels[i] - b.Pixels[i]; d < -tolerance || d > tolerance {
			t.Errorf("%s: value %d is %g; want %g", name, i, a.Pixels[i], b.Pixels[i])
			return
		}
	}
}

// All orientations of all formats, as Pillow writes them, give the picture that Pillow turned them from, from files and from
// bytes. JPEG loses a little.
func TestOrientations(t *testing.T) {
	folder := filepath.Join("testdata", "orientation")
	want, err := ReadImage(filepath.Join(folder, "upright.png"))
	if err != nil {
		t.Fatal(err)
	}
	for number := range 8 {
		for ending, tolerance := range map[string]float32{"jpg": 0.1, "png": 0, "webp": 0} {
			path := filepath.Join(folder, fmt.Sprintf("%d.%s", number+1, ending))
			got, err := ReadImage(path)
			if err != nil {
				t.Fatal(err)
			}
			sameBut(t, path, got, want, tolerance)
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got, err = Decode(raw, 24*16); err != nil {
				t.Fatal(err)
			}
			sameBut(t, "the bytes of "+path, got, want, tolerance)
			if size, err := Size(path); size != want.Bounds().Size() || err != nil {
				t.Errorf("%s has the size %v, %v", path, size, err)
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

// withEXIF puts a block into a JPEG and a PNG of 2 × 1 pixels, and into a WebP of one, there behind a chunk of odd length.
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
			h, err := readHeader(bytes.NewReader(file), 2)
			if err != nil || h.orientation != c.want {
				t.Errorf("%s in %s: %d, %v; want %d", name, format, h.orientation, err, c.want)
			}
			want := size
			if format == "webp" {
				want = image.Pt(1, 1)
			}
			if got, err := Decode(file, 2); err != nil || got.Bounds().Size() != want {
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
			if _, err := Decode(file, 2); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
	})
}
