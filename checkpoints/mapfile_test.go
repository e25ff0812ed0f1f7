package checkpoints

import (
	"bytes"
	"path/filepath"
	"testing"
)

// A large file costs no memory to open: its elements stay on the disk until they are used.
func TestLargeFilesAreMapped(t *testing.T) {
	values := make([]float32, 4<<20)
	for i := range values {
		values[i] = float32(i)
	}
	path := filepath.Join(t.TempDir(), "f")
	if err := WriteSafetensors(path, &Weights{Tensors: map[string]Tensor{"x": Float32Tensor(values, len(values)),
		"half": {DType: F16, Shape: []int{1}, Data: []byte{0, 0x3c}}}}, nil); err != nil {
		t.Fatal(err)
	}
	var w *Weights
	var err error
	if cost := allocated(func() { w, err = ReadSafetensors(path) }); cost > 1<<20 {
		t.Errorf("allocated %d bytes", cost)
	}
	if err != nil {
		t.Fatal(err)
	}
	view, err := w.Tensors["x"].Float32View()
	if err != nil || len(view) != len(values) || view[4<<20-1] != 4<<20-1 {
		t.Fatalf("%d elements, %v", len(view), err)
	}
	copied, err := w.Tensors["x"].Float32s()
	if err != nil {
		t.Fatal(err)
	}
	copied[0] = 7 // the file's bytes are not written to
	if view[0] != 0 {
		t.Error("Float32s gives the file's own bytes")
	}
	if half, err := w.Tensors["half"].Float32View(); err != nil || half[0] != 1 {
		t.Errorf("%v, %v", half, err)
	}
}

// Elements that do not lie at a multiple of their size are read all the same.
func TestViewOfOddPlaces(t *testing.T) {
	x := Float32Tensor([]float32{1, 2}, 2)
	for at := range 4 {
		odd := Tensor{DType: F32, Shape: x.Shape, Data: append(make([]byte, at, at+8), x.Data...)[at:]}
		if v, err := odd.Float32View(); err != nil || v[0] != 1 || v[1] != 2 {
			t.Errorf("%d: %v, %v", at, v, err)
		}
	}
}

func TestTransposed(t *testing.T) {
	x := Float32Tensor([]float32{1, 2, 3, 4, 5, 6}, 2, 3).Transposed()
	if want := Float32Tensor([]float32{1, 4, 2, 5, 3, 6}); !bytes.Equal(x.Data, want.Data) || x.Shape[0] != 3 ||
		x.Shape[1] != 2 {
		t.Errorf("got %v", x)
	}
	if x := (Tensor{DType: F32, Shape: []int{2, 3}}).Transposed(); x.Data != nil || x.Shape[0] != 3 {
		t.Errorf("got %v", x)
	}
}
