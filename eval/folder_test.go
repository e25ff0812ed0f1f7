package eval

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/internal/fault"
)

// writePicture writes a picture of a size with texts in its metadata.
func writePicture(t *testing.T, path string, size int, meta ...pictures.Meta) {
	t.Helper()
	if err := pictures.WritePNG(path, image.NewGray(image.Rect(0, 0, size, size)), meta); err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestReadFolderFindsTextsAndWhatToSkip(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for i, name := range []string{"a", "b", "c"} { // two texts, the first with two seeds
		writePicture(t, at(name+".png"), 8)
		writeFile(t, at(name+".json"),
			fmt.Sprintf(
				`{"text": %q, "seed": %d, "score": {}, "domain": "own", "networks_sha256": {"clip": "55", "generator": "66"}}`,
				[]string{"a king", "a queen", "a king"}[i], i))
	}
	// as c: another copy
	writePicture(t, at("d.png"), 8, pictures.Meta{Key: "Description", Value: "a king"},
		pictures.Meta{Key: "Seed", Value: "2"},
		pictures.Meta{Key: "Domain", Value: "other"}, pictures.Meta{Key: "generator-SHA256", Value: "77"})
	writePicture(t, at("e.png"), 9, pictures.Meta{Key: "Description", Value: "a king"},
		pictures.Meta{Key: "Seed", Value: "7"})
	writePicture(t, at("f.png"), 8)
	writeFile(t, at("g.png"), "no picture")
	writePicture(t, at("grid.png"), 30)
	writeFile(t, at("summary.json"), "{}")
	known := []texts.Text{{Text: "a queen", Kind: "limited", Attributes: map[string][]string{"hair": {"long"}}}}

	texts, files, _, err := ReadFolder(dir, nil, known)
	if err != nil {
		t.Fatal(err)
	}
	if len(texts) != 3 || texts[0].Text != "a king" || texts[1].Kind != "limited" || texts[2].Text != "a king" {
		t.Errorf("texts %+v", texts)
	}
	if c, d := files[1], files[6]; c.Domain != "own" || c.Generator != "66" || d.Domain != "other" || d.Generator != "77" {
		t.Errorf("drawn by %+v and %+v", c, d)
	}
	var got []string
	for _, f := range files {
		skipped := ""
		for _, why := range []string{"9×9", "no text", "not a PNG"} {
			if strings.Contains(f.Skip, why) {
				skipped = ", skipped: " + why
			}
		}
		if f.Skip != "" && skipped == "" {
			skipped = ", skipped: " + f.Skip
		}
		got = append(got, fmt.Sprintf("%s: text %d, seed %d%s", filepath.Base(f.Path), f.Text, f.Seed, skipped))
	}
	want := []string{
		"a.png: text 0, seed 0", "c.png: text 0, seed 2", "e.png: text 0, seed 7, skipped: 9×9",
		"f.png: text 0, seed 0, skipped: no text",
		"g.png: text 0, seed 0, skipped: not a PNG", "b.png: text 1, seed 1", "d.png: text 2, seed 2",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestReadFolderTakesGivenTexts(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.png", "b.png", "c.png"} {
		writePicture(t, filepath.Join(dir, name), 8)
	}
	descriptions, files, _, err := ReadFolder(dir, []texts.Text{{Text: "one"}, {Text: "two"}, {Text: "one"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(descriptions) != 2 || len(files) != 3 || filepath.Base(files[1].Path) != "c.png" || files[1].Text != 0 ||
		files[1].Seed != 1 {
		t.Errorf("texts %v, files %v", descriptions, files)
	}
	if _, _, _, err := ReadFolder(dir, []texts.Text{{Text: "one"}}, nil); !fault.IsUsage(err) ||
		!strings.Contains(err.Error(), "1 texts are given for the 3 pictures") {
		t.Errorf("too few texts: %v", err)
	}
	write := func(name string) { writePicture(t, filepath.Join(dir, name), 8) }
	write("2.png")
	write("10.png")
	_, files, note, err := ReadFolder(dir, []texts.Text{{Text: "two"}, {Text: "ten"}, {Text: "a"}, {Text: "b"},
		{Text: "c"}}, nil)
	if err != nil || filepath.Base(files[1].Path) != "10.png" ||
		!strings.Contains(note,
			`5 pictures are paired with 5 texts in the natural order of names: 2.png with "two", …, c.png with "c"`) {
		t.Errorf("natural order: %v, %q, %v", files, note, err)
	}
	byName := []texts.Text{{Text: "ten", File: "photos/10.jpg"}, {Text: "a", File: `C:\photos\a.png`},
		{Text: "a again", File: "a.png"}, {Text: "no picture", File: "z.png"}}
	descriptions, files, note, err = ReadFolder(dir, byName, nil)
	if err != nil || len(descriptions) != 2 || len(files) != 5 ||
		!strings.Contains(note, "2 of 5 pictures are paired with texts by name; 1 texts have no picture; 1 further texts") {
		t.Errorf("by name: %v, %v, %q, %v", descriptions, files, note, err)
	}
	for _, f := range files {
		want := map[string]string{"10.png": "ten", "a.png": "a"}[filepath.Base(f.Path)]
		if (f.Skip == "") != (want != "") || want != "" && descriptions[f.Text].Text != want {
			t.Errorf("%s has %q, %q", f.Path, descriptions[f.Text].Text, f.Skip)
		}
	}
	if _, _, _, err := ReadFolder(dir, []texts.Text{{Text: "x", File: "x.png"}}, nil); !fault.IsUsage(err) {
		t.Errorf("no name fits: %v", err)
	}
	if _, _, _, err := ReadFolder(dir, []texts.Text{{Text: "x", File: "x.png"}, {Text: "y"}}, nil); !fault.IsUsage(err) {
		t.Errorf("some have names: %v", err)
	}
	if _, _, _, err := ReadFolder(dir, nil, nil); !fault.IsUsage(err) || fault.CodeOf(err) != NoCaptions {
		t.Errorf("no texts: %v", err)
	}
}
