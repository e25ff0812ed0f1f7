package eval_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"illustrator/checkpoints"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/eval"
	"illustrator/internal/fault"
	"illustrator/models/classifier"
	"illustrator/models/features"
	"illustrator/models/inception"
	"illustrator/models/lpips"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/stylegan2"
)

// tiny opens the tiny domain with an untrained mapper, once for all tests: most of their time is its compilation.
func tiny(t *testing.T) *pipeline.Networks {
	t.Helper()
	backend := nntest.Backend(t)
	n, err := tinyOnce(backend)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var tinyNetworks *pipeline.Networks

func tinyOnce(backend compute.Backend) (*pipeline.Networks, error) {
	if tinyNetworks != nil {
		return tinyNetworks, nil
	}
	dir, err := os.MkdirTemp("", "tiny")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // all weights are read by then
	if _, err := pipelinetest.Write(dir, 1); err != nil {
		return nil, err
	}
	cfg := mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: pipelinetest.EmbedDim,
		ZDim: pipelinetest.ZDim, Width: 16, Blocks: 1, Layers: 2}
	if err := checkpoints.Write(filepath.Join(dir, "mapper"),
		checkpoints.Contents{Config: cfg, Weights: mapper.Init(cfg, 1)}); err != nil {
		return nil, err
	}
	n, err := pipeline.Open(backend, pipeline.Locations{Generator: filepath.Join(dir, "generator"),
		CLIP: filepath.Join(dir, "clip")})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(n.NeedFrozen(), n.LoadMapper(filepath.Join(dir, "mapper"))); err != nil {
		return nil, err
	}
	tinyNetworks = n
	return n, nil
}

func tinyRequest(t *testing.T) eval.Request {
	var descriptions []texts.Text
	for i := range 24 {
		descriptions = append(descriptions, texts.Text{Text: fmt.Sprintf("wizard number %d", i)})
	}
	return eval.Request{
		Domain: "tiny", Texts: descriptions, Seeds: []uint64{3, 4, 9}, Keep: t.TempDir(),
		Manner:    draw.Manner{NoProjection: true, NoiseMode: stylegan2.NoiseRandom, TruncationPsi: 1},
		Reference: eval.Reference{Samples: 40},
	}
}

func TestEvaluateGoesOnToTheSameResult(t *testing.T) {
	if testing.Short() {
		t.Skip("evaluates three times")
	}
	n, r := tiny(t), tinyRequest(t)
	whole, err := eval.Evaluate(t.Context(), n, r)
	if err != nil {
		t.Fatal(err)
	}
	scores, err := os.ReadFile(filepath.Join(r.Keep, eval.ScoresFile))
	if err != nil {
		t.Fatal(err)
	}

	// Stopped after the first of three batches, with half a line and half a row more than were finished.
	again := r
	again.Keep = t.TempDir()
	ctx, stop := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	again.Progress = func(_ string, done, _ int) {
		if done > 0 {
			stop(interrupted)
		}
	}
	if _, err = eval.Evaluate(ctx, n, again); !errors.Is(err, interrupted) ||
		!strings.Contains(err.Error(), "30 of 72 pictures are judged") {
		t.Fatalf("interrupted: %v", err)
	}
	for _, name := range []string{eval.ScoresFile, "features.f32"} {
		f, err := os.OpenFile(filepath.Join(again.Keep, name), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.WriteString(`{"text":10`)
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	var first int
	again.Progress = func(stage string, done, _ int) {
		if stage == "Judging pictures" && first == 0 {
			first = done
		}
	}
	resumed, err := eval.Evaluate(t.Context(), n, again)
	if err != nil {
		t.Fatal(err)
	}
	if first != 30 {
		t.Errorf("it resumed at picture %d", first)
	}
	a, b := mustJSON(t, whole), mustJSON(t, resumed)
	if !bytes.Equal(a, b) {
		t.Errorf("whole\n%s\nresumed\n%s", a, b)
	}
	if resumedScores, _ := os.ReadFile(filepath.Join(again.Keep, eval.ScoresFile)); !bytes.Equal(scores, resumedScores) {
		t.Error("the scores differ")
	}

	again.Seeds = []uint64{3, 4, 8}
	if _, err = eval.Evaluate(t.Context(), n, again); !fault.IsUsage(err) ||
		!strings.Contains(err.Error(), "seeds is [3,4,9] there, [3,4,8] now") {
		t.Errorf("other seeds: %v", err)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestEvaluateMeasuresWhatItCan(t *testing.T) {
	n, r := tiny(t), tinyRequest(t)
	result, err := eval.Evaluate(t.Context(), n, r)
	if err != nil {
		t.Fatal(err)
	}
	if result.Pictures != 72 || len(result.Samples["clip_similarity"]) != 72 || len(result.Samples["diversity"]) != 24 {
		t.Errorf("%d pictures, %d samples of similarity, %d of diversity", result.Pictures,
			len(result.Samples["clip_similarity"]), len(result.Samples["diversity"]))
	}
	for _, name := range []string{
		"clip_similarity", "clip_score", "clip_score_torchmetrics", "r_precision_1_of_24", "diversity", "vendi_score",
		"input_similarity", "z_distance", "z_mean", "z_std",
		"fid (CLIP tiny features)", "kid (CLIP tiny features)", "kid_whole (CLIP tiny features)", "cmmd (CLIP tiny features)",
		"precision (CLIP tiny features)",
		"recall (CLIP tiny features)", "density (CLIP tiny features)", "coverage (CLIP tiny features)",
	} {
		if m, ok := result.Metric(name); !ok || math.IsNaN(m.Value) || m.N == 0 ||
			m.Interval != nil && !(m.Interval.Low <= m.Interval.High) {
			t.Errorf("%s: %+v, %v", name, m, ok)
		}
	}
	refused := map[string]string{}
	for _, r := range result.Refused {
		refused[r.Metric] = r.Reason
	}
	for name, want := range map[string]string{
		"attribute_accuracy": "the domain has no classifier", "lpips_diversity": "no LPIPS is given",
		"r_precision_1_of_100": "there are 24",
	} {
		if !strings.Contains(refused[name], want) {
			t.Errorf("%s is refused for %q", name, refused[name])
		}
	}
	if len(refused) != 3 {
		t.Errorf("refused: %v", refused)
	}

	// A picture's score is the cosine of its own text, whatever batch it was drawn in.
	one := r
	one.Keep, one.Texts, one.Seeds, one.Metrics = "", r.Texts[17:18], []uint64{9}, []eval.MetricName{"clip_similarity"}
	alone, err := eval.Evaluate(t.Context(), n, one)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range result.Samples["clip_similarity"] {
		if s.Text == 17 && s.Seed == 9 && math.Abs(s.Value-alone.Metrics[0].Value) > 1e-5 {
			t.Errorf("cosine %g among others, %g alone", s.Value, alone.Metrics[0].Value)
		}
	}
}

// golden writes the narrow network of a golden in folder form.
func golden(t *testing.T, path string, config any) string {
	t.Helper()
	w := &checkpoints.Weights{Tensors: map[string]checkpoints.Tensor{}}
	for name, tensor := range nntest.Golden(t, path).Tensors {
		if inner, ok := strings.CutPrefix(name, "weights."); ok {
			w.Tensors[inner] = tensor
		}
	}
	dir := filepath.Join(t.TempDir(), "network")
	if err := checkpoints.Write(dir, checkpoints.Contents{Config: config, Weights: w, Layout: "test",
		Tool: "test"}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Further judges have figures of their own, which say whose they are and survive being kept.
func TestEvaluateWithJudges(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles Inception and VGG16")
	}
	n, r := tiny(t), tinyRequest(t)
	var err error
	r.Judges.CLIP, r.Judges.CLIPName = tiny(t), "other"
	r.Judges.LPIPS, err = features.OpenDistance(n.Backend,
		golden(t, "../models/lpips/testdata/tiny_vgg.safetensors",
			lpips.Config{ModelType: lpips.ModelType, Net: lpips.VGG, Channels: 4}))
	if err != nil {
		t.Fatal(err)
	}
	r.Judges.Inception, err = features.Open(n.Backend,
		golden(t, "../models/inception/testdata/tiny.safetensors",
			inception.Config{ModelType: inception.ModelType, FeatureDim: 128}))
	if err != nil {
		t.Fatal(err)
	}
	first, err := eval.Evaluate(t.Context(), n, r)
	if err != nil {
		t.Fatal(err)
	}
	own, _ := first.Metric("clip_similarity")
	other, ok := first.Metric("clip_similarity (CLIP other)")
	if !ok || math.Abs(own.Value-other.Value) > 1e-9 || strings.Contains(other.Caveat, "flatters") {
		t.Errorf("the same CLIP as a second one: %+v, %+v", own, other)
	}
	distance, ok := first.Metric("lpips_diversity (lpips-0.1 vgg)")
	if !ok || distance.N != 72 || !(distance.Value > 0) || distance.Caveat != "" {
		t.Errorf("LPIPS of 24 texts with 3 pairs each: %+v", distance)
	}
	for _, name := range []string{"clip_score", "clip_score_torchmetrics", "r_precision_1_of_24"} {
		own, _ := first.Metric(name)
		other, ok := first.Metric(name + " (CLIP other)")
		if !ok || math.Abs(own.Value-other.Value) > 1e-9 || strings.Contains(other.Caveat, "flatters") {
			t.Errorf("%s by the same CLIP as a second one: %+v, %+v", name, own, other)
		}
	}
	for _, name := range []string{"fid", "kid_whole", "precision"} {
		if m, ok := first.Metric(name + " (inception-fid tf1-bilinear-299 features)"); !ok || m.N != 40 && m.N != 72 {
			t.Errorf("%s: %+v, %v", name, m, ok)
		}
	}
	for _, m := range first.Metrics {
		if m.Interval == nil {
			t.Errorf("%s has no interval: %s", m.Name, m.Caveat)
		}
	}
	if _, ok := first.Metric("cmmd (inception-fid tf1-bilinear-299 features)"); ok {
		t.Error("CMMD is of CLIP's embeddings only")
	}
	again, err := eval.Evaluate(t.Context(), n, r)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := mustJSON(t, first), mustJSON(t, again); !bytes.Equal(a, b) {
		t.Errorf("measured\n%s\nfrom what was kept\n%s", a, b)
	}
}

func TestEvaluateRefusesMistakes(t *testing.T) {
	n := &pipeline.Networks{Hashes: map[string]string{"generator": "a1"}}
	labels := &pipeline.Networks{Classifier: &classifier.Config{}}
	for name, c := range map[string]struct {
		change     func(*eval.Request)
		want, hint string
	}{
		"unknown metric": {func(r *eval.Request) { r.Metrics = []eval.MetricName{"clip_scoer"} },
			`metric "clip_scoer" is unknown`,
			"did you mean clip_score?"},
		"no labels": {func(r *eval.Request) { r.Metrics = []eval.MetricName{"attribute_accuracy"} },
			"attribute_accuracy cannot be measured: no text has labels of its attributes", "leave it out"},
		"another domain": {func(r *eval.Request) {
			r.Files = []eval.File{{Path: "a.png", Generator: "a1"}, {Path: "b.png", Generator: "b2", Domain: "other"}}
		}, "b.png was drawn by generator b2 of domain other; domain tiny has a1", "name the domain"},
		"no texts": {func(r *eval.Request) { r.Texts = nil }, "no text", "give texts"},
		"no seeds": {func(r *eval.Request) { r.Seeds = nil }, "no seed", "0-3"},
		"no classifier": {func(r *eval.Request) { r.Metrics = []eval.MetricName{"attribute_accuracy"} },
			"the domain has no classifier", "leave it out"},
		"z of files": {func(r *eval.Request) { r.Files, r.Metrics = []eval.File{{}}, []eval.MetricName{"z_mean"} },
			"don't have the z",
			"leave it out"},
	} {
		r := tinyRequest(t)
		c.change(&r)
		n := n
		if name == "no labels" {
			n = labels
		}
		if err := r.Check(n); !fault.IsUsage(err) || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("%s: %v (%s)", name, err, fault.HintOf(err))
		}
	}
}

// Without projection the mapper gets the text's embedding, and the two similarities are one.
func TestInputSimilarityWithoutProjection(t *testing.T) {
	n, r := tiny(t), tinyRequest(t)
	r.Metrics = []eval.MetricName{"clip_similarity", "input_similarity"}
	result, err := eval.Evaluate(t.Context(), n, r)
	if err != nil {
		t.Fatal(err)
	}
	texts, inputs := result.Samples["clip_similarity"], result.Samples["input_similarity"]
	if len(inputs) == 0 || len(inputs) != len(texts) {
		t.Fatalf("%d and %d samples", len(inputs), len(texts))
	}
	for i := range inputs {
		if inputs[i].Text != texts[i].Text || math.Abs(inputs[i].Value-texts[i].Value) > 1e-5 {
			t.Errorf("picture %d: %+v, by its text %+v", i, inputs[i], texts[i])
		}
	}
}

// One text has no statistics of z, which are refused; its picture's similarity to the mapper's input is measured.
func TestInputSimilarityOfOneText(t *testing.T) {
	n, r := tiny(t), tinyRequest(t)
	r.Texts, r.Metrics = r.Texts[:1], []eval.MetricName{"input_similarity", "z_distance", "z_mean", "z_std"}
	result, err := eval.Evaluate(t.Context(), n, r)
	if err != nil {
		t.Fatal(err)
	}
	var refused []string
	for _, m := range result.Refused {
		refused = append(refused, m.Metric)
	}
	if len(result.Metrics) != 1 || result.Metrics[0].Name != "input_similarity" ||
		!slices.Equal(refused, []string{"z_distance", "z_mean", "z_std"}) {
		t.Errorf("%+v, refused %q", result.Metrics, refused)
	}
}
