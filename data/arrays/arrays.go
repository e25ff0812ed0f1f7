// Package arrays reads float32 arrays from NumPy or safetensors files and writes them.
package arrays

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/sbinet/npyio/npy"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/internal/files"
)

// maxNPYHeader bounds the text that describes an array in a .npy file; NumPy's own limit is 10,000 characters.
const maxNPYHeader = 10_000

// Array is an array in row-major order. Name is its name in a safetensors file; .npy files have none.
type Array struct {
	Name  string
	Shape []int
	Data  []float32
}

// IsPath reports whether a file of this name is an array to write, by its extension.
func IsPath(path string) bool {
	ext := strings.ToLower(filepath.Ext(path))
	return ext == ".npy" || ext == ".safetensors"
}

// IsSource reports whether path names an array to read: a file, or FILE:NAME for one of several arrays in a file.
func IsSource(path string) bool {
	file, _ := split(path)
	return IsPath(file) || strings.EqualFold(filepath.Ext(file), ".npz")
}

// split cuts FILE:NAME into the two; NAME is "" where path is a file alone.
func split(path string) (file, name string) {
	if at := strings.LastIndexByte(path, ':'); at > 0 {
		switch strings.ToLower(filepath.Ext(path[:at])) {
		case ".npz", ".npy", ".safetensors":
			return path[:at], path[at+1:]
		}
	}
	return path, ""
}

// Read reads one array as float32 from a .npy file (float16, float32 or float64, C or Fortran order), or one of those
// in a .npz or .safetensors file. name picks it there; where it is "", the only one is read, or that which has the
// first of the usual names. name must be "" for .npy. A NaN or an infinity is an error that names its place.
func Read(path, name string, usual ...string) (*Array, error) {
	var a *Array
	var err error
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".npy":
		if name != "" {
			return nil, fault.Usage(fmt.Errorf("read array %q: a .npy file has no tensor %q", path, name),
				"leave the name out")
		}
		a, err = readNPY(path)
	case ".npz":
		a, err = readNPZ(path, name, usual)
	case ".safetensors":
		a, err = readTensor(path, name, usual)
	default:
		err = fault.Usage(fmt.Errorf("the extension is %q", ext), "arrays are .npy, .npz or .safetensors files")
	}
	if err == nil {
		err = a.checkFinite()
	}
	if err != nil {
		return nil, fmt.Errorf("read array %q: %w", path, err)
	}
	return a, nil
}

// ReadSource is Read for a source as IsSource takes it.
func ReadSource(source string, usual ...string) (*Array, error) {
	file, name := split(source)
	a, err := Read(file, name, usual...)
	return a, fault.Suggest(err, "give a .npy, .npz or .safetensors file of float16, float32 or float64")
}

// checkFinite reports the first NaN or infinity.
func (a *Array) checkFinite() error {
	for i, v := range a.Data {
		if d := float64(v); !math.IsNaN(d) && !math.IsInf(d, 0) {
			continue
		}
		index := make([]int, len(a.Shape))
		for k, rest := len(a.Shape)-1, i; k >= 0; k-- {
			index[k], rest = rest%a.Shape[k], rest/a.Shape[k]
		}
		row := 0
		if len(index) > 0 {
			row = index[0]
		}
		what := fmt.Sprintf("row %d: element %v is %g", row, index, v)
		if a.Name != "" {
			what = fmt.Sprintf("array %q: %s", a.Name, what)
		}
		return fault.Hint(errors.New(what), "all values must be finite float32: look at how the array was made")
	}
	return nil
}

// choose returns the name of the array to read among those of a file.
func choose(names []string, name string, usual []string) (string, error) {
	if name == "" {
		if len(names) == 1 {
			return names[0], nil
		}
		for _, u := range usual {
			if slices.Contains(names, u) {
				return u, nil
			}
		}
		return "", fault.Usage(fmt.Errorf("the file holds %d arrays", len(names)),
			"name one of them as FILE:NAME; it holds: %s", strings.Join(names, ", "))
	}
	if !slices.Contains(names, name) {
		return "", fault.Usage(fmt.Errorf("the file has no array %q", name), "it holds: %s", strings.Join(names, ", "))
	}
	return name, nil
}

// Write writes an array as float32 to a .npy or .safetensors file; there its name is a.Name, or "data" if that is "".
// A NaN or an infinity, which Read would refuse, is an error that names its place.
func Write(path string, a *Array) error {
	if n, err := elements(a.Shape); err != nil || n != len(a.Data) {
		return fmt.Errorf("write array %q: %d values do not fill shape %v", path, len(a.Data), a.Shape)
	}
	if err := a.checkFinite(); err != nil {
		return fmt.Errorf("write array %q: %w", path, err)
	}
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".npy":
		return files.Write(path, func(f io.Writer) error { return writeNPY(f, a) })
	case ".safetensors":
		name := a.Name
		if name == "" {
			name = "data"
		}
		w := &checkpoints.Weights{Source: path,
			Tensors: map[string]checkpoints.Tensor{name: checkpoints.Float32Tensor(a.Data, a.Shape...)}}
		return checkpoints.WriteSafetensors(path, w, nil)
	default:
		return fmt.Errorf("write array %q: %w", path, arrayExtension(ext))
	}
}

func arrayExtension(ext string) error {
	return fault.Usage(fmt.Errorf("the extension is %q", ext), "arrays are .npy or .safetensors files")
}

// elements is the product of a shape, refused where it is negative or beyond memory.
func elements(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("shape %v has a negative dimension", shape)
		}
		if d > 0 && n > math.MaxInt/8/d {
			return 0, fmt.Errorf("shape %v is too large", shape)
		}
		n *= d
	}
	return n, nil
}

// readTensor reads one tensor of a safetensors file.
func readTensor(path, name string, usual []string) (*Array, error) {
	w, err := checkpoints.ReadSafetensors(path)
	if err != nil {
		return nil, err
	}
	if name, err = choose(w.Names(), name, usual); err != nil {
		return nil, err
	}
	t := w.Tensors[name]
	values, err := t.Float32s()
	if err != nil {
		return nil, fmt.Errorf("tensor %q: %w", name, err)
	}
	return &Array{Name: name, Shape: t.Shape, Data: values}, nil
}

// readNPY reads a NumPy file, format version 1 or 2.
func readNPY(path string) (*Array, error) {
	f, size, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parseNPY(f, size)
}

// parseNPY reads a NumPy file of that size.
func parseNPY(f io.ReaderAt, size int64) (*Array, error) {
	h, start, err := readNPYHeader(f, size)
	if err != nil {
		return nil, err
	}
	n, err := elements(h.Descr.Shape)
	if err != nil {
		return nil, err
	}
	dtype, order, err := npyType(h.Descr.Type)
	if err != nil {
		return nil, err
	}
	if want := int64(n) * int64(dtype.Size()); want != size-start {
		return nil, fmt.Errorf("shape %v of %s needs %d bytes; the file has %d after its header", h.Descr.Shape, h.Descr.Type,
			want, size-start)
	}
	raw := make([]byte, size-start)
	if _, err := f.ReadAt(raw, start); err != nil && err != io.EOF {
		return nil, err
	}
	if order == binary.BigEndian {
		swapBytes(raw, dtype.Size())
	}
	values, err := checkpoints.Tensor{DType: dtype, Shape: h.Descr.Shape, Data: raw}.Float32s()
	if err != nil {
		return nil, err
	}
	if h.Descr.Fortran {
		values = rowMajor(values, h.Descr.Shape)
	}
	return &Array{Shape: h.Descr.Shape, Data: values}, nil
}

// readNPYHeader parses the header and returns where the data begin. The library that parses it trusts the length that
// the file states and the dictionary's form: the length is checked here, a panic becomes an error.
func readNPYHeader(f io.ReaderAt, size int64) (h npy.Header, start int64, err error) {
	defer files.Recover(&err)
	prefix := make([]byte, min(size, max(12, int64(len(files.LFSPointer)))))
	if _, err := f.ReadAt(prefix, 0); err != nil && err != io.EOF {
		return h, 0, err
	}
	if err := files.CheckPointer(prefix); err != nil {
		return h, 0, err
	}
	if len(prefix) < 12 || !bytes.Equal(prefix[:6], npy.Magic[:]) {
		return h, 0, errors.New("not a NumPy file")
	}
	switch prefix[6] {
	case 1:
		start = 10 + int64(binary.LittleEndian.Uint16(prefix[8:]))
	case 2:
		start = 12 + int64(binary.LittleEndian.Uint32(prefix[8:]))
	default:
		return h, 0, fmt.Errorf("NumPy format version %d.%d; expected 1 or 2", prefix[6], prefix[7])
	}
	if start > maxNPYHeader || start > size {
		return h, 0, fmt.Errorf("the file is damaged: a header of %d bytes in a file of %d", start, size)
	}
	header := io.NewSectionReader(f, 0, start)
	r, err := npy.NewReader(header)
	if err != nil {
		text := make([]byte, start)
		_, _ = header.ReadAt(text, 0)
		return h, 0, fmt.Errorf("the header is not one of NumPy's: %.100q", bytes.TrimSpace(text[10:]))
	}
	return r.Header, start, nil
}

// npyType reads a type such as "<f4": byte order, kind, bytes.
func npyType(descr string) (checkpoints.DType, binary.ByteOrder, error) {
	var order binary.ByteOrder = binary.LittleEndian
	if strings.HasPrefix(descr, ">") {
		order = binary.BigEndian
	}
	switch strings.TrimLeft(descr, "<>=") {
	case "f2":
		return checkpoints.F16, order, nil
	case "f4":
		return checkpoints.F32, order, nil
	case "f8":
		return checkpoints.F64, order, nil
	}
	return "", nil, fault.Hint(fmt.Errorf("elements of type %q", descr),
		"save the array as floating point, such as array.astype('float32')")
}

func swapBytes(raw []byte, size int) {
	for i := 0; i+size <= len(raw); i += size {
		for a, b := i, i+size-1; a < b; a, b = a+1, b-1 {
			raw[a], raw[b] = raw[b], raw[a]
		}
	}
}

// rowMajor reorders values from Fortran's order, the first index running fastest, to C's.
func rowMajor(values []float32, shape []int) []float32 {
	out := make([]float32, len(values))
	index := make([]int, len(shape))
	for _, v := range values {
		at := 0
		for d, n := range shape {
			at = at*n + index[d]
		}
		out[at] = v
		for d := range index {
			if index[d]++; index[d] < shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return out
}

// writeNPY writes an array as float32. (The library writes slices as vectors only.)
func writeNPY(w io.Writer, a *Array) error {
	b := bufio.NewWriter(w)
	b.Write(NPYPreamble("<f4", a.Shape...))
	for _, v := range a.Data {
		var bits [4]byte
		binary.LittleEndian.PutUint32(bits[:], math.Float32bits(v))
		b.Write(bits[:])
	}
	return b.Flush()
}

// NPYPreamble returns the bytes before the data in format version 1.0: magic, version, header length, and the header,
// padded so that the data begin at a multiple of 64 bytes.
func NPYPreamble(descr string, shape ...int) []byte {
	dims := make([]string, len(shape))
	for i, d := range shape {
		dims[i] = strconv.Itoa(d)
	}
	tuple := strings.Join(dims, ", ")
	if len(dims) == 1 {
		tuple += ","
	}
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, tuple)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	preamble := append(npy.Magic[:], 1, 0)
	preamble = binary.LittleEndian.AppendUint16(preamble, uint16(len(header)))
	return append(preamble, header...)
}
