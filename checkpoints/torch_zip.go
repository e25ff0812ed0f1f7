package checkpoints

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"

	"illustrator/internal/fault"
)

// archive is a checkpoint's file: its entries by name, "data/KEY" for the elements of a storage.
type archive struct {
	format  string // in words
	size    int64
	entries map[string]stored
	acting  []string // classes of the pickle that act
}

// stored is a part of the file.
type stored struct {
	size uint64
	open func() (io.ReadCloser, error)
}

// openZip opens a file of the format since version 1.6 and returns what its pickle builds.
func openZip(r io.ReaderAt, size int64) (*archive, any, error) {
	a, err := openArchive(r, size)
	if err != nil {
		return nil, nil, err
	}
	data, err := a.read("data.pkl", maxPickle)
	if err != nil {
		return nil, nil, err
	}
	root, err := a.unpickle(data, a.newStorage)
	if err != nil {
		return nil, nil, fmt.Errorf("data.pkl: %w", err)
	}
	return a, root, nil
}

// openArchive reads the directory of the zip file and checks that its entries are stored, have different names and are
// together no larger than the file, so that nothing unpacks to more than was there.
func openArchive(r io.ReaderAt, size int64) (*archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, notZip(r, size, err)
	}
	folder, err := leadingFolder(z.File)
	if err != nil {
		return nil, err
	}
	a := &archive{format: "PyTorch zip archive", size: size, entries: make(map[string]stored, len(z.File))}
	left := uint64(size)
	for _, f := range z.File {
		if isProgram(strings.TrimPrefix(f.Name, folder)) {
			a.format = "TorchScript program" // its methods are not read
			continue
		}
		switch {
		case f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64:
			return nil, fault.Hint(fmt.Errorf("entry %q is compressed (method %d)", f.Name, f.Method),
				"PyTorch stores entries as they are: load and save the file with PyTorch")
		case f.UncompressedSize64 > left:
			return nil, fmt.Errorf("entry %q claims %d bytes, more than the file has left", f.Name, f.UncompressedSize64)
		}
		left -= f.UncompressedSize64
		name := strings.TrimPrefix(f.Name, folder)
		if _, ok := a.entries[name]; ok {
			return nil, fmt.Errorf("entry %q occurs twice", f.Name)
		}
		a.entries[name] = stored{f.UncompressedSize64, f.Open}
	}
	if _, ok := a.entries["byteorder"]; ok {
		text, err := a.read("byteorder", 16)
		if err != nil {
			return nil, err
		}
		if string(text) != "little" {
			return nil, fault.Hint(fmt.Errorf("its byte order is %q", text),
				"only little-endian files are read: load and save the file on a little-endian machine")
		}
	}
	return a, nil
}

// leadingFolder returns the folder with the slash that the entries lie in, named by whoever wrote the file.
func leadingFolder(files []*zip.File) (string, error) {
	folder, count := "", 0
	for _, f := range files {
		if dir, ok := strings.CutSuffix(f.Name, "/data.pkl"); ok && !strings.Contains(dir, "/") {
			folder = dir + "/"
			count++
		}
	}
	if count != 1 {
		return "", fault.Hint(fmt.Errorf("it is a zip archive with %d entries of the name */data.pkl", count),
			"a PyTorch checkpoint has exactly one: this is something else")
	}
	return folder, nil
}

// isProgram reports whether an entry is one that only TorchScript programs have: methods, which are compressed, and
// constants.
func isProgram(name string) bool {
	return name == "constants.pkl" || strings.HasPrefix(name, "constants/") || strings.HasPrefix(name, "code/")
}

// notZip says what a file is that is not a zip archive.
func notZip(r io.ReaderAt, size int64, err error) error {
	head := make([]byte, min(size, 64))
	if n, _ := r.ReadAt(head, 0); n < len(head) {
		head = head[:n]
	}
	kind := sniff(head)
	switch {
	case len(head) == 0:
		return errors.New("the file is empty")
	case kind != nil && kind.magic == zipMagic:
		return fmt.Errorf("its end is missing or damaged: %w", err)
	case kind != nil:
		return fault.Hint(fmt.Errorf("it is %s: %w", kind.what, err), "%s", kind.hint)
	case checkLength(head, size) == nil:
		return fault.Hint(fmt.Errorf("it looks like safetensors: %w", err),
			"a PyTorch checkpoint (.pt, .pth, .bin) is expected")
	}
	return fault.Hint(err, "PyTorch writes zip archives since version 1.6: this is something else, or damaged")
}

// read returns the bytes of an entry of at most limit bytes. In a zip archive their CRC-32 is compared with the
// directory's.
func (a *archive) read(name string, limit uint64) ([]byte, error) {
	f, ok := a.entries[name]
	if !ok {
		return nil, fmt.Errorf("entry %q is missing", name)
	}
	if f.size > limit {
		return nil, fmt.Errorf("entry %q has %d bytes; at most %d are read", name, f.size, limit)
	}
	r, err := f.open()
	if err != nil {
		return nil, fmt.Errorf("entry %q: %w", name, err)
	}
	defer r.Close()
	data := make([]byte, f.size)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("entry %q: %w", name, err)
	}
	// The checksum is compared at the end of the entry.
	if n, err := r.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return nil, fmt.Errorf("entry %q: %w", name, errors.Join(errors.New("its bytes are not those that were written"),
			err))
	}
	return data, nil
}
