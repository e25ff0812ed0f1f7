package serve_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"illustrator/internal/browser"
	"illustrator/serve"
)

func (r *running) upload(t testing.TB, kind string, file []byte) answer {
	t.Helper()
	return do(t, http.MethodPost, r.URL+"/api/v1/pictures?text=a+toy", file, map[string]string{"Content-Type": kind})
}

func encodedPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func decodePNG(t testing.TB, file []byte) *image.NRGBA {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewNRGBA(img.Bounds())
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			out.Set(x, y, img.At(x, y))
		}
	}
	return out
}

// An uploaded picture is kept in the generator's size: its middle square, laid over white. It is the origin of
// manipulations.
func TestUpload(t *testing.T) {
	r := tiny.serve(t)
	wide := image.NewNRGBA(image.Rect(0, 0, 96, 32)) // red, green, blue; the right half of green is transparent
	for y := range 32 {
		for x := range 96 {
			c := color.NRGBA{A: 255}
			switch {
			case x < 32:
				c.R = 255
			case x < 48:
				c.G = 255
			case x < 64:
				c.A = 0
			default:
				c.B = 255
			}
			wide.SetNRGBA(x, y, c)
		}
	}
	a := r.upload(t, "image/png", encodedPNG(t, wide))
	p := decode[picture](t, a)
	if a.status != http.StatusCreated || p.Kind != "uploaded" || p.Text != "a toy" || p.Width != 16 || p.Height != 16 {
		t.Fatalf("%v", a)
	}
	kept := decodePNG(t, get(t, r.URL+p.PNG).body)
	if left, right := kept.NRGBAAt(2, 8), kept.NRGBAAt(13, 8); left != (color.NRGBA{G: 255, A: 255}) ||
		right != (color.NRGBA{255, 255, 255, 255}) {
		t.Errorf("the middle is %v and %v", left, right)
	}
	for position, want := range map[string]color.NRGBA{"0": {R: 255, A: 255}, "1": {B: 255, A: 255}} {
		a := do(t, http.MethodPost, r.URL+"/api/v1/pictures?position="+position, encodedPNG(t, wide),
			map[string]string{"Content-Type": "image/png"})
		end := decodePNG(t, get(t, r.URL+decode[picture](t, a).PNG).body)
		if left, right := end.NRGBAAt(2, 8), end.NRGBAAt(13, 8); left != want || right != want {
			t.Errorf("the square at %s is %v and %v", position, left, right)
		}
	}
	for _, wrong := range []string{"", "-0.1", "1.5", "NaN", "left"} {
		a := do(t, http.MethodPost, r.URL+"/api/v1/pictures?position="+wrong, encodedPNG(t, wide),
			map[string]string{"Content-Type": "image/png"})
		if a.status != http.StatusBadRequest || decode[problem](t, a).Field != "position" {
			t.Errorf("position %q: %v", wrong, a)
		}
	}
	moved := r.draw(t, "/api/v1/manipulate", object{"picture": p.ID, "from": "a green toy", "to": "a ball",
		"alphas": []float64{0, 1}})
	if moved.Pictures[1].OriginText != "a green toy" || moved.Pictures[1].Run != "first" ||
		near(t, r, moved.Pictures[0], moved.Pictures[1]) {
		t.Errorf("%+v", moved)
	}
	var file bytes.Buffer
	if err := jpeg.Encode(&file, wide, nil); err != nil {
		t.Fatal(err)
	}
	if a := r.upload(t, "image/jpeg", file.Bytes()); a.status != http.StatusCreated {
		t.Errorf("a JPEG: %v", a)
	}
}

// chunk is a part of a PNG file.
func chunk(kind string, content []byte) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	out = append(append(out, kind...), content...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// bomb is a PNG of few bytes that claims width × height pixels and decompresses to that number of zeros.
func bomb(t testing.TB, width, height uint32, zeros int) []byte {
	t.Helper()
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	var body bytes.Buffer
	z := zlib.NewWriter(&body)
	block := make([]byte, 1<<20)
	for range zeros >> 20 {
		if _, err := z.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.Join([][]byte{[]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", append(header, 8, 6, 0, 0, 0)),
		chunk("IDAT", body.Bytes()), chunk("IEND", nil)}, nil)
}

// A file that is not a picture, or too large, is refused in little memory.
func TestBadUploads(t *testing.T) {
	r := deaf(t, func(o *serve.Options) { o.Limits.UploadBytes = 4 << 20 })
	whole := encodedPNG(t, image.NewGray(image.Rect(0, 0, 300, 300)))
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-20] ^= 1
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for name, c := range map[string]struct {
		kind   string
		file   []byte
		status int
		want   string
	}{
		"empty":               {"image/png", nil, 400, "not a PNG, JPEG, WebP"},
		"a text":              {"image/png", []byte("hello"), 400, "not a PNG, JPEG, WebP"},
		"a cut GIF":           {"image/gif", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00"), 400, "damaged"},
		"another type":        {"text/html", whole, 415, "not a picture"},
		"cut short":           {"image/png", whole[:len(whole)/2], 400, "damaged"},
		"a flipped bit":       {"image/png", flipped, 400, "damaged"},
		"a cut JPEG":          {"image/jpeg", []byte("\xff\xd8\xff\xe0\x00\x10JFIF"), 400, "damaged"},
		"a cut WebP":          {"image/webp", []byte("RIFF\x00\x00\x00\x00WEBPVP8 "), 400, "damaged"},
		"too many bytes":      {"image/png", make([]byte, 4<<20+1), 413, "larger than 4194304 bytes"},
		"a billion pixels":    {"image/png", bomb(t, 1<<15, 1<<15, 1<<20), 400, "32768 × 32768"},
		"just too many":       {"image/png", bomb(t, 1025, 1024, 1<<20), 400, "1025 × 1024"},
		"a line of a million": {"image/png", bomb(t, 1<<20, 1, 1<<20), 400, "1048576 × 1"},
		"no pixels":           {"image/png", bomb(t, 0, 7, 1<<20), 400, ""},
		"a bomb behind few":   {"image/png", bomb(t, 8, 8, 1<<29), 400, ""}, // half a gigabyte for 64 pixels
	} {
		a := r.upload(t, c.kind, c.file)
		if p := decode[problem](t, a); a.status != c.status || !strings.Contains(p.Error, c.want) || p.Hint == "" {
			t.Errorf("%s: %v", name, a)
		}
	}
	runtime.ReadMemStats(&after)
	// The client's own bodies and what bomb needs are some 60 MB of this.
	if total := after.TotalAlloc - before.TotalAlloc; total > 200<<20 {
		t.Errorf("%d MB were allocated in all", total>>20)
	}
	if list := decode[drawing](t, get(t, r.URL+"/api/v1/pictures")); len(list.Pictures) != 0 {
		t.Errorf("the gallery holds %+v", list)
	}
}

// A body that is not UTF-8, or has a key twice, is refused, not drawn as what JSON's decoder makes of it.
func TestJSONIsUnambiguous(t *testing.T) {
	r := tiny.serve(t)
	for body, want := range map[string]string{
		"{\"text\": \"caf\xe9\"}": "not UTF-8", `{"text": "a \ud83d hat"}`: "not UTF-8",
		`{"text": "a", "text": "b"}`: "occurs twice",
	} {
		a := do(t, http.MethodPost, r.URL+"/api/v1/generate", []byte(body),
			map[string]string{"Content-Type": "application/json"})
		if a.status != http.StatusBadRequest || !strings.Contains(string(a.body), want) {
			t.Errorf("%q: %d %s", body, a.status, a.body)
		}
	}
}

// The page names a file that the server would not take before it is sent.
func TestPageRefusesOtherFiles(t *testing.T) {
	u := user{t, browser.Open(t, deaf(t).URL)}
	path := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(path, []byte("not a picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	u.Do(chromedp.SetUploadFiles(chromedp.CSS("#view-draw input[type=file]"), []string{path}))
	u.until(`document.querySelector("#upload").open && document.querySelector("#upload .main").disabled`)
	if says := u.text("#upload .alert"); says != "This file is not a picture that can be read. "+
		"Choose a PNG, JPEG, WebP, GIF, BMP or TIFF file." {
		t.Errorf("the page says %q", says)
	}
	if seen := u.eval(`getComputedStyle(document.querySelector("#upload .main")).opacity`); seen == "1" {
		t.Error("the button that cannot be used looks as if it could")
	}
	u.look("other-file")
}
