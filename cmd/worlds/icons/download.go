package icons

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"illustrator/checkpoints/fetch"
	"illustrator/internal/fault"
)

// registry is the address of npm's packages.
const registry = "https://registry.npmjs.org/"

// packages are the npm packages that icons and their names come from, with their licences.
var packages = []Package{
	{"noto", "Apache-2.0, Google", fetch.File{
		URL: registry + "@iconify-json/noto/-/noto-1.2.9.tgz", Size: 3102958,
		SHA256: "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad",
	}},
	{"fluent-emoji-flat", "MIT, Microsoft", fetch.File{
		URL: registry + "@iconify-json/fluent-emoji-flat/-/fluent-emoji-flat-1.2.6.tgz", Size: 1172438,
		SHA256: "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175",
	}},
	{"twemoji", "CC-BY-4.0, Twitter and other contributors", fetch.File{
		URL: registry + "@iconify-json/twemoji/-/twemoji-1.2.5.tgz", Size: 1555888,
		SHA256: "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7",
	}},
	names,
}

// names is the package of the icons' names and tags.
var names = Package{"emojibase-data", "MIT, Miles Johnson", fetch.File{
	URL: registry + "emojibase-data/-/emojibase-data-17.0.0.tgz", Size: 6711091,
	SHA256: "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a",
}}

// A Package is an archive of npm's registry.
type Package struct {
	Name    string
	Licence string
	File    fetch.File
}

// Download puts the packages' archives into a folder. It keeps those that are there.
func Download(ctx context.Context, client *fetch.Client, folder string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	for _, p := range packages {
		if err := client.Get(ctx, p.File, p.path(folder)); err != nil {
			return fault.Hint(fmt.Errorf("download the icons of npm package %s: %w", p.Name, err),
				"without a network, copy %s to %s", p.File.URL, p.path(folder))
		}
	}
	return nil
}

func (p Package) path(folder string) string { return filepath.Join(folder, p.File.Name()) }

// read parses JSON files of the package's archive into the values that they are mapped to.
func (p Package) read(folder string, files map[string]any) error {
	path := p.path(folder)
	if _, err := p.File.Check(path); errors.Is(err, os.ErrNotExist) {
		return fault.Hint(fmt.Errorf("the icons of npm package %s are not in %s: %w", p.Name, folder, fs.ErrNotExist),
			"download %s to %s, or run `worlds` with a network", p.File.URL, path)
	} else if err != nil {
		return fault.Hint(err, "remove %s, and run `worlds` with a network", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	read := 0
	for archive := tar.NewReader(unpacked); read < len(files); {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%s has %d of the %d files that are expected", path, read, len(files))
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", path, err)
		}
		if into, wanted := files[header.Name]; wanted {
			if err := json.NewDecoder(archive).Decode(into); err != nil {
				return fmt.Errorf("read %s in %s: %w", header.Name, path, err)
			}
			read++
		}
	}
	return nil
}
