package configs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"illustrator/internal/fault"
	"illustrator/models/stylegan2"
)

// The release's prompts and α, and folders, sizes and hashes that fit each other.
func TestPublishedDomains(t *testing.T) {
	folder := t.TempDir()
	t.Setenv(WeightsEnv, folder)
	for name, want := range map[string]struct {
		size       int
		textPrompt string
		sha256     []string // of the generator's files, or their beginnings
	}{
		"faces-ffhq-1024": {1024, "A normal human face.",
			[]string{"bce9310c", "646c7e7c5e3fc4cf8e83dcfe5dce505cc74b61d8982c09563932aa15c4baf18c"}},
		"faces-ffhq-256": {256, "A normal human face.", []string{"7890ae1f"}},
		"cats-256": {256, "A Cat.", []string{"15bc485b",
			"ff1036877c8964ba7c9e84316e67ea26bea64bbfcf6bd6c645f45589d248727f"}},
		"churches-256": {256, "A normal church.", []string{"1d42b7d1",
			"596f59f0ab72d3d5e821846dbf53fff0406c0103ff4fa46ae0a2508d80b3a2d0"}},
	} {
		d, err := OpenDomain(name)
		if err != nil {
			t.Fatal(err)
		}
		if d.Size != want.size || d.TextPrompt != want.textPrompt || d.Alpha != 1.75 || d.ZDim != 512 || d.EmbedDim != 512 {
			t.Errorf("%s: %+v", name, d)
		}
		published := d.Published()
		if len(published) != 2 {
			t.Fatalf("%s: %d networks", name, len(published))
		}
		for i, source := range published[0].Sources {
			file := source.Files[0]
			if len(source.Files) != 1 || file.SHA256 != want.sha256[i] {
				t.Errorf("%s: %+v, want SHA-256 %s", name, source, want.sha256[i])
			}
			// MMGeneration's names end with the beginning of the hash.
			order := stylegan2.RGB
			if strings.HasSuffix(file.Name(), "-"+file.SHA256+".pth") {
				order = stylegan2.BGR
			}
			if order != source.ColorOrder {
				t.Errorf("%s: color order %s, want %s", name, source.ColorOrder, order)
			}
		}
		if d.PromptsPath() != filepath.Join(folder, name+".prompts.safetensors") ||
			d.Locations().CLIP != filepath.Join(folder, "clip-vit-base-patch32") {
			t.Errorf("%s: prompts %s, clip %s", name, d.PromptsPath(), d.Locations().CLIP)
		}
		err = d.checkFetched()
		if !notFetched(err, name) || !strings.Contains(err.Error(), d.Locations().Generator) {
			t.Errorf("%s, not fetched: %v", name, err)
		}
	}
}

// A domain of one's own may have sources too.
func TestSourcesOfAnotherDomain(t *testing.T) {
	good := `name: cats
generator: nets/g
clip: c
text_prompt: A Cat.
alpha: 1
sources:
  generator:
    - licence: free
      color_order: RGB
      files:
        - {url: "https://a.org/g.pt", size: 5, sha256: 01234567}
`
	path := writeFile(t, "cats.yaml", good)
	d, err := OpenDomain(path)
	if err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(filepath.Dir(path), "nets/g")
	if p := d.Published(); len(p) != 1 || p[0].Network != "generator" || p[0].Folder != want ||
		p[0].Sources[0].Files[0].Name() != "g.pt" {
		t.Errorf("%+v", p)
	}
	if err := d.checkFetched(); !notFetched(err, path) {
		t.Errorf("not fetched: %v", err)
	}
	if err := os.MkdirAll(want, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(want, "config.json"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := d.checkFetched(); err != nil {
		t.Errorf("fetched: %v", err)
	}
	for change, want := range map[[2]string][2]string{
		{"licence: free", "about: x"}:  {"sources.generator[0].licence is missing", "licence"},
		{"RGB", "GBR"}:                 {`sources.generator[0].color_order: color order "GBR" is unknown`, "RGB or BGR"},
		{"01234567", "XY"}:             {`sources.generator[0].files[0]: sha256 is "XY"`, "64"},
		{"https://a.org/g.pt", "g.pt"}: {`url "g.pt" is not the address of a file`, "https://"},
		{"generator: nets/g", "generator: embedded:lorelei/generator"}: {"sources.generator is given", "leave it out"},
		{"size: 5", "bytes: 5"}: {`line 11: unknown key "bytes"`, ""},
	} {
		_, err := OpenDomain(writeFile(t, "cats.yaml", strings.Replace(good, change[0], change[1], 1)))
		expectMistake(t, change[1], err, want[0], want[1])
	}
}

// The runs that reproduce the paper differ from the release's settings in their domain, and in having the validation's
// pairs beside the 10,000 to train on.
func TestPaperRuns(t *testing.T) {
	for name, domain := range map[string]string{"faces-ffhq": "faces-ffhq-1024", "cats": "cats-256",
		"churches": "churches-256"} {
		run, err := OpenRun(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := Paper()
		want.Domain, want.Pairs.Rows = domain, 10_000+want.Train.Validation.Rows
		if diff := cmp.Diff(want, run); diff != "" {
			t.Errorf("%s (-want +file):\n%s", name, diff)
		}
	}
}

// notFetched reports whether an error says that networks of the domain called ref are missing.
func notFetched(err error, ref string) bool {
	var e *fault.Error
	return errors.As(err, &e) && e.Code == NotFetched && e.Args[0] == ref
}
