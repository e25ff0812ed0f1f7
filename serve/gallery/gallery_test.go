package gallery

import (
	"fmt"
	"image"
	"image/color"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
)

var quiet = slog.New(slog.DiscardHandler)

func square(c color.Color) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, 4, 4))
	for i := range 16 {
		img.Set(i%4, i/4, c)
	}
	return img
}

// open opens a gallery; one of the same folder must be closed before.
func open(t *testing.T, folder string, limits Limits) *Gallery {
	t.Helper()
	g, err := Open(folder, limits, nil, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeGallery(t, g) })
	return g
}

func closeGallery(t *testing.T, g *Gallery) {
	t.Helper()
	if err := g.Close(); err != nil {
		t.Error(err)
	}
}

func put(t *testing.T, g *Gallery, r Record) Record {
	t.Helper()
	r, err := g.Put(r, square(color.White), "test")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// of is the record of a picture of a text.
func of(text string) Record {
	return Record{Kind: Generated, Record: draw.Record{Text: texts.Text{Text: text}, NoiseMode: "random"}}
}

var generous = Limits{Pictures: 100, Bytes: 1 << 20}

// A folder holds all that a gallery knows; others' files in it are left alone, and damaged ones left out.
func TestFolderOutlivesTheGallery(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "pictures")
	g := open(t, folder, generous)
	alpha := 0.1
	seen, err := pictures.EncodePNG(square(color.Black), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := put(t, g, Record{
		Kind: Manipulated, Run: "first", Origin: "x", OriginText: "a clown", ImageEmbed: []float32{1.5, -2, 1e-30},
		Seen: seen,
		Record: draw.Record{
			Text: texts.Text{Text: "a wizard – “Ü”"}, Domain: "toys", Seed: 1 << 60, Alpha: &alpha, Diversity: "z", Spread: 0.4,
			TruncationPsi: 1,
			NoiseMode:     "random", Networks: map[string]string{"clip": "abc"}, Cartoon: draw.Cartoon{Style: "ink"},
			Score: &draw.Score{CLIPSimilarity: 0.25},
		},
	})
	other := put(t, g, of("a clown"))
	for name, content := range map[string]string{"holiday.png": "mine", other.ID + ".png": "damaged",
		strings.Repeat("0", idLength) + ".png": "not a PNG", "notes.txt": "mine"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	closeGallery(t, g)
	g = open(t, folder, generous)
	got, err := g.Get(want.ID)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v\nwant\n%+v", err, got, want)
	}
	if n, _ := g.Size(); n != 1 {
		t.Errorf("%d pictures", n)
	}
	if next := put(t, g, of("next")); next.ID <= want.ID {
		t.Errorf("id %s follows %s", next.ID, want.ID)
	}
	meta, err := pictures.ReadPNGMeta(filepath.Join(folder, want.ID+".png"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []pictures.Meta{{Key: "Description", Value: want.Text.Text},
		{Key: "Seed", Value: "1152921504606846976"}, {Key: "Alpha", Value: "0.1"}, {Key: "clip-SHA256", Value: "abc"}} {
		if !slices.Contains(meta, m) {
			t.Errorf("the file does not say %v", m)
		}
	}
	if err := g.Delete(want.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, want.ID+".png")); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	if mine, err := os.ReadFile(filepath.Join(folder, "holiday.png")); string(mine) != "mine" {
		t.Errorf("another's file: %q, %v", mine, err)
	}
	if _, err := Open(filepath.Join(folder, "notes.txt"), generous, nil, quiet); err == nil {
		t.Error("a file is not a folder")
	}
}

// The oldest pictures make room, whether there are too many or they are too large; the newest stays in any case.
func TestLimits(t *testing.T) {
	size := int64(0)
	for name, folder := range map[string]string{"memory": "", "folder": t.TempDir()} {
		g := open(t, folder, Limits{Pictures: 3, Bytes: 1 << 20})
		var ids []string
		for i := range 5 {
			ids = append(ids, put(t, g, of(fmt.Sprint(i))).ID)
		}
		records, total := g.Find(Filter{Query: ""}, "", 9)
		if total != 3 || records[0].ID != ids[4] || records[2].ID != ids[2] {
			t.Errorf("%s: found %+v", name, records)
		}
		if _, err := g.PNG(ids[1]); err != ErrNotFound {
			t.Errorf("%s: an old picture: %v", name, err)
		}
		_, all := g.Size()
		size = all / 3
		if files, _ := filepath.Glob(filepath.Join(folder, "*.png")); folder != "" && len(files) != 3 {
			t.Errorf("%d files", len(files))
		}
	}
	g := open(t, "", Limits{Pictures: 100, Bytes: 2*size + size/2})
	for range 5 {
		put(t, g, of("0"))
	}
	if n, bytes := g.Size(); n != 2 || bytes > 2*size+size/2 {
		t.Errorf("%d pictures of %d bytes", n, bytes)
	}
	g = open(t, "", Limits{Pictures: 100, Bytes: 1})
	if last := put(t, g, Record{}); last.ID == "" {
		t.Error("no id")
	} else if _, err := g.Get(last.ID); err != nil {
		t.Errorf("the only picture: %v", err)
	}
}

func TestFind(t *testing.T) {
	g := open(t, "", generous)
	var ids []string
	for i, text := range []string{"A red wizard", "a blue WIZARD", "a clown"} {
		ids = append(ids, put(t, g, Record{Kind: Generated, Record: draw.Record{
			Text: texts.Text{Text: text}, Seed: uint64(i), NoiseMode: "random",
			Cartoon: draw.Cartoon{Style: []string{"ink", "", ""}[i]},
		}}).ID)
	}
	for query, want := range map[string]string{
		"": "210", "wizard": "10", "  WIZ  a": "10", "wizard red": "0", "ink": "0", "seed2": "2", "seed 2": "2",
		"generated clown": "2", "elf": "",
	} {
		records, total := g.Find(Filter{Query: query}, "", 9)
		got := ""
		for _, r := range records {
			got += fmt.Sprint(slices.Index(ids, r.ID))
		}
		if got != want || total != len(want) {
			t.Errorf("%q: %q of %d, want %q", query, got, total, want)
		}
	}
	first, total := g.Find(Filter{Query: ""}, "", 2)
	rest, _ := g.Find(Filter{Query: ""}, first[1].ID, 2)
	if total != 3 || len(first) != 2 || len(rest) != 1 || rest[0].ID != ids[0] {
		t.Errorf("pages of %d: %+v, %+v", total, first, rest)
	}
}

// Many hands at once; the race detector looks on where it is asked to.
func TestManyAtOnce(t *testing.T) {
	g := open(t, t.TempDir(), Limits{Pictures: 10, Bytes: 1 << 20})
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for range 10 {
				r, err := g.Put(of(fmt.Sprint(i)), square(color.Black), "test")
				if err != nil {
					t.Error(err)
				}
				if _, err := g.PNG(r.ID); err != nil && err != ErrNotFound {
					t.Error(err)
				}
				g.Find(Filter{Query: "1"}, "", 5)
				if err := g.Delete(r.ID); err != nil && err != ErrNotFound {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if n, bytes := g.Size(); n != 0 || bytes != 0 {
		t.Errorf("%d pictures of %d bytes are left", n, bytes)
	}
}

// An animation and what improved a picture outlive the gallery too.
func TestFolderKeepsAnimationsAndImprovements(t *testing.T) {
	folder := t.TempDir()
	g := open(t, folder, generous)
	chosen := of("a clown")
	chosen.Score, chosen.Offset = &draw.Score{CLIPSimilarity: 0.5}, []float32{0.5, -1}
	chosen.Candidates = []draw.Candidate{{Seed: 3, CLIPSimilarity: 0.5}, {Seed: 4, CLIPSimilarity: 0.25}}
	chosen.Refined = &draw.Refined{Steps: 7, SimilarityBefore: 0.25, Drawn: 9}
	chosen = put(t, g, chosen)
	frames := []image.Image{square(color.White), square(color.Black)}
	way, err := g.PutAnimation(Record{
		Kind: Interpolated, Record: of("a → b").Record, OriginText: "a", TargetText: "b", Frames: 2, FPS: 4,
	}, frames, "test")
	if err != nil {
		t.Fatal(err)
	}
	closeGallery(t, g)
	g = open(t, folder, generous)
	for _, want := range []Record{chosen, way} {
		got, err := g.Get(want.ID)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v\n%+v\nwant\n%+v", err, got, want)
		}
	}
	read, err := g.Animation(way.ID)
	if err != nil || len(read) != 2 || read[1].At(0, 0) != color.Color(color.NRGBA{A: 255}) &&
		read[1].At(0, 0) != color.Color(color.RGBA{A: 255}) {
		t.Errorf("%d frames, %v", len(read), err)
	}
	if first, err := g.Picture(way.ID); err != nil || first.Bounds().Dx() != 4 {
		t.Errorf("its first picture: %v", err)
	}
	if _, err := g.Animation(chosen.ID); err == nil {
		t.Error("a single picture is an animation")
	}
}

// A gallery of an older version has the similarity beside the record, and no noise mode.
func TestOlderRecord(t *testing.T) {
	folder := t.TempDir()
	g := open(t, folder, generous)
	r := put(t, g, of("a clown"))
	old := fmt.Sprintf(`{"id": %q, "kind": "generated", "text": "a king", "seed": 3, "alpha": 1.5, "truncation_psi": 1, `+
		`"clip_similarity": 0.5}`, r.ID)
	if err := pictures.WritePNG(filepath.Join(folder, r.ID+".png"), square(color.White),
		[]pictures.Meta{{Key: metaKey, Value: old}}); err != nil {
		t.Fatal(err)
	}
	closeGallery(t, g)
	got, err := open(t, folder, generous).Get(r.ID)
	if err != nil || got.Text.Text != "a king" || got.Score == nil || got.Score.CLIPSimilarity != 0.5 ||
		*got.Alpha != 1.5 {
		t.Errorf("%+v, %v", got, err)
	}
}
