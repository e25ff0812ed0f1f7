package eval_test

import (
	"flag"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"illustrator/checkpoints"
	"illustrator/data/pictures"
	"illustrator/eval"
	"illustrator/models/clip"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
)

var pictureCount = flag.Int("pictures", 0, "how many pictures TestMemory evaluates")

// TestMemory logs the peak of the memory that an evaluation of a folder takes: of tiny pictures, 100 a text, with
// embeddings as wide as those of CLIP ViT-B/32, by the metrics that take all of them; the others take 20,000 at most.
func TestMemory(t *testing.T) {
	if *pictureCount == 0 {
		t.Skip("takes minutes: -pictures 1000 says how many pictures")
	}
	dir := t.TempDir()
	folder := filepath.Join(dir, "pictures")
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	img := image.NewNRGBA(image.Rect(0, 0, 16, 16))
	for i := range *pictureCount {
		for at := range 256 { // bands of a number's bits: all pictures differ
			img.SetNRGBA(at%16, at/16, color.NRGBA{uint8(i >> (at % 9) << 4), uint8(i * (at / 64)), uint8(i >> 8), 255})
		}
		path := filepath.Join(folder, fmt.Sprintf("%06d.png", i))
		meta := []pictures.Meta{{Key: "Description", Value: fmt.Sprintf("wizard number %d", i/100)},
			{Key: "Seed", Value: strconv.Itoa(i % 100)}}
		if err := pictures.WritePNG(path, img, meta); err != nil {
			t.Fatal(err)
		}
	}
	n := wide(t, dir, 512)
	texts, files, _, err := eval.ReadFolder(folder, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	keep := filepath.Join(dir, "keep")
	if err := os.Mkdir(keep, 0o777); err != nil {
		t.Fatal(err)
	}
	before := peak(t)
	result, err := eval.Evaluate(t.Context(), n, eval.Request{Domain: "tiny", Texts: texts, Files: files, Keep: keep,
		Metrics: []eval.MetricName{
			"clip_similarity", "clip_score", "r_precision", "diversity", "vendi_score", "fid"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d pictures, %d figures: peak %d MB, %d MB before", result.Pictures, len(result.Metrics), peak(t)>>10,
		before>>10)
}

// peak is the process's greatest resident memory so far in KiB.
func peak(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("needs Linux's /proc")
	}
	match := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if match == nil {
		t.Fatal("no VmHWM in /proc/self/status")
	}
	kib, err := strconv.Atoi(string(match[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kib
}

// wide opens the tiny domain with embeddings of another width.
func wide(t *testing.T, dir string, width int) *pipeline.Networks {
	t.Helper()
	if _, err := pipelinetest.Write(dir, 1); err != nil {
		t.Fatal(err)
	}
	folder, err := checkpoints.Open(filepath.Join(dir, "clip"))
	if err != nil {
		t.Fatal(err)
	}
	cfg, _, err := clip.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	weights, err := folder.Weights()
	if err != nil {
		t.Fatal(err)
	}
	cfg.ProjectionDim = width
	for name, shape := range cfg.Shapes() {
		if tensor := weights.Tensors[name]; fmt.Sprint(tensor.Shape) != fmt.Sprint(shape) {
			values := make([]float32, checkpoints.Tensor{Shape: shape}.Elements())
			for i := range values {
				values[i] = float32(i%97)/97 - 0.5
			}
			weights.Tensors[name] = checkpoints.Float32Tensor(values, shape...)
		}
	}
	files := map[string][]byte{}
	for _, name := range []string{"vocab.json", "merges.txt"} {
		if files[name], err = folder.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkpoints.Write(filepath.Join(dir, "wide"),
		checkpoints.Contents{Config: cfg, Weights: weights, Files: files}); err != nil {
		t.Fatal(err)
	}
	n, err := pipeline.Open(nntest.Backend(t), pipeline.Locations{Generator: filepath.Join(dir, "generator"),
		CLIP: filepath.Join(dir, "wide")})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
