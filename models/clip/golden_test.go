package clip

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/models/nn"
)

// readFile returns a file of testdata.
func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// readTensors reads a safetensors file of testdata.
func readTensors(t testing.TB, name string) *checkpoints.Weights {
	t.Helper()
	w, err := checkpoints.ParseSafetensors(name, readFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// golden returns a tensor of a golden file as float32 values.
func golden(t testing.TB, w *checkpoints.Weights, name string) []float32 {
	t.Helper()
	tensor, ok := w.Tensors[name]
	if !ok {
		t.Fatalf("%s has no tensor %q", w.Source, name)
	}
	values, err := tensor.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// goldenTensor returns a tensor of a golden file for the device.
func goldenTensor(t testing.TB, w *checkpoints.Weights, name string) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(golden(t, w, name), w.Tensors[name].Shape...)
}

// tiny returns the random CLIP of testdata/make_tiny.py, a store of its weights, and its goldens.
func tiny(t testing.TB, dtype dtypes.DType) (Config, *model.Store, *checkpoints.Weights) {
	t.Helper()
	cfg, err := DecodeConfig(readFile(t, "tiny/config.json"))
	if err != nil {
		t.Fatal(err)
	}
	w := readTensors(t, "tiny/model.safetensors")
	if err := w.Check(cfg.Shapes()); err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	if err := nn.Load(store.RootScope(), w, dtype, false); err != nil {
		t.Fatal(err)
	}
	return cfg, store, readTensors(t, "tiny_goldens.safetensors")
}

// normalised divides each row of width e by its length.
func normalised(values []float32, e int) []float32 {
	out := slices.Clone(values)
	for row := range slices.Chunk(out, e) {
		sum := 0.0
		for _, v := range row {
			sum += float64(v) * float64(v)
		}
		for i := range row {
			row[i] /= float32(math.Sqrt(sum))
		}
	}
	return out
}

// wide returns x in float64.
func wide(x *tensors.Tensor) *tensors.Tensor {
	values := tensors.MustCopyFlatData[float32](x)
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = float64(v)
	}
	return tensors.FromFlatDataAndDimensions(out, x.Shape().Dimensions...)
}
