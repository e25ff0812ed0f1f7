package checkpoints

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"illustrator/internal/fault"
)

// A PyTorch checkpoint is a zip archive since version 1.6: NAME/data.pkl holds a pickle of dicts and tensors' shapes,
// NAME/data/KEY the elements of one storage, NAME/byteorder the byte order. Entries are stored, not compressed. A TorchScript
// program is such an archive with the text of its methods beside, which is not read: its pickle holds modules.
// torch_legacy.go has the format before, torch_plain.go pickles of Python's own. A pickle is a program. It is run here by a machine that knows a short list of classes and none that acts.

// TorchFile is an open PyTorch checkpoint: a tree of dicts whose leaves are tensors and plain values. The tensors are
// read when they are asked for, so that a training checkpoint does not cost the memory of its optimizer.
type TorchFile struct {
	*TorchDict
	file io.Closer
}

// TorchDict is a dict of a PyTorch checkpoint.
type TorchDict struct {
	source  string
	archive *archive
	entries map[string]any // *TorchDict, *torchTensor, or other
	values  map[string]any // a module's plain attributes
}

// ReadTorch opens a PyTorch checkpoint (.pt, .pth, .bin), a TorchScript program (.pt) or NVIDIA's pickle (.pkl) without executing anything in it. Its pickle, its classes, the
// sizes of its entries and the place of every tensor in them are checked; the elements are read later. Close it.
//
// Refused, by name: classes other than tensors and containers, compressed or overlapping entries, big-endian files. A
// module becomes a dict of its tensors under the names that its state dict would have; see TorchDict.Value.
func ReadTorch(path string) (*TorchFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, openError(err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fault.Hint(fmt.Errorf("%s is a folder, not a PyTorch file", path), "name the .pt, .pth or .bin file")
	}
	var t *TorchFile
	if err == nil {
		t, err = readTorch(path, f, info.Size())
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	t.file = f
	return t, nil
}

// parseTorch is ReadTorch for the bytes of a file; source names them in messages.
func parseTorch(source string, data []byte) (*TorchFile, error) {
	return readTorch(source, bytes.NewReader(data), int64(len(data)))
}

// Close closes the file. Tensors that were read stay.
func (f *TorchFile) Close() error {
	if f.file == nil {
		return nil
	}
	return f.file.Close()
}

func readTorch(source string, r io.ReaderAt, size int64) (*TorchFile, error) {
	fail := func(err error) (*TorchFile, error) {
		if fault.HintOf(err) == "" {
			err = fault.Hint(err, "the file is damaged, cut short or was made to mislead: fetch it again and compare its SHA-256")
		}
		return nil, fmt.Errorf("read PyTorch file %s: %w", source, err)
	}
	open := openZip
	switch {
	case isLegacy(r):
		open = openLegacy
	case isPlain(r):
		open = openPlain
	}
	a, root, err := open(r, size)
	if err != nil {
		return fail(err)
	}
	tree, err := (&treeBuilder{archive: a, done: map[any]any{}}).build(root, 0)
	if err != nil {
		return fail(err)
	}
	dict, ok := tree.(*TorchDict)
	if !ok {
		t, ok := tree.(*torchTensor)
		if !ok {
			return fail(errors.New("it holds neither a dict nor a tensor"))
		}
		dict = &TorchDict{archive: a, entries: map[string]any{"tensor": t}}
	}
	dict.name(source)
	return &TorchFile{TorchDict: dict}, nil
}

// name tells a dict and those in it where they are, for messages.
func (d *TorchDict) name(source string) {
	if d.source != "" {
		return // reached before by another way
	}
	d.source = source
	for key, value := range d.entries {
		if sub, ok := value.(*TorchDict); ok {
			sub.name(source + ": " + key)
		}
	}
}

// Format says in words what kind of file it is.
func (f *TorchFile) Format() string { return f.archive.format }

// ClassValue is the name of the value that is a module's class.
const ClassValue = "__class__"

// Value returns a plain value: that of the dict's entry, or of a module's attribute, such as "synthesis.b4.architecture" or,
// for the class, "synthesis.b4.__class__". It is an int, a float64, a string, a bool or nil.
func (d *TorchDict) Value(name string) (any, bool) {
	v, ok := d.values[name]
	if !ok {
		v, ok = d.entries[name]
	}
	switch v.(type) {
	case int, float64, string, bool, nil:
		return v, ok
	}
	return nil, false
}

// Keys returns the names of the dict's entries, sorted. Numbers as keys are in decimal. A file that holds nothing but one
// tensor has it under the name "tensor".
func (d *TorchDict) Keys() []string { return slices.Sorted(maps.Keys(d.entries)) }

// Section returns the dict called name in this one.
func (d *TorchDict) Section(name string) (*TorchDict, bool) {
	sub, ok := d.entries[name].(*TorchDict)
	return sub, ok
}

// Tensor reads the tensor called name.
func (d *TorchDict) Tensor(name string) (Tensor, error) {
	w, err := d.read([]string{name}, "", false)
	if err != nil {
		return Tensor{}, err
	}
	return w.Tensors[name], nil
}

// Weights reads the tensors whose names begin with prefix and cuts it off. Every such entry must be a tensor. Tensors may
// share memory: do not write into them.
func (d *TorchDict) Weights(prefix string) (*Weights, error) {
	return d.read(d.beginning(prefix), prefix, false)
}

// Headers is Weights without the elements: types and shapes alone, from what ReadTorch has read.
func (d *TorchDict) Headers(prefix string) (*Weights, error) {
	return d.read(d.beginning(prefix), prefix, true)
}

// beginning returns the names that begin with prefix.
func (d *TorchDict) beginning(prefix string) (names []string) {
	for _, name := range d.Keys() {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names
}

func (d *TorchDict) read(names []string, prefix string, headers bool) (*Weights, error) {
	w := &Weights{Source: d.source, Tensors: make(map[string]Tensor, len(names))}
	storages := map[string][]byte{}
	var total int64
	for _, name := range names {
		t, ok := d.entries[name].(*torchTensor)
		if !ok {
			return nil, fmt.Errorf("%s: entry %q is not a tensor", d.source, name)
		}
		if headers {
			w.Tensors[strings.TrimPrefix(name, prefix)] = Tensor{DType: t.storage.dtype, Shape: t.shape}
			continue
		}
		// Many tensors can lie in one storage, and copies of them take more than the file: four times is enough for all.
		if total += int64(t.elements()) * int64(t.storage.dtype.Size()); total > 4*d.archive.size {
			return nil, fmt.Errorf("%s: its tensors claim more than %d bytes, the file has %d", d.source, 4*d.archive.size, d.archive.size)
		}
		tensor, err := t.read(d.archive, storages)
		if err != nil {
			return nil, fmt.Errorf("%s: tensor %q: %w", d.source, name, err)
		}
		w.Tensors[strings.TrimPrefix(name, prefix)] = tensor
	}
	return w, nil
}

// archive is a checkpoint's file: its entries by name, "data/KEY" for the elements of a storage.
type archive struct {
	format  string // in words
	size    int64
	entries map[string]stored
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
	root, err := unpickle(data, a.newStorage)
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
			return nil, fault.Hint(fmt.Errorf("entry %q is compressed (method %d)", f.Name, f.Method), "PyTorch stores entries as they are: load and save the file with PyTorch")
		case f.UncompressedSize64 > left:
			return nil, fmt.Errorf("entry %q claims %d bytes, more than the file has left", f.Name, f.UncompressedSize64)
		}
		left -= f.UncompressedSize64
		name := strings.TrimPrefix(f.Name, folder)
		if _, ok := a.entries[name]; ok {
			return nil, fmt.Errorf("entry %q comes twice", f.Name)
		}
		a.entries[name] = stored{f.UncompressedSize64, f.Open}
	}
	if _, ok := a.entries["byteorder"]; ok {
		text, err := a.read("byteorder", 16)
		if err != nil {
			return nil, err
		}
		if string(text) != "little" {
			return nil, fault.Hint(fmt.Errorf("its byte order is %q", text), "only little-endian files are read: load and save the file on a little-endian machine")
		}
	}
	return a, nil
}

// leadingFolder returns the folder with the slash that the entries lie in, named by whoever wrote the file.
func leadingFolder(files []*zip.File) (string, error) {
	folder, found := "", 0
	for _, f := range files {
		if dir, ok := strings.CutSuffix(f.Name, "/data.pkl"); ok && !strings.Contains(dir, "/") {
			folder = dir + "/"
			found++
		}
	}
	if found != 1 {
		return "", fault.Hint(fmt.Errorf("it is a zip archive with %d entries of the name */data.pkl", found), "a PyTorch checkpoint has exactly one: this is something else")
	}
	return folder, nil
}

// isProgram reports whether an entry is one that only TorchScript programs have: methods, which are compressed, and constants.
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
		return fault.Hint(fmt.Errorf("it is %s: %w", kind.what, err), "%s", kind.mend)
	case checkLength(head, size) == nil:
		return fault.Hint(fmt.Errorf("it looks like safetensors: %w", err), "a PyTorch checkpoint (.pt, .pth, .bin) is expected")
	}
	return fault.Hint(err, "PyTorch writes zip archives since version 1.6: this is something else, or damaged")
}

// read returns the bytes of an entry of at most limit bytes. In a zip archive their CRC-32 is compared with the directory's.
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
		return nil, fmt.Errorf("entry %q: %w", name, errors.Join(errors.New("its bytes are not those that were written"), err))
	}
	return data, nil
}
