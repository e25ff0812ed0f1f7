package data

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/stylegan2"
)

func TestSample(t *testing.T) {
	dir := t.TempDir()
	if _, err := pipelinetest.Write(dir, 1); err != nil {
		t.Fatal(err)
	}
	n, err := pipeline.Open(nntest.Backend(t), pipeline.Locations{Generator: filepath.Join(dir, "generator"), CLIP: filepath.Join(dir, "clip")})
	if err != nil {
		t.Fatal(err)
	}
	mode := stylegan2.NoiseRandom
	if testing.Short() {
		mode = stylegan2.NoiseConst // compiles sooner
	}
	out := t.TempDir()
	sample := func(name string, rows int, seed uint64) (*Pairs, []byte) {
		t.Helper()
		path, told := filepath.Join(out, name), []int{}
		err := Sample(t.Context(), n, path, SampleOptions{
			Domain: "tiny", Rows: rows, Seed: seed, NoiseMode: mode, Progress: func(rows int) { told = append(told, rows) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSorted(told) || told[len(told)-1] != rows {
			t.Errorf("progress of %d rows: %v", rows, told)
		}
		pairs, err := ReadPairs(path)
		if err != nil {
			t.Fatal(err)
		}
		return pairs, readFile(t, path)
	}
	all, raw := sample("all.arrow", 70, 100)
	if _, again := sample("again.arrow", 70, 100); !slices.Equal(raw, again) {
		t.Error("the same seed gives other bytes")
	}
	if all.Len() != 70 || all.Meta.Domain != "tiny" || all.Meta.Seed != 100 || all.Meta.NoiseMode != string(mode) || all.Meta.Preprocessing != "area-8-clip" ||
		all.Meta.GeneratorSHA256 != n.Hashes["generator"] || all.Meta.CLIPSHA256 != n.Hashes["clip"] || all.Meta.DType != "float32" {
		t.Errorf("%d rows, %+v", all.Len(), all.Meta)
	}
	for _, i := range []int{0, 31, 32, 69} {
		if !slices.Equal(all.Z(i), Z(uint64(100+i), pipelinetest.ZDim)) || all.Seeds[i] != uint64(100+i) {
			t.Errorf("row %d is not drawn from seed %d", i, 100+i)
		}
	}
	// A row is that of its seed, whatever its place and however many rows there are: batches are always full, so
	// that not even float32's last digits differ where the place in the batch is the same.
	few, _ := sample("few.arrow", 3, 132)
	if !slices.Equal(few.ImageEmbeds, all.ImageEmbeds[32*pipelinetest.EmbedDim:35*pipelinetest.EmbedDim]) {
		t.Error("rows depend on how many there are")
	}
	moved, _ := sample("moved.arrow", 1, 150)
	if d := nntest.MaxAbs(t, moved.ImageEmbed(0), all.ImageEmbed(50)); d > 1e-4 {
		t.Errorf("a row depends on its place: %g", d)
	}
	if d := nntest.MaxAbs(t, all.ImageEmbed(0), all.ImageEmbed(1)); d < 1e-3 {
		t.Error("two rows have one embedding")
	}
	// The picture behind a row is the one that its seed renders.
	styles, err := n.Styles(t.Context(), all.Z(5), 1)
	if err != nil {
		t.Fatal(err)
	}
	images, err := n.Render(t.Context(), styles, pipeline.Synthesis{NoiseMode: mode, Keys: []uint64{105}})
	if err != nil {
		t.Fatal(err)
	}
	embed, err := n.EmbedImages(t.Context(), images, pipelinetest.Size, pipelinetest.Size)
	if err != nil {
		t.Fatal(err)
	}
	if d := nntest.MaxAbs(t, embed, all.ImageEmbed(5)); d > 1e-4 {
		t.Errorf("seed 105 renders another picture than that of its row: %g", d)
	}

	stopping(t, n, mode)
}

// stopping samples until a cancelled context or a folder that is not there ends it: no file is left.
func stopping(t *testing.T, n *pipeline.Networks, mode stylegan2.NoiseMode) {
	out, stop := t.TempDir(), errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := Sample(ctx, n, filepath.Join(out, "stopped.arrow"), SampleOptions{
		Domain: "tiny", Rows: 1_000_000, NoiseMode: mode, Progress: func(int) { cancel(stop) },
	})
	if !errors.Is(err, stop) {
		t.Errorf("a cancelled sampling ends with %v", err)
	}
	if names := fileNames(t, out); len(names) != 0 {
		t.Errorf("a cancelled sampling leaves %q", names)
	}
	err = Sample(t.Context(), n, filepath.Join(out, "none", "p.arrow"), SampleOptions{Domain: "tiny", Rows: 1, NoiseMode: mode})
	if err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a folder that is not there: %v", err)
	}
}
