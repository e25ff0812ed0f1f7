package convert

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph" // graph code reads as formulas
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/internal/pytools"
	"illustrator/models/features/onnxgraph"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
)

const onnxRows = 5

// exported writes a mapper as a folder and as an ONNX file, and returns the file, image embeddings and their z.
func exported(t *testing.T, cfg mapper.Config) (file string, embeds, z []float32) {
	t.Helper()
	w, rng := mapper.Init(cfg, 3), rand.New(rand.NewPCG(1, 0))
	for name, tensor := range w.Tensors {
		if len(tensor.Shape) == 2 {
			continue
		}
		// Norms and slopes that are not those of a fresh mapper; a variance and a scale are positive.
		values := make([]float32, tensor.Elements())
		for i := range values {
			values[i] = float32(0.5 + rng.Float64())
		}
		w.Tensors[name] = checkpoints.Float32Tensor(values, tensor.Shape...)
	}
	dir := t.TempDir()
	folder := filepath.Join(dir, "mapper")
	contents := checkpoints.Contents{Config: cfg, Weights: w, Layout: mapper.ModelType, Tool: "test"}
	if err := checkpoints.Write(folder, contents); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, "mapper.onnx")
	report, err := ToONNX(folder, file, false)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() != report.Bytes || report.Mapper == "" {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err := ToONNX(folder, file, false); !fault.IsUsage(err) || !strings.Contains(err.Error(), "exists") {
		t.Errorf("a file that exists: %v", err)
	}
	embeds = make([]float32, onnxRows*cfg.EmbedDim)
	for i := range embeds {
		embeds[i] = float32(rng.NormFloat64())
	}
	store := model.NewStore()
	if err := mapper.Load(store.RootScope(), cfg, w); err != nil {
		t.Fatal(err)
	}
	z = nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
		return []*Node{mapper.Build(scope, cfg, in[0])}
	}, tensors.FromFlatDataAndDimensions(embeds, onnxRows, cfg.EmbedDim))[0]
	return file, embeds, z
}

var onnxMappers = map[string]mapper.Config{
	"dense": {ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: 7, ZDim: 10, Width: 8, Blocks: 2, Layers: 3,
		Dropout: 0.1},
	"one layer": {ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: 7, ZDim: 10, Width: 8, Blocks: 1, Layers: 1},
	"baseline":  {ModelType: mapper.ModelType, Arch: mapper.Baseline, EmbedDim: 7, ZDim: 10, Width: 8, Layers: 4},
}

// tolerance of z, relative to the largest: float32 sums in another order, through up to 15 layers here.
const onnxTolerance = 2e-6

func compareZ(t *testing.T, got, want []float32) {
	t.Helper()
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	d := nntest.MaxAbs(t, got, want) / largest
	t.Logf("z differs by %.2g relative to the largest, %.2g", d, largest)
	if d > onnxTolerance {
		t.Errorf("z differs by %g, allowed %g", d, onnxTolerance)
	}
}

// A written mapper, run by onnx-gomlx, gives the mapper's z.
func TestONNXByGoMLX(t *testing.T) {
	for name, cfg := range onnxMappers {
		t.Run(name, func(t *testing.T) {
			file, embeds, z := exported(t, cfg)
			f, err := onnxgraph.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			network, err := f.At(map[string][]int{mapper.ONNXInput: {onnxRows, cfg.EmbedDim}}, mapper.ONNXOutput)
			if err != nil {
				t.Fatal(err)
			}
			weights, err := f.Weights()
			if err != nil {
				t.Fatal(err)
			}
			store := model.NewStore()
			if err := weights.VariablesToScope(store.RootScope()); err != nil {
				t.Fatal(err)
			}
			got := nntest.Run(t, store, func(scope *model.Scope, in []*Node) []*Node {
				return network.CallGraph(scope, in[0].Graph(), map[string]*Node{mapper.ONNXInput: in[0]})
			}, tensors.FromFlatDataAndDimensions(embeds, onnxRows, cfg.EmbedDim))
			compareZ(t, got[0], z)
		})
	}
}

// A written mapper, run by ONNX Runtime in any batch, gives the mapper's z.
func TestONNXByRuntime(t *testing.T) {
	for name, cfg := range onnxMappers {
		t.Run(name, func(t *testing.T) {
			file, embeds, z := exported(t, cfg)
			in, out := file+".embeds", file+".z"
			if err := os.WriteFile(in, checkpoints.Float32Tensor(embeds, len(embeds)).Data, 0o600); err != nil {
				t.Fatal(err)
			}
			pytools.Run(t, []string{"onnxruntime", "numpy"}, "testdata/run_onnx.py", file, in, strconv.Itoa(cfg.EmbedDim), out)
			raw, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]float32, len(raw)/4)
			for i := range got {
				got[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
			}
			compareZ(t, got, z)
		})
	}
}

func TestToONNXMistakes(t *testing.T) {
	_, err := ToONNX("embedded:lorelei/clip", filepath.Join(t.TempDir(), "clip.onnx"), false)
	if err == nil || fault.HintOf(err) == "" {
		t.Errorf("a CLIP: %v", err)
	}
	if _, err := ToONNX(t.TempDir(), filepath.Join(t.TempDir(), "none.onnx"), false); err == nil {
		t.Error("an empty folder gives no error")
	}
}
