package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"illustrator/checkpoints"
	"illustrator/models/classifier"
	"illustrator/models/mapper"
	"illustrator/models/stylegan2"
)

var (
	tinyGenerator = stylegan2.Config{ModelType: "stylegan2", Size: 16, StyleDim: 5, NMLP: 3, LRMLP: 0.01,
		Channels: map[int]int{4: 4, 8: 3, 16: 2}, ColorOrder: "RGB"}
	tinyDense = mapper.Config{ModelType: "mapper", Arch: "dense", EmbedDim: 6, ZDim: 5, Width: 4, Blocks: 2,
		Layers: 3, Dropout: 0.1}
	tinyBaseline = mapper.Config{ModelType: "mapper", Arch: "baseline", EmbedDim: 6, ZDim: 5, Width: 4, Layers: 4}
)

// layouts are the files that PyTorch wrote, and what must come out of each.
var layouts = []struct {
	file string
	kind Kind
	// want is the safetensors file of the expected tensors; without is what it has beyond.
	want, without string
	config        any
	options       Options
	// report are parts of the printed report.
	report []string
}{
	{file: "rosinality.pt", kind: StyleGAN2Rosinality, want: "rosinality", config: tinyGenerator,
		report: []string{"rosinality's layout",
			"16×16 pixels, Z and W of 5, 3 mapping layers, channels 4:4 8:3 16:2, RGB, with mean W", "4 filter kernels", "F32"}},
	{file: "rosinality_half.pt", kind: StyleGAN2Rosinality, want: "rosinality_half", config: tinyGenerator,
		report: []string{"without mean W", "F16"}},
	{file: "mmgen.pth", kind: StyleGAN2MMGen, want: "rosinality", without: "latent_avg", config: bgr(tinyGenerator),
		report: []string{"mmgen's layout", "BGR"}},
	{file: "mmgen.pth", kind: StyleGAN2MMGen, want: "rosinality", without: "latent_avg", config: tinyGenerator,
		options: Options{ColorOrder: "RGB"}},
	{file: "projector.pth", kind: MapperDense, want: "projector", config: tinyDense,
		report: []string{"embedding of 6 to Z of 5, width 4", "12 counters num_batches_tracked"}},
	{file: "projector_module.pth", kind: MapperDense, want: "projector", config: tinyDense},
	{file: "baseline.pth", kind: MapperBaseline, want: "baseline", config: tinyBaseline},
	{file: "clip", kind: CLIPHuggingFace, want: "clip", report: []string{"Hugging Face's layout", "2 buffers position_ids",
		"merges.txt", "tokenizer_config.json", "pytorch_model.bin"}},
}

func bgr(c stylegan2.Config) stylegan2.Config { c.ColorOrder = "BGR"; return c }

// sameTensors compares types, shapes and bytes.
func sameTensors(t *testing.T, got, want *checkpoints.Weights) {
	t.Helper()
	flat := func(w *checkpoints.Weights) map[string]string {
		m := map[string]string{}
		for name, x := range w.Tensors {
			m[name] = fmt.Sprintf("%s %v %x", x.DType, x.Shape, x.Data)
		}
		return m
	}
	if d := cmp.Diff(flat(want), flat(got)); d != "" {
		t.Errorf("tensors differ (-want +got):\n%s", d)
	}
}

func wantedTensors(t *testing.T, name, without string) *checkpoints.Weights {
	t.Helper()
	w, err := checkpoints.ReadSafetensors(filepath.Join("testdata", name+".safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	delete(w.Tensors, without)
	return w
}

func TestConvertLayouts(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.file+string(l.options.ColorOrder), func(t *testing.T) {
			src, dst := filepath.Join("testdata", l.file), filepath.Join(t.TempDir(), "out")
			if kind, err := Recognize(src); err != nil || kind != l.kind {
				t.Fatalf("recognised %q, %v; want %q", kind, err, l.kind)
			}
			report, err := Convert(src, dst, l.options)
			if err != nil {
				t.Fatal(err)
			}
			f, err := checkpoints.Open(dst)
			if err != nil {
				t.Fatal(err)
			}
			w, err := f.Weights()
			if err != nil {
				t.Fatal(err)
			}
			sameTensors(t, w, wantedTensors(t, l.want, l.without))
			config, err := f.ReadFile(checkpoints.ConfigFile)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := json.MarshalIndent(l.config, "", "  ")
			want = append(want, '\n')
			if l.config == nil { // copied as it is
				want, _ = os.ReadFile(filepath.Join(src, checkpoints.ConfigFile))
			}
			if d := cmp.Diff(string(want), string(config)); d != "" {
				t.Errorf("config differs: %s", d)
			}
			m := f.Manifest()
			if m.Layout != string(l.kind) || m.Tool != tool || strings.Contains(m.Source.File, "/") ||
				m.Source != report.Source || f.SHA256() != report.SHA256 {
				t.Errorf("manifest %+v, report %+v", m, report)
			}
			text := fmt.Sprint(report.Rows())
			for _, part := range append(l.report, m.Source.File, m.Source.SHA256, dst, "model.safetensors") {
				if !strings.Contains(text, part) {
					t.Errorf("the report lacks %q:\n%s", part, text)
				}
			}
			if _, err := json.Marshal(report); err != nil {
				t.Error(err)
			}
			if again, err := Convert(src, dst, l.options); err != nil || again.SHA256 != report.SHA256 {
				t.Errorf("the same conversion again: %v", err)
			}
		})
	}
}

func TestConvertSourceHash(t *testing.T) {
	dst := filepath.Join(t.TempDir(), "out")
	report, err := Convert("testdata/mmgen.pth", dst, Options{})
	if err != nil {
		t.Fatal(err)
	}
	data, _ := os.ReadFile("testdata/mmgen.pth")
	if want := (checkpoints.Source{File: "mmgen.pth", SHA256: checkpoints.SHA256(data)}); report.Source != want ||
		report.SourceBytes != int64(len(data)) {
		t.Errorf("source %+v of %d bytes, want %+v", report.Source, report.SourceBytes, want)
	}
}

// CLIP's files are copied byte by byte; what nothing here reads is left.
func TestConvertCLIPFiles(t *testing.T) {
	src, dst := copyCLIP(t), filepath.Join(t.TempDir(), "out")
	os.WriteFile(filepath.Join(src, "tokenizer.json"), []byte("{}"), 0o644)
	os.WriteFile(filepath.Join(src, "special_tokens_map.json"), []byte(`{"a": 1}`), 0o644)
	if _, err := Convert(src, dst, Options{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"config.json", "vocab.json", "merges.txt", "tokenizer_config.json",
		"special_tokens_map.json"} {
		got, _ := os.ReadFile(filepath.Join(dst, name))
		want, _ := os.ReadFile(filepath.Join(src, name))
		if len(want) == 0 || !bytes.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dst, "tokenizer.json")); err == nil {
		t.Error("tokenizer.json was copied")
	}
}

// copyCLIP copies the tiny CLIP's folder so that a test can change it.
func copyCLIP(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "clip")
	if err := os.CopyFS(dir, os.DirFS("testdata/clip")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// model.safetensors goes before pytorch_model.bin.
func TestConvertCLIPSafetensors(t *testing.T) {
	src, dst := copyCLIP(t), filepath.Join(t.TempDir(), "out")
	w := wantedTensors(t, "clip", "")
	w.Tensors["logit_scale"] = checkpoints.Float32Tensor([]float32{42})
	if err := checkpoints.WriteSafetensors(filepath.Join(src, "model.safetensors"), w, nil); err != nil {
		t.Fatal(err)
	}
	report, err := Convert(src, dst, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := checkpoints.ReadSafetensors(filepath.Join(dst, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	sameTensors(t, got, w)
	if report.Source.File != "model.safetensors" {
		t.Errorf("source %+v", report.Source)
	}
}

func tinyClassifier() (classifier.Config, *checkpoints.Weights) {
	cfg := classifier.Config{ModelType: classifier.ModelType, ImageSize: 16,
		Attributes: []classifier.Attribute{{Name: "hair", Values: []string{"none", "long", "short"}},
			{Name: "hat", Values: []string{"no", "yes"}}}}
	w := &checkpoints.Weights{Tensors: map[string]checkpoints.Tensor{}}
	for i, name := range (&checkpoints.Weights{Tensors: asTensors(cfg.Shapes())}).Names() {
		shape := cfg.Shapes()[name]
		values := make([]float32, checkpoints.Tensor{Shape: shape}.Elements())
		for k := range values {
			values[k] = float32(i) + float32(k%7)
		}
		w.Tensors[name] = checkpoints.Float32Tensor(values, shape...)
	}
	return cfg, w
}

func asTensors(s checkpoints.Shapes) map[string]checkpoints.Tensor {
	m := map[string]checkpoints.Tensor{}
	for name, shape := range s {
		m[name] = checkpoints.Tensor{Shape: shape}
	}
	return m
}

const tinyDomain = `{"size": 16, "z_dim": 3, "attributes": [
	{"name": "hair", "values": ["none", "long", "short"], "offset": 0}, {"name": "hat", "values": ["no", "yes"]}]}`

func writeDomain(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "domain.json")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConvertClassifier(t *testing.T) {
	cfg, want := tinyClassifier()
	in := &checkpoints.Weights{Tensors: maps.Clone(want.Tensors)}
	in.Tensors["1.num_batches_tracked"] = checkpoints.Tensor{DType: checkpoints.I64, Data: make([]byte, 8)}
	src, dst := writeTorch(t, "classifier.pt", "", in), filepath.Join(t.TempDir(), "out")
	report, err := Convert(src, dst, Options{Attributes: writeDomain(t, tinyDomain)})
	if err != nil {
		t.Fatal(err)
	}
	f, err := checkpoints.Open(dst)
	if err != nil {
		t.Fatal(err)
	}
	var got classifier.Config
	if err := f.Config(&got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(cfg, got); d != "" {
		t.Error(d)
	}
	w, err := f.Weights()
	if err != nil {
		t.Fatal(err)
	}
	sameTensors(t, w, want)
	if text := fmt.Sprint(report.Rows()); !strings.Contains(text, "16×16 pixels, 2 attributes with 5 values") ||
		!strings.Contains(text, "1 counters") {
		t.Error(text)
	}
}

// The embedded CLIP, converted again, is the embedded CLIP:
// the importer is deterministic and what is committed is its work.
func TestConvertEmbeddedAgain(t *testing.T) {
	embedded, err := checkpoints.Open("embedded:lorelei/clip")
	if err != nil {
		t.Fatal(err)
	}
	report, err := Convert("../../checkpoints/lorelei/clip", filepath.Join(t.TempDir(), "clip"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if report.SHA256 != embedded.SHA256() {
		t.Errorf("SHA-256 %s, embedded %s", report.SHA256, embedded.SHA256())
	}
}

// The same tensors come out of a state dict alone, as safetensors, within a checkpoint, and under the names that
// DataParallel and torch.compile give them.
func TestConvertNames(t *testing.T) {
	rosinality := testWeights(t, "rosinality.pt", rosinalitySection)
	mmgen := testWeights(t, "mmgen.pth", stateSection)
	projector := testWeights(t, "projector.pth", "")
	nvidia, pickle := testWeights(t, "nvidia.pkl", nvidiaSection), filepath.Join(t.TempDir(), "pickle")
	if _, err := Convert("testdata/nvidia.pkl", pickle, Options{}); err != nil {
		t.Fatal(err)
	}
	folder, err := checkpoints.Open(pickle)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := folder.Weights() // what a state dict of the pickle's network becomes too
	if err != nil {
		t.Fatal(err)
	}
	without := func(w *checkpoints.Weights, prefix string) *checkpoints.Weights {
		return renamedTensors(w, func(name string) (string, bool) { return strings.CutPrefix(name, prefix) })
	}
	with := func(w *checkpoints.Weights, prefix string) *checkpoints.Weights {
		return renamedTensors(w, func(name string) (string, bool) { return prefix + name, true })
	}
	generator := without(mmgen, mmgenPrefix)
	flat := with(rosinality, "g_ema.")
	flat.Tensors["latent_avg"] = wantedTensors(t, "rosinality", "").Tensors["latent_avg"]
	flat.Tensors["d.final.weight"] = checkpoints.Float32Tensor([]float32{1}, 1)
	for name, c := range map[string]struct {
		section string
		weights *checkpoints.Weights
		kind    Kind
		want    string
		without string
	}{
		"rosinality":           {"", rosinality, StyleGAN2Rosinality, "rosinality", "latent_avg"},
		"rosinality, parallel": {"", with(rosinality, "module."), StyleGAN2Rosinality, "rosinality", "latent_avg"},
		"rosinality, in g_ema": {"g_ema", with(rosinality, "module._orig_mod."), StyleGAN2Rosinality,
			"rosinality", "latent_avg"},
		"rosinality, in state_dict": {"state_dict", with(rosinality, "_orig_mod.module."), StyleGAN2Rosinality,
			"rosinality", "latent_avg"},
		"rosinality, as one list": {"", flat, StyleGAN2Rosinality, "rosinality", ""},
		"mmgen":                   {"", mmgen, StyleGAN2MMGen, "rosinality", "latent_avg"},
		"mmgen, parallel":         {"state_dict", with(mmgen, "module."), StyleGAN2MMGen, "rosinality", "latent_avg"},
		"mmgen, generator alone":  {"", generator, StyleGAN2MMGen, "rosinality", "latent_avg"},
		"mmgen, compiled": {"state_dict", with(generator, mmgenPrefix+"_orig_mod."), StyleGAN2MMGen,
			"rosinality", "latent_avg"},
		"mmgen, parallel and beneath": {"", with(generator, mmgenPrefix+"module."), StyleGAN2MMGen,
			"rosinality", "latent_avg"},
		"nvidia":              {"", nvidia, StyleGAN2NVIDIA, "", ""},
		"nvidia, parallel":    {"state_dict", with(nvidia, "module."), StyleGAN2NVIDIA, "", ""},
		"nvidia, as one list": {"", with(nvidia, "G_ema."), StyleGAN2NVIDIA, "", ""},
		"projector, compiled": {"", with(projector, "_orig_mod."), MapperDense, "projector", ""},
		"projector, in model": {"model", with(projector, "module."), MapperDense, "projector", ""},
	} {
		tensors := filepath.Join(t.TempDir(), "w.safetensors")
		if err := checkpoints.WriteSafetensors(tensors, c.weights, nil); err != nil {
			t.Fatal(err)
		}
		sources := []string{writeTorch(t, "w.pt", c.section, c.weights)}
		if c.section == "" {
			sources = append(sources, tensors)
		}
		for _, src := range sources {
			if kind, err := Recognize(src); err != nil || kind != c.kind {
				t.Errorf("%s, %s: recognised %q, %v", name, filepath.Base(src), kind, err)
				continue
			}
			dst := filepath.Join(t.TempDir(), "out")
			if _, err := Convert(src, dst, Options{}); err != nil {
				t.Errorf("%s, %s: %v", name, filepath.Base(src), err)
				continue
			}
			f, err := checkpoints.Open(dst)
			if err != nil {
				t.Fatal(err)
			}
			w, err := f.Weights()
			if err != nil {
				t.Fatal(err)
			}
			want := whole
			if c.want != "" {
				want = wantedTensors(t, c.want, c.without)
			}
			sameTensors(t, w, want)
			if in, err := Inspect(src, Options{}); err != nil || in.Problem != "" || in.Kind != c.kind {
				t.Errorf("%s, %s: %+v, %v", name, filepath.Base(src), in.Problem, err)
			}
		}
	}
	twice := with(rosinality, "module.")
	maps.Copy(twice.Tensors, rosinality.Tensors)
	if _, err := Convert(writeTorch(t, "w.pt", "", twice), filepath.Join(t.TempDir(), "out"), Options{}); err == nil ||
		!strings.Contains(err.Error(), "two tensors are") {
		t.Errorf("with and without a prefix: %v", err)
	}
}

// renamedTensors are the tensors under the names that f returns.
func renamedTensors(w *checkpoints.Weights, f func(string) (string, bool)) *checkpoints.Weights {
	out := &checkpoints.Weights{Tensors: map[string]checkpoints.Tensor{}}
	for name, x := range w.Tensors {
		if to, ok := f(name); ok {
			out.Tensors[to] = x
		}
	}
	return out
}
