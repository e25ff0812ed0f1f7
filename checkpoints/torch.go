package checkpoints

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"illustrator/internal/fault"
)

// A PyTorch checkpoint is a zip archive since version 1.6: NAME/data.pkl holds a pickle of dicts and tensors' shapes,
// NAME/data/KEY the elements of one storage, NAME/byteorder the byte order. Entries are stored, not compressed. A
// TorchScript program is such an archive with the text of its methods beside, which is not read: its pickle holds
// modules. torch_zip.go reads it, torch_legacy.go the format before, torch_plain.go pickles of Python's own. A pickle
// is a program. It is run here by a machine that knows a short list of classes and none that acts.

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

// ReadTorch opens a PyTorch checkpoint (.pt, .pth, .bin), a TorchScript program (.pt) or NVIDIA's pickle (.pkl) without
// executing anything in it. Its pickle, its classes, the sizes of its entries and the place of every tensor in them are
// checked; the elements are read later. Close it.
//
// An object of another class than tensors and containers is passed over: it is an error where a tensor or dict is asked
// for. Refused are classes that act, compressed or overlapping entries, big-endian files. A module of TorchScript's or
// NVIDIA's becomes a dict of its tensors under the names that its state dict would have; see TorchDict.Value.
func ReadTorch(path string) (*TorchFile, error) {
	f, size, err := open(path, "PyTorch", "name the .pt, .pth or .bin file")
	if err != nil {
		return nil, err
	}
	t, err := readTorch(path, f, size)
	if err != nil {
		f.Close()
		return nil, err
	}
	t.file = f
	return t, nil
}

// ParseTorch is ReadTorch for the bytes of a file; source names them in messages.
func ParseTorch(source string, data []byte) (*TorchFile, error) {
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
		err = fault.Suggest(err,
			"the file is damaged, cut short or was made to mislead: fetch it again and compare its SHA-256")
		return nil, fmt.Errorf("read PyTorch file %s: %w", source, err)
	}
	open := openZip
	switch {
	case legacyHead(r) > 0:
		open = openLegacy
	case protocolOf(r) > 0:
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
		if f, ok := tree.(*foreign); ok {
			return fail(unread("all that it holds", f.class))
		}
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

// Acting names the classes and functions in the file that would act on the machine that loads it in Python, such as
// posix.system. Here nothing is executed.
func (f *TorchFile) Acting() []string { return f.archive.acting }

// Format says in words what kind of file it is.
func (f *TorchFile) Format() string { return f.archive.format }

// ClassValue is the name of the value that is a module's class.
const ClassValue = "__class__"

// Value returns a plain value: that of the dict's entry, or of a module's attribute, such as
// "synthesis.b4.architecture" or, for the class, "synthesis.b4.__class__". It is an int, a float64, a string, a bool or
// nil.
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

// Keys returns the names of the dict's entries, sorted. Numbers as keys are in decimal. A file that holds nothing but
// one tensor has it under the name "tensor".
func (d *TorchDict) Keys() []string { return slices.Sorted(maps.Keys(d.entries)) }

// Section returns the dict called name in this one.
func (d *TorchDict) Section(name string) (*TorchDict, bool) {
	sub, ok := d.entries[name].(*TorchDict)
	return sub, ok
}

// Weights reads the tensors whose names begin with prefix and cuts it off. Tensors may share memory: do not write into
// them.
func (d *TorchDict) Weights(prefix string) (*Weights, error) { return d.Select(under(prefix), false) }

// Headers is Weights without the elements: types and shapes alone, from what ReadTorch has read.
func (d *TorchDict) Headers(prefix string) (*Weights, error) { return d.Select(under(prefix), true) }

func under(prefix string) func(string) (string, bool) {
	return func(name string) (string, bool) { return strings.CutPrefix(name, prefix) }
}

// Select reads the tensors for which name returns a name, under that name, or their headers alone. It lists the entries
// that are not tensors in Others.
func (d *TorchDict) Select(name func(old string) (string, bool), headers bool) (*Weights, error) {
	w := &Weights{Source: d.source, Tensors: map[string]Tensor{}, Others: map[string]string{}}
	r := tensorReader{archive: d.archive, storages: map[string][]byte{}}
	for _, old := range d.Keys() {
		to, ok := name(old)
		if !ok {
			continue
		}
		t, ok := d.entries[old].(*torchTensor)
		if !ok {
			w.Others[to] = describe(d.entries[old])
			continue
		}
		if _, ok := w.Tensors[to]; ok {
			return nil, fault.Hint(fmt.Errorf("%s: two tensors are %q, one of them by the name %q", d.source, to, old),
				"the file holds the weights twice: save one of them")
		}
		if headers {
			w.Tensors[to] = Tensor{DType: t.storage.dtype, Shape: t.shape}
			continue
		}
		tensor, err := r.read(t)
		if err != nil {
			return nil, fmt.Errorf("%s: tensor %q: %w", d.source, old, err)
		}
		w.Tensors[to] = tensor
	}
	return w, nil
}

// Tensor reads the tensor called name.
func (d *TorchDict) Tensor(name string) (Tensor, error) {
	switch t := d.entries[name].(type) {
	case *torchTensor:
		tensor, err := (&tensorReader{archive: d.archive, storages: map[string][]byte{}}).read(t)
		if err != nil {
			return Tensor{}, fmt.Errorf("%s: tensor %q: %w", d.source, name, err)
		}
		return tensor, nil
	case *foreign:
		return Tensor{}, unread(fmt.Sprintf("%s: entry %q", d.source, name), t.class)
	}
	return Tensor{}, fmt.Errorf("%s: entry %q is not a tensor", d.source, name)
}

// Class returns the class of the object that an entry is, or "" for an entry that is read.
func (d *TorchDict) Class(name string) string {
	if f, ok := d.entries[name].(*foreign); ok {
		return f.class
	}
	return ""
}

// describe returns what an entry other than a tensor is, in words.
func describe(v any) string {
	switch v := v.(type) {
	case *foreign:
		return "an object of the class " + v.class
	case *torchTensor:
		return "a tensor"
	case *TorchDict:
		return "a dict"
	case int, float64:
		return "a number"
	case string:
		return "a text"
	case bool, nil:
		return fmt.Sprint(v)
	}
	return "something else"
}

// tensorReader reads tensors of a file, the elements of each storage once.
type tensorReader struct {
	archive  *archive
	storages map[string][]byte
	total    int64
}

func (r *tensorReader) read(t *torchTensor) (Tensor, error) {
	// Many tensors can lie in one storage, and copies of them take more than the file: four times is enough for all.
	if r.total += int64(t.elements()) * int64(t.storage.dtype.Size()); r.total > 4*r.archive.size {
		return Tensor{}, fmt.Errorf("with it the tensors claim more than %d bytes, the file has %d", 4*r.archive.size,
			r.archive.size)
	}
	return t.read(r.archive, r.storages)
}
