package arrays

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// maxEntry bounds the bytes of an array in a .npz file once it is unpacked.
const maxEntry = 4 << 30

// readNPZ reads one array of a .npz file, a zip archive of .npy files as numpy.savez and savez_compressed write it.
func readNPZ(path, name string, usual []string) (*Array, error) {
	f, size, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, fault.Hint(fmt.Errorf("not a zip archive of NumPy files: %w", err),
			"save the arrays with numpy.savez")
	}
	entries := map[string]*zip.File{}
	var names []string
	for _, e := range z.File {
		array, ok := strings.CutSuffix(e.Name, ".npy")
		switch {
		case ok && entries[array] != nil:
			return nil, fault.Hint(fmt.Errorf("it holds %q twice", e.Name), "save the arrays with numpy.savez")
		case ok:
			entries[array] = e
			names = append(names, array)
		}
	}
	if len(names) == 0 {
		return nil, fault.Hint(fmt.Errorf("it holds no arrays"), "save the arrays with numpy.savez")
	}
	slices.Sort(names)
	if name, err = choose(names, name, usual); err != nil {
		return nil, err
	}
	a, err := readEntry(entries[name])
	if err != nil {
		return nil, fmt.Errorf("array %q: %w", name, err)
	}
	a.Name = name
	return a, nil
}

// readEntry unpacks and reads an array. Memory grows with what is there, not with what the archive claims.
func readEntry(e *zip.File) (*Array, error) {
	if e.UncompressedSize64 > maxEntry {
		return nil, fmt.Errorf("it claims %d bytes; at most %d are read", e.UncompressedSize64, int64(maxEntry))
	}
	r, err := e.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	raw, err := io.ReadAll(io.LimitReader(r, int64(e.UncompressedSize64)+1))
	if err != nil {
		return nil, err
	}
	return parseNPY(bytes.NewReader(raw), int64(len(raw)))
}
