package convert

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// refuse fails the test unless the conversion of src is an error that mentions each of want, carries a hint, leaves
// nothing behind and costs little memory.
func refuse(t *testing.T, src string, opts Options, want ...string) {
	t.Helper()
	parent := t.TempDir()
	dst := filepath.Join(parent, "out")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Convert(src, dst, opts)
	runtime.ReadMemStats(&after)
	if err == nil {
		t.Fatal("no error")
	}
	for _, w := range want {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not mention %q", err, w)
		}
	}
	if fault.HintOf(err) == "" {
		t.Errorf("error %q has no hint", err)
	}
	if entries, _ := os.ReadDir(parent); len(entries) != 0 {
		t.Errorf("left %v", entries)
	}
	if cost := after.TotalAlloc - before.TotalAlloc; cost > 64<<20 {
		t.Errorf("allocated %d bytes", cost)
	}
}

// Each importer names a tensor that is missing, surplus or of another shape, the file, and both shapes.
func TestConvertTensorsThatDoNotFit(t *testing.T) {
	_, class := tinyClassifier()
	domain := writeDomain(t, tinyDomain)
	for _, l := range []struct {
		name, section string
		weights       func() *checkpoints.Weights
		tensor, shape string // a tensor of the file as canonically named, and its shape
		rename        string // its name in the file
		options       Options
	}{
		{"r.pt", "g_ema", func() *checkpoints.Weights { return testWeights(t, "rosinality.pt", "g_ema") },
			"convs.3.conv.weight", "[1 2 2 3 3]", "convs.3.conv.weight", Options{}},
		{"m.pth", "state_dict", func() *checkpoints.Weights { return testWeights(t, "mmgen.pth", "state_dict") },
			"convs.3.conv.modulation.weight", "[2 5]", "generator_ema.convs.3.conv.style_modulation.linear.weight_orig",
			Options{}},
		{"p.pth", "", func() *checkpoints.Weights { return testWeights(t, "projector_module.pth", "") },
			"rrdb_blocks.1.0.mlp_layers.2.3.bias", "[4]", "module.rrdb_blocks.1.0.mlp_layers.2.3.bias", Options{}},
		{"b.pth", "", func() *checkpoints.Weights { return testWeights(t, "baseline.pth", "") }, "mlp.4.bias", "[4]",
			"body.4.bias", Options{}},
		{"c.pt", "", func() *checkpoints.Weights {
			return &checkpoints.Weights{Tensors: maps.Clone(class.Tensors)}
		}, "13.running_var", "[128]", "13.running_var", Options{Attributes: domain}},
	} {
		t.Run(l.name, func(t *testing.T) {
			w := l.weights()
			good := w.Tensors[l.rename]
			if good.Data == nil {
				t.Fatalf("the file lacks %q", l.rename)
			}
			check := func(want ...string) {
				t.Helper()
				path := writeTorch(t, l.name, l.section, w)
				refuse(t, path, l.options, append(want, path)...)
			}
			delete(w.Tensors, l.rename)
			check(`"`+l.tensor+`" is missing`, "expected shape "+l.shape)
			w.Tensors[l.rename] = checkpoints.Float32Tensor(make([]float32, 77), 7, 11)
			check(`"`+l.tensor+`" has shape [7 11]`, "expected "+l.shape)
			w.Tensors[l.rename] = good
			w.Tensors[strings.Replace(l.rename, "bias", "extra", 1)+".more"] = checkpoints.Float32Tensor([]float32{1, 2}, 2)
			check("surplus tensor", ".more", "[2]")
			delete(w.Tensors, strings.Replace(l.rename, "bias", "extra", 1)+".more")

			w.Tensors[l.rename] = checkpoints.Tensor{DType: checkpoints.I64, Shape: good.Shape,
				Data: make([]byte, 8*good.Elements())}
			check(`"`+l.tensor+`"`, "I64 are not floating point")
			bad := make([]float32, good.Elements())
			bad[1] = float32(math.NaN())
			w.Tensors[l.rename] = checkpoints.Float32Tensor(bad, good.Shape...)
			check(`"` + l.tensor + `": element 1 is NaN`)
		})
	}
	t.Run("clip", func(t *testing.T) {
		const name, shape = "vision_model.embeddings.patch_embedding.weight", "[8 3 4 4]"
		src := copyCLIP(t)
		path := filepath.Join(src, "model.safetensors")
		w := wantedTensors(t, "clip", "")
		check := func(want ...string) {
			t.Helper()
			if err := checkpoints.WriteSafetensors(path, w, nil); err != nil {
				t.Fatal(err)
			}
			refuse(t, src, Options{}, append(want, path)...)
		}
		good := w.Tensors[name]
		delete(w.Tensors, name)
		check(`"`+name+`" is missing`, "expected shape "+shape)
		w.Tensors[name] = checkpoints.Float32Tensor(make([]float32, 3), 3)
		check(`"`+name+`" has shape [3]`, "expected "+shape)
		w.Tensors[name] = good
		w.Tensors["vision_model.more"] = checkpoints.Float32Tensor([]float32{1}, 1)
		check(`surplus tensor "vision_model.more" of shape [1]`)
	})
}

func TestConvertRefuses(t *testing.T) {
	write := func(name, content string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	folder := func(files ...string) string {
		dir := t.TempDir()
		for i := 0; i < len(files); i += 2 {
			os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o644)
		}
		return dir
	}
	clipWithout := func(name string) string {
		dir := copyCLIP(t)
		os.Remove(filepath.Join(dir, name))
		return dir
	}
	clipWith := func(name, content string) string {
		dir := copyCLIP(t)
		os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644)
		return dir
	}
	one := &checkpoints.Weights{Tensors: map[string]checkpoints.Tensor{"x": checkpoints.Float32Tensor([]float32{1}, 1)}}
	_, class := tinyClassifier()
	generator := "../../checkpoints/lorelei/generator"
	for name, c := range map[string]struct {
		src     string
		options Options
		want    []string
	}{
		"nothing there":        {"testdata/none.pt", Options{}, []string{"testdata/none.pt", "no such file"}},
		"a program":            {"../../checkpoints/testdata/malicious.pt", Options{}, []string{"its names (a, b)"}},
		"a program of another": {"../../checkpoints/testdata/script.pt", Options{}, []string{"its names (bias, weight)"}},
		"another filter": {"testdata/rosinality_other_filter.pt", Options{},
			[]string{`"convs.2.conv.blur.kernel": element 0 is 0.25; expected 0.0625`}},
		"unknown names":         {writeTorch(t, "x.pt", "", one), Options{}, []string{"its names (x)"}},
		"mmgen without average": {writeTorch(t, "x.pt", "state_dict", one), Options{}, []string{"its names (state_dict)"}},
		"empty generator":       {writeTorch(t, "x.pt", "g_ema", one), Options{}, []string{`"style.1.weight" is missing`}},
		"CLIP's .bin alone":     {"testdata/clip/pytorch_model.bin", Options{}, []string{"of no layout"}},
		"safetensors alone":     {"testdata/clip.safetensors", Options{}, []string{"of no layout that is known"}},
		"a text file":           {write("x.pt", "hello, world"), Options{}, []string{"not a valid zip file"}},
		"empty folder":          {folder(), Options{}, []string{"config.json is missing"}},
		"folder of another": {folder("config.json", `{"model_type": "bert"}`), Options{},
			[]string{`model_type is "bert"`}},
		"config no JSON": {folder("config.json", `{`), Options{}, []string{"config.json"}},
		"folder form":    {generator, Options{}, []string{`model_type is "stylegan2"`}},
		"no vocabulary":  {clipWithout("vocab.json"), Options{}, []string{"vocab.json is missing"}},
		"no merges":      {clipWithout("merges.txt"), Options{}, []string{"merges.txt is missing"}},
		"no weights": {clipWithout("pytorch_model.bin"), Options{},
			[]string{"has neither model.safetensors nor pytorch_model.bin"}},
		"invalid config": {clipWith("config.json", `{"model_type": "clip", "projection_dim": -4}`), Options{},
			[]string{"projection_dim is -4"}},
		"config of huge sizes": {clipWith("config.json", `{"model_type": "clip", "text_config": {"hidden_size": 1e12}}`),
			Options{}, []string{"text_config"}},
		"header of 2^60 bytes": {clipWith("model.safetensors", "\x00\x00\x00\x00\x00\x00\x00\x10{}"), Options{},
			[]string{"claims 1152921504606846976 bytes"}},
		"color order": {"testdata/rosinality.pt", Options{ColorOrder: "GBR"},
			[]string{"color order", "GBR", "unknown"}},
		"color order of a CLIP": {"testdata/clip", Options{ColorOrder: "RGB"}, []string{"color order"}},
		"attributes of a CLIP":  {"testdata/clip", Options{Attributes: "x"}, []string{"attributes"}},
		"classifier of what":    {writeTorch(t, "c.pt", "", class), Options{}, []string{"what their logits mean"}},
		"attributes not there":  {writeTorch(t, "c.pt", "", class), Options{Attributes: "none.json"}, []string{"none.json"}},
		"attributes no JSON": {writeTorch(t, "c.pt", "", class), Options{Attributes: writeDomain(t, "[")},
			[]string{"domain.json"}},
		"no attributes in it": {writeTorch(t, "c.pt", "", class), Options{Attributes: writeDomain(t, `{"size": 16}`)},
			[]string{"attributes is empty"}},
		"attributes of other": {writeTorch(t, "c.pt", "", class),
			Options{Attributes: writeDomain(t, strings.Replace(tinyDomain, `"yes"`, `"yes", "both"`, 1))},
			[]string{`"18.bias" has shape [5]; expected [6]`}},
		"pictures of other size": {writeTorch(t, "c.pt", "", class),
			Options{Attributes: writeDomain(t, strings.Replace(tinyDomain, `16`, `64`, 1))},
			[]string{`"16.weight" has shape [256 128]; expected [256 2048]`}},
	} {
		t.Run(name, func(t *testing.T) { refuse(t, c.src, c.options, c.want...) })
	}
	if shards := clipWithout("pytorch_model.bin"); true {
		os.WriteFile(filepath.Join(shards, "model.safetensors.index.json"), []byte("{}"), 0o644)
		if _, err := Convert(shards, filepath.Join(t.TempDir(), "out"), Options{}); err == nil ||
			!strings.Contains(err.Error(), "weight_map is empty") {
			t.Errorf("got %v", err)
		}
	}
	if _, err := os.Stat("EXECUTED"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a pickle was executed")
	}
}

// A folder with other weights stays unless it may be replaced.
func TestConvertExistingFolder(t *testing.T) {
	dst := filepath.Join(t.TempDir(), "out")
	if _, err := Convert("testdata/projector.pth", dst, Options{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Convert("testdata/baseline.pth", dst, Options{}); err == nil ||
		!strings.Contains(err.Error(), "other contents") {
		t.Errorf("got %v", err)
	}
	if _, err := Convert("testdata/baseline.pth", dst, Options{Replace: true}); err != nil {
		t.Error(err)
	}
}

// Damage anywhere in a file of any layout is an error or changes nothing: no panic, nothing half-written.
func TestConvertDamaged(t *testing.T) {
	for _, l := range layouts {
		if l.options.ColorOrder != "" || strings.HasSuffix(l.file, "_half.pt") || strings.HasSuffix(l.file, "_module.pth") {
			continue // the same file, or one alike
		}
		t.Run(l.file, func(t *testing.T) {
			// src is converted; of a folder it is the weights in it that are damaged.
			original, src := filepath.Join("testdata", l.file), filepath.Join(t.TempDir(), l.file)
			damaged := src
			if l.kind == CLIPHuggingFace {
				src = copyCLIP(t)
				original, damaged = "testdata/clip/pytorch_model.bin", filepath.Join(src, "pytorch_model.bin")
			}
			whole, err := os.ReadFile(original)
			if err != nil {
				t.Fatal(err)
			}
			want := wantedTensors(t, l.want, l.without)
			try := func(data []byte) error {
				if err := os.WriteFile(damaged, data, 0o644); err != nil {
					t.Fatal(err)
				}
				s, err := open(src)
				if err != nil {
					return err
				}
				defer s.close()
				n, err := s.load(l.options)
				if err == nil {
					err = checkValues(n.weights)
				}
				if err != nil {
					return err
				}
				for name, x := range want.Tensors {
					if y := n.weights.Tensors[name]; !slices.Equal(x.Shape, y.Shape) || !bytes.Equal(x.Data, y.Data) {
						t.Fatalf("tensor %q changed without an error", name)
					}
				}
				return nil
			}
			if err := try(whole); err != nil {
				t.Fatal(err)
			}
			for i := range 32 {
				if try(whole[:len(whole)*i/32]) == nil {
					t.Fatalf("the first %d/32 are no error", i)
				}
			}
			errors, flips := 0, 300
			if testing.Short() {
				flips = 60
			}
			for i := 0; i < len(whole); i += 1 + len(whole)/flips {
				data := bytes.Clone(whole)
				data[i] ^= 1 << (i % 8)
				if try(data) != nil {
					errors++
				}
			}
			if errors < flips/6 {
				t.Errorf("only %d of %d flipped bits are errors", errors, flips)
			}
		})
	}
}

// A tensor of a form that is not read, such as PyTorch's sparse ones, is not said to be missing.
func TestConvertSparseTensor(t *testing.T) {
	file, err := os.ReadFile("testdata/legacy_mmgen.pth")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sparse.pth")
	file = bytes.ReplaceAll(file, []byte("_rebuild_tensor_v2"), []byte("_rebuild_sparse_v2"))
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	refuse(t, path, Options{},
		`"style.1.weight" is an object of the class torch._utils._rebuild_sparse_v2; expected a tensor`)
}
