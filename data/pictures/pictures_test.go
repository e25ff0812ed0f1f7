package pictures

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"illustrator/internal/fault"
	"illustrator/internal/files/filestest"
)

// gradient is a picture in which every pixel differs.
func gradient(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(x * 255 / w), uint8(y * 255 / h), uint8(x*7 + y), 255})
		}
	}
	return img
}

func TestPictureRounding(t *testing.T) {
	inf := float32(math.Inf(1))
	for x, want := range map[float32]uint8{-1: 0, 1: 255, 0: 128, -2: 0, 7: 255, inf: 255, -inf: 0, float32(math.NaN()): 0,
		-0.996: 1, -0.9961: 0, 0.5: 191, 2.0/255 - 1: 1} {
		if got := toByte(x); got != want {
			t.Errorf("toByte(%v) = %d; want %d", x, got, want)
		}
	}
}

// All 8-bit values survive the way to [-1, 1] and back, and pixels stay where they are.
func TestPictureRoundTrip(t *testing.T) {
	img := image.NewNRGBA(image.Rect(5, 7, 5+256, 7+2)) // an image need not begin at 0, 0
	for x := range 256 {
		img.SetNRGBA(5+x, 7, color.NRGBA{uint8(x), uint8(255 - x), uint8(x ^ 0x55), 255})
		img.SetNRGBA(5+x, 8, color.NRGBA{7, uint8(x), 0, 255})
	}
	p := FromImage(img)
	if p.Width != 256 || p.Height != 2 || len(p.Pixels) != 3*512 {
		t.Fatalf("%d × %d, %d values", p.Width, p.Height, len(p.Pixels))
	}
	if p.Pixels[0] != -1 || p.Pixels[255] != 1 || p.Pixels[512+256+255] != 1 || p.Pixels[2*512+256] != -1 {
		t.Error("planes are not red, green, blue with rows from the top")
	}
	if got := p.Image(); !bytes.Equal(got.Pix, img.Pix) {
		t.Error("the picture changed")
	}
}

func TestFromImageLaysOverWhite(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 2, 1))
	img.SetNRGBA(0, 0, color.NRGBA{0, 0, 0, 0})
	img.SetNRGBA(1, 0, color.NRGBA{0, 0, 0, 127})
	got := FromImage(img).Image()
	if got.NRGBAAt(0, 0) != (color.NRGBA{255, 255, 255, 255}) || got.NRGBAAt(1, 0) != (color.NRGBA{128, 128, 128, 255}) {
		t.Errorf("%v", got.Pix)
	}
}

func TestSplitPictures(t *testing.T) {
	pixels := make([]float32, 2*3*4*5)
	for i := range pixels {
		pixels[i] = float32(i)
	}
	p, err := Split(pixels, 4, 5)
	if err != nil || len(p) != 2 || p[1].Height != 4 || p[1].Width != 5 || p[1].Pixels[0] != 60 {
		t.Errorf("%v, %v", p, err)
	}
	pixels[60+20+5+3] = float32(math.NaN())
	if _, err := Split(pixels, 4, 5); err == nil || !strings.Contains(err.Error(),
		"picture 1: channel 1, row 1, column 3") {
		t.Errorf("NaN: %v", err)
	}
	for _, size := range [][2]int{{4, 4}, {0, 5}, {5, -4}} {
		if _, err := Split(pixels, size[0], size[1]); err == nil {
			t.Errorf("%v accepted", size)
		}
	}
}

// A lossless WebP of 1 × 1 pixel: the header of a file that the decoder must know.
var tinyWebP = []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00" +
	"\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")

func TestReadPicture(t *testing.T) {
	folder := t.TempDir()
	img := gradient(20, 30)
	var jpg bytes.Buffer
	if err := jpeg.Encode(&jpg, img, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	filestest.Write(t, filepath.Join(folder, "b.jpg"), jpg.Bytes())
	filestest.Write(t, filepath.Join(folder, "c.WEBP"), tinyWebP)
	filestest.Write(t, filepath.Join(folder, "notes.txt"), []byte("no picture"))
	filestest.Write(t, filepath.Join(folder, ".hidden.png"), []byte("no picture"))
	filestest.Write(t, filepath.Join(folder, "d.avif"), nil)
	filestest.Write(t, filepath.Join(folder, "e.bin"), []byte("\x00\x00\x00\x1cftypheic"))
	filestest.Write(t, filepath.Join(folder, "f"), tinyWebP)
	if err := WritePNG(filepath.Join(folder, "a.png"), img, nil); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	paths, err := Paths(folder, filepath.Join(folder, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "left out 3: d.avif, e.bin, f, whose formats"; !strings.Contains(log.String(), want) {
		t.Errorf("log %q; want %q", log.String(), want)
	}
	var names []string
	for _, p := range paths {
		names = append(names, filepath.Base(p))
	}
	if !slices.Equal(names, []string{"a.png", "b.jpg", "c.WEBP", "a.png"}) {
		t.Fatalf("paths %v", names)
	}
	for i, tolerance := range []int{0, 12} {
		p, err := Read(t.Context(), paths[i])
		if err != nil {
			t.Fatal(err)
		}
		got := p.Image()
		for k := range img.Pix {
			if d := int(img.Pix[k]) - int(got.Pix[k]); d < -tolerance || d > tolerance {
				t.Fatalf("%s: byte %d is %d; want %d", paths[i], k, got.Pix[k], img.Pix[k])
			}
		}
	}
	if p, err := Read(t.Context(), paths[2]); err != nil || p.Width != 1 || p.Height != 1 {
		t.Errorf("WebP: %v, %v", p, err)
	}
}

// withSize returns a PNG whose header claims other dimensions.
func withSize(raw []byte, w, h uint32) []byte {
	raw = bytes.Clone(raw)
	binary.BigEndian.PutUint32(raw[16:], w)
	binary.BigEndian.PutUint32(raw[20:], h)
	binary.BigEndian.PutUint32(raw[29:], crc32.ChecksumIEEE(raw[12:29]))
	return raw
}

func TestReadPictureRefuses(t *testing.T) {
	var raw bytes.Buffer
	if err := png.Encode(&raw, gradient(8, 8)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":   {nil, "not a PNG, JPEG, WebP"},
		"text":    {[]byte("hello"), "not a PNG, JPEG, WebP"},
		"bomb":    {withSize(raw.Bytes(), 16000, 16000), "16000 × 16000"},
		"wide":    {withSize(raw.Bytes(), 1<<30, 1), "1073741824 × 1"},
		"cut":     {raw.Bytes()[:raw.Len()-20], "unexpected EOF"},
		"jpeg":    {[]byte("\xff\xd8\xff\xe0\x00\x10JFIF"), "cut short"},
		"webp":    {tinyWebP[:30], "cut short"},
		"flipped": {append(append(bytes.Clone(raw.Bytes()[:45]), raw.Bytes()[45]^1), raw.Bytes()[46:]...), "png"},
	} {
		path := filepath.Join(t.TempDir(), "x.png")
		filestest.Write(t, path, c.content)
		if _, err := Read(t.Context(), path); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v; want %q and the path", name, err, c.want)
		}
	}
	if _, err := Read(t.Context(), t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
	if _, err := Paths(t.TempDir()); err == nil || fault.HintOf(err) == "" {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := Paths("no-such-file.png"); err == nil || !strings.Contains(err.Error(), "no-such-file.png") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestPNGMetaRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.png")
	value := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~\n]{0,200}`), rapid.StringMatching(`[à-ü日本語🙂]{1,40}`))
	key := rapid.StringMatching(`[A-Za-z0-9_]([A-Za-z0-9_ ][A-Za-z0-9_]){0,39}`)
	img := gradient(9, 5)
	rapid.Check(t, func(t *rapid.T) {
		var want []Meta
		for range rapid.IntRange(0, 5).Draw(t, "n") {
			m := Meta{key.Draw(t, "key"), strings.ReplaceAll(value.Draw(t, "value"), "\x00", "")}
			want = append(want, m)
		}
		if err := WritePNG(path, img, want); err != nil {
			t.Fatal(err)
		}
		got, err := ReadPNGMeta(path)
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%q, %v; want %q", got, err, want)
		}
		if p, err := Read(t.Context(), path); err != nil || !bytes.Equal(p.Image().Pix, img.Pix) {
			t.Fatalf("the pixels changed: %v", err)
		}
	})
}

func TestWritePNG(t *testing.T) {
	folder := t.TempDir()
	a, b := filepath.Join(folder, "a.png"), filepath.Join(folder, "b.png")
	meta := []Meta{{"Description", "a wizard"}, {"Title", "Größe α 日本"}}
	for _, path := range []string{a, b} {
		if err := WritePNG(path, gradient(64, 64), meta); err != nil {
			t.Fatal(err)
		}
	}
	raw := filestest.Read(t, a)
	if !bytes.Equal(raw, filestest.Read(t, b)) {
		t.Error("the same picture gives different bytes")
	}
	text, international, pixels := bytes.Index(raw, []byte("tEXtDescription\x00a wizard")),
		bytes.Index(raw, []byte("iTXtTitle\x00\x00\x00\x00\x00Größe α 日本")), bytes.Index(raw, []byte("IDAT"))
	if text < 0 || international < text || pixels < international {
		t.Errorf("tEXt at %d, iTXt at %d, IDAT at %d; expected in this order", text, international, pixels)
	}
	for _, bad := range []Meta{{"", "x"}, {strings.Repeat("k", 80), "x"}, {"Größe", "x"}, {" k", "x"}, {"a  b", "x"},
		{"a\nb", "x"}, {"k", "a\x00b"}} {
		if err := WritePNG(filepath.Join(folder, "c.png"), gradient(2, 2), []Meta{bad}); err == nil {
			t.Errorf("metadata %q was accepted", bad)
		}
	}
	if got := filestest.Names(t, folder); !slices.Equal(got, []string{"a.png", "b.png"}) {
		t.Errorf("refused files left something: %v", got)
	}
	if err := WritePNG(filepath.Join(folder, "none", "c.png"), gradient(2, 2), nil); err == nil ||
		fault.HintOf(err) == "" {
		t.Errorf("a missing folder: %v", err)
	}
}

// chunkPNG is a PNG that consists of a signature, the chunks and an end; nothing else is looked at.
func chunkPNG(chunks ...string) []byte {
	b := bytes.NewBufferString(pngSignature)
	for _, c := range append(chunks, "IEND") {
		binary.Write(b, binary.BigEndian, uint32(len(c)-4))
		b.WriteString(c)
		binary.Write(b, binary.BigEndian, crc32.ChecksumIEEE([]byte(c)))
	}
	return b.Bytes()
}

// deflated is "hello" in zlib's format, from Python's zlib.compress.
const deflated = "x\x9c\xcbH\xcd\xc9\xc9\x07\x00\x06,\x02\x15"

func TestReadPNGMetaForeign(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.png")
	filestest.Write(t, path, chunkPNG("gAMA\x00\x00\x00\x00", "tEXtAuthor\x00J\xfcrgen", "zTXtNote\x00\x00"+deflated,
		"IDATxx",
		"iTXtTitle\x00\x00\x00de\x00Titel\x00Größe", "iTXtMore\x00\x01\x00\x00\x00"+deflated))
	got, err := ReadPNGMeta(path)
	want := []Meta{{"Author", "Jürgen"}, {"Note", "hello"}, {"Title", "Größe"}, {"More", "hello"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	big := strings.Repeat("x", maxPNGText)
	for want, raw := range map[string][]byte{
		"not a PNG":         []byte("GIF89a"),
		"no key":            chunkPNG("tEXtnothing"),
		"chunk zTXt":        chunkPNG("zTXtNote\x00\x00junk"),
		"malformed":         chunkPNG("iTXtTitle\x00\x00\x00de"),
		"at most 1048576":   chunkPNG("tEXtk\x00" + big),
		"checksum is wrong": bytes.Replace(chunkPNG("tEXtk\x00value"), []byte("value"), []byte("valve"), 1),
		"are left":          []byte(pngSignature + "\xff\xff\xff\xfftEXtk\x00v\x00\x00\x00\x00"),
		"the file is cut":   chunkPNG("tEXtk\x00v")[:len(pngSignature)+12+3],
		"bytes of text":     chunkPNG(slices.Repeat([]string{"tEXtk\x00" + big[:maxPNGText-2]}, 9)...),
		"when decompressed": chunkPNG("zTXtNote\x00\x00" + deflate(t, 8<<20)),
	} {
		filestest.Write(t, path, raw)
		if _, err := ReadPNGMeta(path); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), path) {
			t.Errorf("%v; want %q and the path", err, want)
		}
	}
	if _, err := ReadPNGMeta(filepath.Join(os.TempDir(), "no-such.png")); err == nil {
		t.Error("a missing file was read")
	}
}

func FuzzReadPNGMeta(f *testing.F) {
	f.Add(chunkPNG("tEXtAuthor\x00J\xfcrgen", "zTXtNote\x00\x00"+deflated,
		"iTXtTitle\x00\x01\x00de\x00Titel\x00"+deflated))
	f.Add([]byte(pngSignature))
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(t.TempDir(), "x.png")
		filestest.Write(t, path, raw)
		if meta, err := ReadPNGMeta(path); err != nil && meta != nil {
			t.Errorf("texts %q with error %v", meta, err)
		}
	})
}

// deflate is n zero bytes in zlib's format.
func deflate(t *testing.T, n int) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNatural(t *testing.T) {
	want := []string{"1.png", "1a.png", "2.png", "02.png", "10.png", "a1b2", "a1b10", "a2", "b"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, natural)
	if !slices.Equal(got, want) {
		t.Errorf("%q; want %q", got, want)
	}
	if natural("x", "x") != 0 || natural("99999999999999999999", "100000000000000000000") >= 0 {
		t.Error("equal or long numbers")
	}
}
