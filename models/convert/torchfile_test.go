package convert

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/checkpoints"
)

// torchBytes is a PyTorch file of float32, float16 or int64 tensors: a state dict,
// in a dict under section unless that is "".
func torchBytes(t testing.TB, section string, w *checkpoints.Weights) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	add := func(name string, data []byte) {
		f, err := z.CreateRaw(&zip.FileHeader{Name: name, CRC32: crc32.ChecksumIEEE(data),
			UncompressedSize64: uint64(len(data)), CompressedSize64: uint64(len(data))})
		if err != nil {
			t.Fatal(err)
		}
		f.Write(data)
	}
	text := func(s string) string {
		return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
	}
	number := func(n int) string {
		return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
	}
	classes := map[checkpoints.DType]string{checkpoints.F32: "FloatStorage", checkpoints.F16: "HalfStorage",
		checkpoints.I64: "LongStorage"}
	var p strings.Builder
	p.WriteString("\x80\x02}(")
	if section != "" {
		p.WriteString(text(section) + "}(")
	}
	for i, name := range w.Names() {
		x := w.Tensors[name]
		shape, strides, stride := "(", "", 1
		for axis := len(x.Shape) - 1; axis >= 0; axis-- {
			strides, stride = number(stride)+strides, stride*x.Shape[axis]
		}
		for _, d := range x.Shape {
			shape += number(d)
		}
		key := fmt.Sprint(i)
		p.WriteString(text(name) + "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\n" +
			classes[x.DType] + "\n" + text(key) +
			text("cpu") + number(x.Elements()) + "tQK\x00" + shape + "t(" + strides + "t\x89NtR")
		add("a/data/"+key, x.Data)
	}
	p.WriteString("u")
	if section != "" {
		p.WriteString("u")
	}
	p.WriteString(".")
	add("a/data.pkl", []byte(p.String()))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// writeTorch writes torchBytes to a file and returns its path.
func writeTorch(t testing.TB, name, section string, w *checkpoints.Weights) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, torchBytes(t, section, w), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// testWeights reads the state dict of a file in testdata.
func testWeights(t testing.TB, name, section string) *checkpoints.Weights {
	t.Helper()
	f, err := checkpoints.ReadTorch(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dict := f.TorchDict
	if section != "" {
		dict, _ = f.Section(section)
	}
	w, err := dict.Weights("")
	if err != nil {
		t.Fatal(err)
	}
	return w
}
