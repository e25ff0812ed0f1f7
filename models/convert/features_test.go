package convert

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/inception"
	"illustrator/models/lpips"
)

// narrow returns the weights of a narrow network in another package's testdata.
func narrow(t *testing.T, path string) *checkpoints.Weights {
	t.Helper()
	all, err := checkpoints.ReadSafetensors(path)
	if err != nil {
		t.Fatal(err)
	}
	w := &checkpoints.Weights{Tensors: map[string]checkpoints.Tensor{}}
	for _, name := range all.Names() {
		if inner, ok := strings.CutPrefix(name, "weights."); ok {
			w.Tensors[inner] = all.Tensors[name]
		}
	}
	return w
}

// inceptionFile is a narrow FID Inception as its file has it, with a layer of logits and counters.
func inceptionFile(t *testing.T, logits int) (file, canonical *checkpoints.Weights) {
	canonical = narrow(t, "../inception/testdata/tiny.safetensors")
	file = &checkpoints.Weights{Tensors: maps.Clone(canonical.Tensors)}
	file.Tensors["fc.weight"] = checkpoints.Float32Tensor(make([]float32, 2*logits), logits, 2)
	file.Tensors["fc.bias"] = checkpoints.Float32Tensor(make([]float32, logits), logits)
	file.Tensors["Mixed_5b.branch1x1.bn.num_batches_tracked"] = checkpoints.Tensor{DType: checkpoints.I64,
		Data: make([]byte, 8)}
	return file, canonical
}

// lpipsFile is a narrow lpips.LPIPS as its state dict has it.
func lpipsFile(t *testing.T, net lpips.Net) (file, canonical *checkpoints.Weights) {
	canonical = narrow(t, fmt.Sprintf("../lpips/testdata/tiny_%s.safetensors", net))
	file = &checkpoints.Weights{Tensors: map[string]checkpoints.Tensor{}}
	for name, x := range canonical.Tensors {
		if rest, ok := strings.CutPrefix(name, "features."); ok {
			slice := "net.slice2."
			if strings.HasPrefix(rest, "0.") {
				slice = "net.slice1."
			}
			file.Tensors[slice+rest] = x
			continue
		}
		file.Tensors[name] = x
		file.Tensors[strings.Replace(name, "lin", "lins.", 1)] = x
	}
	file.Tensors["scaling_layer.shift"] = checkpoints.Float32Tensor(make([]float32, 3), 1, 3, 1, 1)
	file.Tensors["scaling_layer.scale"] = file.Tensors["scaling_layer.shift"]
	return file, canonical
}

// converted converts a file of w and compares kind, configuration and tensors.
func converted(t *testing.T, w *checkpoints.Weights, kind Kind, config any,
	want *checkpoints.Weights, report ...string) {
	t.Helper()
	src, dst := writeTorch(t, "net.pth", "", w), filepath.Join(t.TempDir(), "out")
	r, err := Convert(src, dst, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Kind != kind {
		t.Errorf("recognised %q, want %q", r.Kind, kind)
	}
	if d := cmp.Diff(config, r.Config); d != "" {
		t.Error(d)
	}
	for _, part := range report {
		if text := fmt.Sprint(r.Rows()); !strings.Contains(text, part) {
			t.Errorf("the report lacks %q:\n%s", part, text)
		}
	}
	f, err := checkpoints.Open(dst)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Weights()
	if err != nil {
		t.Fatal(err)
	}
	sameTensors(t, got, want)
}

func TestConvertInception(t *testing.T) {
	file, want := inceptionFile(t, 1008)
	converted(t, file, InceptionFID, inception.Config{ModelType: "inception-fid", FeatureDim: 128}, want,
		"features of 128", "tf1-bilinear-299", "1 counters", "the layer of logits")
}

func TestConvertLPIPS(t *testing.T) {
	for _, net := range []lpips.Net{lpips.Alex, lpips.VGG} {
		file, want := lpipsFile(t, net)
		converted(t, file, LPIPSWhole, lpips.Config{ModelType: "lpips", Net: net, Channels: 4}, want,
			"LPIPS 0.1 on "+string(net), "5 tensors lins", "scaling_layer")
	}
}

// An AlexNet of published width gets the published linear layers; those of a narrow one don't fit.
func TestConvertAlexNet(t *testing.T) {
	cfg := lpips.Config{ModelType: "lpips", Net: lpips.Alex, Channels: lpips.Channels}
	want, err := lpips.Linear(lpips.Alex)
	if err != nil {
		t.Fatal(err)
	}
	file := &checkpoints.Weights{Tensors: map[string]checkpoints.Tensor{
		"classifier.1.weight": checkpoints.Float32Tensor([]float32{1}, 1, 1),
	}}
	for name, shape := range cfg.Shapes() {
		if strings.HasPrefix(name, "features.") {
			x := checkpoints.Float32Tensor(make([]float32, checkpoints.Tensor{Shape: shape}.Elements()), shape...)
			want.Tensors[name], file.Tensors[name] = x, x
		}
	}
	converted(t, file, LPIPSNetwork, cfg, want, "LPIPS 0.1 on alex", "31×31",
		"1 tensors of the layers behind the features")
}

// A safetensors file is recognised by its names, as a PyTorch file is.
func TestConvertSafetensors(t *testing.T) {
	file, want := inceptionFile(t, 1008)
	src, dst := filepath.Join(t.TempDir(), "net.safetensors"), filepath.Join(t.TempDir(), "out")
	if err := checkpoints.WriteSafetensors(src, file, nil); err != nil {
		t.Fatal(err)
	}
	r, err := Convert(src, dst, Options{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := checkpoints.Open(dst)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Weights()
	if err != nil {
		t.Fatal(err)
	}
	sameTensors(t, got, want)
	if r.Kind != InceptionFID || r.Source.File != "net.safetensors" {
		t.Errorf("%+v", r)
	}
	clip := "../clip/testdata/tiny/model.safetensors"
	if _, err := Convert(clip, dst, Options{}); err == nil || !strings.Contains(err.Error(), clip) ||
		!strings.Contains(fault.HintOf(err), "name its folder") {
		t.Errorf("a CLIP without its folder: %v", err)
	}
}

func TestConvertFeaturesRefuses(t *testing.T) {
	other, _ := inceptionFile(t, 1000)
	none, _ := inceptionFile(t, 1008)
	delete(none.Tensors, "Mixed_7c.branch_pool.bn.bias")
	small, _ := inceptionFile(t, 1008)
	small.Tensors["Conv2d_1a_3x3.conv.weight"] = checkpoints.Float32Tensor(make([]float32, 27), 1, 3, 3, 3)
	linear, err := lpips.Linear(lpips.VGG)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file *checkpoints.Weights
		want string
	}{
		"torchvision's Inception": {other, "has 1000 classes; FID's network has 1008"},
		"a tensor missing":        {none, `"Mixed_7c.branch_pool.bn.bias" is missing`},
		"too narrow":              {small, "feature_dim is 64"},
		"linear layers alone":     {linear, "are of no layout that is known"},
		"a narrow VGG16 of its own": {narrow(t, "../lpips/testdata/tiny_vgg.safetensors"),
			`"lin0.model.1.weight" has shape [1 64 1 1]; expected [1 4 1 1]`},
	} {
		t.Run(name, func(t *testing.T) {
			refuse(t, writeTorch(t, "net.pth", "", c.file), Options{}, c.want, "net.pth")
		})
	}
}
