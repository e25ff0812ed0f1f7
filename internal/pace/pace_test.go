package pace

import (
	"os"
	"path/filepath"
	"testing"
)

func TestBook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache", "pace.json")
	b := open(path)
	if _, known := b.Of("step"); known {
		t.Error("an empty book knows a pace")
	}
	if err := b.Note("step", Pace{Unit: 0.5, Before: 3}); err != nil {
		t.Fatal(err)
	}
	if p, known := open(path).Of("step"); !known || p.Seconds(10) != 8 {
		t.Errorf("%+v, %v", p, known)
	}
	if err := os.WriteFile(path, []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, known := b.Of("step"); known {
		t.Error("a damaged book knows a pace")
	}
	if err := b.Note("step", Pace{Unit: 1}); err != nil {
		t.Errorf("a damaged book is not replaced: %v", err)
	}
	if err := open("").Note("step", Pace{Unit: 1}); err != nil {
		t.Errorf("a book without a file: %v", err)
	}
}
