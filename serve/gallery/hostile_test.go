package gallery

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"illustrator/data/pictures"
	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// idAt returns the id of a time.
func idAt(milliseconds uint64) string {
	g := &Gallery{last: milliseconds - 1}
	return g.newID(time.Unix(0, 0))
}

// writeRecord writes a picture of 4 × 4 with the record of id, in which fields are replaced, or removed if they are
// nil.
func writeRecord(t testing.TB, folder, id string, fields map[string]any) {
	t.Helper()
	record := map[string]any{"id": id, "kind": "generated", "text": "a toy", "alpha": 1, "truncation_psi": 1,
		"noise_mode": "random", "domain": "toys", "width": 4, "height": 4}
	for name, value := range fields {
		if record[name] = value; value == nil {
			delete(record, name)
		}
	}
	text, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	if err := pictures.WritePNG(filepath.Join(folder, id+".png"), image.NewGray(image.Rect(0, 0, 4, 4)),
		[]pictures.Meta{{Key: metaKey, Value: string(text)}}); err != nil {
		t.Fatal(err)
	}
}

// A record that no gallery writes is left out with a warning that names file and field; its file stays.
func TestInvalidRecords(t *testing.T) {
	for name, c := range map[string]struct {
		fields map[string]any
		want   string
	}{
		"kind":           {map[string]any{"kind": "stolen"}, "kind"},
		"id":             {map[string]any{"id": "another"}, "another"},
		"empty text":     {map[string]any{"text": ""}, "text: "},
		"NUL":            {map[string]any{"text": "a\x00b"}, "text: "},
		"long text":      {map[string]any{"text": strings.Repeat("x", 5000)}, "text has 5000"},
		"NUL at the end": {map[string]any{"origin_text": "a\x00b"}, "origin_text: "},
		"NUL in a name":  {map[string]any{"domain": "a\x00b"}, "domain holds"},
		"long name":      {map[string]any{"run": strings.Repeat("x", 5000)}, "run has 5000"},
		"width":          {map[string]any{"width": 5}, "width"},
		"huge":           {map[string]any{"width": 1 << 40, "height": 1 << 40}, "width"},
		"frames":         {map[string]any{"frames": 3}, "frames"},
		"no frames":      {map[string]any{"kind": "interpolated", "fps": 8}, "frames"},
		"frames missing": {map[string]any{"kind": "interpolated", "fps": 8, "frames": 2}, "the file has 0"},
		"negative":       {map[string]any{"frames": -1}, "frames"},
		"fps":            {map[string]any{"fps": 3}, "fps"},
		"seen":           {map[string]any{"seen": []byte("no picture")}, "seen: "},
		"embedding":      {map[string]any{"image_embed": pack([]float32{1e9})}, "image_embed: "},
		"half a number":  {map[string]any{"image_embed": "AAA="}, "image_embed: "},
		"offset":         {map[string]any{"w_offset": pack([]float32{1, 1e30})}, "w_offset: value 1"},
		"score":          {map[string]any{"score": map[string]any{"clip_similarity": 1e300}}, "score"},
		"candidate":      {map[string]any{"candidates": []any{map[string]any{"clip_similarity": -2}}}, "candidates[0]"},
		"refined":        {map[string]any{"refined": map[string]any{"steps": -5}}, "refined"},
		"number":         {map[string]any{"seed": -1}, "seed"},
		"check":          {map[string]any{"seed": 77}, "checked"},
	} {
		folder := t.TempDir()
		id, log := idAt(1000), &bytes.Buffer{}
		writeRecord(t, folder, id, c.fields)
		check := func(r Record) error {
			if r.Seed == 77 {
				return errors.New("checked")
			}
			return nil
		}
		g, err := Open(folder, generous, check, slog.New(slog.NewTextHandler(log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if n, _ := g.Size(); n != 0 || !strings.Contains(log.String(), c.want) || !strings.Contains(log.String(), id+".png") {
			t.Errorf("%s: %d pictures; the log says %s", name, n, log)
		}
		if _, err := os.Stat(filepath.Join(folder, id+".png")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		closeGallery(t, g)
	}
	folder := t.TempDir()
	writeRecord(t, folder, idAt(1000), nil)
	if n, _ := open(t, folder, generous).Size(); n != 1 {
		t.Error("a valid record is left out")
	}
}

// Two processes do not share a folder.
func TestOneOwner(t *testing.T) {
	folder := t.TempDir()
	g := open(t, folder, generous)
	if _, err := Open(folder, generous, nil, quiet); !errors.Is(err, files.ErrInUse) || fault.HintOf(err) == "" ||
		!strings.Contains(err.Error(), folder) {
		t.Errorf("opened twice: %v", err)
	}
	closeGallery(t, g)
	open(t, folder, generous)
}

// New ids don't wrap, whatever times the names of files have, and lie behind those of a time that can be.
func TestFutureIDs(t *testing.T) {
	folder := t.TempDir()
	last := uint64(1)<<48 - 1
	writeRecord(t, folder, idAt(last), nil)
	writeRecord(t, folder, idAt(maxTime+1), nil)
	writeRecord(t, folder, idAt(maxTime), nil)
	g := open(t, folder, generous)
	if n, _ := g.Size(); n != 3 {
		t.Errorf("%d pictures", n)
	}
	before := idAt(maxTime)[:9]
	for range 3 {
		r := put(t, g, of("next"))
		if at, ok := timeOf(r.ID); r.ID <= before || !ok || at > maxTime+3 {
			t.Errorf("id %s follows %s", r.ID, before)
		}
		before = r.ID
	}
	closeGallery(t, g)
	if n, _ := open(t, folder, generous).Size(); n != 6 {
		t.Errorf("%d pictures after the next start", n)
	}
}

// A folder with more pictures than the limits allow stays as it is until the user says otherwise.
func TestTooManyBefore(t *testing.T) {
	folder := t.TempDir()
	for i := range 20 {
		writeRecord(t, folder, idAt(uint64(1000+i)), nil)
	}
	left := func() int {
		names, err := filepath.Glob(filepath.Join(folder, "*.png"))
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	for _, limits := range []Limits{{Pictures: 2, Bytes: 1 << 20}, {Pictures: 100, Bytes: 1000}} {
		_, err := Open(folder, limits, nil, quiet)
		if !fault.IsUsage(err) || !strings.Contains(err.Error(), "20 pictures") ||
			!strings.Contains(fault.HintOf(err), "--gallery-trim") || left() != 20 {
			t.Errorf("%+v: %d files are left: %v, %s", limits, left(), err, fault.HintOf(err))
		}
	}
	closeGallery(t, open(t, folder, Limits{Pictures: 20, Bytes: 1 << 20})) // the errors unlocked it
	log := &bytes.Buffer{}
	g, err := Open(folder, Limits{Pictures: 2, Bytes: 1 << 20, Trim: true}, nil, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil || left() != 2 || !strings.Contains(log.String(), "pictures=18") {
		t.Errorf("%d files are left: %v\n%s", left(), err, log)
	}
	closeGallery(t, g)
}

// A file that was changed behind the gallery's back is an error of its own.
func TestChangedFiles(t *testing.T) {
	folder := t.TempDir()
	g := open(t, folder, generous)
	for name, change := range map[string]func(path string) error{
		"longer":     func(path string) error { return os.WriteFile(path, make([]byte, 9999), 0o666) },
		"a folder":   func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o777)) },
		"a link":     func(path string) error { return errors.Join(os.Remove(path), os.Symlink("/dev/zero", path)) },
		"other data": func(path string) error { return os.WriteFile(path, make([]byte, fileSize(t, path)), 0o666) },
	} {
		r := put(t, g, Record{Kind: Uploaded, Record: of(name).Record})
		if err := change(g.path(r.ID)); err != nil {
			t.Fatal(err)
		}
		if _, err := g.Picture(r.ID); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	way, err := g.PutAnimation(Record{Kind: Interpolated, Record: of("a → b").Record, Frames: 2, FPS: 4},
		[]image.Image{square(color.White), square(color.Black)}, "test")
	if err != nil {
		t.Fatal(err)
	}
	single, err := pictures.EncodePNG(square(color.White), nil)
	if err != nil {
		t.Fatal(err)
	}
	padded := append(single, make([]byte, 5000)...)[:fileSize(t, g.path(way.ID))]
	if err := os.WriteFile(g.path(way.ID), padded, 0o666); err != nil {
		t.Fatal(err)
	}
	if frames, err := g.Animation(way.ID); !errors.Is(err, ErrDamaged) {
		t.Errorf("%d frames, %v", len(frames), err)
	}
	if _, err := g.Animation("none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("no picture: %v", err)
	}
}

func fileSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// A favourite that is left out is a favourite again when its record is valid.
func TestFavouriteThatIsLeftOut(t *testing.T) {
	folder, id, other := t.TempDir(), idAt(1000), idAt(2000)
	writeRecord(t, folder, id, nil)
	writeRecord(t, folder, other, nil)
	mark := func(g *Gallery, id string) {
		t.Helper()
		if _, err := g.SetFavourite(id, true); err != nil {
			t.Fatal(err)
		}
		closeGallery(t, g)
	}
	mark(open(t, folder, generous), id)
	writeRecord(t, folder, id, map[string]any{"width": 5})
	mark(open(t, folder, generous), other)
	writeRecord(t, folder, id, nil)
	if r, err := open(t, folder, generous).Get(id); err != nil || !r.Favourite {
		t.Errorf("%+v, %v", r, err)
	}
}
