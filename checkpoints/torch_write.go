package checkpoints

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"illustrator/internal/files"
)

// The tensors of the official release's pairs: z [N,Z] and the scaled image embeddings [N,E] of their pictures.
const (
	ReleasedZ      = "Style_latent"
	ReleasedEmbeds = "CLIP_latent"
)

// TorchEntry is a tensor of a PyTorch file that is written. Write writes its elements, row-major and little-endian.
type TorchEntry struct {
	Name  string
	DType DType
	Shape []int
	Write func(w io.Writer) error
}

// Entry is the entry of a tensor in memory.
func (t Tensor) Entry(name string) TorchEntry {
	return TorchEntry{name, t.DType, t.Shape, func(w io.Writer) error {
		_, err := w.Write(t.Data)
		return err
	}}
}

// storageNames are PyTorch's classes for the types of elements that are written.
var storageNames = map[DType]string{
	F64: "DoubleStorage", F32: "FloatStorage", F16: "HalfStorage", BF16: "BFloat16Storage",
	I64: "LongStorage", I32: "IntStorage", U8: "ByteStorage", Bool: "BoolStorage",
}

// WriteTorch writes a PyTorch file as torch.save does since version 1.6: an OrderedDict of the tensors in their order.
func WriteTorch(path string, entries []TorchEntry) error {
	return files.Write(path, func(f io.Writer) error {
		z := zip.NewWriter(f)
		stored := func(name string) (io.Writer, error) {
			return z.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: zip.Store})
		}
		text := func(name, text string) error {
			w, err := stored(name)
			if err == nil {
				_, err = io.WriteString(w, text)
			}
			return err
		}
		pickle, err := statePickle(entries)
		if err != nil {
			return err
		}
		if err := text("data.pkl", pickle); err != nil {
			return err
		}
		if err := text("byteorder", "little"); err != nil {
			return err
		}
		for i, e := range entries {
			w, err := stored(fmt.Sprint("data/", i))
			if err != nil {
				return err
			}
			n := counter(0)
			if err := e.Write(io.MultiWriter(w, &n)); err != nil {
				return err
			}
			if want := int64(Tensor{Shape: e.Shape}.Elements()) * int64(e.DType.Size()); int64(n) != want {
				return fmt.Errorf("tensor %q of shape %v has %d bytes; expected %d", e.Name, e.Shape, n, want)
			}
		}
		if err := text("version", "3\n"); err != nil {
			return err
		}
		return z.Close()
	})
}

// statePickle is the pickle of an OrderedDict of tensors, whose storages are named by their place.
func statePickle(entries []TorchEntry) (string, error) {
	text := func(s string) string {
		return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
	}
	number := func(n int) string {
		if n < 1<<31 {
			return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n)))
		}
		return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
	}
	tuple := func(values []int) string {
		var b strings.Builder
		for _, v := range values {
			b.WriteString(number(v))
		}
		return "(" + b.String() + "t"
	}
	var p strings.Builder
	p.WriteString("\x80\x02ccollections\nOrderedDict\n)R(")
	for i, e := range entries {
		class := storageNames[e.DType]
		if class == "" {
			return "", fmt.Errorf("tensor %q: elements of type %s are not written", e.Name, e.DType)
		}
		strides, next := make([]int, len(e.Shape)), 1
		for k := len(e.Shape) - 1; k >= 0; k-- {
			strides[k] = next
			next *= max(1, e.Shape[k])
		}
		storage := "(" + text("storage") + "ctorch\n" + class + "\n" + text(fmt.Sprint(i)) + text("cpu")
		storage += number(Tensor{Shape: e.Shape}.Elements()) + "tQ"
		p.WriteString(text(e.Name) + "ctorch._utils\n_rebuild_tensor_v2\n(" + storage)
		p.WriteString(number(0) + tuple(e.Shape) + tuple(strides))
		p.WriteString("\x89ccollections\nOrderedDict\n)RtR")
	}
	p.WriteString("u.")
	return p.String(), nil
}
