package pictures

import (
	"errors"
	"image"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"illustrator/internal/fault"
	"illustrator/internal/files/filestest"
)

// TestEach leaves out files that cannot be read, unless nothing is left.
func TestEach(t *testing.T) {
	folder := t.TempDir()
	broken, whole := filepath.Join(folder, "a.png"), filepath.Join(folder, "b.png")
	filestest.Write(t, broken, []byte("not a picture"))
	if err := WritePNG(whole, gradient(2, 3), nil); err != nil {
		t.Fatal(err)
	}
	each := func(paths ...string) (used []string, done []int, skipped []Skipped, err error) {
		skipped, err = Each(t.Context(), paths, ReadImage, func(path string, _ *image.NRGBA) error {
			used = append(used, path)
			return nil
		}, func(n int) { done = append(done, n) })
		return used, done, skipped, err
	}
	used, done, skipped, err := each(broken, whole)
	if err != nil || !slices.Equal(used, []string{whole}) || !slices.Equal(done, []int{1, 2}) || len(skipped) != 1 ||
		skipped[0].Source != broken || !strings.Contains(skipped[0].Error, "a.png") {
		t.Errorf("used %q, done %v, skipped %q, %v", used, done, skipped, err)
	}
	if err := Partial(1, skipped); !errors.Is(err, fault.ErrPartial) || err.Error() != "1 of 2 pictures: partial result" {
		t.Error(err)
	}
	if err := Partial(2, []Skipped{}); err != nil {
		t.Error(err)
	}
	if _, _, _, err := each(broken); err == nil || strings.Contains(err.Error(), "none of") {
		t.Errorf("one file: %v", err)
	}
	if _, _, _, err := each(broken, broken); err == nil || !strings.HasPrefix(err.Error(), "none of 2 pictures") {
		t.Errorf("no readable file: %v", err)
	}
	refused := errors.New("full")
	if _, err := Each(t.Context(), []string{whole}, ReadImage, func(string, *image.NRGBA) error { return refused },
		func(int) {}); !errors.Is(err, refused) {
		t.Errorf("an error of use: %v", err)
	}
	if paths, err := Find(t.Context(), folder); err != nil || len(paths) != 2 {
		t.Errorf("%q, %v", paths, err)
	}
	filestest.Write(t, whole, []byte("no picture either"))
	if _, err := Find(t.Context(), folder); err == nil || fault.HintOf(err) == "" {
		t.Errorf("no readable file in a folder: %v", err)
	}
}
