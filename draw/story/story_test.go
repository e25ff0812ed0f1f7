package story

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"illustrator/draw"
	"illustrator/internal/fault"
)

// Temporary files of the story's own pictures go; others stay.
func TestRemoveStrays(t *testing.T) {
	j := &Job{Out: t.TempDir(), pictures: []picture{{name: "0001-a-king"}}}
	kept := []string{"0001-a-king.png", ".0002-a-queen.png12", ".0001-a-king.txt1", "notes.txt"}
	for _, name := range append(kept, ".0001-a-king.png77", ".0001-a-king.json8") {
		if err := os.WriteFile(filepath.Join(j.Out, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.begin(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(j.Out)
	if err != nil || len(entries) != len(kept) {
		t.Errorf("%v, %v; want %v", entries, err, kept)
	}
}

// A picture is kept while its files are as they were written for the same request.
func TestKeptPictures(t *testing.T) {
	j := &Job{Out: t.TempDir(), pictures: []picture{{name: "0001-a-king", hash: "aa"}}}
	p := &j.pictures[0]
	if err := j.write(p, image.NewNRGBA(image.Rect(0, 0, 2, 2)),
		draw.Record{NoiseMode: draw.ConstNoise, Score: &draw.Score{}}); err != nil {
		t.Fatal(err)
	}
	find := func(hash string) bool {
		again := picture{name: p.name, hash: hash}
		j.find(&again)
		return again.ready
	}
	if !p.ready || !find("aa") || find("bb") {
		t.Errorf("ready %v; found %v, with another request %v", p.ready, find("aa"), find("bb"))
	}
	if err := os.WriteFile(filepath.Join(j.Out, p.name+".png"), []byte("other"), 0o666); err != nil {
		t.Fatal(err)
	}
	if find("aa") {
		t.Error("a changed file is taken for the picture")
	}
	if _, ok := j.done("aa"); ok || j.missing() != 0 {
		t.Errorf("done %v, %d missing", ok, j.missing())
	}
	if _, err := os.Stat(j.summaryFile()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestPicturesFillThePage(t *testing.T) {
	for side, want := range map[int]int{64: 512, 200: 600, 512: 512, 1000: 1000} {
		raw, err := ForPage(image.NewNRGBA(image.Rect(0, 0, side, side/2)))
		if err != nil {
			t.Fatal(err)
		}
		config, err := png.DecodeConfig(bytes.NewReader(raw))
		if err != nil || config.Width != want || config.Height != want/2 {
			t.Errorf("%d: %d×%d, %v", side, config.Width, config.Height, err)
		}
	}
}

func TestFormats(t *testing.T) {
	var f Format
	if err := f.UnmarshalText([]byte("pdf")); err != nil || f != PDF {
		t.Errorf("%q, %v", f, err)
	}
	if err := f.UnmarshalText([]byte("epub")); !fault.IsUsage(err) || fault.HintOf(err) != "use html, pdf or both" {
		t.Errorf("%v, %q", err, fault.HintOf(err))
	}
}
