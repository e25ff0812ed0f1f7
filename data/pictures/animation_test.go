package pictures

import (
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kettek/apng"

	"illustrator/internal/fault"
)

// gradients are frames of many colours: more than a GIF has.
func gradients(n int) (frames []image.Image) {
	for f := range n {
		img := image.NewNRGBA(image.Rect(0, 0, 40, 30))
		for y := range 30 {
			for x := range 40 {
				img.SetNRGBA(x, y, color.NRGBA{uint8(6 * x), uint8(8 * y), uint8(80 * f), 255})
			}
		}
		frames = append(frames, img)
	}
	return frames
}

// furthest is the largest difference of a channel, of 65535.
func furthest(a, b image.Image) (worst uint32) {
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			r, g, b1, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			for _, c := range [][2]uint32{{r, r2}, {g, g2}, {b1, b2}} {
				worst = max(worst, max(c[0], c[1])-min(c[0], c[1]))
			}
		}
	}
	return worst
}

func TestWriteAPNG(t *testing.T) {
	path, frames := filepath.Join(t.TempDir(), "a.apng"), gradients(3)
	meta := []Meta{{"Description", "von hier → dort"}}
	if err := WriteAnimation(path, frames, 125*time.Millisecond, meta); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, err := apng.DecodeAll(f)
	if err != nil || len(a.Frames) != 3 || a.LoopCount != 0 {
		t.Fatalf("%d frames, %v", len(a.Frames), err)
	}
	for i, frame := range a.Frames {
		if furthest(frame.Image, frames[i]) != 0 || frame.GetDelay() != 0.125 || frame.IsDefault {
			t.Errorf("frame %d: another picture, or shown for %g s", i, frame.GetDelay())
		}
	}
	if got, err := ReadPNGMeta(path); err != nil || !slices.Equal(got, meta) {
		t.Errorf("metadata %v, %v", got, err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := DecodeAnimation(raw, 3*40*30)
	if err != nil || len(again) != 3 || furthest(again[2], frames[2]) != 0 {
		t.Errorf("read again: %d frames, %v", len(again), err)
	}
	for name, c := range map[string]struct {
		file []byte
		most int
	}{"too many pixels": {raw, 3*40*30 - 1}, "cut short": {raw[:len(raw)-30], 3 * 40 * 30},
		"no animation": {[]byte("GIF89a"), 1000}} {
		if frames, err := DecodeAnimation(c.file, c.most); err == nil {
			t.Errorf("%s: %d frames", name, len(frames))
		}
	}
	// A program that knows no animation shows the first frame.
	if _, err := f.Seek(0, 0); err != nil {
		t.Fatal(err)
	}
	if first, err := png.Decode(f); err != nil || furthest(first, frames[0]) != 0 {
		t.Errorf("as PNG: %v", err)
	}
}

// 1200 colours become 256: median cut leaves each within an eighth of the range.
func TestWriteGIF(t *testing.T) {
	path, frames := filepath.Join(t.TempDir(), "a.gif"), gradients(3)
	if err := WriteAnimation(path, frames, 125*time.Millisecond, nil); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := gif.DecodeAll(f)
	if err != nil || len(g.Image) != 3 || g.LoopCount != 0 || g.Delay[0] != 13 {
		t.Fatalf("%+v, %v", g, err)
	}
	for i, frame := range g.Image {
		if d := furthest(frame, frames[i]); d > 65535/8 {
			t.Errorf("frame %d: a colour is %d of 65535 away", i, d)
		}
	}
}

func TestWriteAnimationMistakes(t *testing.T) {
	dir := t.TempDir()
	if err := WriteAnimation(filepath.Join(dir, "a.mp4"), gradients(1), time.Second, nil); !fault.IsUsage(err) ||
		!strings.Contains(fault.HintOf(err), ".gif or .apng") {
		t.Errorf("another format: %v", err)
	}
	if err := WriteAnimation(filepath.Join(dir, "a.gif"), nil, time.Second, nil); err == nil {
		t.Error("no frames are accepted")
	}
	if err := WriteAnimation(filepath.Join(dir, "a.gif"), append(gradients(1), image.NewGray(image.Rect(0, 0, 1, 1))),
		time.Second, nil); err == nil {
		t.Error("frames of two sizes are accepted")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
}

// A frame that compresses badly has many chunks of data.
func TestDecodeAnimationOfNoise(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 300, 200))
	state := uint32(1)
	for i := range img.Pix {
		state = state*1664525 + 1013904223
		img.Pix[i] = byte(state >> 24)
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	file, err := EncodeAnimation(".apng", []image.Image{img, img}, time.Second, nil)
	if err != nil {
		t.Fatal(err)
	}
	frames, err := DecodeAnimation(file, 1<<20)
	if err != nil || len(frames) != 2 || furthest(frames[1], img) != 0 {
		t.Errorf("%d frames, %v", len(frames), err)
	}
}
