package convert

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// What inspect says of a file is what convert makes of it.
func TestInspectSaysWhatConvertMakes(t *testing.T) {
	for _, c := range []struct {
		file, format string
		tensors      int
		first        checkpoints.Info
		options      Options
	}{
		{"nvidia.pkl", "Python pickle", 61, checkpoints.Info{Name: "D/bias", DType: checkpoints.F32, Shape: []int{1},
			Bytes: 4}, Options{}},
		{"rosinality.pt", "PyTorch zip archive", 58, checkpoints.Info{Name: "g/other", DType: checkpoints.F32,
			Shape: []int{3}, Bytes: 12}, Options{}},
		{"mmgen.pth", "PyTorch zip archive", 60, checkpoints.Info{Name: "state_dict/discriminator.convs.0.0.activate.bias",
			DType: checkpoints.F32, Shape: []int{2}, Bytes: 8}, Options{}},
		{"projector_module.pth", "PyTorch zip archive", 0,
			checkpoints.Info{Name: "module.head.0.bias", DType: checkpoints.F32, Shape: []int{4}, Bytes: 16}, Options{}},
		{"clip", "folder", 48, checkpoints.Info{Name: "logit_scale", DType: checkpoints.F32, Shape: []int{}, Bytes: 4},
			Options{}},
		{"layouts/hf_shards", "folder", 78, checkpoints.Info{Name: "logit_scale", DType: checkpoints.F16, Shape: []int{},
			Bytes: 2}, Options{}},
		{"layouts/hf_bin_shards", "folder", 78, checkpoints.Info{Name: "logit_scale", DType: checkpoints.BF16, Shape: []int{},
			Bytes: 2}, Options{}},
		{"layouts/openclip", "folder", 62, checkpoints.Info{Name: "ln_final.bias", DType: checkpoints.F32, Shape: []int{24},
			Bytes: 96}, Options{}},
		{"layouts/openai.pt", "TorchScript program", 41,
			checkpoints.Info{Name: "context_length", DType: checkpoints.I64, Shape: []int{}, Bytes: 8}, Options{}},
		{"layouts/openclip_epoch.pt", "PyTorch zip archive", 62,
			checkpoints.Info{Name: "state_dict/module.ln_final.bias", DType: checkpoints.BF16, Shape: []int{24}, Bytes: 48},
			Options{Activation: "gelu"}},
	} {
		t.Run(c.file, func(t *testing.T) {
			path := filepath.Join("testdata", c.file)
			in, err := Inspect(path, c.options)
			if err != nil || in.Problem != "" {
				t.Fatal(err, in.Problem)
			}
			if c.tensors != 0 && len(in.Tensors) != c.tensors || in.Format != c.format ||
				fmt.Sprint(in.Tensors[0]) != fmt.Sprint(c.first) {
				t.Errorf("%s with %d tensors, the first %v; want %s with %d, %v", in.Format, len(in.Tensors), in.Tensors[0],
					c.format, c.tensors, c.first)
			}
			options := c.options
			if strings.HasSuffix(c.file, "epoch.pt") {
				options.Vocabulary = "testdata/layouts/openclip"
			}
			report, err := Convert(path, filepath.Join(t.TempDir(), "out"), options)
			if err != nil {
				t.Fatal(err)
			}
			if in.Kind != report.Kind || in.Network != report.Network ||
				in.Bytes != report.SourceBytes && c.file != "layouts/hf_shards" && c.file != "layouts/hf_bin_shards" {
				t.Errorf("%s of %d bytes: %s; the report has %s of %d: %s", in.Kind, in.Bytes, in.Network, report.Kind,
					report.SourceBytes, report.Network)
			}
			said, _ := json.Marshal(in.Config)
			made, _ := json.Marshal(report.Config)
			if string(said) != string(made) {
				t.Errorf("configuration %s, converted %s", said, made)
			}
			// A converted folder is inspected too.
			again, err := Inspect(report.Folder, Options{})
			if err != nil || again.Problem != "" || again.Kind != report.Kind || len(again.Tensors) != report.Tensors {
				t.Errorf("folder form: %v, %q, %s, %d tensors", err, again.Problem, again.Kind, len(again.Tensors))
			}
		})
	}
}

// A mapper's folder from a training says which networks it was trained with, a converted one which file it is of.
func TestInspectFolders(t *testing.T) {
	trained, err := Inspect("../../examples/runs/first/mapper-best", Options{})
	if err != nil || trained.Network != "made by illustrator train with clip 7ba73e47b934, generator 4cf5abfd1b44" {
		t.Errorf("%v, %q", err, trained.Network)
	}
	folder := filepath.Join(t.TempDir(), "generator")
	if _, err := Convert("testdata/rosinality.pt", folder, Options{}); err != nil {
		t.Fatal(err)
	}
	converted, err := Inspect(folder, Options{})
	if err != nil || !strings.HasPrefix(converted.Network, "made by illustrator convert of rosinality.pt, SHA-256 ") {
		t.Errorf("%v, %q", err, converted.Network)
	}
}

// An unknown network is not an error: its tensors are listed, and the problem is named.
func TestInspectProblems(t *testing.T) {
	for file, want := range map[string]string{
		"testdata/nvidia_stylegan3.pkl":             "StyleGAN3",
		"testdata/nvidia_conditional.pkl":           "c_dim is 4",
		"testdata/layouts/openclip_epoch.pt":        "does not say its activation",
		"testdata/clip/pytorch_model.bin":           "of no layout that is known",
		"../../checkpoints/testdata/views.pt":       "of no layout that is known",
		"../../checkpoints/testdata/int8.pt":        "of no layout that is known",
		"../../checkpoints/testdata/script.pt":      "its names (bias, weight)",
		"testdata/layouts/hf_shards/../hf_nothing/": "no such file",
	} {
		in, err := Inspect(file, Options{})
		if err != nil {
			in.Problem = err.Error()
		} else if len(in.Tensors) == 0 {
			t.Errorf("%s: no tensors", file)
		}
		if !strings.Contains(in.Problem, want) || err == nil && in.Hint == "" {
			t.Errorf("%s: %q, hint %q; want %q", file, in.Problem, in.Hint, want)
		}
	}
}

// A file of 4 GB is inspected in the memory of its header, and a file that cannot be read is an error with a hint.
func TestInspectReadsHeadersAlone(t *testing.T) {
	const size = 4 << 30
	path := filepath.Join(t.TempDir(), "large")
	header := fmt.Sprintf(`{"x":{"dtype":"F32","shape":[%d],"data_offsets":[0,%d]}}`, size/4, size)
	data := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	if err := os.WriteFile(path, append(data, header...), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, int64(8+len(header))+size); err != nil { // a hole: it takes no place on the disk
		t.Skipf("no file of 4 GB: %v", err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in, err := Inspect(path, Options{})
	runtime.ReadMemStats(&after)
	if err != nil || len(in.Tensors) != 1 || in.Tensors[0].Bytes != size {
		t.Errorf("%v, %+v", err, in)
	}
	if cost := after.TotalAlloc - before.TotalAlloc; cost > 1<<20 {
		t.Errorf("allocated %d bytes", cost)
	}
	in, err = Inspect("../../checkpoints/testdata/malicious.pt", Options{})
	if err != nil || len(in.Dropped) != 1 || !strings.Contains(in.Dropped[0], "calls of posix.system") ||
		in.Problem == "" {
		t.Errorf("%v, %+v", err, in)
	}
	for file, want := range map[string]string{
		"../../checkpoints/testdata/module.pt": "class torch.nn.modules.linear.Linear",
		"inspect_test.go":                      "not a valid zip file",
		"../../docs":                           "config.json is missing",
	} {
		if _, err := Inspect(file, Options{}); err == nil || !strings.Contains(err.Error(), want) || fault.HintOf(err) == "" {
			t.Errorf("%s: got %v, hint %q", file, err, fault.HintOf(err))
		}
	}
}
