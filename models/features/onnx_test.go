package features

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/internal/fault"
	"illustrator/models/nn/nntest"
)

var imageNet = ONNXOptions{Output: "logits", Mean: [3]float64{0.485, 0.456, 0.406},
	Std: [3]float64{0.229, 0.224, 0.225}}

// Both outputs equal PyTorch's; a pool's dilations and an average's padding, which PyTorch writes, don't stand in the
// way.
func TestONNXEqualsPyTorch(t *testing.T) {
	golden := nntest.Golden(t, "testdata/tiny.safetensors")
	for output, dim := range map[string]int{"logits": 5, "pooled": 6} {
		o := imageNet
		o.Output = output
		e, err := OpenONNX(nntest.Backend(t), "testdata/tiny.onnx", o)
		if err != nil {
			t.Fatal(err)
		}
		if e.Dim != dim || e.Name != "onnx "+output+" area-24" || len(e.SHA256) != 64 {
			t.Errorf("%+v", e)
		}
		got, err := e.Features(t.Context(), values(t, golden, "images"), 48, 48)
		if err != nil {
			t.Fatal(err)
		}
		if d := nntest.MaxAbs(t, got, values(t, golden, output)); d > 2e-6 {
			t.Errorf("%s differs by %g", output, d)
		}
	}
}

func TestONNXMistakes(t *testing.T) {
	data, err := os.ReadFile("testdata/tiny.onnx")
	if err != nil {
		t.Fatal(err)
	}
	write := func(data []byte) string {
		path := filepath.Join(t.TempDir(), "net.onnx")
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	changed := func(old, new string) string {
		if !strings.Contains(string(data), old) {
			t.Fatalf("the file lacks %q", old)
		}
		return write([]byte(strings.ReplaceAll(string(data), old, new)))
	}
	option := func(change func(*ONNXOptions)) ONNXOptions {
		o := imageNet
		change(&o)
		return o
	}
	const good = "testdata/tiny.onnx"
	for name, c := range map[string]struct {
		path, want string
		options    ONNXOptions
	}{
		"no file":         {"testdata/none.onnx", "no such file", imageNet},
		"no model":        {write([]byte("<!DOCTYPE html>")), "net.onnx", imageNet},
		"cut short":       {write(data[:len(data)/2]), "unexpected EOF", imageNet},
		"no std":          {good, "std[0] is 0", ONNXOptions{}},
		"several outputs": {good, "logits [any 5], pooled [any 6]", option(func(o *ONNXOptions) { o.Output = "" })},
		"unknown output":  {good, `output "embedding"`, option(func(o *ONNXOptions) { o.Output = "embedding" })},
		"another size": {good, "image [any 3 24 24], which does not take [1 3 32 32]",
			option(func(o *ONNXOptions) { o.Size = 32 })},
		"unknown operator": {changed("MaxPool", "TaxPool"), "TaxPool", imageNet},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := OpenONNX(nntest.Backend(t), c.path, c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) ||
				fault.HintOf(err) == "" {
				t.Errorf("got %v (hint %q)", err, fault.HintOf(err))
			}
		})
	}
}

// lpips, exported by PyTorch, gives its distances; the tolerance is that of TestDistances.
func TestONNXDistanceEqualsPyTorch(t *testing.T) {
	golden := nntest.Golden(t, "../lpips/testdata/tiny_alex.safetensors")
	path := beside(t, "testdata/distance.onnx", `{"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}`)
	d, err := OpenDistance(nntest.Backend(t), path)
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "onnx distance" || len(d.SHA256) != 64 {
		t.Errorf("%+v", d)
	}
	got, err := d.Distances(t.Context(), values(t, golden, "a"), values(t, golden, "b"), 40, 33)
	if err != nil {
		t.Fatal(err)
	}
	if diff := nntest.MaxAbs(t, got, values(t, golden, "distance")); diff > 1e-6 {
		t.Errorf("distances differ by %g", diff)
	}
	resized,
		err := OpenDistance(nntest.Backend(t), beside(t, path,
		`{"size": 48, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}`))
	if err != nil || resized.Name != "onnx distance area-48" || resized.SHA256 == d.SHA256 {
		t.Errorf("of another size: %+v, %v", resized, err)
	}
}

// beside copies an ONNX file and writes settings beside it.
func beside(t *testing.T, path, settings string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range map[string][]byte{"net.onnx": data, "net.json": []byte(settings)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "net.onnx")
}

func TestONNXSettingsMistakes(t *testing.T) {
	const half = `"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]`
	extractor := func(path string) error { _, err := Open(nntest.Backend(t), path); return err }
	distance := func(path string) error { _, err := OpenDistance(nntest.Backend(t), path); return err }
	for name, c := range map[string]struct {
		open       func(path string) error
		path, want string
	}{
		"no settings": {extractor, "testdata/tiny.onnx", "has no settings beside it"},
		"unknown setting": {extractor, beside(t, "testdata/tiny.onnx", `{"outputs": "logits"}`),
			`unknown field "outputs"`},
		"no JSON":       {distance, beside(t, "testdata/distance.onnx", `mean 0.5`), "net.json: byte 1: invalid character"},
		"negative size": {distance, beside(t, "testdata/distance.onnx", `{"size": -1, `+half+`}`), "size is -1"},
		"no std":        {distance, beside(t, "testdata/distance.onnx", `{}`), "std[0] is 0"},
		"features as one": {distance, beside(t, "testdata/tiny.onnx", `{"output": "logits", `+half+`}`),
			"its inputs are image"},
		"a distance as one": {extractor, beside(t, "testdata/distance.onnx", `{`+half+`}`),
			"its inputs are a [any 3 any any], b"},
		"several values": {distance, beside(t, "testdata/distance.onnx",
			`{"output": "/slice1/slice1.1/Relu_output_0", `+half+`}`), "values for two pictures"},
		"too small a picture": {distance, beside(t, "testdata/distance.onnx", `{"size": 8, `+half+`}`), "output"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.open(c.path)
			if err == nil || !strings.Contains(err.Error(), c.want) || fault.HintOf(err) == "" {
				t.Errorf("got %v (hint %q)", err, fault.HintOf(err))
			}
		})
	}
}
