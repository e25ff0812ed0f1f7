package features

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/internal/fault"
	"illustrator/models/nn/nntest"
)

// The usual forms of image-to-image networks equal onnxruntime; float32 sums in another order make the difference.
func TestRedrawEqualsONNXRuntime(t *testing.T) {
	golden := nntest.Golden(t, "testdata/redraw.safetensors")
	ones := [3]float64{1, 1, 1}
	for name, o := range map[string]RedrawOptions{
		"animegan": {Layout: NHWC, Channels: RGB, Range: [2]float64{-1, 1}, OutputRange: [2]float64{-1, 1}, Std: ones},
		"cartoongan": {
			Layout: NCHW, Channels: BGR, Range: [2]float64{0, 255}, OutputRange: [2]float64{-1, 1},
			Mean: [3]float64{103.939, 116.779, 123.68}, Std: [3]float64{100, 100, 100},
		},
		"faststyle": {Layout: NCHW, Channels: RGB, Range: [2]float64{0, 255}, OutputRange: [2]float64{0, 255}, Std: ones},
		"fixed":     {Layout: NCHW, Channels: RGB, Range: [2]float64{0, 255}, OutputRange: [2]float64{0, 255}, Std: ones},
		"whitebox":  {Layout: NCHW, Channels: BGR, Range: [2]float64{-1, 1}, OutputRange: [2]float64{-1, 1}, Std: ones},
	} {
		r, err := OpenRedrawer("testdata/redraw-"+name+".onnx", o)
		if err != nil {
			t.Fatal(err)
		}
		if fixed := r.Height == 12 && r.Width == 16; fixed != (name == "fixed") || !fixed && r.Height+r.Width > 0 {
			t.Errorf("%s is for pictures of %d × %d pixels", name, r.Width, r.Height)
		}
		r.Backend = nntest.Backend(t)
		got, err := r.Redraw(t.Context(), values(t, golden, "picture"), 12, 16)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := nntest.MaxAbs(t, got, values(t, golden, name)); d > 1e-5 {
			t.Errorf("%s differs by %g", name, d)
		}
	}
}

func TestRedrawMistakes(t *testing.T) {
	good := RedrawOptions{Layout: NCHW, Channels: BGR, Std: [3]float64{1, 1, 1}, Range: [2]float64{0, 1},
		OutputRange: [2]float64{0, 1}}
	other, logits := good, good
	other.Layout, logits.Output = NHWC, "logits"
	data, err := os.ReadFile("testdata/redraw-cartoongan.onnx")
	if err != nil {
		t.Fatal(err)
	}
	unknown := filepath.Join(t.TempDir(), "net.onnx")
	if err := os.WriteFile(unknown, bytes.Replace(data, []byte("Tanh"), []byte("Tanx"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path, want string
		options    RedrawOptions
	}{
		"no file":      {"testdata/none.onnx", "no such file", good},
		"other layout": {"testdata/redraw-cartoongan.onnx", "picture [1 3 any any], which is not NHWC", other},
		"classifier":   {"testdata/tiny.onnx", "it has the outputs logits [any 5]", good},
		"no picture":   {"testdata/tiny.onnx", "its outputs are logits [any 5]", logits},
		"operator":     {unknown, "an operator is not supported: Tanx", good},
	} {
		_, err := OpenRedrawer(c.path, c.options)
		if err == nil || !strings.Contains(err.Error(), c.want) || fault.HintOf(err) == "" {
			t.Errorf("%s: got %v (hint %q)", name, err, fault.HintOf(err))
		}
	}
}
