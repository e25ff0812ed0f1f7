package decode

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/internal/fault"
	"illustrator/internal/jpeg"
)

// tinyWebP is a lossless WebP of one pixel.
var tinyWebP = []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00" +
	"\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")

func gradient(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(x * 255 / w), uint8(y * 255 / h), uint8(x*7 + y), 255})
		}
	}
	return img
}

func load(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// withChunk puts a chunk behind the header of a PNG.
func withChunk(t *testing.T, img image.Image, kind string, data []byte) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	c := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	c = append(append(c, kind...), data...)
	c = binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
	const header = 33
	return bytes.Join([][]byte{file.Bytes()[:header], c, file.Bytes()[header:]}, nil)
}

// The first picture of an animation lies where it belongs, on a transparent canvas.
func TestAnimationsFirstPicture(t *testing.T) {
	still, err := readWebP(load(t, "lossless.webp"))
	if err != nil {
		t.Fatal(err)
	}
	frame := make([]byte, 16)
	put24(frame, 3) // 2 · 3 pixels to the right
	put24(frame[3:], 2)
	put24(frame[6:], 40)
	put24(frame[9:], 26)
	head := make([]byte, 10)
	head[0] = 1 << 1
	put24(head[4:], 59)
	put24(head[7:], 49)
	body := chunk(chunk(nil, "VP8X", head), "ANIM", make([]byte, 6))
	body = chunk(body, "ANMF", append(frame, chunk(nil, still.kind, still.pixels)...))
	var moving bytes.Buffer
	palette := color.Palette{color.NRGBA{}, color.NRGBA{255, 0, 0, 255}}
	small := image.NewPaletted(image.Rect(6, 4, 8, 5), palette)
	small.Pix[0] = 1
	g := &gif.GIF{Image: []*image.Paletted{small, small}, Delay: []int{1, 1},
		Config: image.Config{ColorModel: palette, Width: 60, Height: 50}}
	if err := gif.EncodeAll(&moving, g); err != nil {
		t.Fatal(err)
	}
	want := read(t, "lossless.webp").NRGBAAt(0, 0)
	for name, c := range map[string]struct {
		file []byte
		want color.NRGBA
	}{"webp": {riff(body), want}, "gif": {moving.Bytes(), color.NRGBA{255, 0, 0, 255}}} {
		img, _, err := Image(t.Context(), c.file, 1<<20)
		if err != nil || img.Rect.Size() != image.Pt(60, 50) {
			t.Fatalf("%s: %v", name, err)
		}
		if got := img.NRGBAAt(6, 4); got != c.want {
			t.Errorf("%s: %v; want %v", name, got, c.want)
		}
		if got := img.NRGBAAt(5, 4); got.A != 0 {
			t.Errorf("%s: %v beside the picture", name, got)
		}
		if size, err := Size(c.file, 1<<20); err != nil || size != image.Pt(60, 50) {
			t.Errorf("%s: size %v, %v", name, size, err)
		}
	}
}

// A colour space that cannot be converted leaves the colours, with one warning.
func TestColoursThatCannotBeConverted(t *testing.T) {
	img := gradient(8, 8)
	inks := append([]byte("x\x00\x00"), deflated(t, profileOf(t, "cmykprofile.jpg"))...)
	grey := append([]byte("x\x00\x00"), deflated(t, profileOf(t, "greyprofile.jpg"))...)
	for name, c := range map[string]struct {
		kind string
		data []byte
		want string
	}{
		"no profile":       {"iCCP", []byte("x\x00\x00junk"), "damaged"},
		"an empty one":     {"iCCP", append([]byte("x\x00\x00"), deflated(t, make([]byte, 200))...), "damaged"},
		"of inks":          {"iCCP", inks, "4 channels"},
		"an endless curve": {"iCCP", append([]byte("x\x00\x00"), deflated(t, endless(t))...), "damaged"},
		"grey on colours":  {"iCCP", grey, "1 channels"},
		"PQ":               {"cICP", []byte{9, 16, 0, 1}, "high dynamic range"},
		"unknown cICP":     {"cICP", []byte{77, 13, 0, 1}, "not supported"},
		"gAMA 0":           {"gAMA", []byte{0, 0, 0, 0}, "gAMA is 0"},
	} {
		got, warnings, err := Image(t.Context(), withChunk(t, img, c.kind, c.data), 64)
		if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], c.want) {
			t.Errorf("%s: %q, %v; want %q", name, warnings, err, c.want)
			continue
		}
		if largest, _, err := difference(got, img); err != nil || largest != 0 {
			t.Errorf("%s: colours changed by %d, %v", name, largest, err)
		}
	}
}

// endless is a profile whose curves claim 4 billion points.
func endless(t *testing.T) []byte {
	t.Helper()
	profile := bytes.Clone(profileOf(t, "adobe.jpg"))
	for at := 0; ; {
		next := bytes.Index(profile[at:], []byte("curv"))
		if next < 0 {
			return profile
		}
		at += next + 8
		binary.BigEndian.PutUint32(profile[at:], 0xFFFFFFF0)
	}
}

func TestFormatsThatAreNotRead(t *testing.T) {
	for file, want := range map[string]string{
		"\x00\x00\x00\x20ftypavif....": "AVIF", "\x00\x00\x00\x18ftypheic....": "HEIC", "hello": "not a PNG", "": "not a PNG",
		"version https://git-lfs.github.com/spec/v1\n": "a Git LFS pointer",
	} {
		if _, _, err := Image(t.Context(), []byte(file), 64); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %s", file, err, want)
		}
	}
}

// manyScans is a progressive grey JPEG of a megapixel whose scans each pass over all its blocks in a few bytes.
func manyScans(scans int) []byte {
	segment := func(marker byte, body ...byte) []byte {
		return append([]byte{0xFF, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
	}
	table := func(class, value byte) []byte { return append(append([]byte{class, 1}, make([]byte, 15)...), value) }
	file := append([]byte{0xFF, 0xD8}, segment(0xDB, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)...)
	file = append(file, segment(0xC2, 8, 4, 0, 4, 0, 1, 1, 0x11, 0)...)
	file = append(file, segment(0xC4, table(0, 0)...)...)
	file = append(file, segment(0xC4, table(0x10, 0xE0)...)...) // a run of 16,384 blocks that end at once: all of them
	file = append(append(file, segment(0xDA, 1, 1, 0, 0, 0, 0)...), make([]byte, 128*128/8)...)
	one := append(segment(0xDA, 1, 1, 0, 1, 63, 0), 0, 0x01)
	return append(append(file, bytes.Repeat(one, scans)...), 0xFF, 0xD9)
}

// The work of a progressive JPEG is bounded, and ends with its context.
func TestScansAreBounded(t *testing.T) {
	if img, _, err := Image(t.Context(), manyScans(20), 1<<20); err != nil ||
		img.NRGBAAt(5, 5) != (color.NRGBA{128, 128, 128, 255}) {
		t.Errorf("20 scans: %v", err)
	}
	if _, _, err := Image(t.Context(), manyScans(30_000), 1<<20); err == nil ||
		!strings.Contains(err.Error(), "500 scans") {
		t.Errorf("30,000 scans: %v", err)
	}
	gone := errors.New("the client left")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	for _, name := range []string{"420.jpg", "lossy.webp", "adobe.png", "lzw.tif", "a.bmp", "animated.gif"} {
		if _, _, err := Image(ctx, load(t, name), 1<<20); !errors.Is(err, gone) {
			t.Errorf("%s is decoded after its context ended: %v", name, err)
		}
	}
}

// Files that are cut short are errors, and no damage is a panic.
func TestDamagedFiles(t *testing.T) {
	for _, name := range []string{"420.jpg", "progressive.jpg", "ycck.jpg", "grey.jpg", "lossy.webp", "lossless.webp",
		"lzw.tif", "a.bmp"} {
		whole := load(t, name)
		for cut := 0; cut < len(whole)-2; cut += 1 + len(whole)/50 {
			if _, _, err := Image(t.Context(), whole[:cut], 1<<20); err == nil {
				t.Errorf("%s, cut to %d of %d bytes, is read", name, cut, len(whole))
			}
		}
		for at := range whole {
			broken := bytes.Clone(whole)
			broken[at] ^= byte(1 + at*37)
			_, _, err := Image(t.Context(), broken, 1<<20)
			if err != nil && (strings.Contains(err.Error(), "runtime error") || strings.Contains(err.Error(), "EOF") ||
				fault.HintOf(err) == "") {
				t.Errorf("%s with byte %d changed: %v", name, at, err)
			}
		}
	}
}

// A sound file of a kind that is not decoded is a usage error, which asks for another form of it.
func TestKindsThatAreNotSupported(t *testing.T) {
	bits, inks := load(t, "420.jpg"), load(t, "a.bmp")
	bits[bytes.Index(bits, []byte{0xFF, 0xC0})+4] = 12
	inks[28] = 4 // bits a pixel
	for name, file := range map[string][]byte{"fax": load(t, "fax.tif"), "12 bits": bits, "4 bits": inks} {
		_, _, err := Image(t.Context(), file, 1<<20)
		if !fault.IsUsage(err) || !strings.Contains(err.Error(), "support") || fault.HintOf(err) != "save it again as PNG" {
			t.Errorf("%s: %v; hint %q", name, err, fault.HintOf(err))
		}
	}
}

// Whatever a profile claims, it is read in bounded memory.
func FuzzProfile(f *testing.F) {
	for _, name := range []string{"p3.jpg", "adobe.jpg", "greyprofile.jpg", "cmykprofile.jpg"} {
		p, err := jpeg.ReadHeader(load(f, name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p.Profile)
	}
	f.Fuzz(func(t *testing.T, profile []byte) {
		s, err := iccSpace(profile)
		if err == nil && s != nil && s.channels != 4 {
			_ = s.convert(t.Context(), gradient(2, 2))
		}
	})
}

func FuzzImage(f *testing.F) {
	paths, _ := filepath.Glob("testdata/*.*")
	for _, path := range paths {
		if file, err := os.ReadFile(path); err == nil && !strings.Contains(path, "golden") && len(file) < 8<<10 {
			f.Add(file)
		}
	}
	f.Add(manyScans(3))
	f.Fuzz(func(t *testing.T, file []byte) {
		img, _, err := Image(t.Context(), file, 1<<16)
		if (err == nil) == (img == nil) {
			t.Errorf("a picture %v with error %v", img != nil, err)
		}
	})
}
