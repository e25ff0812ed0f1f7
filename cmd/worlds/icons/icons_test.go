package icons

import (
	"context"
	"errors"
	"image"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"illustrator/checkpoints/fetch"
	"illustrator/cmd/worlds/scene"
	"illustrator/internal/fault"
)

const disc = `<circle cx="16" cy="16" r="16" fill="#d02020"/><path fill="#fff" d="M14 6h4v4a2 2 0 11-4 0"/>`

// file is an icons.json with two icons, one of which the library can't draw.
func file() (iconFile, []emoji, map[string]string) {
	var f iconFile
	f.Width, f.Height = 32, 32
	f.Icons = map[string]struct {
		Body          string
		Width, Height float64
	}{"red-disc": {Body: disc}, "clipped": {Body: `<g clip-path="url(#a)"/><clipPath id="a"><use href="#b"/></clipPath>`}}
	f.Aliases = map[string]struct{ Parent string }{"ball": {"red-disc"}}
	group := func(g int) *int { return &g }
	all := []emoji{
		{Label: "red “disc”", Hexcode: "1F534-FE0F", Tags: []string{"ball", "x", "toy!"}, Group: group(6)},
		{Label: "ball", Hexcode: "26BD", Tags: []string{"sport"}, Group: group(6)},
		{Label: "clipped", Hexcode: "1F535", Group: group(6)},
		{Label: "a flag", Hexcode: "1F3F4", Group: group(flags)},
		{Label: "a component", Hexcode: "1F3FB"},
	}
	return f, all, map[string]string{"1f534": "red-disc", "26bd": "ball", "1f535": "clipped", "1f3f4": "red-disc"}
}

func testSet(t *testing.T) *Set {
	t.Helper()
	f, all, chars := file()
	drawings, err := f.draw(t.Context(), all, chars, 32)
	if err != nil {
		t.Fatal(err)
	}
	return &Set{size: 32, seed: 3, icons: drawings, rows: len(drawings) * placements}
}

func TestDraw(t *testing.T) {
	set := testSet(t)
	if len(set.icons) != 2 {
		t.Fatalf("%d icons, want the disc and its alias", len(set.icons))
	}
	got := set.icons[0]
	if got.label != "red disc" || !slices.Equal(got.tags, []string{"ball", "toy"}) || got.color != "red" {
		t.Errorf("icon %q, tags %q, color %q", got.label, got.tags, got.color)
	}
	if at := got.image.RGBAAt(4, 16); at.R != 0xd0 || at.A != 255 {
		t.Errorf("left of the middle: %v, want red", at)
	}
	if at := got.image.RGBAAt(16, 8); at.G != 255 {
		t.Errorf("above the middle: %v, want white", at)
	}
	if at := got.image.RGBAAt(0, 0); at.A != 0 {
		t.Errorf("corner: %v, want transparency", at)
	}
}

func TestPictures(t *testing.T) {
	set := testSet(t)
	rows := make([]int, set.rows)
	for i := range rows {
		rows[i] = i
	}
	pictures, err := set.Pictures(rows)
	if err != nil {
		t.Fatal(err)
	}
	one, err := set.Pictures([]int{5})
	if err != nil {
		t.Fatal(err)
	}
	const bytes = 32 * 32 * 3
	if !slices.Equal(one, pictures[5*bytes:6*bytes]) {
		t.Error("picture 5 differs alone and among others")
	}
	if slices.Equal(pictures[:bytes], pictures[2*bytes:3*bytes]) {
		t.Error("two placements of an icon are equal")
	}
	if _, err := set.Pictures([]int{set.rows}); err == nil {
		t.Error("no error for a row beyond the last")
	}
	words := make(map[string]bool)
	for i := range 400 {
		for _, word := range strings.FieldsFunc(strings.ToLower(set.Caption(i%set.rows, scene.Random(1, i))),
			func(r rune) bool { return strings.ContainsRune(" ,.", r) }) {
			words[word] = true
		}
	}
	for _, word := range []string{"disc", "ball", "toy", "sport", "red", "background"} {
		if !words[word] {
			t.Errorf("no caption has %q", word)
		}
	}
	if set.Len()+set.HeldOut() != set.rows {
		t.Errorf("%d and %d rows of %d", set.Len(), set.HeldOut(), set.rows)
	}
}

func TestColorNames(t *testing.T) {
	for want, c := range map[string][3]uint8{
		"black": {20, 20, 20}, "white": {250, 250, 248}, "grey": {128, 128, 130}, "red": {210, 30, 30},
		"orange": {250, 140, 20},
		"yellow": {250, 210, 50}, "green": {40, 160, 60}, "blue": {40, 90, 220}, "purple": {120, 60, 200},
		"pink":  {250, 150, 190},
		"brown": {130, 80, 40},
	} {
		if got := colorName(c[0], c[1], c[2]); got != want {
			t.Errorf("%v: %s, want %s", c, got, want)
		}
	}
	if got := mainColor(image.NewRGBA(image.Rect(0, 0, 4, 4))); got != "" {
		t.Errorf("color of an empty picture: %q", got)
	}
}

// A folder without archives, or with a damaged one, gives an error that says what to download.
func TestOpenMistakes(t *testing.T) {
	folder := t.TempDir()
	_, err := Open(t.Context(), folder, 32, 1)
	if hint := fault.HintOf(err); !strings.Contains(hint, names.File.URL) {
		t.Errorf("error %v, hint %q: no address", err, hint)
	}
	if err := os.WriteFile(names.path(folder), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), folder, 32, 1)
	if hint := fault.HintOf(err); !strings.Contains(hint, "remove") {
		t.Errorf("error %v, hint %q", err, hint)
	}
}

// TestPackages draws the real icons, if `worlds` has downloaded them.
func TestPackages(t *testing.T) {
	folder := filepath.Join("..", "..", "..", ".cache", "worlds", "icons")
	set, err := Open(context.Background(), folder, 64, 1)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the icons are not downloaded: `worlds` downloads them")
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(set.icons) < 4000 {
		t.Errorf("%d icons, want 4,000 and more", len(set.icons))
	}
	for _, i := range set.icons {
		if i.label == "" || i.image.Rect.Dx() != 64 {
			t.Errorf("icon %q of %v", i.label, i.image.Rect)
		}
	}
}

func TestKeepSharedTags(t *testing.T) {
	var all []emoji
	for range 4 {
		all = append(all, emoji{Tags: []string{"animal", "rare"}})
	}
	all[3].Tags = []string{"animal"}
	keepSharedTags(all)
	for _, e := range all {
		if !slices.Equal(e.Tags, []string{"animal"}) {
			t.Errorf("tags %q, want the one that all share", e.Tags)
		}
	}
}

// Without a network, the error says which file to copy where.
func TestDownloadWithoutNetwork(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	folder := filepath.Join(t.TempDir(), "icons")
	client := &fetch.Client{Mirror: server.URL, Tries: 1, MinWait: time.Millisecond, MaxWait: time.Millisecond}
	err := Download(t.Context(), client, folder)
	if err == nil {
		t.Fatal("no error")
	}
	if hint := fault.HintOf(err); !strings.Contains(hint, packages[0].File.URL) || !strings.Contains(hint, folder) {
		t.Errorf("error %v, hint %q", err, hint)
	}
}
