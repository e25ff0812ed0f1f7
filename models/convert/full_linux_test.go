package convert

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/internal/parity"
	"illustrator/models/clip"
	"illustrator/models/mapper"
	"illustrator/models/nn"
	"illustrator/models/nn/nntest"
	"illustrator/models/stylegan2"
)

// Environment variables of `make parity-full`: the folder of testdata/full/make.py's files, and the table to write.
const (
	fullEnv      = "ILLUSTRATOR_FULL"
	fullTableEnv = "ILLUSTRATOR_FULL_TABLE"
)

// fullResult holds the figures of one case, by the name of the output.
type fullResult struct {
	Case     string            `json:"case"`
	Kind     Kind              `json:"kind"`
	Bytes    int64             `json:"bytes"` // of the file
	Values   int               `json:"values"`
	Versions map[string]string `json:"versions"`
	Outputs  []fullOutput      `json:"outputs"`
	Peak     int64             `json:"peak_bytes"` // of the process that converted and ran it
	// Smooth is the error of PyTorch's float32 gradient through a generator with a smooth activation; 0 elsewhere.
	Smooth float64 `json:"smooth,omitempty"`
}

// fullOutput has relative errors: ours in both precisions and PyTorch's in float32. BFloat16 is 0 where nothing
// computes the output in bfloat16.
type fullOutput struct {
	Name                       string
	Float32, PyTorch, BFloat16 float64
}

// TestFullSize converts weight files of full size, runs the networks and compares them with PyTorch. Each case has a
// process of its own, so that its memory is told apart and given back.
func TestFullSize(t *testing.T) {
	root := os.Getenv(fullEnv)
	if root == "" {
		t.Skip("needs files of some GB; run `make parity-full`")
	}
	paths, err := filepath.Glob(filepath.Join(root, "*", "expected.safetensors"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in %q: %v", root, err)
	}
	var results []fullResult
	for _, path := range paths {
		folder := filepath.Dir(path)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			result := filepath.Join(folder, "result.json")
			if err := os.Remove(result); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
			cmd := exec.Command(os.Args[0], "-test.run=^TestFullCase$", "-test.v")
			cmd.Env = append(os.Environ(), fullEnv+"="+folder)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			var r fullResult
			data, err := os.ReadFile(result) // that of a case that is off is there too
			if err == nil {
				err = json.Unmarshal(data, &r)
			}
			if err != nil {
				t.Fatal(err)
			}
			r.Peak = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
			results = append(results, r)
		})
	}
	table := fullTable(results)
	t.Log("\n" + table)
	if path := os.Getenv(fullTableEnv); path != "" && !t.Failed() {
		if err := os.WriteFile(path, []byte(table), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := fullSet(results).Write(); err != nil {
		t.Fatal(err)
	}
}

// fullSet are the results as figures of the backend.
func fullSet(results []fullResult) parity.Set {
	set := parity.Set{Name: "full-size", Backend: nntest.BackendName()}
	usual := parity.Usual(set.Backend)
	for _, r := range results {
		for _, o := range r.Outputs {
			figure := parity.Figure{Network: r.Case, Output: o.Name, Precision: usual, Error: o.Float32,
				Allowed: parity.Tolerance(set.Backend, usual)}
			set.Figures = append(set.Figures, figure)
			if o.BFloat16 > 0 && usual == parity.Float32 {
				figure.Precision, figure.Error, figure.Allowed = parity.BFloat16, o.BFloat16,
					parity.Tolerance(set.Backend, parity.BFloat16)
				set.Figures = append(set.Figures, figure)
			}
		}
	}
	return set
}

// TestFullCase is one case of TestFullSize, in its process.
func TestFullCase(t *testing.T) {
	folder := os.Getenv(fullEnv)
	expected, err := checkpoints.ReadSafetensors(filepath.Join(folder, "expected.safetensors"))
	if folder == "" || os.IsNotExist(err) {
		t.Skip("run by TestFullSize")
	}
	if err != nil {
		t.Fatal(err)
	}
	src := folder
	if files, _ := filepath.Glob(filepath.Join(folder, "file.*")); len(files) == 1 {
		src = files[0]
	}
	dst := filepath.Join(t.TempDir(), "network")
	report, err := Convert(src, dst, Options{})
	if err != nil {
		t.Fatal(err)
	}
	network, err := checkpoints.Open(dst)
	if err != nil {
		t.Fatal(err)
	}
	r := fullResult{Case: filepath.Base(folder), Kind: report.Kind, Bytes: report.SourceBytes, Values: report.Values,
		Versions: expected.Metadata}
	family, _, _ := strings.Cut(string(report.Kind), "/")
	if _, ok := expected.Tensors["smooth"]; ok {
		family = "gradient"
		r.Smooth = parity.Relative(values(t, expected, "float32.smooth"), values(t, expected, "smooth"))
	}
	for _, dtype := range []dtypes.DType{dtypes.Float32, dtypes.BFloat16} {
		var outputs map[string][]float32
		switch family {
		case "gradient":
			outputs = runGradient(t, network, expected, dtype)
		case "stylegan2":
			outputs = runGenerator(t, network, expected, dtype)
		case "clip":
			outputs = runCLIP(t, network, expected, dtype)
		case "mapper":
			outputs = runMapper(t, network, expected, dtype)
		}
		r.add(t, expected, outputs, dtype)
	}
	data, err := json.Marshal(r)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "result.json"), data, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// add compares outputs with what was expected of them.
func (r *fullResult) add(t *testing.T, expected *checkpoints.Weights,
	outputs map[string][]float32, dtype dtypes.DType) {
	for _, name := range []string{"w", "image", "text_embeds", "image_embeds", "z", "gradient"} {
		got, ok := outputs[name]
		if !ok {
			continue
		}
		want := values(t, expected, name)
		deviation := parity.Relative(got, want)
		backend := nntest.BackendName()
		tolerance := parity.Tolerance(backend, parity.Usual(backend))
		pytorch := parity.Relative(values(t, expected, "float32."+name), want)
		if name == "gradient" { // whose error depends on which activations are near 0
			tolerance = gradientTolerance * pytorch
		}
		if dtype == dtypes.BFloat16 {
			tolerance = parity.Tolerance(backend, parity.BFloat16)
			for i := range r.Outputs {
				if r.Outputs[i].Name == name {
					r.Outputs[i].BFloat16 = deviation
				}
			}
		} else {
			r.Outputs = append(r.Outputs, fullOutput{Name: name, Float32: deviation, PyTorch: pytorch})
		}
		t.Logf("%s in %s: relative error %.2g, allowed %g", name, dtype, deviation, tolerance)
		if !(deviation <= tolerance) {
			t.Errorf("%s in %s: relative error %.3g, allowed %g", name, dtype, deviation, tolerance)
		}
	}
}

func values(t *testing.T, w *checkpoints.Weights, name string) []float32 {
	t.Helper()
	v, err := w.Tensors[name].Float32s()
	if err != nil || len(v) == 0 {
		t.Fatalf("%s: %d values, %v", name, len(v), err)
	}
	return v
}

// tensor is an input as it was given to PyTorch.
func tensor(t *testing.T, w *checkpoints.Weights, name string) *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(values(t, w, name), w.Tensors[name].Shape...)
}

// loadFull reads a network's configuration and gives its weights to load.
func loadFull(t *testing.T, network *checkpoints.Folder, config any,
	load func(scope *model.Scope, w *checkpoints.Weights) error) *model.Store {
	t.Helper()
	if config != nil {
		if err := network.Config(config); err != nil {
			t.Fatal(err)
		}
	}
	w, err := network.Weights()
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	if err := load(store.RootScope(), w); err != nil {
		t.Fatal(err)
	}
	return store
}

func loadGenerator(t *testing.T, network *checkpoints.Folder, dtype dtypes.DType) (stylegan2.Config, *model.Store) {
	t.Helper()
	var cfg stylegan2.Config
	store := loadFull(t, network, &cfg,
		func(scope *model.Scope, w *checkpoints.Weights) error { return stylegan2.Load(scope, cfg, w, dtype) })
	return cfg, store
}

func runGenerator(t *testing.T, network *checkpoints.Folder, expected *checkpoints.Weights,
	dtype dtypes.DType) map[string][]float32 {
	cfg, store := loadGenerator(t, network, dtype)
	out := nntest.Run(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		w := stylegan2.Mapping(scope, cfg, in[0])
		image := stylegan2.Synthesis(scope, cfg, stylegan2.BroadcastW(cfg, w), stylegan2.Noise{Mode: stylegan2.NoiseConst})
		return []*graph.Node{nn.Widen(w), nn.Widen(image)}
	}, tensor(t, expected, "z"))
	if dtype == dtypes.BFloat16 { // the mapping network stays float32
		return map[string][]float32{"image": out[1]}
	}
	return map[string][]float32{"w": out[0], "image": out[1]}
}

// gradientTolerance bounds the error of a float32 gradient, as a multiple of PyTorch's own.
const gradientTolerance = 2

// runGradient is the gradient by z of the sum of a direction times the picture, a row at a time, in float32 alone.
func runGradient(t *testing.T, network *checkpoints.Folder, expected *checkpoints.Weights,
	dtype dtypes.DType) map[string][]float32 {
	if dtype != dtypes.Float32 {
		return nil
	}
	cfg, store := loadGenerator(t, network, dtype)
	out := nntest.Run(t, store, func(scope *model.Scope, in []*graph.Node) (rows []*graph.Node) {
		direction := graph.ExpandAxes(in[1], 0)
		for i := range in[0].Shape().Dim(0) {
			z := graph.Slice(in[0], graph.AxisElem(i))
			image := stylegan2.Build(scope, cfg, z, stylegan2.Noise{Mode: stylegan2.NoiseConst})
			rows = append(rows, graph.Gradient(graph.ReduceAllSum(graph.Mul(image, direction)), z)[0])
		}
		return rows
	}, tensor(t, expected, "z"), tensor(t, expected, "direction"))
	return map[string][]float32{"gradient": slices.Concat(out...)}
}

// runCLIP compares the tokens too. Only pictures are embedded in bfloat16.
func runCLIP(t *testing.T, network *checkpoints.Folder, expected *checkpoints.Weights,
	dtype dtypes.DType) map[string][]float32 {
	cfg, tokenizer, err := clip.Open(network)
	if err != nil {
		t.Fatal(err)
	}
	store := loadFull(t, network, nil,
		func(scope *model.Scope, w *checkpoints.Weights) error { return nn.Load(scope, w, dtype, false) })
	outputs := map[string][]float32{}
	outputs["image_embeds"] = nntest.Run(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		return []*graph.Node{unit(clip.ImageEmbeds(scope, cfg, in[0]))}
	}, tensor(t, expected, "pixel_values"))[0]
	if dtype == dtypes.BFloat16 {
		return outputs
	}
	var texts []string
	if err := json.Unmarshal([]byte(expected.Metadata["texts"]), &texts); err != nil {
		t.Fatal(err)
	}
	var ids []int32
	for _, text := range texts {
		ids = append(ids, tokenizer.Encode(text).IDs...)
	}
	in := tensors.FromFlatDataAndDimensions(ids, len(texts), tokenizer.Context())
	given := make([]byte, 0, 4*len(ids))
	for _, id := range ids {
		given = append(given, byte(id), byte(id>>8), byte(id>>16), byte(id>>24))
	}
	if string(given) != string(expected.Tensors["input_ids"].Data) {
		t.Errorf("tokens of %q: %v", texts, ids)
	}
	outputs["text_embeds"] = nntest.Run(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		return []*graph.Node{unit(clip.TextEmbeds(scope, cfg, in[0]))}
	}, in)[0]
	return outputs
}

// unit scales embeddings to length 1, as PyTorch's CLIPs return them.
func unit(embeds *graph.Node) *graph.Node {
	embeds = nn.Widen(embeds)
	return graph.Div(embeds, graph.Sqrt(graph.ReduceAndKeep(graph.Square(embeds), graph.ReduceSum, -1)))
}

// runMapper runs in float32 alone: a mapper is trained and used in that.
func runMapper(t *testing.T, network *checkpoints.Folder, expected *checkpoints.Weights,
	dtype dtypes.DType) map[string][]float32 {
	if dtype != dtypes.Float32 {
		return nil
	}
	var cfg mapper.Config
	store := loadFull(t, network, &cfg,
		func(scope *model.Scope, w *checkpoints.Weights) error { return mapper.Load(scope, cfg, w) })
	out := nntest.Run(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		return []*graph.Node{mapper.Build(scope, cfg, in[0])}
	}, tensor(t, expected, "image_embeds"))
	return map[string][]float32{"z": out[0]}
}

// fullTable is docs/parity-full.md.
func fullTable(results []fullResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Networks of full size against PyTorch

`+"`make parity-full`"+` writes this table. PyTorch writes files in the layouts of public releases with random values of
a fixed seed; the toolkit converts, loads and runs them. An error is the root mean square of an output's differences
from PyTorch's float64, divided by that of the output. The tolerance is %.0e in float32 and %.0e in bfloat16, an option
for pictures, their embeddings (`+"`--precision`, `pairs.precision`) and the semantic loss (`train.precision`"+`). The
column "PyTorch float32" has PyTorch's own error.

| file | size | values | output | float32 | PyTorch float32 | bfloat16 | peak memory |
|---|---|---|---|---|---|---|---|
`, parity.Tolerance("xla:cpu", parity.Float32), parity.Tolerance("xla:cpu", parity.BFloat16))
	versions := map[string]string{}
	for _, r := range results {
		for i, o := range r.Outputs {
			name, size, count, peak := "", "", "", ""
			if i == 0 {
				name, size, count = r.Case, fmt.Sprintf("%.0f MB", float64(r.Bytes)/1e6),
					fmt.Sprintf("%.1f M", float64(r.Values)/1e6)
				peak = fmt.Sprintf("%.1f GiB", float64(r.Peak)/(1<<30))
			}
			narrow := ""
			if o.BFloat16 > 0 {
				narrow = fmt.Sprintf("%.1e", o.BFloat16)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %.1e | %.1e | %s | %s |\n", name, size, count, o.Name, o.Float32,
				o.PyTorch, narrow, peak)
		}
		versions = r.Versions
	}
	for _, r := range results {
		if r.Smooth > 0 {
			fmt.Fprintf(&b, `
The gradient by z is that of a random linear function of four pictures. The slope of leaky ReLU jumps at 0, and float32
rounds an activation near 0 to either side, here and in PyTorch. With softplus in its place, whose slope is continuous,
the error of PyTorch's float32 gradient is %.1e.
`, r.Smooth)
		}
	}
	fmt.Fprintf(&b, "\nPyTorch %s, transformers %s. Peak memory is that of conversion and both precisions together.\n",
		versions["torch"], versions["transformers"])
	return b.String()
}
