package album

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"illustrator/data/texts"
	"illustrator/draw"
)

// TestFolderOfAnEarlierCall keeps the pictures of two calls apart.
func TestFolderOfAnEarlierCall(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(folder string, names ...string) {
		t.Helper()
		for _, name := range names {
			path := filepath.Join(folder, name)
			if err := errors.Join(os.MkdirAll(folder, 0o777), os.WriteFile(path, nil, 0o666)); err != nil {
				t.Fatal(err)
			}
		}
	}
	wizard := draw.Request{Text: texts.Text{Text: "a wizard"}, Plan: draw.Plan{Seeds: []uint64{0, 1}}}
	call := Album{Out: "pictures", Requests: []draw.Request{wizard}}
	// Its own pictures, and what no call has drawn, are not in its way.
	write("pictures", "0001-a-wizard-seed0.png", "0001-a-wizard-seed0.json", "grid.png", "summary.json", "photo.png")
	if err := call.OwnFolder(true); err != nil || call.Out != "pictures" {
		t.Fatalf("the same call again: %v, %s", err, call.Out)
	}

	write("pictures", "0001-a-pirate-seed0.png", "0001-a-pirate-seed0.json")
	var mixed *MixedError
	err := call.OwnFolder(true)
	if !errors.As(err, &mixed) || mixed.Pictures != 1 || mixed.First != "0001-a-pirate-seed0.png" {
		t.Errorf("a named folder with another picture: %v", err)
	}
	write("pictures-2", "0001-a-pirate-seed0.png", "0001-a-pirate-seed0.json")
	if err := call.OwnFolder(false); err != nil || call.Out != "pictures-3" {
		t.Errorf("a folder that is not named: %v, %s", err, call.Out)
	}

	call.Out, call.Replace = "pictures", true
	if err := errors.Join(call.OwnFolder(true), call.removeEarlier()); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir("pictures")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if e.Name() == "0001-a-pirate-seed0.png" || e.Name() == "0001-a-pirate-seed0.json" {
			t.Errorf("%s is still there", e.Name())
		}
	}
	if len(left) != 5 {
		t.Errorf("left are %v", left)
	}
}
