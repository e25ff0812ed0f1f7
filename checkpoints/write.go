package checkpoints

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"illustrator/internal/fault"
)

// Contents holds the contents of a folder to write.
type Contents struct {
	// Config becomes config.json: indented JSON, or the bytes as they are if it is a json.RawMessage.
	Config  any
	Weights *Weights
	// Files are further files by name, such as vocab.json.
	Files map[string][]byte
	// Layout, Tool, Source and Networks go into the manifest. Of Source.File only the last element is kept.
	Layout   string
	Tool     string
	Source   Source
	Networks map[string]string
	// Replace allows to replace a network's folder that has other contents.
	Replace bool
}

// framework is the safetensors metadata that transformers wants before it loads a file.
var framework = map[string]string{"format": "pt"}

// Write writes a folder with its manifest. All is written under a temporary name beside dir, synced and renamed: there
// is never a half-written folder under the name dir. A folder with the same contents is left as it is; one with others
// is an error unless c.Replace. Equal contents give equal bytes: they hold no time.
func Write(dir string, c Contents) error {
	if err := write(dir, c); err != nil {
		var onDisk *fs.PathError
		if errors.As(err, &onDisk) && fault.HintOf(err) == "" {
			err = fault.Hint(err, "choose a folder in a place that you may write to and that has room")
		}
		return fmt.Errorf("write weights %q: %w", dir, err)
	}
	return nil
}

func write(dir string, c Contents) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := checkWritable(c.Weights); err != nil {
		return err
	}
	config, err := encodeConfig(c.Config)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o777); err != nil {
		return err
	}
	temporary, err := sibling(dir, "tmp")
	if err != nil {
		return err
	}
	if err := os.Mkdir(temporary, 0o777); err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	if err := fill(temporary, config, c); err != nil {
		return err
	}
	return install(temporary, dir, c.Replace)
}

// fill writes the files into the folder and syncs them and it.
func fill(folder string, config []byte, c Contents) error {
	files := map[string][]byte{ConfigFile: config}
	for name, data := range c.Files {
		if name == ConfigFile || name == WeightsFile || name == ManifestFile || name != filepath.Base(name) ||
			strings.HasPrefix(name, ".") {
			return fmt.Errorf("a further file cannot be called %q", name)
		}
		files[name] = data
	}
	m := Manifest{Layout: c.Layout, Tool: c.Tool, Source: c.Source, Networks: c.Networks, Files: map[string]File{}}
	if m.Source.File != "" {
		m.Source.File = filepath.Base(m.Source.File)
	}
	add := func(name string, content func(w io.Writer) error) (err error) {
		m.Files[name], err = writeFile(filepath.Join(folder, name), content)
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := add(name, func(w io.Writer) error { _, err := w.Write(files[name]); return err }); err != nil {
			return err
		}
	}
	if err := add(WeightsFile, func(w io.Writer) error { return serialize(w, c.Weights, framework) }); err != nil {
		return err
	}
	manifest, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	manifest = append(manifest, '\n')
	if _, err := writeFile(filepath.Join(folder, ManifestFile),
		func(w io.Writer) error { _, err := w.Write(manifest); return err }); err != nil {
		return err
	}
	return SyncFolder(folder)
}

func encodeConfig(config any) ([]byte, error) {
	if raw, ok := config.(json.RawMessage); ok {
		return raw, nil
	}
	data, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", ConfigFile, err)
	}
	return append(data, '\n'), nil
}

// install moves the finished folder to its name.
func install(finished, dir string, replace bool) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0:
		if err := os.Rename(finished, dir); err != nil {
			return err
		}
		return SyncFolder(filepath.Dir(dir))
	case err != nil:
		return err
	}
	if same, err := contains(dir, finished); err != nil || same {
		return err
	}
	if !replace {
		return fault.WithCode(fault.Hint(errors.New("the folder exists and has other contents"),
			"choose another folder, remove it, or allow to replace it"), OtherContents)
	}
	if err := replaceable(dir); err != nil {
		return err
	}
	old, err := sibling(dir, "old")
	if err != nil {
		return err
	}
	if err := os.Rename(dir, old); err != nil {
		return err
	}
	if err := os.Rename(finished, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir))
	}
	return errors.Join(SyncFolder(filepath.Dir(dir)), os.RemoveAll(old))
}

// contains reports whether dir has all files of other with the same bytes.
func contains(dir, other string) (bool, error) {
	entries, err := os.ReadDir(other)
	if err != nil {
		return false, err
	}
	for _, e := range entries {
		want, err := SHA256OfFile(filepath.Join(other, e.Name()))
		if err != nil {
			return false, err
		}
		got, err := SHA256OfFile(filepath.Join(dir, e.Name()))
		if errors.Is(err, fs.ErrNotExist) || err == nil && got != want {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// replaceable refuses to replace what is not a network's folder, or holds files that its manifest does not list:
// somebody else put them there.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	hint := "choose another folder or remove it yourself"
	data, err := os.ReadFile(filepath.Join(dir, ManifestFile))
	if err != nil {
		return fault.Hint(fmt.Errorf("the folder exists and has no %s: it is not replaced", ManifestFile), "%s", hint)
	}
	m, err := parseManifest(filepath.Join(dir, ManifestFile), data)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if _, ok := m.Files[e.Name()]; !ok && e.Name() != ManifestFile {
			return fault.Hint(fmt.Errorf("the folder exists and has %q, which its manifest does not list: it is not replaced",
				e.Name()), "%s", hint)
		}
	}
	return nil
}

// sibling returns a new name beside dir, hidden, for a folder that does not stay.
func sibling(dir, purpose string) (string, error) {
	var random [6]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(dir), fmt.Sprintf(".%s.%s-%x", filepath.Base(dir), purpose, random)), nil
}

// SyncFolder makes the names of new and renamed files in a folder last through a crash of the machine.
func SyncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
