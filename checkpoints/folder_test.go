package checkpoints

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"illustrator/internal/fault"
)

type sampleConfig struct {
	ModelType string `json:"model_type"`
	Size      int    `json:"size"`
}

func sampleContents() Contents {
	return Contents{
		Config: sampleConfig{"sample", 8}, Weights: sampleWeights(), Files: map[string][]byte{"vocab.json": []byte("{}")},
		Layout: "sample/layout", Tool: "test", Source: Source{File: "/some/where/sample.pt",
			SHA256: SHA256([]byte("source"))},
	}
}

func writeSample(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "sub", "net")
	if err := Write(dir, sampleContents()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// listing returns the names in a folder, hidden ones too.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestFolderRoundTrip(t *testing.T) {
	dir := writeSample(t)
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	w, err := f.Weights()
	if err != nil {
		t.Fatal(err)
	}
	sameTensors(t, w, sampleWeights())
	if w.Metadata["format"] != "pt" {
		t.Errorf("metadata %v: transformers wants a format", w.Metadata)
	}
	var cfg sampleConfig
	if err := f.Config(&cfg); err != nil || cfg != (sampleConfig{"sample", 8}) {
		t.Errorf("config %v, %v", cfg, err)
	}
	if vocab, err := f.ReadFile("vocab.json"); err != nil || string(vocab) != "{}" {
		t.Errorf("vocab %q, %v", vocab, err)
	}
	m := f.Manifest()
	if m.Source.File != "sample.pt" || m.Layout != "sample/layout" || m.Tool != "test" || len(m.Files) != 3 {
		t.Errorf("manifest %+v", m)
	}
	onDisk, err := SHA256OfFile(filepath.Join(dir, WeightsFile))
	if err != nil || f.SHA256() != onDisk.SHA256 || f.Location() != dir {
		t.Errorf("%s of %s, on disk %v, %v", f.SHA256(), f.Location(), onDisk, err)
	}
	if got := listing(t, filepath.Dir(dir)); !slices.Equal(got, []string{"net"}) {
		t.Errorf("left beside the folder: %v", got)
	}
}

func TestFolderWithoutManifest(t *testing.T) {
	dir := writeSample(t)
	with, _ := Open(dir)
	if err := os.Remove(filepath.Join(dir, ManifestFile)); err != nil {
		t.Fatal(err)
	}
	f, err := Open(dir + "/")
	if err != nil {
		t.Fatal(err)
	}
	if f.SHA256() != with.SHA256() || f.Manifest() != nil {
		t.Errorf("hash %s, want %s", f.SHA256(), with.SHA256())
	}
	if w, err := f.Weights(); err != nil || w.Source != filepath.Join(dir, WeightsFile) {
		t.Errorf("%v, %v", w, err)
	}
	// Changed after it was opened and identified.
	flip(t, filepath.Join(dir, WeightsFile), -1)
	if _, err := f.Weights(); err == nil {
		t.Error("no error for weights that changed after Open")
	}
}

// flip changes one bit of a file; at counts from the end if negative.
func flip(t *testing.T, path string, at int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if at < 0 {
		at += len(data)
	}
	data[at] ^= 1
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFolderDamaged(t *testing.T) {
	for _, name := range []string{ConfigFile, WeightsFile, "vocab.json"} {
		dir := writeSample(t)
		f, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		want := f.Manifest().Files[name].SHA256
		flip(t, filepath.Join(dir, name), -1)
		got, _ := SHA256OfFile(filepath.Join(dir, name))
		refuse(t, filepath.Join(dir, name), 4096, func() error { _, err := f.ReadFile(name); return err }, want, got.SHA256)

		if err := os.WriteFile(filepath.Join(dir, name), []byte("short"), 0o644); err != nil {
			t.Fatal(err)
		}
		refuse(t, filepath.Join(dir, name), 4096, func() error { _, err := f.ReadFile(name); return err }, "has 5 bytes")
	}
	dir := writeSample(t)
	flip(t, filepath.Join(dir, WeightsFile), 100)
	f, _ := Open(dir)
	if _, err := f.Weights(); err == nil {
		t.Error("no error for weights with a flipped bit")
	}
	flip(t, filepath.Join(dir, ConfigFile), 3)
	if err := f.Config(new(sampleConfig)); err == nil || !strings.Contains(err.Error(), ConfigFile) {
		t.Errorf("got %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	edit := func(name string, content string) func(dir string) {
		return func(dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(dir string) {
		return func(dir string) { os.Remove(filepath.Join(dir, name)) }
	}
	for name, c := range map[string]struct {
		change func(dir string)
		want   string
	}{
		"no config":           {remove(ConfigFile), "config.json is missing"},
		"no weights":          {remove(WeightsFile), "model.safetensors is missing"},
		"manifest no JSON":    {edit(ManifestFile, "{"), "manifest.json"},
		"manifest with more":  {edit(ManifestFile, `{"layers": 3}`), `unknown field "layers"`},
		"manifest without it": {edit(ManifestFile, `{"files": {}}`), "does not list model.safetensors"},
		"manifest of no hash": {edit(ManifestFile, `{"files": {"model.safetensors": {"size": 1, "sha256": "abc"}}}`),
			`sha256 is "abc"`},
		"manifest over a limit": {edit(ManifestFile, strings.Repeat(" ", maxManifest+1)), "more than a manifest has"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeSample(t)
			c.change(dir)
			refuse(t, dir, maxManifest, func() error { _, err := Open(dir); return err }, c.want)
		})
	}
	t.Run("missing file", func(t *testing.T) {
		dir := writeSample(t)
		f, _ := Open(dir)
		os.Remove(filepath.Join(dir, "vocab.json"))
		refuse(t, "vocab.json", 4096, func() error { _, err := f.ReadFile("vocab.json"); return err }, "is missing")
		refuse(t, "merges.txt", 4096, func() error { _, err := f.ReadFile("merges.txt"); return err },
			"does not list merges.txt")
		refuse(t, "../x", 4096, func() error { _, err := f.ReadFile("../x"); return err })
	})
	t.Run("config no JSON", func(t *testing.T) {
		dir := writeSample(t)
		os.Remove(filepath.Join(dir, ManifestFile))
		edit(ConfigFile, "{")(dir)
		f, _ := Open(dir)
		refuse(t, filepath.Join(dir, ConfigFile), 4096, func() error { return f.Config(new(sampleConfig)) })
	})
	t.Run("elsewhere", func(t *testing.T) {
		dir := writeSample(t)
		refuse(t, "none", 0, func() error { _, err := Open(filepath.Join(dir, "none")); return err }, "file does not exist")
		refuse(t, WeightsFile, 0, func() error { _, err := Open(filepath.Join(dir, WeightsFile)); return err },
			"it is a file")
		_, err := Open("embedded:lorelei/nothing")
		if err == nil || !fault.IsUsage(err) || !strings.Contains(fault.HintOf(err), "embedded:lorelei/generator") {
			t.Errorf("got %v, hint %q", err, fault.HintOf(err))
		}
		if _, err := Open("embedded:../checkpoints"); err == nil {
			t.Error("no error outside of the embedded folders")
		}
	})
}

func TestWriteAgain(t *testing.T) {
	dir := writeSample(t)
	before, _ := os.Stat(filepath.Join(dir, WeightsFile))
	if err := Write(dir, sampleContents()); err != nil {
		t.Fatalf("same contents: %v", err)
	}
	if after, _ := os.Stat(filepath.Join(dir, WeightsFile)); !os.SameFile(before, after) {
		t.Error("the same contents were written again")
	}
	other := sampleContents()
	other.Config = sampleConfig{"sample", 16}
	refuse(t, dir, 4096, func() error { return Write(dir, other) }, "has other contents")
	size := func() int {
		f, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		var cfg sampleConfig
		if err := f.Config(&cfg); err != nil {
			t.Fatal(err)
		}
		return cfg.Size
	}
	if size() != 8 {
		t.Error("a refused write changed the folder")
	}
	other.Replace = true
	if err := Write(dir, other); err != nil || size() != 16 {
		t.Errorf("replaced: %v, size %d", err, size())
	}
	if got := listing(t, filepath.Dir(dir)); !slices.Equal(got, []string{"net"}) {
		t.Errorf("left beside the folder: %v", got)
	}

	// What somebody else put there is not replaced.
	os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o644)
	again := sampleContents()
	again.Replace = true
	refuse(t, dir, 4096, func() error { return Write(dir, again) }, "notes.txt")
	foreign := filepath.Join(t.TempDir(), "home")
	os.MkdirAll(filepath.Join(foreign, "letters"), 0o755)
	refuse(t, foreign, 4096, func() error { return Write(foreign, again) }, "no manifest.json")
	plain := filepath.Join(t.TempDir(), "file")
	os.WriteFile(plain, nil, 0o644)
	if err := Write(plain, again); err == nil {
		t.Error("a file was replaced by a folder")
	}
}

func TestWriteRefuses(t *testing.T) {
	parent := t.TempDir()
	for name, change := range map[string]func(c *Contents){
		"tensor that does not fit": func(c *Contents) { c.Weights.Tensors["x"] = Tensor{DType: F32, Shape: []int{9}} },
		"config that is not JSON":  func(c *Contents) { c.Config = func() {} },
		"file outside":             func(c *Contents) { c.Files["../x"] = nil },
		"file in place of weights": func(c *Contents) { c.Files[WeightsFile] = nil },
		"hidden file":              func(c *Contents) { c.Files[".x"] = nil },
	} {
		c := sampleContents()
		change(&c)
		if err := Write(filepath.Join(parent, "net"), c); err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := listing(t, parent); len(got) != 0 {
			t.Errorf("%s: left %v", name, got)
		}
	}
	file := filepath.Join(parent, "file")
	os.WriteFile(file, nil, 0o644)
	refuse(t, filepath.Join(file, "net"), 4096,
		func() error { return Write(filepath.Join(file, "net"), sampleContents()) })
}

func TestWriteRawConfig(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "net")
	c := sampleContents()
	raw := "{ \"model_type\":\"x\" ,\"other\": 1}"
	c.Config = json.RawMessage(raw)
	if err := Write(dir, c); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, ConfigFile)); string(got) != raw {
		t.Errorf("config %q", got)
	}
}

// The embedded networks agree with their manifests, file by file. Lorelei's first networks come from PyTorch files, the
// others from the toolkit's own trainings.
func TestEmbedded(t *testing.T) {
	const converted, trained, worlds = "illustrator convert", "illustrator train", "worlds"
	tools := map[string]string{
		"embedded:chapel/classifier": worlds, "embedded:chapel/generator": worlds, "embedded:chapel/mapper": trained,
		"embedded:lorelei/classifier": converted, "embedded:lorelei/clip": converted,
		"embedded:lorelei/generator": converted, "embedded:lorelei/mapper": trained,
		"embedded:shared/clip":         worlds,
		"embedded:whiskers/classifier": worlds, "embedded:whiskers/generator": worlds, "embedded:whiskers/mapper": trained,
	}
	if got, want := Embedded(), slices.Sorted(maps.Keys(tools)); !slices.Equal(got, want) {
		t.Fatalf("embedded are %v, want %v", got, want)
	}
	for location, tool := range tools {
		f, err := Open(location)
		if err != nil {
			t.Fatal(err)
		}
		m := f.Manifest()
		if m == nil || m.Tool != tool || tool == converted && (m.Source.File == "" || len(m.Source.SHA256) != 64) {
			t.Errorf("%s: manifest %+v", location, m)
			continue
		}
		for name := range m.Files {
			if _, err := f.ReadFile(name); err != nil {
				t.Error(err)
			}
		}
		w, err := f.Weights()
		if err != nil || len(w.Tensors) < 30 || w.Source != location+"/model.safetensors" {
			t.Errorf("%s: %v", location, err)
		}
	}
}
