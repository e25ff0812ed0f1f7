package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
)

func tiny(backend compute.Backend, p pipeline.Precision) (*pipeline.Networks, error) {
	generator := stylegan2.Config{ModelType: stylegan2.ModelType, Size: 8, StyleDim: 8, NMLP: 2, LRMLP: 0.01, ColorOrder: "RGB",
		Channels: map[int]int{4: 8, 8: 4}}
	c := clip.Config{ModelType: clip.ModelType, ProjectionDim: 6,
		Vision: clip.VisionConfig{HiddenSize: 8, IntermediateSize: 16, NumHiddenLayers: 2, NumAttentionHeads: 2,
			NumChannels: 3, ImageSize: 12, PatchSize: 4, HiddenAct: "quick_gelu", LayerNormEps: 1e-5},
		Text: clip.TextConfig{HiddenSize: 4, IntermediateSize: 4, NumHiddenLayers: 1, NumAttentionHeads: 1,
			MaxPositionEmbeddings: 8, VocabSize: 16, HiddenAct: "quick_gelu", LayerNormEps: 1e-5}}
	return pipeline.FromWeights(backend, p, generator, randomWeights(generator.Shapes(), generatorScale(generator)), c, randomWeights(c.Shapes(), clipScale))
}

func tinyCase() Case {
	return Case{Name: "tiny", Repeat: 3, Open: tiny, Batch: 4, Losses: losses.Weights{L1: 0.3, Semantic: 1, Regularization: 0.3},
		Mapper: mapper.Config{Arch: mapper.Dense, Width: 8, Blocks: 1, Layers: 2, Dropout: 0.1}, Optimizer: train.Optimizer{Name: train.Adam, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Accumulate: 1}}
}

func TestServe(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles sampling and training")
	}
	backend := nntest.Backend(t)
	for i, task := range []Task{Training, Training, Sampling, Pairs, Checkpoint, Resume} {
		t.Setenv("TMPDIR", t.TempDir())
		c := tinyCase()
		if c.Task = task; i == 1 {
			c.Precision = pipeline.BFloat16
		}
		var out bytes.Buffer
		if err := Serve(t.Context(), c, backend, strings.NewReader("step\nstep\n"), &out); err != nil {
			t.Fatal(err)
		}
		decoder := json.NewDecoder(&out)
		var work Work
		if err := decoder.Decode(&work); err != nil {
			t.Fatal(err)
		}
		if work.Task != task || work.Mapper.EmbedDim != 6 || work.Mapper.ZDim != 8 || work.Batch != 4 || work.VisionParameters == 0 {
			t.Errorf("work is %+v", work)
		}
		for i := range 2 {
			var a answer
			if err := decoder.Decode(&a); err != nil || !(a.Seconds > 0) {
				t.Errorf("task %v: answer %d: %+v, %v", task, i, a, err)
			}
		}
		if decoder.More() {
			t.Errorf("%s: more answers than questions", task)
		}
	}
}

// TestPyTorchDoesTheSameWork has the script build the same networks; it compares the numbers of parameters.
func TestPyTorchDoesTheSameWork(t *testing.T) {
	python := os.Getenv(PythonEnv)
	if python == "" {
		t.Skipf("%s names no Python with PyTorch", PythonEnv)
	}
	work, _, err := tinyCase().prepare(t.Context(), nntest.Backend(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", t.TempDir())
	mode := Mode("eager-bfloat16")
	for _, task := range []Task{Training, Sampling, Pairs, Checkpoint, Resume} {
		if work.Task = task; task != Training {
			mode = Modes[0]
		}
		text, err := json.Marshal(work)
		if err != nil {
			t.Fatal(err)
		}
		w, err := start(t.Context(), "PyTorch", pytorchCommand(python, "cpu", mode, text), nil, new(any))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if seconds, err := w.measure(); err != nil || !(seconds > 0) {
				t.Errorf("%v seconds, %v", seconds, err)
			}
		}
		w.stop()
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
		if _, err := start(t.Context(), "PyTorch", command, nil, new(any)); err == nil || !strings.Contains(err.Error(), want) {
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
		t.Skip("there is no sh")
	}
	return []string{sh, "-c", script}
}

func TestRun(t *testing.T) {
	rounds := 0
	c := Case{Name: "c", About: "about c", Batch: 8}
	results, err := Run(t.Context(), c, Options{Worker: func(Case, Precision) []string { return shell(t, worker1) }, Rounds: 3, Progress: func() { rounds++ }})
	if err != nil {
		t.Fatal(err)
	}
	r := results[0]
	if len(results) != 1 || rounds != 3 || r.FirstStepSeconds != 1 || r.StepSeconds != 4 || r.SamplesPerSecond != 2 || r.Speedup != 0 || r.Engine != Engine {
		t.Errorf("%d rounds told, result %+v", rounds, r)
	}
}

func TestRunSaysWhyAWorkerEnded(t *testing.T) {
	for name, script := range map[string]string{
		"at once":     `echo no memory left >&2; exit 1`,
		"in a step":   `echo '{}'; read line; echo no memory left >&2; exit 1`,
		"wrong words": `echo no memory left >&2; echo hello; sleep 1`,
	} {
		_, err := Run(t.Context(), Case{}, Options{Worker: func(Case, Precision) []string { return shell(t, script) }, Rounds: 1})
		if err == nil || !strings.Contains(err.Error(), "no memory left") {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	_, err := Run(ctx, Case{}, Options{Worker: func(Case, Precision) []string { return shell(t, worker1) }, Rounds: 1 << 30, Progress: func() { cancel(stopped) }})
	if !errors.Is(err, stopped) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestSummarise(t *testing.T) {
	own := Result{Engine: Engine, Precision: Float32, Rounds: []float64{1, 2, 1}}
	other := Result{Engine: "other", Precision: Float32, Batch: 6, Rounds: []float64{3, 3, 2}}
	other.summarise(own)
	if other.StepSeconds != 3 || other.SamplesPerSecond != 2 || other.Speedup != 2 {
		t.Errorf("%+v", other)
	}
	if m := median([]float64{4, 1, 3, 2}); m != 2.5 {
		t.Errorf("median of an even number is %g", m)
	}
}

// What PyTorch does in a precision is compared with this program in the same, or else in float32.
func TestLikeOf(t *testing.T) {
	results := []Result{
		{Engine: Float32.engine(), Precision: Float32}, {Engine: TF32.engine(), Precision: TF32},
		{Engine: "PyTorch eager-float32", Precision: Mode("eager-float32").Precision()},
		{Engine: "PyTorch compile-tf32", Precision: Mode("compile-tf32").Precision()},
		{Engine: "PyTorch eager-bfloat16", Precision: Mode("eager-bfloat16").Precision()},
	}
	for i, want := range []string{"illustrator", "illustrator tf32", "illustrator", "illustrator tf32", "illustrator"} {
		if got := likeOf(results, i).Engine; got != want || results[i].own() != (i < 2) {
			t.Errorf("%s is compared with %s, want %s", results[i].Engine, got, want)
		}
	}
	c := tinyCase()
	c.Task = Training
	if got := c.precisions(Precisions); !slices.Equal(got, Precisions) {
		t.Errorf("training has %v", got)
	}
	if got := c.precisions([]Precision{BFloat16}); !slices.Equal(got, []Precision{BFloat16}) {
		t.Errorf("training in bfloat16 has %v", got)
	}
	if c.Losses.Semantic = 0; !slices.Equal(c.precisions(Precisions), []Precision{Float32, TF32}) {
		t.Errorf("training without the semantic loss has %v", c.precisions(Precisions))
	}
	for _, asked := range [][]Precision{nil, {BFloat16}} {
		if got := c.precisions(asked); !slices.Equal(got, []Precision{Float32}) {
			t.Errorf("asked for %v there is %v", asked, got)
		}
	}
}

func TestByPrecision(t *testing.T) {
	parts := Options{Rounds: 3, Precisions: []Precision{Float32, TF32}, Modes: []Mode{"eager-float32", "compile-bfloat16", "compile-float32"}}.ByPrecision()
	if len(parts) != 3 {
		t.Fatalf("%d parts: %+v", len(parts), parts)
	}
	for i, want := range []struct {
		precision Precision
		modes     []Mode
	}{{Float32, []Mode{"eager-float32", "compile-float32"}}, {TF32, nil}, {BFloat16, []Mode{"compile-bfloat16"}}} {
		if p := parts[i]; p.Rounds != 3 || !slices.Equal(p.Precisions, []Precision{want.precision}) || !slices.Equal(p.Modes, want.modes) {
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
		if got, err := ParsePrecision(string(p)); got != p || err != nil {
			t.Errorf("%s: %v, %v", p, got, err)
		}
	}
	if _, err := ParsePrecision("float16"); !fault.IsUsage(err) || !strings.Contains(fault.HintOf(err), "tf32") {
		t.Errorf("unknown precision: %v", err)
	}
	if _, err := ParseMode("fast"); !fault.IsUsage(err) || !strings.Contains(fault.HintOf(err), "eager-bfloat16") {
		t.Errorf("unknown mode: %v", err)
	}
}

func TestFindPython(t *testing.T) {
	t.Setenv(PythonEnv, "/nowhere/python")
	if _, err := FindPython(); err == nil || !strings.Contains(err.Error(), "/nowhere/python") || !strings.Contains(fault.HintOf(err), "make bench PYTORCH=1") {
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
