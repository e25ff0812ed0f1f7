package arrays

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/internal/files/filestest"
)

func TestArrayRoundTrip(t *testing.T) {
	folder := t.TempDir()
	for _, file := range []string{"a.npy", "a.safetensors"} {
		t.Run(file, func(t *testing.T) {
			path := filepath.Join(folder, file)
			rapid.Check(t, func(t *rapid.T) {
				want := &Array{Shape: rapid.SliceOfN(rapid.IntRange(0, 5), 0, 4).Draw(t, "shape")}
				n, _ := elements(want.Shape)
				want.Data = rapid.SliceOfN(rapid.Float32(), n, n).Draw(t, "data")
				if strings.HasSuffix(file, ".safetensors") {
					want.Name = "z"
				}
				if err := Write(path, want); err != nil {
					t.Fatal(err)
				}
				got, err := Read(path, want.Name)
				if err != nil {
					t.Fatal(err)
				}
				if got.Name != want.Name || !slices.Equal(got.Shape, want.Shape) || !slices.Equal(got.Data, want.Data) {
					t.Fatalf("%+v; want %+v", got, want)
				}
			})
		})
	}
}

// npyFile is a .npy file with the header and data given. Version 1 takes a header of at most 65,535 bytes.
func npyFile(version byte, header string, data []byte) []byte {
	b := bytes.NewBufferString("\x93NUMPY")
	b.Write([]byte{version, 0})
	if version == 1 {
		binary.Write(b, binary.LittleEndian, uint16(len(header)))
	} else {
		binary.Write(b, binary.LittleEndian, uint32(len(header)))
	}
	b.WriteString(header)
	b.Write(data)
	return b.Bytes()
}

func npyHeader(descr, fortran, shape string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }      \n", descr, fortran, shape)
}

func encoded(order binary.ByteOrder, values any) []byte {
	var b bytes.Buffer
	binary.Write(&b, order, values)
	return b.Bytes()
}

func TestReadNPYTypesAndOrders(t *testing.T) {
	le, be := binary.LittleEndian, binary.BigEndian
	f32, f64 := []float32{1, 2, 3, 4, 5, -6.5}, []float64{1, 2, 3, 4, 5, -6.5}
	half := []uint16{0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0xc680}
	for name, raw := range map[string][]byte{
		"float32":     npyFile(1, npyHeader("<f4", "False", "(2, 3)"), encoded(le, f32)),
		"float32 v2":  npyFile(2, npyHeader("<f4", "False", "(2, 3)"), encoded(le, f32)),
		"float32 big": npyFile(1, npyHeader(">f4", "False", "(2, 3)"), encoded(be, f32)),
		"float64":     npyFile(1, npyHeader("<f8", "False", "(2, 3)"), encoded(le, f64)),
		"float64 big": npyFile(1, npyHeader(">f8", "False", "(2, 3)"), encoded(be, f64)),
		"float16":     npyFile(1, npyHeader("<f2", "False", "(2, 3)"), encoded(le, half)),
		"Fortran":     npyFile(1, npyHeader("<f4", "True", "(2, 3)"), encoded(le, []float32{1, 4, 2, 5, 3, -6.5})),
	} {
		path := filepath.Join(t.TempDir(), "a.npy")
		filestest.Write(t, path, raw)
		got, err := Read(path, "")
		if d := cmp.Diff(&Array{Shape: []int{2, 3}, Data: f32}, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
	if got := rowMajor([]float32{0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11}, []int{2, 3, 2}); !slices.Equal(got,
		[]float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}) {
		t.Errorf("Fortran order in three dimensions: %v", got)
	}
}

// Files that NumPy wrote: see testdata/arrays.py.
func TestReadNumPyGoldens(t *testing.T) {
	want := []float32{0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5}
	for file, shape := range map[string][]int{"float32.npy": {3, 4}, "float64_fortran.npy": {3, 4},
		"float16.npy": {2, 3, 2}, "vector.npy": {12}} {
		got, err := Read(filepath.Join("testdata", file), "")
		if d := cmp.Diff(&Array{Shape: shape, Data: want}, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", file, err, d)
		}
	}
	scalar, err := Read(filepath.Join("testdata", "scalar.npy"), "")
	if err != nil || len(scalar.Shape) != 0 || !slices.Equal(scalar.Data, []float32{2.5}) {
		t.Errorf("scalar: %+v, %v", scalar, err)
	}
	for file, want := range map[string]string{"object.npy": `elements of type "|O"`, "int64.npy": `elements of type "<i8"`,
		"struct.npy": "elements of type"} {
		if _, err := Read(filepath.Join("testdata", file), ""); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v; want %q", file, err, want)
		}
	}
	// The bytes must equal NumPy's, padding included.
	path := filepath.Join(t.TempDir(), "w.npy")
	if err := Write(path, &Array{Shape: []int{3, 4}, Data: []float32{0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5,
		5.5}}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(filestest.Read(t, path), filestest.Read(t, filepath.Join("testdata", "float32.npy"))) {
		t.Errorf("the file differs from NumPy's:\n%q", filestest.Read(t, path))
	}
}

// NumPy's archives hold several arrays, packed or not: one is picked by its name, or by a usual name.
func TestReadNPZGoldens(t *testing.T) {
	values := []float32{0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5}
	for name, c := range map[string]struct {
		file, array string
		usual       []string
		want        *Array
	}{
		"named":      {"two.npz", "other", nil, &Array{Name: "other", Shape: []int{12}, Data: values}},
		"usual":      {"two.npz", "", []string{"z", "w"}, &Array{Name: "w", Shape: []int{1, 3, 4}, Data: values}},
		"compressed": {"compressed.npz", "arr_0", nil, &Array{Name: "arr_0", Shape: []int{3, 4}, Data: values}},
	} {
		got, err := Read(filepath.Join("testdata", c.file), c.array, c.usual...)
		if d := cmp.Diff(c.want, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
	path := filepath.Join(t.TempDir(), "a.npz")
	filestest.Write(t, path, []byte("PK"))
	empty := filepath.Join(t.TempDir(), "b.npz")
	filestest.Write(t, empty, []byte("PK\x05\x06"+strings.Repeat("\x00", 18)))
	for want, c := range map[string][2]string{
		"holds 2 arrays":    {"testdata/two.npz", ""},
		`no array "y"`:      {"testdata/two.npz", "y"},
		"not a zip":         {path, ""},
		"holds no arrays":   {empty, ""},
		"no such file":      {"testdata/none.npz", ""},
		"claims 5000000000": {claims(t), ""},
	} {
		if _, err := Read(c[0], c[1]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v; want %q", c, err, want)
		}
	}
	for path, want := range map[string][2]string{
		"a/b.npz": {"a/b.npz", ""}, "a/b.npz:w": {"a/b.npz", "w"}, "C.safetensors:x:y": {"C.safetensors:x:y", ""},
		"a:b.npy": {"a:b.npy", ""}, "pictures:w": {"pictures:w", ""},
	} {
		if file, name := split(path); file != want[0] || name != want[1] {
			t.Errorf("%s is %q, %q", path, file, name)
		}
		if IsSource(path) != (path != "pictures:w" && path != "C.safetensors:x:y") {
			t.Errorf("%s is a source or not", path)
		}
	}
}

// claims writes an archive whose entry claims 5 GB.
func claims(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if _, err := z.CreateRaw(&zip.FileHeader{Name: "w.npy", UncompressedSize64: 5_000_000_000}); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "claims.npz")
	filestest.Write(t, path, b.Bytes())
	return path
}

// NumPy reads the last of two arrays of one name, others the first.
func TestReadNPZRefusesRepeatedNames(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for range 2 {
		if _, err := z.Create("w.npy"); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "twice.npz")
	filestest.Write(t, path, b.Bytes())
	if _, err := Read(path, "w"); err == nil || !strings.Contains(err.Error(), `it holds "w.npy" twice`) {
		t.Error(err)
	}
}

// What could not be read is not written: a network may answer large values with NaN.
func TestWriteRefusesNaN(t *testing.T) {
	for _, name := range []string{"a.npy", "a.safetensors"} {
		path := filepath.Join(t.TempDir(), name)
		err := Write(path, &Array{Name: "images", Shape: []int{2, 1}, Data: []float32{1, float32(math.NaN())}})
		if err == nil || !strings.Contains(err.Error(), `"images": row 1: element [1 0] is NaN`) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s was written", name)
		}
	}
}

// A NaN and an infinity are refused in files of every kind, by row and value.
func TestReadRefusesNaN(t *testing.T) {
	nan := &checkpoints.Weights{Tensors: map[string]checkpoints.Tensor{"e": checkpoints.Float32Tensor([]float32{1, 2, 3,
		float32(math.Inf(1))}, 2, 2)}}
	path := filepath.Join(t.TempDir(), "e.safetensors")
	if err := checkpoints.WriteSafetensors(path, nan, nil); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{
		"testdata/nan.npy": "row 1: element [1 2] is NaN", "testdata/infinity.npz": `array "z": row 1: element [1 2] is -Inf`,
		"testdata/overflow.npy": "row 0: element [0 1] is +Inf", path: `array "e": row 1: element [1 1] is +Inf`,
	} {
		if _, err := Read(file, ""); err == nil || !strings.Contains(err.Error(), want) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v; want %q", file, err, want)
		}
	}
}

func TestReadArrayHostile(t *testing.T) {
	four := make([]byte, 4)
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"empty":   {nil, "not a NumPy file"},
		"text":    {[]byte("hello, this is text"), "not a NumPy file"},
		"pointer": {[]byte("version https://git-lfs.github.com/spec/v1\n"), "a Git LFS pointer"},
		"version": {npyFile(9, npyHeader("<f4", "False", "(1,)"), four), "version 9"},
		"2^60":    {npyFile(1, npyHeader("<f4", "False", "(1152921504606846976,)"), four), "too large"},
		"2^40": {npyFile(1, npyHeader("<f4", "False", "(1048576, 1048576)"), four),
			"needs 4398046511104 bytes; the file has 4"},
		"overflow":         {npyFile(1, npyHeader("<f4", "False", "(4294967296, 4294967297)"), four), "too large"},
		"beyond int":       {npyFile(1, npyHeader("<f4", "False", "(99999999999999999999,)"), four), "header is not"},
		"negative":         {npyFile(1, npyHeader("<f4", "False", "(-1,)"), four), "negative"},
		"two negatives":    {npyFile(1, npyHeader("<f4", "False", "(-1, -1)"), four), "negative"},
		"truncated data":   {npyFile(1, npyHeader("<f4", "False", "(2,)"), four), "needs 8 bytes; the file has 4"},
		"surplus data":     {npyFile(1, npyHeader("<f4", "False", "(1,)"), append(four, 0)), "needs 4 bytes; the file has 5"},
		"truncated header": {npyFile(1, npyHeader("<f4", "False", "(1,)"), nil)[:30], "damaged"},
		"header 4 GB":      {[]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{}"), "damaged"},
		"no line end":      {npyFile(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", four), "damaged"},
		"no dictionary":    {npyFile(1, "hello\n", four), `header is not one of NumPy's: "hello"`},
		"code":             {npyFile(1, npyHeader("<f4", "False", "__import__('os').system('id')"), four), "header is not"},
		"keys reversed":    {npyFile(1, "{'shape': (1,), 'fortran_order': False, 'descr': '<f4'}\n", four), "damaged"},
		"object":           {npyFile(1, npyHeader("|O", "False", "(1,)"), []byte("\x80\x04c")), `type "|O"`},
		"integers":         {npyFile(1, npyHeader("<i4", "False", "(1,)"), four), `type "<i4"`},
		"complex":          {npyFile(1, npyHeader("<c8", "False", "(1,)"), four), `type "<c8"`},
	} {
		path := filepath.Join(t.TempDir(), "a.npy")
		filestest.Write(t, path, c.raw)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Read(path, "")
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v; want %q and the path", name, err, c.want)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes allocated", name, n)
		}
	}
}

func TestArrayNames(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "two.safetensors")
	w := &checkpoints.Weights{Tensors: map[string]checkpoints.Tensor{"w": checkpoints.Float32Tensor([]float32{1}, 1),
		"z": checkpoints.Float32Tensor([]float32{2, 3}, 2)}}
	if err := checkpoints.WriteSafetensors(path, w, nil); err != nil {
		t.Fatal(err)
	}
	if a, err := Read(path, "z"); err != nil || !slices.Equal(a.Data, []float32{2, 3}) {
		t.Errorf("%v, %v", a, err)
	}
	one := filepath.Join(folder, "one.safetensors")
	if err := Write(one, &Array{Shape: []int{1}, Data: []float32{4}}); err != nil {
		t.Fatal(err)
	}
	if a, err := Read(one, ""); err != nil || a.Name != "data" || a.Data[0] != 4 {
		t.Errorf("%v, %v", a, err)
	}
	npy := filepath.Join(folder, "a.npy")
	if err := Write(npy, &Array{Shape: []int{1}, Data: []float32{4}}); err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string][2]string{
		"holds 2 arrays":     {path, ""},
		`no array "y"`:       {path, "y"},
		`no tensor "z"`:      {npy, "z"},
		`extension is ".gz"`: {"x.gz", ""},
	} {
		if _, err := Read(c[0], c[1]); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), c[0]) || fault.HintOf(err) == "" {
			t.Errorf("ReadArray(%q, %q): %v; want %q and a hint", c[0], c[1], err, want)
		}
	}
	if _, err := Read(filepath.Join(folder, "none.npy"), ""); err == nil || !strings.Contains(err.Error(), "none.npy") {
		t.Errorf("missing file: %v", err)
	}
	for _, a := range []*Array{{Shape: []int{2}, Data: []float32{1}}, {Shape: []int{-1, -1}, Data: []float32{1}}} {
		if err := Write(filepath.Join(folder, "bad.npy"), a); err == nil || !strings.Contains(err.Error(), "do not fill") {
			t.Errorf("shape %v: %v", a.Shape, err)
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "bad.npy")); err == nil {
		t.Error("a refused array left a file")
	}
	if err := Write(filepath.Join(folder, "x.csv"), &Array{Shape: []int{0}}); err == nil || fault.HintOf(err) == "" {
		t.Errorf(".csv: %v", err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(npyFile(1, npyHeader("<f4", "True", "(2, 3)"), encoded(binary.LittleEndian, make([]float32, 6))))
	f.Add(npyFile(2, npyHeader(">f2", "False", "(1,)"), []byte{0x3c, 0}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := parseNPY(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		if n, err := elements(a.Shape); err != nil || n != len(a.Data) || 2*n > len(raw) {
			t.Errorf("%d values of shape %v from %d bytes", len(a.Data), a.Shape, len(raw))
		}
		back := filepath.Join(t.TempDir(), "b.npy")
		if err := Write(back, a); err != nil {
			t.Fatal(err)
		}
		b, err := Read(back, "")
		if err != nil || !slices.Equal(a.Shape, b.Shape) ||
			!slices.EqualFunc(a.Data, b.Data, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }) {
			t.Errorf("%v became %v, %v", a, b, err)
		}
	})
}
