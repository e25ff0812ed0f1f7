package texts

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"illustrator/internal/fault"
)

func TestGather(t *testing.T) {
	path := filepath.Join(t.TempDir(), "more.txt")
	if err := os.WriteFile(path, []byte("b\nc\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	all, err := Gather([]string{" a "}, path)
	if err != nil || len(all) != 3 || all[0].Text != "a" || all[2].Text != "c" {
		t.Errorf("%+v, %v", all, err)
	}
	for _, wrong := range [][2]string{{"", ""}, {"a", "none.txt"}} {
		if _, err := Gather(wrong[:1], wrong[1]); err == nil || fault.HintOf(err) == "" {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestParseAttributes(t *testing.T) {
	got, err := ParseAttributes([]string{"hair=red", "hat=no", "hair=blond"})
	want := map[string][]string{"hair": {"red", "blond"}, "hat": {"no"}}
	if err != nil || !maps.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("%v, %v", got, err)
	}
	for _, wrong := range []string{"hair", "=red", "hair="} {
		if _, err := ParseAttributes([]string{wrong}); !fault.IsUsage(err) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}
