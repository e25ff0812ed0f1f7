package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/checkpoints"
	"illustrator/data/seeds"
	"illustrator/losses"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/train/snapshot"
)

// made are pairs that have nothing to do with each other. broken, if positive, is a row whose embedding is not finite.
type made struct{ rows, broken int }

func (m made) Len() int { return m.rows }

func (m made) Read(rows []int, z, imageEmbeds []float32) error {
	for i, row := range rows {
		copy(z[i*pipelinetest.ZDim:], seeds.Z(uint64(row), pipelinetest.ZDim))
		copy(imageEmbeds[i*pipelinetest.EmbedDim:], seeds.Z(uint64(row)+1<<32, pipelinetest.EmbedDim))
		if m.broken > 0 && row == m.broken {
			imageEmbeds[i*pipelinetest.EmbedDim] = float32(math.Inf(1))
		}
	}
	return nil
}

// everything is a training of 12 steps that has all that a state may hold: two stages, one with the semantic loss and
// redrawn noise, dropout, AdamW, clipping, a moving average.
func everything() Config {
	return Config{
		Batch: 4, NoiseMode: "random", OnNaN: StopOnNaN, LogEvery: 1,
		Optimizer: Optimizer{Name: AdamW, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 0.01, ClipNorm: 1,
			Accumulate: 1, EMA: 0.9},
		Validation: Validation{Every: 4, Rows: 6},
		Checkpoint: Checkpoint{Every: 3, Keep: 2},
		Stages: []Stage{
			{Name: "l1", Losses: losses.Weights{L1: 1}, Schedule: Schedule{Kind: "cosine", Steps: 5, Warmup: 2,
				LearningRate: 1e-2}},
			{Name: "all", Losses: losses.Weights{L1: 0.3, Semantic: 1, Regularization: 0.3},
				Schedule: Schedule{Kind: "constant", Steps: 7, LearningRate: 1e-3}},
		},
	}
}

// l1Only is everything without generator and CLIP, which take seconds to compile, and with accumulated gradients.
func l1Only() Config {
	c := everything()
	c.Stages[1].Losses.Semantic, c.Optimizer.Accumulate = 0, 2
	return c
}

// oneStage is l1Only in one stage and without accumulated gradients, which has two programs to compile instead of five.
func oneStage() Config {
	c := l1Only()
	c.Batch, c.Optimizer.Accumulate = 8, 1 // the same rows in each step
	c.Stages = c.Stages[:1]
	c.Stages[0].Schedule.Steps = 12
	return c
}

// begin returns a training in folder as a new process would start it.
func begin(t *testing.T, domain string, folder string, config Config) *Training {
	t.Helper()
	networks, err := pipeline.Open(nntest.Backend(t),
		pipeline.Locations{Generator: filepath.Join(domain, "generator"), CLIP: filepath.Join(domain, "clip")})
	if err != nil {
		t.Fatal(err)
	}
	return &Training{
		Config: config, Seed: 7, Networks: networks, Pairs: made{rows: 50}, Folder: Folder(folder),
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Mapper: mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: pipelinetest.EmbedDim,
			ZDim: pipelinetest.ZDim, Width: 8, Blocks: 1, Layers: 2, Dropout: 0.1},
	}
}

func tinyDomain(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := pipelinetest.Write(dir, 1); err != nil {
		t.Fatal(err)
	}
	return dir
}

// contents are the bytes of all files below a folder but the events, which hold times.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(path, "tensorboard") {
			return err
		}
		raw, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		all[name] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// same fails unless two run folders have the same files with the same bytes.
func same(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %s differs (%d and %d bytes)", what, name, len(got[name]), len(want[name]))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s is too much", what, name)
		}
	}
}

// stopAt is a training's Progress that interrupts it after one step.
func stopAt(at int, cancel context.CancelCauseFunc) func(int, Stage, losses.Values) {
	return func(step int, _ Stage, _ losses.Values) {
		if step == at {
			cancel(errStopped)
		}
	}
}

var errStopped = errors.New("stopped")

// A training that is interrupted and resumed, wherever that is, leaves the same bytes as one that was not: metrics,
// checkpoints, mappers.
func TestResumeIsExact(t *testing.T) {
	config, stops := everything(), []int{5, 10}
	if testing.Short() {
		config, stops = l1Only(), []int{5}
	}
	domain, whole := tinyDomain(t), t.TempDir()
	training := begin(t, domain, whole, config)
	perStep := countCompiled(training)
	state, err := training.Run(t.Context())
	if err != nil || state.Step != 12 || state.Best == nil {
		t.Fatalf("%+v, %v", state, err)
	}
	checkCompiled(t, config, perStep())
	want := contents(t, whole)
	if n := strings.Count(want["metrics.jsonl"], "\n"); n != 12+4 {
		t.Errorf("%d lines of metrics, want 12 steps and validations after steps 4, 5, 8 and 12:\n%s", n,
			want["metrics.jsonl"])
	}
	checkValidations(t, Folder(whole), config.last().Losses)
	parts := t.TempDir()
	for _, at := range stops {
		ctx, cancel := context.WithCancelCause(t.Context())
		training := begin(t, domain, parts, config)
		training.Progress = stopAt(at, cancel)
		if state, err := training.Run(ctx); !errors.Is(err, errStopped) || state.Step != at {
			t.Fatalf("stop at %d: %+v, %v", at, state, err)
		}
		cancel(nil)
	}
	if _, err := begin(t, domain, parts, config).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "resumed", contents(t, parts), want)
	if _, err := begin(t, domain, parts, config).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "resumed when all is done", contents(t, parts), want)
}

// countCompiled has a training of 12 steps note how many programs are made for each step and what is done before it;
// the last number is of what is done after all steps.
func countCompiled(training *Training) func() [13]int {
	var before [13]int
	training.Progress = func(step int, _ Stage, _ losses.Values) { before[step] = nntest.Programs() }
	before[0] = nntest.Programs()
	return func() (perStep [13]int) {
		last := nntest.Programs()
		for step := range 12 {
			perStep[step] = before[step+1] - before[step]
		}
		perStep[12] = last - before[12]
		return perStep
	}
}

// checkCompiled fails unless a training compiled in the first step of each stage and in the first validation alone, and
// in a later stage no more than its own programs: one, or two where gradients accumulate.
func checkCompiled(t *testing.T, config Config, perStep [13]int) {
	t.Helper()
	want := [13]int{5: 1}
	if config.Optimizer.Accumulate > 1 {
		want[5] = 2
	}
	want[4] = 2          // validations of 4 rows and of the last 2
	want[0] = perStep[0] // fresh moments, too
	if perStep != want || perStep[0] == 0 {
		t.Errorf("programs compiled before each step, and after all: %v, want %v", perStep, want)
	}
}

// checkValidations fails unless each validation of a run has measured every loss that has a weight, and no other.
func checkValidations(t *testing.T, folder Folder, weights losses.Weights) {
	t.Helper()
	lines, err := ReadMetrics(folder.Metrics())
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if line.Validation == nil {
			continue
		}
		for _, v := range []losses.Values{line.Validation.Losses, line.Validation.FixedNoise} {
			sum := 0.0
			for _, l := range losses.All {
				value, weight := l.Value(v), l.Weight(weights)
				if (value > 0) != (weight > 0) {
					t.Errorf("validation after step %d: %s of weight %g is %g", line.Step, l.Name, weight, value)
				}
				sum += weight * value
			}
			if math.Abs(sum-v.Total) > 1e-5*sum {
				t.Errorf("validation after step %d: the total is %g, the weighted losses are %g together", line.Step, v.Total, sum)
			}
		}
	}
}

// A checkpoint written with GoMLX before 0.28, which named and typed Adam's step count otherwise, continues to the same
// bytes.
func TestResumeOfAnOlderCheckpoint(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three trainings; run without -short")
	}
	domain, whole, parts := tinyDomain(t), t.TempDir(), t.TempDir()
	if _, err := begin(t, domain, whole, oneStage()).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	training := begin(t, domain, parts, oneStage())
	training.Progress = stopAt(5, cancel)
	if _, err := training.Run(ctx); !errors.Is(err, errStopped) {
		t.Fatal(err)
	}
	state, weights, err := readCheckpoint(Folder(parts).checkpoint(5))
	if err != nil {
		t.Fatal(err)
	}
	const steps = "AdamOptimizer/step"
	if count := weights.Tensors[steps]; count.DType != checkpoints.F32 || len(count.Data) != 4 {
		t.Fatalf("%s is %+v", steps, count)
	}
	delete(weights.Tensors, steps)
	weights.Tensors["AdamOptimizer/global_step"] = checkpoints.Tensor{DType: checkpoints.I64, Shape: []int{},
		Data: []byte{5, 0, 0, 0, 0, 0, 0, 0}}
	if err := snapshot.Write(Folder(parts).checkpoint(5), state, weights, "illustrator train"); err != nil {
		t.Fatal(err)
	}
	if _, err := begin(t, domain, parts, oneStage()).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "resumed", contents(t, parts), contents(t, whole))
}

// A training whose process is killed resumes from the newest checkpoint, and leaves the same bytes.
func TestResumeAfterACrash(t *testing.T) {
	if testing.Short() {
		t.Skip("starts several trainings; run without -short")
	}
	domain, whole, parts := tinyDomain(t), t.TempDir(), t.TempDir()
	if _, err := begin(t, domain, whole, l1Only()).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := contents(t, whole)
	for _, reads := range []int{5, 15, 9} {
		training := begin(t, domain, parts, l1Only())
		training.Pairs = failing{made{rows: 50}, new(int), reads}
		if _, err := training.Run(t.Context()); err == nil {
			t.Fatal("the crash did not happen")
		}
		for _, stray := range []string{".mapper-best.old-1", ".config.yaml123", "checkpoints/.000006.tmp-1"} {
			if err := os.MkdirAll(filepath.Join(parts, stray), 0o777); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := begin(t, domain, parts, l1Only()).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	same(t, "after crashes", contents(t, parts), want)
}

// failing are pairs that cannot be read from the call number after on.
type failing struct {
	made
	calls *int
	after int
}

func (f failing) Read(rows []int, z, imageEmbeds []float32) error {
	if *f.calls++; *f.calls > f.after {
		return errors.New("the disk is gone")
	}
	return f.made.Read(rows, z, imageEmbeds)
}

// A damaged newest checkpoint is left for the one before, with a warning; where none is whole nothing is trained.
func TestDamagedCheckpoints(t *testing.T) {
	if testing.Short() {
		t.Skip("starts several trainings; run without -short")
	}
	domain, whole := tinyDomain(t), t.TempDir()
	if _, err := begin(t, domain, whole, oneStage()).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := contents(t, whole)
	damage := map[string]func(path string) error{
		"a flipped byte": func(path string) error {
			raw, err := os.ReadFile(filepath.Join(path, "model.safetensors"))
			if err == nil {
				raw[len(raw)-3] ^= 1
				err = os.WriteFile(filepath.Join(path, "model.safetensors"), raw, 0o666)
			}
			return err
		},
		"a cut file":         func(path string) error { return os.Truncate(filepath.Join(path, "model.safetensors"), 100) },
		"no manifest":        func(path string) error { return os.Remove(filepath.Join(path, "manifest.json")) },
		"an empty state":     func(path string) error { return os.WriteFile(filepath.Join(path, "config.json"), nil, 0o666) },
		"a folder of others": func(path string) error { return errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o777)) },
	}
	for name, harm := range damage {
		if err := harm(filepath.Join(whole, "checkpoints", "000012")); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		training := begin(t, domain, whole, oneStage())
		training.Log = slog.New(slog.NewTextHandler(&log, nil))
		if _, err := training.Run(t.Context()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "000012 is damaged") {
			t.Errorf("%s: no warning: %s", name, log.String())
		}
		same(t, name, contents(t, whole), want)
	}
	steps, err := Folder(whole).Checkpoints()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range steps {
		if err := os.Truncate(filepath.Join(whole, "checkpoints", fmt.Sprintf("%06d", step), "model.safetensors"),
			9); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := begin(t, domain, whole, oneStage()).Run(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "no checkpoint of the run is whole") {
		t.Errorf("no whole checkpoint: %v", err)
	}
	if again, err := Folder(whole).Checkpoints(); err != nil || len(again) != len(steps) {
		t.Errorf("damaged checkpoints were removed: %v, %v", again, err)
	}
}

// A training that starts from another's mapper has its weights: with a rate too small to move one, they are what it
// ends with, but for the running statistics of BatchNorm.
func TestStartsFromAMapper(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a training")
	}
	domain := tinyDomain(t)
	config := l1Only()
	config.Optimizer, config.Stages = Optimizer{Name: Adam, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Accumulate: 1},
		config.Stages[:1]
	config.Stages[0].Schedule = Schedule{Kind: "constant", Steps: 2, LearningRate: 1e-20}
	training := begin(t, domain, t.TempDir(), config)
	training.Init = mapper.Init(training.Mapper, 99)
	if _, err := training.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	folder, err := checkpoints.Open(training.Folder.LastMapper())
	if err != nil {
		t.Fatal(err)
	}
	trained, err := folder.Weights()
	if err != nil {
		t.Fatal(err)
	}
	for name, first := range training.Init.Tensors {
		before, _ := first.Float32s()
		after, _ := trained.Tensors[name].Float32s()
		if moved := nntest.MaxAbs(t, after, before) > 1e-10; moved != strings.Contains(name, ".running_") {
			t.Errorf("%s: moved %v", name, moved)
		}
	}
}
