package checkpoints

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/nlpodyssey/safetensors"

	"illustrator/internal/fault"
	"illustrator/internal/files"
	"illustrator/internal/jsonfile"
)

// A safetensors file is the header's length in 8 bytes, the header (a JSON object: for each tensor its dtype, shape
// and place), and the tensors' bytes. https://huggingface.co/docs/safetensors

// maxHeader bounds the header: it is JSON, which takes many times its size in memory. A network of 2,000 tensors has
// a header of 0.2 MB.
const maxHeader = 4 << 20

// The largest size of an axis, number of axes of a tensor, and number of tensors of a file.
const (
	maxDim     = math.MaxInt32
	maxRank    = 16
	maxTensors = 1 << 16
)

// ReadSafetensors reads the header of a safetensors file. The tensors share one buffer, do not write into it: from a
// megabyte on the file is mapped into memory, so that elements are read when they are used. Such a file must not be
// written to in place while the program runs; to replace it by renaming is safe.
// What the header claims is held against the file's size before anything of that size is allocated.
func ReadSafetensors(path string) (*Weights, error) {
	f, size, err := open(path, "safetensors", "name the model.safetensors in it")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, min(64, size))
	if _, err := io.ReadFull(f, head); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if err := checkLength(head, size); err != nil {
		return nil, notSafetensors(path, head, err)
	}
	data, err := contents(f, size)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return ParseSafetensors(path, data)
}

// IsSafetensors reports whether a file begins as one of safetensors does: with the length of a header that is a JSON
// object. It looks at the first bytes, not at the name.
func IsSafetensors(path string) (bool, error) {
	f, _, err := open(path, "weight", "name the file in it")
	if err != nil {
		return false, err
	}
	defer f.Close()
	var head [9]byte
	n, err := f.ReadAt(head[:], 0)
	if err != nil && err != io.EOF {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	return n == len(head) && head[8] == '{' && sniff(head[:]) == nil, nil
}

// smallFile is the size up to which a file is read at once: a map costs more than that.
const smallFile = 1 << 20

// contents returns the bytes of a file of that size.
func contents(f *os.File, size int64) ([]byte, error) {
	if size > smallFile {
		return mapFile(f, size)
	}
	data := make([]byte, size)
	_, err := f.ReadAt(data, 0)
	return data, err
}

// ParseSafetensors is ReadSafetensors for the bytes of a file; source names them in messages. The tensors are slices of
// data.
func ParseSafetensors(source string, data []byte) (*Weights, error) {
	w, err := parseSafetensors(data)
	if err != nil {
		return nil, notSafetensors(source, data[:min(len(data), 64)], err)
	}
	w.Source = source
	return w, nil
}

func parseSafetensors(data []byte) (*Weights, error) {
	if err := checkLength(data, int64(len(data))); err != nil {
		return nil, err
	}
	header := data[8 : 8+binary.LittleEndian.Uint64(data)]
	if err := checkHeader(header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	_, meta, err := safetensors.ReadMetadata(data)
	if err != nil {
		return nil, err
	}
	body := data[8+len(header):]
	w := &Weights{Tensors: make(map[string]Tensor), Metadata: meta.Metadata()}
	for name, info := range meta.Tensors() {
		t := Tensor{DType: DType(info.DType.String()), Shape: make([]int, len(info.Shape))}
		if t.DType.Size() == 0 {
			return nil, fmt.Errorf("tensor %q has elements of type %s, which no network here uses", name, t.DType)
		}
		for i, d := range info.Shape {
			if d > maxDim {
				return nil, fmt.Errorf("tensor %q has an axis of %d; at most %d", name, d, maxDim)
			}
			t.Shape[i] = int(d)
		}
		// The library has checked that the places follow each other without gaps, end with the file and fit the shapes.
		t.Data = body[info.DataOffsets[0]:info.DataOffsets[1]:info.DataOffsets[1]]
		w.Tensors[name] = t
	}
	return w, nil
}

// checkLength holds the header's length that a file's first bytes claim against the file's size.
func checkLength(head []byte, size int64) error {
	if len(head) < 8 {
		return fmt.Errorf("the file has only %d bytes", size)
	}
	n := binary.LittleEndian.Uint64(head)
	if n > uint64(size)-8 {
		return fmt.Errorf("the header claims %d bytes, the file has %d", n, size)
	}
	if n > maxHeader {
		return fmt.Errorf("the header has %d bytes; at most %d are read", n, maxHeader)
	}
	return nil
}

// checkHeader walks through the JSON before the library makes values of it. It bounds what those cost, and refuses a
// key that occurs twice in an object: readers differ in which of the two they believe.
func checkHeader(header []byte) error {
	const maxDepth = 4
	return jsonfile.Walk(header, func(t jsonfile.Token) error {
		_, nests := t.Value.(json.Delim)
		switch {
		case t.Depth == 0 && t.Value != json.Delim('{'):
			return errors.New("not a JSON object")
		case nests && t.Depth == maxDepth:
			return errors.New("nested too deeply")
		case t.Repeated:
			return fmt.Errorf("%q occurs twice", t.Value)
		case t.IsKey && t.Number > maxTensors:
			return fmt.Errorf("more than %d tensors", maxTensors)
		case t.InList && t.Number > maxRank:
			return fmt.Errorf("a list of more than %d numbers", maxRank)
		}
		return nil
	})
}

// WriteSafetensors writes w's tensors to path with the given metadata (nil for none): into a temporary file that is
// synced and renamed. Equal tensors and metadata give equal bytes: tensors stand in the order of element type, then
// name.
func WriteSafetensors(path string, w *Weights, metadata map[string]string) error {
	if err := checkWritable(w); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	file, err := files.Pending(path)
	if err != nil {
		return err
	}
	defer file.Cleanup()
	if err := serialize(file, w, metadata); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// checkWritable refuses tensors whose bytes do not fit their shape, before a file is made of them.
func checkWritable(w *Weights) error {
	for _, name := range w.Names() {
		t := w.Tensors[name]
		if name == "__metadata__" {
			return fmt.Errorf("a tensor cannot be called %q", name)
		}
		if t.DType.Size() == 0 {
			return fmt.Errorf("tensor %q has elements of unknown type %q", name, t.DType)
		}
		if want := t.Elements() * t.DType.Size(); len(t.Data) != want {
			return fmt.Errorf("tensor %q of shape %v and type %s has %d bytes, expected %d", name, t.Shape, t.DType, len(t.Data),
				want)
		}
	}
	return nil
}

func serialize(to io.Writer, w *Weights, metadata map[string]string) error {
	views := make(map[string]view, len(w.Tensors))
	for name, t := range w.Tensors {
		dtype, err := safetensors.ParseDType(string(t.DType))
		if err != nil {
			return err
		}
		views[name] = view{dtype, t}
	}
	return safetensors.SerializeToWriter(views, metadata, to)
}

// view shows a tensor to the safetensors library.
type view struct {
	dtype  safetensors.DType
	tensor Tensor
}

func (v view) DType() safetensors.DType { return v.dtype }
func (v view) Data() []byte             { return v.tensor.Data }
func (v view) DataLen() uint64          { return uint64(len(v.tensor.Data)) }
func (v view) Shape() []uint64 {
	shape := make([]uint64, len(v.tensor.Shape))
	for i, d := range v.tensor.Shape {
		shape[i] = uint64(d)
	}
	return shape
}

// notSafetensors says what is wrong with a file, or what it is instead if its first bytes tell.
func notSafetensors(source string, head []byte, err error) error {
	if kind := sniff(head); kind != nil {
		err = fault.Hint(fmt.Errorf("read safetensors %s: it is %s: %w", source, kind.what, err), "%s", kind.hint)
		if kind.hint == convertIt {
			err = fault.WithCode(err, PyTorchFile)
		}
		return err
	}
	return fault.Hint(fmt.Errorf("read safetensors %s: %w", source, err),
		"the file is damaged or cut short, or no safetensors file: fetch it again and compare its SHA-256")
}

// kind is a sort of file that is taken for weights by mistake.
type kind struct{ magic, what, hint string }

const readHint = "PyTorch and safetensors files are read"

const convertIt = "convert PyTorch checkpoints to safetensors"

var kinds = []kind{
	{zipMagic, "a zip archive, perhaps a PyTorch checkpoint", convertIt},
	{"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "a PyTorch checkpoint of the format before version 1.6",
		convertIt},
	{files.LFSPointer, files.LFSName, files.LFSHint},
	{"<!DOCTYPE", "a web page", "the download was answered with a page: fetch the file again, and look at the page"},
	{"<html", "a web page", "the download was answered with a page: fetch the file again, and look at the page"},
	{"\x1f\x8b", "a gzip archive", "unpack it first"},
	{"<?xml", "an XML file", "the download was answered with an error: fetch the file again, and look at the answer"},
	{"\x89HDF", "an HDF5 file", readHint},
	{"\x93NUMPY", "a NumPy array", readHint},
	{"GGUF", "a GGUF file", readHint},
}

const zipMagic = "PK\x03\x04"

// sniff names what a file is by its first bytes, nil if they tell nothing.
func sniff(head []byte) *kind {
	for i := range kinds {
		magic := []byte(kinds[i].magic)
		if bytes.HasPrefix(head, magic) || magic[0] == '<' && bytes.HasPrefix(bytes.ToLower(head), bytes.ToLower(magic)) {
			return &kinds[i]
		}
	}
	return nil
}

// open opens a file of what, and returns its size. hint says what to name in place of a folder.
func open(path, what, hint string) (*os.File, int64, error) {
	f, size, err := files.Open(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		err = fault.Hint(err, "check the path; relative paths start at the current directory")
	case errors.Is(err, files.ErrNotRegular):
		err = fault.Hint(fmt.Errorf("%s is a folder or a device, not a %s file", path, what), "%s", hint)
	}
	return f, size, err
}
