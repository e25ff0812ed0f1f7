package features

import (
	"flag"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/convert"
	"illustrator/models/inception"
	"illustrator/models/lpips"
	"illustrator/models/nn/nntest"
)

var full = flag.String("full", "",
	"folder that models/inception/testdata/make_golden.py and models/lpips/testdata/make_golden.py wrote with --full")

// values returns a golden's tensor.
func values(t *testing.T, w *checkpoints.Weights, name string) []float32 {
	t.Helper()
	v, err := w.Tensors[name].Float32s()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// folder writes the narrow network of a golden in folder form.
func folder(t *testing.T, golden *checkpoints.Weights, config any) string {
	t.Helper()
	w := &checkpoints.Weights{Tensors: map[string]checkpoints.Tensor{}}
	for _, name := range golden.Names() {
		if inner, ok := strings.CutPrefix(name, "weights."); ok {
			w.Tensors[inner] = golden.Tensors[name]
		}
	}
	dir := filepath.Join(t.TempDir(), "network")
	if err := checkpoints.Write(dir, checkpoints.Contents{Config: config, Weights: w, Layout: "test",
		Tool: "test"}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// From a folder to features of more pictures than a batch, each of which has the features of its first appearance.
func TestFeatures(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles 94 convolutions")
	}
	golden := nntest.Golden(t, "../inception/testdata/tiny.safetensors")
	e, err := Open(nntest.Backend(t), folder(t, golden, inception.Config{ModelType: inception.ModelType, FeatureDim: 128}))
	if err != nil {
		t.Fatal(err)
	}
	if e.Name != "inception-fid tf1-bilinear-299" || e.Dim != 128 || len(e.SHA256) != 64 {
		t.Errorf("%+v", e)
	}
	images, want := values(t, golden, "images"), values(t, golden, "features")
	var many, expected []float32
	for range 6 {
		many, expected = append(many, images...), append(expected, want...)
	}
	got, err := e.Features(t.Context(), many, 40, 52)
	if err != nil {
		t.Fatal(err)
	}
	if d := nntest.MaxAbs(t, got, expected); d > 2e-5 {
		t.Errorf("features differ by %g", d)
	}
	if _, err := e.Features(t.Context(), images[1:], 40, 52); err == nil ||
		!strings.Contains(err.Error(), "not rows of [3 40 52]") {
		t.Errorf("a part of a picture: %v", err)
	}
}

func TestDistances(t *testing.T) {
	golden := nntest.Golden(t, "../lpips/testdata/tiny_alex.safetensors")
	d,
		err := OpenDistance(nntest.Backend(t), folder(t, golden,
		lpips.Config{ModelType: lpips.ModelType, Net: lpips.Alex, Channels: 4}))
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != "lpips-0.1 alex" || len(d.SHA256) != 64 {
		t.Errorf("%+v", d)
	}
	a, b := values(t, golden, "a"), values(t, golden, "b")
	got, err := d.Distances(t.Context(), a, b, 40, 33)
	if err != nil {
		t.Fatal(err)
	}
	if diff := nntest.MaxAbs(t, got, values(t, golden, "distance")); diff > 1e-6 {
		t.Errorf("distances differ by %g", diff)
	}
	if _, err := d.Distances(t.Context(), a, b[:len(b)/3], 40, 33); err == nil ||
		!strings.Contains(err.Error(), "3 and 1 rows") {
		t.Errorf("other numbers of pictures: %v", err)
	}
	if _, err := d.Distances(t.Context(), a, b, 30, 44); err == nil || !fault.IsUsage(err) ||
		!strings.Contains(fault.HintOf(err), "31×31") {
		t.Errorf("small pictures: %v", err)
	}
}

func TestOpenMistakes(t *testing.T) {
	golden := nntest.Golden(t, "../lpips/testdata/tiny_alex.safetensors")
	alex := folder(t, golden, lpips.Config{ModelType: lpips.ModelType, Net: lpips.Alex, Channels: 4})
	if _, err := Open(nil, alex); err == nil || !strings.Contains(err.Error(), `model_type is "lpips"`) ||
		fault.HintOf(err) == "" {
		t.Errorf("a distance as an extractor: %v", err)
	}
	wrong := folder(t, golden, lpips.Config{ModelType: lpips.ModelType, Net: lpips.VGG, Channels: 4})
	if _, err := OpenDistance(nil, wrong); err == nil || !strings.Contains(err.Error(), `"features.0.weight" has shape`) ||
		fault.HintOf(err) == "" {
		t.Errorf("AlexNet as VGG16: %v", err)
	}
	if _, err := Open(nil, filepath.Join(t.TempDir(), "none")); err == nil || fault.HintOf(err) == "" {
		t.Errorf("no folder: %v", err)
	}
}

// Networks of published width with random weights, from PyTorch's files through illustrator convert, against
// torch-fidelity and lpips. Relative to the largest value: float32 sums of up to 2048·9 terms in another order.
func TestFullWidth(t *testing.T) {
	if *full == "" {
		t.Skip("needs files of 950 MB: -full FOLDER names what the two make_golden.py write with --full")
	}
	converted := func(file string) string {
		dir := filepath.Join(t.TempDir(), "network")
		if _, err := convert.Convert(filepath.Join(*full, file), dir, convert.Options{}); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	compare := func(what string, got, want []float32) {
		largest := 0.0
		for _, v := range want {
			largest = max(largest, math.Abs(float64(v)))
		}
		d := nntest.MaxAbs(t, got, want) / largest
		t.Logf("%s: largest difference %.2g of the largest value %g", what, d, largest)
		if d > 1e-5 {
			t.Errorf("%s differs by %g", what, d)
		}
	}
	golden := nntest.Golden(t, filepath.Join(*full, "inception.safetensors"))
	e, err := Open(nntest.Backend(t), converted("inception.pth"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.Features(t.Context(), values(t, golden, "images"), 256, 256)
	if err != nil {
		t.Fatal(err)
	}
	compare(e.Name, got, values(t, golden, "features"))
	for file, net := range map[string]string{"alex.pth": "alex", "vgg.pth": "vgg", "lpips_alex.pth": "alex",
		"lpips_vgg.pth": "vgg"} {
		golden := nntest.Golden(t, filepath.Join(*full, net+".safetensors"))
		d, err := OpenDistance(nntest.Backend(t), converted(file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Distances(t.Context(), values(t, golden, "a"), values(t, golden, "b"), 256, 256)
		if err != nil {
			t.Fatal(err)
		}
		compare(file, got, values(t, golden, "distance"))
	}
}
