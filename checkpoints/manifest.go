package checkpoints

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
)

// The files of a folder that have a meaning here.
const (
	ConfigFile   = "config.json"
	WeightsFile  = "model.safetensors"
	ManifestFile = "manifest.json"
)

// Manifest says what is in a folder and where it came from.
type Manifest struct {
	// Layout is the recognised layout of the weights, for example "stylegan2/rosinality".
	Layout string `json:"layout"`
	// Tool names the program that made the folder, for example "illustrator convert".
	Tool   string `json:"tool"`
	Source Source `json:"source"`
	// Networks are the SHA-256 of the weights of the networks that these were trained with, by name, such as "clip";
	// nothing where they were trained with none, or it is not known.
	Networks map[string]string `json:"networks,omitempty"`
	// Files are all files of the folder but the manifest.
	Files map[string]File `json:"files"`
}

// Source is the file that weights were made from: its name without folders, and the SHA-256 of its bytes in
// hexadecimal.
type Source struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// File is the size of a file in bytes, and the SHA-256 of its bytes in hexadecimal.
type File struct {
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

const maxManifest = 1 << 20

func parseManifest(source string, data []byte) (*Manifest, error) {
	bad := func(err error) (*Manifest, error) {
		return nil, fault.WithCode(fault.Hint(fmt.Errorf("read %s: %w", source, err),
			"convert the folder again, or fetch it again"), InvalidManifest)
	}
	if len(data) > maxManifest {
		return bad(fmt.Errorf("%d bytes are more than a manifest has (%d)", len(data), maxManifest))
	}
	var m Manifest
	if err := jsonfile.Decode(data, &m); err != nil {
		return bad(err)
	}
	for name, f := range m.Files {
		if sum, err := hex.DecodeString(f.SHA256); err != nil || len(sum) != sha256.Size {
			return bad(fmt.Errorf("files: %q: sha256 is %q, expected 64 hexadecimal digits", name, f.SHA256))
		}
	}
	return &m, nil
}

// check compares a file's bytes with the manifest.
func (f File) check(data []byte) error {
	if int64(len(data)) != f.Size {
		return fmt.Errorf("it has %d bytes, the manifest says %d", len(data), f.Size)
	}
	if got := SHA256(data); got != f.SHA256 {
		return fmt.Errorf("its SHA-256 is %s, the manifest says %s", got, f.SHA256)
	}
	return nil
}

// SHA256 returns the SHA-256 of data in hexadecimal.
func SHA256(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// SHA256OfFile returns the SHA-256 of a file's bytes in hexadecimal, and their number.
func SHA256OfFile(path string) (File, error) {
	f, _, err := files.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	return hashOf(f)
}

// SHA256OfFiles returns the SHA-256 of the bytes of files one after the other, as `cat` would give them, and their
// number.
func SHA256OfFiles(paths ...string) (File, error) {
	h := sha256.New()
	var size int64
	for _, path := range paths {
		f, _, err := files.Open(path)
		if err != nil {
			return File{}, err
		}
		n, err := io.Copy(h, f)
		size += n
		if err := errors.Join(err, f.Close()); err != nil {
			return File{}, err
		}
	}
	return File{Size: size, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}

func hashOf(r io.Reader) (File, error) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	return File{Size: n, SHA256: hex.EncodeToString(h.Sum(nil))}, err
}
