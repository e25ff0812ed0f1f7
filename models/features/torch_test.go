package features

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/internal/fault"
	"illustrator/models/nn/nntest"
)

var plain = RedrawOptions{Layout: NCHW, Channels: RGB, Std: [3]float64{1, 1, 1}, Range: [2]float64{-1, 1},
	OutputRange: [2]float64{-1, 1}}

// Networks that PyTorch's two exporters write equal onnxruntime: reflection and replication, norms, interpolation of
// all kinds and transposed convolutions, for one size and for any, with the weights in another file. float32 sums in
// another order make the difference; networks in half precision, which are computed in float32 here, differ by half's
// rounding.
func TestPyTorchExportsEqualONNXRuntime(t *testing.T) {
	golden := nntest.Golden(t, "testdata/torch.safetensors")
	networks := []string{"reflect", "replicate", "norms", "upsample", "thirds", "transpose"}
	if testing.Short() {
		networks = networks[:2]
	}
	for _, network := range networks {
		for kind, tolerance := range map[string]float64{"fixed": 1e-5, "any": 1e-5, "dynamo": 1e-5, "half": 5e-4} {
			t.Run(network+" "+kind, func(t *testing.T) {
				r, err := OpenRedrawer("testdata/torch-"+network+"-"+kind+".onnx", plain)
				if err != nil {
					t.Fatal(err)
				}
				if fixed := r.Height == 12 && r.Width == 16; fixed != (kind == "fixed") {
					t.Errorf("it is for pictures of %d × %d pixels", r.Width, r.Height)
				}
				r.Backend = nntest.Backend(t)
				got, err := r.Redraw(t.Context(), values(t, golden, "picture"), 12, 16)
				if err != nil {
					t.Fatal(err)
				}
				if d := nntest.MaxAbs(t, got, values(t, golden, network+"-"+kind)); !(d <= tolerance) {
					t.Errorf("differs by %g", d)
				}
			})
		}
	}
}

// Weights are read from other files in the folder of the ONNX file or below, as long as they are there and as the file
// says.
func TestWeightsInAnotherFile(t *testing.T) {
	data, err := os.ReadFile("testdata/torch-reflect-dynamo.onnx")
	if err != nil {
		t.Fatal(err)
	}
	weights, err := os.ReadFile("testdata/torch-reflect-dynamo.onnx.data")
	if err != nil {
		t.Fatal(err)
	}
	const name = "torch-reflect-dynamo.onnx.data"
	write := func(t *testing.T, dir string, data, weights []byte) string {
		t.Helper()
		for file, content := range map[string][]byte{"net.onnx": data, name: weights} {
			if err := os.WriteFile(filepath.Join(dir, file), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return filepath.Join(dir, "net.onnx")
	}
	whole, err := OpenRedrawer(write(t, t.TempDir(), data, weights), plain)
	if err != nil {
		t.Fatal(err)
	}
	other := append([]byte(nil), weights...)
	other[5] ^= 1
	changed, err := OpenRedrawer(write(t, t.TempDir(), data, other), plain)
	if err != nil || changed.SHA256 == whole.SHA256 {
		t.Errorf("other weights have the same SHA-256, or %v", err)
	}
	outside := func(place string) []byte { // of the same length
		return []byte(strings.ReplaceAll(string(data), name, place+strings.Repeat("x", len(name)-len(place))))
	}
	for want, open := range map[string]func(dir string) string{
		"has 100":       func(dir string) string { return write(t, dir, data, weights[:100]) },
		"no such file":  func(dir string) string { return write(t, dir, outside("none"), weights) },
		"is not in the": func(dir string) string { return write(t, dir, outside("../"), weights) },
		"which is not ": func(dir string) string { return write(t, dir, outside("/etc/"), weights) },
		"path escapes": func(dir string) string {
			path := write(t, dir, data, weights)
			elsewhere := filepath.Join(t.TempDir(), "secret")
			for _, err := range []error{os.Rename(filepath.Join(dir, name), elsewhere),
				os.Symlink(elsewhere, filepath.Join(dir, name))} {
				if err != nil {
					t.Fatal(err)
				}
			}
			return path
		},
		"is not a file": func(dir string) string {
			path := write(t, dir, data, weights)
			for _, err := range []error{os.Remove(filepath.Join(dir, name)), os.Mkdir(filepath.Join(dir, name), 0o755)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			return path
		},
	} {
		if _, err := OpenRedrawer(open(t.TempDir()), plain); err == nil || !strings.Contains(err.Error(), want) ||
			fault.HintOf(err) == "" {
			t.Errorf("got %v (hint %q), want %q", err, fault.HintOf(err), want)
		}
	}
}
