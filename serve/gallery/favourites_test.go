package gallery

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// Favourites outlive the gallery, and stay while others make room.
func TestFavourites(t *testing.T) {
	folder := t.TempDir()
	g := open(t, folder, Limits{Pictures: 3, Bytes: 1 << 20})
	first := put(t, g, of("one"))
	if r, err := g.SetFavourite(first.ID, true); err != nil || !r.Favourite {
		t.Fatalf("%+v, %v", r, err)
	}
	for _, text := range []string{"two", "three", "four", "five"} {
		put(t, g, of(text))
	}
	texts := func(f Filter) (all []string) {
		hits, _ := g.Find(f, "", 9)
		for _, r := range hits {
			all = append(all, r.Text.Text)
		}
		return all
	}
	if got := texts(Filter{}); !slices.Equal(got, []string{"five", "four", "one"}) {
		t.Errorf("kept %q", got)
	}
	g.Close()
	g = open(t, folder, generous)
	if got := texts(Filter{Favourites: true}); !slices.Equal(got, []string{"one"}) {
		t.Errorf("favourites of the folder: %q", got)
	}
	if _, err := g.SetFavourite(first.ID, false); err != nil {
		t.Fatal(err)
	}
	if got := texts(Filter{Favourites: true}); got != nil {
		t.Errorf("favourites %q", got)
	}
	g.Close()
	if err := os.WriteFile(filepath.Join(folder, favouritesFile), []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if n, _ := open(t, folder, generous).Size(); n != 3 {
		t.Errorf("%d pictures beside a damaged list", n)
	}
}

func TestFilters(t *testing.T) {
	g := open(t, "", generous)
	for _, run := range []string{"first", "second"} {
		for _, look := range []string{"", "comic"} {
			r := of("a toy of " + run)
			r.Domain, r.Run, r.Cartoon.Style = "toys", run, look
			put(t, g, r)
		}
	}
	for _, mapper := range []string{"11111111aa", "22222222bb", "22222222bb"} {
		r := of("a ship")
		r.Domain, r.Run, r.Networks = "ships", "first", map[string]string{"mapper": mapper}
		put(t, g, r)
	}
	cat := of("a cat")
	cat.Domain, cat.Run, cat.Cartoon.Style = "cats", "third", "ink"
	put(t, g, cat)
	for f, want := range map[Filter]int{{}: 8, {Run: "first"}: 5, {Run: "first@22222222"}: 2,
		{Run: "first@11111111", Domain: "toys"}: 0, {Look: "comic"}: 2, {Look: asDrawn}: 5,
		{Run: "second", Look: "comic"}: 1, {Domain: "toys"}: 4, {Domain: "cats"}: 1, {Domain: "dogs"}: 0,
		{Run: "fourth"}: 0, {Query: "second comic"}: 1} {
		if _, total := g.Find(f, "", 9); total != want {
			t.Errorf("%+v finds %d, want %d", f, total, want)
		}
	}
	domains := []string{"cats", "ships", "toys"}
	for domain, want := range map[string]Facets{
		"": {domains, []string{"first", "first@11111111", "first@22222222", "second", "third"},
			[]string{"comic", "ink"}},
		"toys":  {domains, []string{"first", "second"}, []string{"comic"}},
		"ships": {domains, []string{"first", "first@11111111", "first@22222222"}, []string{}},
		"dogs":  {domains, []string{}, []string{}},
	} {
		if got := g.Facets(domain); !reflect.DeepEqual(got, want) {
			t.Errorf("facets of %q: %q, want %q", domain, got, want)
		}
	}
}
