package checkpoints

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func openTorch(t *testing.T, name string) *TorchFile {
	t.Helper()
	f, err := ReadTorch(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// testdata/views.pt has tensors of every element type and many strides; views.safetensors is what PyTorch says they
// are.
func TestReadTorchViews(t *testing.T) {
	f := openTorch(t, "views.pt")
	views, ok := f.Section("views")
	if !ok {
		t.Fatalf("no section; keys %v", f.Keys())
	}
	got, err := views.Weights("")
	if err != nil {
		t.Fatal(err)
	}
	want, err := ReadSafetensors("testdata/views.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	sameTensors(t, got, want)
	if want := "testdata/views.pt: views"; got.Source != want {
		t.Errorf("source %q, want %q", got.Source, want)
	}
}

func TestTorchTree(t *testing.T) {
	f := openTorch(t, "views.pt")
	want := []string{"deep", "device", "dtype", "list", "long", "none", "number", "size", "text", "truth", "views"}
	if d := cmp.Diff(want, f.Keys()); d != "" {
		t.Error(d)
	}
	deep, _ := f.Section("deep")
	one, ok := deep.Section("1")
	if !ok {
		t.Fatalf("number as a key: %v", deep.Keys())
	}
	x, err := one.Tensor("x")
	if err != nil || !slices.Equal(x.Data, Float32Tensor([]float32{1}).Data) {
		t.Errorf("%v, %v", x, err)
	}
	if _, err := f.Tensor("number"); err == nil || !strings.Contains(err.Error(), `entry "number" is not a tensor`) {
		t.Errorf("got %v", err)
	}
	if w, err := f.Weights(""); err != nil || len(w.Tensors) != 0 || w.Others["number"] != "a number" ||
		w.Others["views"] != "a dict" {
		t.Errorf("got %v, %v", w, err)
	}
	views, _ := f.Section("views")
	w, err := views.Weights("uni")
	if err != nil || !slices.Equal(w.Names(), []string{"t_axes"}) {
		t.Errorf("prefix: %v, %v", w, err)
	}
	bare, err := openTorch(t, "tensor.pth").Tensor("tensor")
	if err != nil || !slices.Equal(bare.Data, Float32Tensor([]float32{0, 1, 2}).Data) {
		t.Errorf("%v, %v", bare, err)
	}
}

func TestReadTorchRefuses(t *testing.T) {
	for name, want := range map[string]string{
		"module.pt":            "class torch.nn.modules.linear.Linear",
		"expanded.pt":          "more elements than its storage",
		"views.safetensors":    "looks like safetensors",
		"none.pt":              "no such file",
		"../testdata":          "folder",
		"../torch_test.go":     "not a valid zip file",
		"../../go.mod/none.pt": "not a directory",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name)
			if name == "../../go.mod/none.pt" {
				if _, err := ReadTorch(path); err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v", err)
				}
				return
			}
			refuse(t, path, 4096, func() error { _, err := ReadTorch(path); return err }, want)
		})
	}
	if _, err := os.Stat("EXECUTED"); err == nil {
		t.Error("a pickle was executed")
	}
}

// A type that no network uses is refused when it is asked for, by name; the tensors beside it are read.
func TestTorchUnusedType(t *testing.T) {
	f := openTorch(t, "int8.pt")
	if _, err := f.Tensor("a"); err == nil || !strings.Contains(err.Error(),
		`tensor "a": elements of type I8 (torch.CharStorage)`) {
		t.Errorf("got %v", err)
	}
	if _, err := f.Tensor("b"); err != nil {
		t.Error(err)
	}
}

func TestTorchArchiveHostile(t *testing.T) {
	good := dict("a", tensor(storage("FloatStorage", "0", 6), 0, numbers(6), numbers(1)))
	pkl := entry{name: "x/data.pkl", data: good}
	floats := entry{name: "x/data/0", data: strings.Repeat("\x00", 24)}
	if _, err := ParseTorch("good", archiveOf(t, pkl, floats)); err != nil {
		t.Fatal(err)
	}
	overlapping := make([]entry, 100)
	for i := range overlapping {
		overlapping[i] = entry{name: "x/data/" + string(rune('a'+i)), size: 4096}
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":              {nil, "empty"},
		"zip without a pickle": {archiveOf(t, floats), "0 entries of the name */data.pkl"},
		"empty zip":            {archiveOf(t), "0 entries of the name */data.pkl"},
		"two pickles": {archiveOf(t, pkl, entry{name: "y/data.pkl", data: good}),
			"2 entries of the name */data.pkl"},
		"pickle too deep": {archiveOf(t, entry{name: "x/y/data.pkl", data: good}), "0 entries"},
		"entry twice":     {archiveOf(t, pkl, floats, floats), "occurs twice"},
		"big endian":      {archiveOf(t, pkl, floats, entry{name: "x/byteorder", data: "big"}), `byte order is "big"`},
		"long byte order": {archiveOf(t, pkl, floats, entry{name: "x/byteorder", data: strings.Repeat("l", 99)}),
			"at most 16"},
		"compressed pickle": {archiveOf(t, entry{name: "x/data.pkl", data: good, method: zip.Deflate}, floats),
			"compressed (method 8)"},
		"zip bomb": {archiveOf(t, pkl, entry{name: "x/data/0", data: strings.Repeat("\x00", 64<<20),
			method: zip.Deflate}), "compressed (method 8)"},
		"entry of 2^60": {archiveOf(t, pkl, entry{name: "x/data/0", size: 1 << 60}),
			"claims 1152921504606846976 bytes"},
		"pickle of 2^60":      {archiveOf(t, entry{name: "x/data.pkl", size: 1 << 60}, floats), "claims"},
		"entry of 2^64-1":     {archiveOf(t, pkl, entry{name: "x/data/0", size: 1<<64 - 2}), "claims"},
		"overlapping entries": {archiveOf(t, append(overlapping, pkl, floats)...), "more than the file has left"},
		"pickle too short":    {archiveOf(t, floats, entry{name: "x/data.pkl", data: good[:20], size: 60}), "data.pkl"},
		"legacy cut short":    {[]byte(legacyMagic), "without the instruction to stop"},
		"git lfs":             {[]byte("version https://git-lfs.github.com/spec/v1\n"), "a Git LFS pointer"},
		"NumPy":               {[]byte("\x93NUMPY\x01\x00"), "a NumPy array"},
		"small web page":      {[]byte("<!doctype html>"), "a web page"},
		"web page":            {[]byte("<!DOCTYPE html>"), "a web page"},
	} {
		t.Run(name, func(t *testing.T) {
			refuse(t, "bad.pt", len(c.data), func() error { _, err := ParseTorch("bad.pt", c.data); return err }, c.want)
		})
	}
}

// Ten thousand transposed views of one storage would take ten thousand times its memory.
func TestTorchManyViews(t *testing.T) {
	var p strings.Builder
	p.WriteString("\x80\x02}(" + text("0") + storage("FloatStorage", "0", 256*256) + "q\x00")
	for i := range 3000 {
		p.WriteString(text("t"+string(rune(0x100+i))) + tensor("h\x00", 0, numbers(256, 256), numbers(1, 256)))
	}
	p.WriteString("u.")
	data := archiveOf(t, entry{name: "x/data.pkl", data: p.String()},
		entry{name: "x/data/0", data: strings.Repeat("\x00", 4*256*256)})
	f, err := ParseTorch("views.pt", data)
	if err != nil {
		t.Fatal(err)
	}
	cost := allocated(func() { _, err = f.Weights("t") })
	if err == nil || !strings.Contains(err.Error(), "claim more than") {
		t.Errorf("got %v", err)
	}
	if cost > uint64(6*len(data)) {
		t.Errorf("allocated %d bytes for a file of %d", cost, len(data))
	}
}

func readAll(data []byte) (*Weights, error) {
	f, err := ParseTorch("f", data)
	if err != nil {
		return nil, err
	}
	views, ok := f.Section("views")
	if !ok {
		return nil, os.ErrNotExist
	}
	return views.Weights("")
}

func TestTorchTruncated(t *testing.T) {
	whole, err := os.ReadFile("testdata/views.pt")
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if _, err := readAll(whole[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes are no error", n, len(whole))
		}
	}
}

// The archive's checksums cover what counts: a flipped bit is an error or is in a place that does not matter.
func TestTorchBitFlips(t *testing.T) {
	whole, err := os.ReadFile("testdata/views.pt")
	if err != nil {
		t.Fatal(err)
	}
	want, err := readAll(whole)
	if err != nil {
		t.Fatal(err)
	}
	errors := 0
	for i := range whole {
		data := bytes.Clone(whole)
		data[i] ^= 1 << (i % 8)
		got, err := readAll(data)
		if err != nil {
			errors++
			continue
		}
		for name, x := range want.Tensors {
			y := got.Tensors[name]
			if x.DType != y.DType || !slices.Equal(x.Shape, y.Shape) || !bytes.Equal(x.Data, y.Data) {
				t.Fatalf("bit %d of byte %d changes tensor %q without an error", i%8, i, name)
			}
		}
	}
	if errors < 1000 {
		t.Errorf("only %d of %d flips are errors", errors, len(whole))
	}
}

// malicious.pt and protocol4.pt are PyTorch's own (models/convert/testdata/make_files.py).
func TestTorchNotExecuted(t *testing.T) {
	for name, acting := range map[string][]string{"malicious.pt": {"posix.system"}, "protocol4.pt": nil} {
		f := openTorch(t, name)
		if x, err := f.Tensor("a"); err != nil || !slices.Equal(x.Data, Float32Tensor([]float32{1, 1}).Data) ||
			!slices.Equal(f.Acting(), acting) {
			t.Errorf("%s: %v, %v, acting %q", name, x, err, f.Acting())
		}
	}
	if _, err := os.Stat("EXECUTED"); err == nil {
		t.Error("a pickle was executed")
	}
}
