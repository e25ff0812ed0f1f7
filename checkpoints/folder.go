package checkpoints

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"illustrator/internal/fault"
)

// EmbeddedPrefix begins the location of weights that the program carries within itself.
const EmbeddedPrefix = "embedded:"

// Folder is a network in folder form: config.json, model.safetensors, further files (a tokenizer's vocabulary) and
// manifest.json with the SHA-256 of them all. A folder without a manifest, a plain download in Hugging Face's layout,
// serves too.
type Folder struct {
	location string
	files    fs.FS
	manifest *Manifest // nil without manifest.json
	weights  File
}

// Open opens the folder at location: a path, or "embedded:" and the name of weights within the program, such as
// "embedded:lorelei/generator". The configuration and the weights must be there.
func Open(location string) (*Folder, error) {
	files, err := find(location)
	if err != nil {
		return nil, err
	}
	f := &Folder{location: location, files: files}
	for _, name := range []string{ConfigFile, WeightsFile} {
		if info, err := fs.Stat(files, name); err != nil || info.IsDir() {
			return nil, fault.Hint(fmt.Errorf("%s: %s is missing", location, name),
				"a network's folder has %s and %s (and %s, which conversion writes with them); it has %s",
				ConfigFile, WeightsFile, ManifestFile, f.list())
		}
	}
	if _, err := fs.Stat(files, ManifestFile); err == nil {
		data, err := fs.ReadFile(files, ManifestFile)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", location, err)
		}
		if f.manifest, err = parseManifest(f.path(ManifestFile), data); err != nil {
			return nil, err
		}
		weights, ok := f.manifest.Files[WeightsFile]
		if !ok {
			return nil, f.unlisted(WeightsFile)
		}
		f.weights = weights
		return f, nil
	}
	file, err := files.Open(WeightsFile)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", location, err)
	}
	defer file.Close()
	if f.weights, err = hashOf(file); err != nil {
		return nil, fmt.Errorf("open %s: %w", f.path(WeightsFile), err)
	}
	return f, nil
}

func find(location string) (fs.FS, error) {
	if name, ok := strings.CutPrefix(location, EmbeddedPrefix); ok {
		if info, err := fs.Stat(embedded, name); err != nil || !info.IsDir() {
			return nil, fault.Usage(fmt.Errorf("there are no embedded weights %q", name), "embedded are: %s",
				strings.Join(Embedded(), ", "))
		}
		return fs.Sub(embedded, name)
	}
	info, err := os.Stat(location)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.Hint(fmt.Errorf("open weights %q: %w", location, fs.ErrNotExist),
			"name a folder, or embedded weights: %s", strings.Join(Embedded(), ", "))
	case err != nil:
		return nil, fmt.Errorf("open weights %q: %w", location, err)
	case !info.IsDir():
		err := fault.Hint(fmt.Errorf("open weights %q: it is a file, not a folder", location), "convert it to a folder")
		return nil, fault.WithCode(err, NotAFolder)
	}
	return os.DirFS(location), nil
}

// Location returns what Open was given.
func (f *Folder) Location() string { return f.location }

// Manifest returns what the folder says of itself, nil if it has no manifest.
func (f *Folder) Manifest() *Manifest { return f.manifest }

// SHA256 returns the SHA-256 of model.safetensors in hexadecimal: the manifest's, or that of the bytes found by Open
// where there is none. It identifies the network in pairs and pictures.
func (f *Folder) SHA256() string { return f.weights.SHA256 }

// Has reports whether there is a file of that name.
func (f *Folder) Has(name string) bool {
	_, err := fs.Stat(f.files, name)
	return err == nil
}

// ReadFile returns the bytes of a file of the folder. They are compared with the manifest: a file that it does not
// list, or whose SHA-256 differs, is an error. A large file is mapped into memory: do not write into the bytes.
func (f *Folder) ReadFile(name string) ([]byte, error) {
	want, listed := f.expected(name)
	if !listed && f.manifest != nil {
		return nil, f.unlisted(name)
	}
	info, err := fs.Stat(f.files, name)
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("%s is missing", f.path(name)), "the folder has %s", f.list())
	}
	changed := func(err error) error {
		return fault.Hint(fmt.Errorf("%s: %w", f.path(name), err),
			"the file was changed or damaged: fetch it or convert it again")
	}
	if listed && info.Size() != want.Size {
		return nil, changed(fmt.Errorf("it has %d bytes, expected %d", info.Size(), want.Size))
	}
	data, err := f.bytes(name, info.Size())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.path(name), err)
	}
	if listed {
		if err := want.check(data); err != nil {
			return nil, changed(err)
		}
	}
	return data, nil
}

// bytes returns the bytes of a file of that size, mapped into memory if it is large.
func (f *Folder) bytes(name string, size int64) ([]byte, error) {
	file, err := f.files.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if onDisk, ok := file.(*os.File); ok {
		return contents(onDisk, size)
	}
	return fs.ReadFile(f.files, name) // within the program
}

// expected returns what is known of a file before it is read.
func (f *Folder) expected(name string) (File, bool) {
	if f.manifest != nil {
		file, ok := f.manifest.Files[name]
		return file, ok
	}
	return f.weights, name == WeightsFile
}

// Config decodes config.json into v.
func (f *Folder) Config(v any) error {
	data, err := f.ReadFile(ConfigFile)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fault.Hint(fmt.Errorf("read %s: %w", f.path(ConfigFile), err),
			"the file must be a JSON object with the network's fields")
	}
	return nil
}

// Weights reads model.safetensors. Its tensors share one buffer: do not write into it.
func (f *Folder) Weights() (*Weights, error) {
	data, err := f.ReadFile(WeightsFile)
	if err != nil {
		return nil, err
	}
	return ParseSafetensors(f.path(WeightsFile), data)
}

func (f *Folder) path(name string) string { return strings.TrimSuffix(f.location, "/") + "/" + name }

func (f *Folder) unlisted(name string) error {
	return fault.Hint(fmt.Errorf("%s does not list %s", f.path(ManifestFile), name),
		"the manifest lists %s", strings.Join(slices.Sorted(maps.Keys(f.manifest.Files)), ", "))
}

// list names the files of the folder for a hint.
func (f *Folder) list() string {
	entries, _ := fs.ReadDir(f.files, ".")
	var names []string
	for _, e := range entries {
		if len(names) == 12 {
			names = append(names, "…")
			break
		}
		names = append(names, e.Name())
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}
