package checkpoints

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sampleWeights() *Weights {
	return &Weights{Source: "sample", Tensors: map[string]Tensor{
		"b.weight": Float32Tensor([]float32{1, -2, 3.5, 0, 1e-30, 6}, 2, 3),
		"a.bias":   Float32Tensor([]float32{0.25}, 1),
		"scalar":   Float32Tensor([]float32{7}),
		"empty":    Float32Tensor(nil, 0, 3),
		"half":     {DType: F16, Shape: []int{2}, Data: []byte{0, 0x3c, 0, 0xc0}},
		"brain":    {DType: BF16, Shape: []int{1}, Data: []byte{0x80, 0x3f}},
		"double":   {DType: F64, Shape: []int{1}, Data: make([]byte, 8)},
		"long":     {DType: I64, Shape: []int{1}, Data: []byte{1, 2, 3, 4, 5, 6, 7, 8}},
		"int":      {DType: I32, Shape: []int{1}, Data: []byte{1, 2, 3, 4}},
		"byte":     {DType: U8, Shape: []int{3}, Data: []byte{1, 2, 3}},
		"flag":     {DType: Bool, Shape: []int{1}, Data: []byte{1}},
	}}
}

// sameTensors compares types, shapes and bytes.
func sameTensors(t *testing.T, got, want *Weights) {
	t.Helper()
	flat := func(w *Weights) map[string]string {
		m := map[string]string{}
		for name, x := range w.Tensors {
			m[name] = fmt.Sprintf("%s %v %x", x.DType, x.Shape, x.Data)
		}
		return m
	}
	if d := cmp.Diff(flat(want), flat(got)); d != "" {
		t.Errorf("tensors differ (-want +got):\n%s", d)
	}
}

func TestSafetensorsRoundTrip(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.safetensors"), filepath.Join(dir, "two.safetensors")
	want, metadata := sampleWeights(), map[string]string{"format": "pt", "note": "a <b> \"c\" ü"}
	for _, path := range []string{one, two} {
		if err := WriteSafetensors(path, want, metadata); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadSafetensors(one)
	if err != nil {
		t.Fatal(err)
	}
	sameTensors(t, got, want)
	if d := cmp.Diff(metadata, got.Metadata); d != "" || got.Source != one {
		t.Errorf("source %q, metadata differ: %s", got.Source, d)
	}
	a, _ := os.ReadFile(one)
	b, _ := os.ReadFile(two)
	if !bytes.Equal(a, b) {
		t.Error("the same weights gave different bytes")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 2 {
		t.Errorf("files left: %v", entries)
	}
}

func TestWriteSafetensorsRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.safetensors")
	for want, tensors := range map[string]map[string]Tensor{
		`tensor "a" of shape [2] and type F32 has 4 bytes, expected 8`: {"a": {DType: F32, Shape: []int{2},
			Data: make([]byte, 4)}},
		`unknown type "F8"`: {"a": {DType: "F8", Shape: []int{1}, Data: []byte{1}}},
		`"__metadata__"`:    {"__metadata__": Float32Tensor(nil, 0)},
	} {
		err := WriteSafetensors(path, &Weights{Tensors: tensors}, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was left")
	}
}

// file makes a safetensors file of a header and a number of zero bytes.
func file(header string, body int) []byte {
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(data, header...), make([]byte, body)...)
}

func manyNames(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"%d":{},`, i)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func TestSafetensorsHostile(t *testing.T) {
	long := strings.Repeat
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":       {nil, "only 0 bytes"},
		"seven bytes": {make([]byte, 7), "only 7 bytes"},
		"header of 2^60 bytes": {append(binary.LittleEndian.AppendUint64(nil, 1<<60), "{}"...),
			"claims 1152921504606846976 bytes"},
		"header of 2^64-1": {append(binary.LittleEndian.AppendUint64(nil, 1<<64-1), "{}"...), "claims"},
		"header of 2^64-8": {append(binary.LittleEndian.AppendUint64(nil, 1<<64-8), "{}"...), "claims"},
		"header past the end": {append(binary.LittleEndian.AppendUint64(nil, 3), "{}"...),
			"claims 3 bytes, the file has 10"},
		"header over the limit": {file(long(" ", maxHeader+1), 0), "at most 4194304"},
		"no JSON":               {file("abc", 0), "invalid character"},
		"no object":             {file("[]", 0), "not a JSON object"},
		"a million axes": {file(`{"a":{"dtype":"F32","shape":[`+long("1,", 1<<20)+`1],"data_offsets":[0,4]}}`, 4),
			"more than 16 numbers"},
		"too many tensors": {file("{"+manyNames(maxTensors+1)+"}", 0), "more than 65536 tensors"},
		"text":             {file(`"a"`, 0), "not a JSON object"},
		"half an object":   {file(`{"a":`, 0), "unexpected end"},
		"no fields":        {file(`{"a":{}}`, 0), `"a"`},
		"null":             {file(`{"a":null}`, 0), `"a"`},
		"nested":           {file(long(`{"a":`, 9)+long("}", 9), 0), "nested too deeply"},
		"lists in lists":   {file(`{"a":`+long("[", 5000)+long("]", 5000)+"}", 0), "nested too deeply"},
		"overlapping": {file(
			`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12),
			"offset"},
		"same place twice": {file(
			`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8),
			"offset"},
		"a gap": {file(
			`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}`, 16),
			"offset"},
		"past the end":     {file(`{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}`, 8), "buffer"},
		"bytes left over":  {file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 9), "buffer"},
		"end before begin": {file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, 8), "offset"},
		"shape overflows": {file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296,4],"data_offsets":[0,0]}}`, 0),
			"overflow"},
		"bytes overflow": {file(`{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}`, 0),
			"overflow"},
		"wrapping offsets": {file(
			`{"a":{"dtype":"U8","shape":[18446744073709551615],"data_offsets":[0,18446744073709551615]}}`, 0), "buffer"},
		"huge empty axis": {file(`{"a":{"dtype":"U8","shape":[0,9223372036854775807],"data_offsets":[0,0]}}`, 0),
			"axis of 9223372036854775807"},
		"negative axis":      {file(`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8), "shape"},
		"fraction":           {file(`{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,6]}}`, 6), "shape"},
		"axis as text":       {file(`{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}`, 8), "shape"},
		"shape does not fit": {file(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8), "mismatch"},
		"name twice": {file(
			`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4),
			`"a" occurs twice`},
		"shape twice": {file(`{"a":{"dtype":"F32","shape":[2],"shape":[1],"data_offsets":[0,4]}}`, 4),
			`"shape" occurs twice`},
		"metadata twice":      {file(`{"__metadata__":{"x":"1","x":"2"}}`, 0), `"x" occurs twice`},
		"metadata of numbers": {file(`{"__metadata__":{"x":1}}`, 0), "string"},
		"type I8": {file(`{"q":{"dtype":"I8","shape":[4],"data_offsets":[0,4]}}`, 4),
			`"q" has elements of type I8`},
		"type F8_E4M3":  {file(`{"q":{"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]}}`, 4), "F8_E4M3"},
		"unknown field": {file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}`, 4), `"a"`},
		"a web page":    {[]byte("<!DOCTYPE html><html>"), "claims"},
	} {
		t.Run(name, func(t *testing.T) {
			refuse(t, "bad.safetensors", len(c.data), func() error {
				_,
					err := ParseSafetensors("bad.safetensors", c.data)
				return err
			}, c.want)
			path := filepath.Join(t.TempDir(), "bad.safetensors")
			if err := os.WriteFile(path, c.data, 0o644); err != nil {
				t.Fatal(err)
			}
			refuse(t, path, len(c.data), func() error { _, err := ReadSafetensors(path); return err }, c.want)
		})
	}
}

func TestSafetensorsTruncated(t *testing.T) {
	var whole bytes.Buffer
	if err := serialize(&whole, sampleWeights(), map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	for n := range whole.Len() {
		if _, err := ParseSafetensors("cut", whole.Bytes()[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are no error", n, whole.Len())
		}
	}
}

// A flipped bit in a header is an error or another header, never a panic or a tensor whose bytes do not fit its shape.
// (A flipped bit in the elements is what the manifest's SHA-256 is for.)
func TestSafetensorsBitFlips(t *testing.T) {
	var whole bytes.Buffer
	if err := serialize(&whole, sampleWeights(), nil); err != nil {
		t.Fatal(err)
	}
	header := int(binary.LittleEndian.Uint64(whole.Bytes()))
	for bit := range 8 * (8 + header) {
		data := bytes.Clone(whole.Bytes())
		data[bit/8] ^= 1 << (bit % 8)
		if w, err := ParseSafetensors("flipped", data); err == nil {
			checkConsistent(t, w)
		}
	}
}

// checkConsistent fails unless every tensor has the bytes that its shape asks for.
func checkConsistent(t *testing.T, w *Weights) {
	t.Helper()
	for name, x := range w.Tensors {
		if x.Elements()*x.DType.Size() != len(x.Data) {
			t.Fatalf("tensor %q: %s %v has %d bytes", name, x.DType, x.Shape, len(x.Data))
		}
	}
}

func TestReadSafetensorsMissingAndFolder(t *testing.T) {
	dir := t.TempDir()
	refuse(t, "none.safetensors", 0, func() error {
		_,
			err := ReadSafetensors(filepath.Join(dir, "none.safetensors"))
		return err
	})
	refuse(t, dir, 0, func() error { _, err := ReadSafetensors(dir); return err }, "folder")
}

func TestHalfToFloat32(t *testing.T) {
	for bits, want := range map[uint16]float32{0x3c00: 1, 0xc000: -2, 0x0001: 5.9604645e-08, 0x7bff: 65504,
		0x03ff: 6.097555e-05, 0x8000: 0} {
		if got := halfToFloat32(bits); got != want {
			t.Errorf("%#04x gives %g, want %g", bits, got, want)
		}
	}
}
