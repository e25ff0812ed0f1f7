package gallery

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A deleted picture is gone for readers, comes back as it was, and leaves no file behind.
func TestDeletedPicturesComeBack(t *testing.T) {
	for _, folder := range []string{"", t.TempDir()} {
		g := open(t, folder, generous)
		first, second := put(t, g, of("one")), put(t, g, of("two"))
		before, err := g.PNG(first.ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.Delete(first.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := g.PNG(first.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("a deleted picture is read: %v", err)
		}
		rest, err := g.PNG(second.ID)
		if n, size := g.Size(); n != 1 || size != int64(len(rest)) || err != nil {
			t.Errorf("%d pictures of %d bytes, %v", n, size, err)
		}
		if got, err := g.Restore(first.ID); err != nil || got.ID != first.ID {
			t.Fatalf("restored %+v, %v", got, err)
		}
		if records, total := g.Find(Filter{}, "", 9); total != 2 || records[0].ID != second.ID || records[1].ID != first.ID {
			t.Errorf("found %v", records)
		}
		if after, err := g.PNG(first.ID); err != nil || string(after) != string(before) {
			t.Errorf("the restored file differs: %v", err)
		}
		if _, err := g.Restore(first.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("restored twice: %v", err)
		}
		if err := g.Delete(first.ID); err != nil {
			t.Fatal(err)
		}
		closeGallery(t, g)
		if _, err := g.Restore(first.ID); !errors.Is(err, ErrNotFound) {
			t.Errorf("restored after the end: %v", err)
		}
		if folder == "" {
			continue
		}
		if names, _ := filepath.Glob(filepath.Join(folder, "*")); len(names) != 1 {
			t.Errorf("files %q", names)
		}
	}
}

// A gallery that ended in the middle forgets what was deleted, and touches no other file.
func TestDeletedPicturesOfAnEarlierProcess(t *testing.T) {
	folder := t.TempDir()
	g := open(t, folder, generous)
	r := put(t, g, of("one"))
	other := filepath.Join(folder, "notes.png.deleted")
	if err := errors.Join(g.Delete(r.ID), os.WriteFile(other, nil, 0o666)); err != nil {
		t.Fatal(err)
	}
	if err := g.lock.Release(); err != nil { // as the system does when a process ends
		t.Fatal(err)
	}
	if n, _ := open(t, folder, generous).Size(); n != 0 {
		t.Errorf("%d pictures", n)
	}
	if names, _ := filepath.Glob(filepath.Join(folder, "*")); len(names) != 1 || names[0] != other {
		t.Errorf("files %q", names)
	}
}
