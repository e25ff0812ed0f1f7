package compare

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"illustrator/internal/fault"
	"illustrator/losses"
	"illustrator/models/clip"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
	"illustrator/train"
	"illustrator/train/bench"
)

func tiny(backend compute.Backend, p pipeline.Precision) (*pipeline.Networks, error) {
	generator := stylegan2.Config{ModelType: stylegan2.ModelType, Size: 8, StyleDim: 8, NMLP: 2, LRMLP: 0.01,
		ColorOrder: "RGB",
		Channels:   map[int]int{4: 8, 8: 4}}
	c := clip.Config{ModelType: clip.ModelType, ProjectionDim: 6,
		Vision: clip.VisionConfig{HiddenSize: 8, IntermediateSize: 16, NumHiddenLayers: 2, NumAttentionHeads: 2,
			NumChannels: 3, ImageSize: 12, PatchSize: 4, HiddenAct: "quick_gelu", LayerNormEps: 1e-5},
		Text: clip.TextConfig{HiddenSize: 4, IntermediateSize: 4, NumHiddenLayers: 1, NumAttentionHeads: 1,
			MaxPositionEmbeddings: 8, VocabSize: 16, HiddenAct: "quick_gelu", LayerNormEps: 1e-5}}
	return pipeline.FromWeights(backend, p, generator, randomWeights(generator.Shapes(), generatorScale(generator)), c,
		randomWeights(c.Shapes(), clipScale))
}

func tinyCase() bench.Case {
	return bench.Case{Name: "tiny", Repeat: 3, Open: tiny, Batch: 4,
		Losses:    losses.Weights{L1: 0.3, Semantic: 1, Regularization: 0.3},
		Mapper:    mapper.Config{Arch: mapper.Dense, Width: 8, Blocks: 1, Layers: 2, Dropout: 0.1},
		Optimizer: train.Optimizer{Name: train.Adam, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Accumulate: 1}}
}

// TestCount traces PyTorch's graph of sampling and of a training step.
func TestCount(t *testing.T) {
	python := os.Getenv(pythonEnv)
	if python == "" {
		t.Skipf("%s names no Python with PyTorch", pythonEnv)
	}
	n, err := tiny(nil, pipeline.Float32)
	if err != nil {
		t.Fatal(err)
	}
	c := tinyCase()
	var counts []Counts
	for _, c.Task = range []bench.Task{bench.Sampling, bench.Training} {
		count, err := Count(t.Context(), python, c.Work(n.Generator, n.CLIP), 1e9, 1e9)
		if err != nil {
			t.Fatal(err)
		}
		if count.Bound < count.FLOPs/1e9 || count.Bound < count.Bytes/1e9 || count.Bound > (count.FLOPs+count.Bytes)/1e9 {
			t.Errorf("%s: a bound of %g s for %g FLOPs and %g bytes", c.Task, count.Bound, count.FLOPs, count.Bytes)
		}
		counts = append(counts, count)
	}
	sampling, training := counts[0], counts[1]
	if training.FLOPs < 1.9*sampling.FLOPs || training.Operators < 2*sampling.Operators {
		t.Errorf("sampling %+v, its gradient and a step %+v", sampling, training)
	}
}

// TestPyTorchDoesTheSameWork has the script build the same networks; it compares the numbers of parameters.
func TestPyTorchDoesTheSameWork(t *testing.T) {
	python := os.Getenv(pythonEnv)
	if python == "" {
		t.Skipf("%s names no Python with PyTorch", pythonEnv)
	}
	t.Setenv("TMPDIR", t.TempDir())
	var out bytes.Buffer
	if err := bench.Serve(t.Context(), tinyCase(), nntest.Backend(t), strings.NewReader(""), &out); err != nil {
		t.Fatal(err)
	}
	var work bench.Work
	if err := json.Unmarshal(out.Bytes(), &work); err != nil {
		t.Fatal(err)
	}
	begin := func(command []string) (*bench.Measurement, error) {
		return bench.Begin(t.Context(), bench.Result{Engine: "PyTorch"}, command, nil, new(any))
	}
	mode := Mode("eager-bfloat16")
	for _, task := range []bench.Task{bench.Training, bench.Sampling, bench.Pairs, bench.Checkpoint, bench.Resume} {
		if work.Task = task; task != bench.Training {
			mode = Modes[0]
		}
		text, err := json.Marshal(work)
		if err != nil {
			t.Fatal(err)
		}
		m, err := begin(pytorchCommand(python, "cpu", mode, text))
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Round(); err != nil || !(m.FirstStepSeconds > 0 && m.Rounds[0] > 0) {
			t.Errorf("%+v, %v", m.Result, err)
		}
		m.Stop()
	}
	work.MapperParameters++
	text, err := json.Marshal(work)
	if err != nil {
		t.Fatal(err)
	}
	wrong := map[string][]string{
		"mapper: ":              pytorchCommand(python, "cpu", mode, text),
		"TF32 is of CUDA alone": pytorchCommand(python, "cpu", "eager-tf32", text),
	}
	if _, err := TorchVersion(t.Context(), python, "cuda"); err != nil {
		if !strings.Contains(err.Error(), "sees no CUDA device") || fault.HintOf(err) == "" {
			t.Errorf("no CUDA device: %v", err)
		}
		wrong["sees no CUDA device"] = pytorchCommand(python, "cuda", mode, text)
	}
	for want, command := range wrong {
		if _, err := begin(command); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if version, err := TorchVersion(t.Context(), python, "cpu"); err != nil || !strings.Contains(version, ".") {
		t.Errorf("PyTorch %q, %v", version, err)
	}
}

// worker1 answers with the seconds 1, 2, 3, …; each of its lines is the shell's.
const worker1 = `echo '{}'; n=0; while read line; do n=$((n+1)); echo "{\"seconds\": $n}"; done`

func shell(t *testing.T, script string) []string {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("sh is missing")
	}
	return []string{sh, "-c", script}
}

func TestRun(t *testing.T) {
	rounds := 0
	c := bench.Case{Name: "c", About: "about c", Batch: 8}
	results, err := Run(t.Context(), c, Options{Worker: func(bench.Case, Precision) []string { return shell(t, worker1) },
		Rounds: 3, Progress: func(sofar []Result) error { rounds += len(sofar[0].Rounds); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	r := results[0]
	if len(results) != 1 || rounds != 1+2+3 || r.FirstStepSeconds != 1 || r.StepSeconds != 4 || r.SamplesPerSecond != 2 ||
		r.Speedup != 0 || r.Engine != bench.Engine {
		t.Errorf("%d rounds told, result %+v", rounds, r)
	}
}

func TestCompare(t *testing.T) {
	own := Result{Result: bench.Result{Engine: bench.Engine, Precision: "float32", Rounds: []float64{1, 2, 1}}}
	other := Result{Result: bench.Result{Engine: "other", Precision: "float32", Rounds: []float64{3, 3, 2}}}
	own.compare(own)
	other.compare(own)
	if other.Speedup != 2 || own.Speedup != 0 {
		t.Errorf("%+v, %+v", other, own)
	}
}

// What PyTorch does in a precision is compared with this program in the same, or else in float32.
func TestLikeOf(t *testing.T) {
	of := func(engine string, p Precision) Result {
		return Result{Result: bench.Result{Engine: engine, Precision: string(p)}}
	}
	results := []Result{
		of(Float32.engine(), Float32), of(TF32.engine(), TF32),
		of("PyTorch eager-float32", Mode("eager-float32").Precision()),
		of("PyTorch compile-tf32", Mode("compile-tf32").Precision()),
		of("PyTorch eager-bfloat16", Mode("eager-bfloat16").Precision()),
	}
	for i, want := range []string{"illustrator", "illustrator tf32", "illustrator", "illustrator tf32", "illustrator"} {
		if got := likeOf(results, i).Engine; got != want || results[i].own() != (i < 2) {
			t.Errorf("%s is compared with %s, want %s", results[i].Engine, got, want)
		}
	}
	c := tinyCase()
	c.Task = bench.Training
	if got := precisionsOf(c, Precisions); !slices.Equal(got, Precisions) {
		t.Errorf("training has %v", got)
	}
	if got := precisionsOf(c, []Precision{BFloat16}); !slices.Equal(got, []Precision{BFloat16}) {
		t.Errorf("training in bfloat16 has %v", got)
	}
	if c.Losses.Semantic = 0; !slices.Equal(precisionsOf(c, Precisions), []Precision{Float32, TF32}) {
		t.Errorf("training without the semantic loss has %v", precisionsOf(c, Precisions))
	}
	for _, wanted := range [][]Precision{nil, {BFloat16}} {
		if got := precisionsOf(c, wanted); !slices.Equal(got, []Precision{Float32}) {
			t.Errorf("for %v the case has %v", wanted, got)
		}
	}
}

func TestByPrecision(t *testing.T) {
	parts := Options{Rounds: 3, Precisions: []Precision{Float32, TF32},
		Modes: []Mode{"eager-float32", "compile-bfloat16", "compile-float32"}}.ByPrecision()
	if len(parts) != 3 {
		t.Fatalf("%d parts: %+v", len(parts), parts)
	}
	for i, want := range []struct {
		precision Precision
		modes     []Mode
	}{{Float32, []Mode{"eager-float32", "compile-float32"}}, {TF32, nil}, {BFloat16, []Mode{"compile-bfloat16"}}} {
		if p := parts[i]; p.Rounds != 3 || !slices.Equal(p.Precisions, []Precision{want.precision}) ||
			!slices.Equal(p.Modes, want.modes) {
			t.Errorf("part %d is %+v, want %+v", i, p, want)
		}
	}
}

func TestParseMode(t *testing.T) {
	for _, mode := range Modes {
		if got, err := ParseMode(string(mode)); got != mode || err != nil {
			t.Errorf("%s: %v, %v", mode, got, err)
		}
	}
	for _, p := range Precisions {
		var got Precision
		if err := got.UnmarshalText([]byte(p)); got != p || err != nil {
			t.Errorf("%s: %v, %v", p, got, err)
		}
	}
	err := new(Precision).UnmarshalText([]byte("float16"))
	if !fault.IsUsage(err) || !strings.Contains(fault.HintOf(err), "tf32") {
		t.Errorf("unknown precision: %v", err)
	}
	if _, err := ParseMode("fast"); !fault.IsUsage(err) || !strings.Contains(fault.HintOf(err), "eager-bfloat16") {
		t.Errorf("unknown mode: %v", err)
	}
}

func TestFindPython(t *testing.T) {
	t.Setenv(pythonEnv, "/nowhere/python")
	if _, err := FindPython(); err == nil || !strings.Contains(err.Error(), "/nowhere/python") ||
		!strings.Contains(fault.HintOf(err), "make bench PYTORCH=1") {
		t.Errorf("%v; hint %q", err, fault.HintOf(err))
	}
}

// TestRandomWeightsKeepTheScale renders with the full size's rules: pictures must be neither tiny nor huge, which could
// change the speed.
func TestRandomWeightsKeepTheScale(t *testing.T) {
	n, err := tiny(nntest.Backend(t), pipeline.Float32)
	if err != nil {
		t.Fatal(err)
	}
	z := make([]float32, 64*8)
	for i := range z {
		z[i] = float32(math.Sin(float64(i)))
	}
	styles, err := n.Styles(t.Context(), z, 1)
	if err != nil {
		t.Fatal(err)
	}
	pictures, err := n.Render(t.Context(), styles, pipeline.Synthesis{NoiseMode: stylegan2.NoiseNone, TruncationPsi: 1})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, v := range pictures {
		sum += float64(v) * float64(v)
	}
	if rms := math.Sqrt(sum / float64(len(pictures))); !(rms > 0.1 && rms < 10) {
		t.Errorf("pictures have a root mean square of %g", rms)
	}
}
