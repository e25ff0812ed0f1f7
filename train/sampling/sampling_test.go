package sampling

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"illustrator/data/pairs"
	"illustrator/data/seeds"
	"illustrator/internal/files/filestest"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/stylegan2"
)

// sampling samples from tiny networks into sets below one folder.
type sampling struct {
	*testing.T
	networks *pipeline.Networks
	mode     stylegan2.NoiseMode
	dir      string
}

func newSampling(t *testing.T) sampling {
	dir := t.TempDir()
	if _, err := pipelinetest.Write(dir, 1); err != nil {
		t.Fatal(err)
	}
	n, err := pipeline.Open(nntest.Backend(t), pipeline.Locations{Generator: filepath.Join(dir, "generator"),
		CLIP: filepath.Join(dir, "clip")})
	if err != nil {
		t.Fatal(err)
	}
	mode := stylegan2.NoiseRandom
	if testing.Short() {
		mode = stylegan2.NoiseConst // compiles sooner
	}
	return sampling{t, n, mode, t.TempDir()}
}

func (s sampling) writer(name string, seed uint64, shardRows int) *pairs.Writer {
	s.Helper()
	w, err := pairs.OpenWriter(filepath.Join(s.dir, name), Meta(s.networks, "tiny", seed, s.mode, "test"), shardRows)
	if err != nil {
		s.Fatal(err)
	}
	return w
}

// sample completes the set called name to rows rows and opens it.
func (s sampling) sample(name string, seed uint64, rows, shardRows int) *pairs.Set {
	s.Helper()
	w, reports := s.writer(name, seed, shardRows), []int{}
	before := w.Rows()
	if err := Pairs(s.Context(), s.networks, w, rows, func(rows int) { reports = append(reports, rows) }); err != nil {
		s.Fatal(err)
	}
	if err := w.Close(); err != nil {
		s.Fatal(err)
	}
	if !slices.IsSorted(reports) || len(reports) > 0 && reports[len(reports)-1] != rows-before {
		s.Errorf("progress from %d to %d rows: %v", before, rows, reports)
	}
	set, err := pairs.Open(filepath.Join(s.dir, name))
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { set.Close() })
	return set
}

// readAll reads all rows in order.
func readAll(t *testing.T, set *pairs.Set) (numbers []uint64, z, embeds []float32) {
	t.Helper()
	for b, err := range set.Batches() {
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Rows {
			numbers = append(numbers, b.FirstSeed+uint64(i))
		}
		z, embeds = append(z, b.Z...), append(embeds, b.ImageEmbeds...)
	}
	return numbers, z, embeds
}

func TestSample(t *testing.T) {
	s := newSampling(t)
	n := s.networks
	all := s.sample("all", 100, 70, 50)
	list, z, embeds := readAll(t, all)
	filestest.Same(t, filestest.Folder(t, s.sample("again", 100, 70, 50).Source), filestest.Folder(t, all.Source))
	if all.Len() != 70 || all.Meta.Domain != "tiny" || all.Meta.Seed != 100 || all.Meta.NoiseMode != s.mode ||
		all.Meta.Preprocessing != "area-8-clip" ||
		all.Meta.GeneratorSHA256 != n.Hashes["generator"] || all.Meta.CLIPSHA256 != n.Hashes["clip"] ||
		all.Meta.DType != "float32" || all.Meta.Batch != 32 {
		t.Errorf("%d rows, %+v", all.Len(), all.Meta)
	}
	zOf := func(i int) []float32 { return z[i*pipelinetest.ZDim : (i+1)*pipelinetest.ZDim] }
	embedOf := func(i int) []float32 { return embeds[i*pipelinetest.EmbedDim : (i+1)*pipelinetest.EmbedDim] }
	for i := range list {
		if !slices.Equal(zOf(i), seeds.Z(uint64(100+i), pipelinetest.ZDim)) || list[i] != uint64(100+i) {
			t.Errorf("row %d is not drawn from seed %d", i, 100+i)
		}
	}
	if d := nntest.MaxAbs(t, embedOf(0), embedOf(1)); d < 1e-3 {
		t.Error("two rows have one embedding")
	}
	// The picture behind a row is the one that its seed renders.
	styles, err := n.Styles(t.Context(), zOf(5), 1)
	if err != nil {
		t.Fatal(err)
	}
	images, err := n.Render(t.Context(), styles, pipeline.Synthesis{NoiseMode: s.mode, Keys: []uint64{105}})
	if err != nil {
		t.Fatal(err)
	}
	embed, err := n.EmbedImages(t.Context(), images, pipelinetest.Size, pipelinetest.Size)
	if err != nil {
		t.Fatal(err)
	}
	if d := nntest.MaxAbs(t, embed, embedOf(5)); d > 1e-4 {
		t.Errorf("seed 105 renders another picture than that of its row: %g", d)
	}

	s.anyWay(embeds)
	s.stopping()
	s.narrow(embeds)
}

// anyWay samples the rows of seeds 100 to 169, whose embeddings are want, in other shards, other sets and several
// calls: the same bits.
func (s sampling) anyWay(want []float32) {
	const e = pipelinetest.EmbedDim
	cases := []struct {
		name      string
		seed      uint64
		steps     []int // the rows after each call
		shardRows int
	}{
		{"one shard", 100, []int{70}, 1000},
		{"small shards", 100, []int{70}, 9},
		{"grown", 100, []int{1, 13, 14, 50, 70}, 16},
		{"a part", 117, []int{31}, 7},
		{"a part's end", 131, []int{39}, 50},
		{"one row", 150, []int{1}, 50},
		{"from before", 90, []int{5, 80}, 50},
	}
	if testing.Short() {
		cases = cases[2:4]
	}
	for _, c := range cases {
		var p *pairs.Set
		for _, rows := range c.steps {
			p = s.sample(c.name, c.seed, rows, c.shardRows)
		}
		list, z, embeds := readAll(s.T, p)
		for i, seed := range list {
			if !slices.Equal(z[i*pipelinetest.ZDim:(i+1)*pipelinetest.ZDim], seeds.Z(seed, pipelinetest.ZDim)) ||
				seed != c.seed+uint64(i) {
				s.Errorf("%s: row %d is not drawn from seed %d", c.name, i, seed)
			}
			if row := int(seed) - 100; row >= 0 && row < 70 && !slices.Equal(embeds[i*e:(i+1)*e], want[row*e:(row+1)*e]) {
				s.Errorf("%s: the embedding of seed %d differs", c.name, seed)
			}
		}
	}
}

// stopping stops a sampling: its rows are kept, and the next call resumes to the same bytes.
func (s sampling) stopping() {
	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(s.Context())
	w := s.writer("stopped", 100, 64)
	err := Pairs(ctx, s.networks, w, 1_000_000, func(rows int) {
		if rows > 70 {
			cancel(stop)
		}
	})
	if !errors.Is(err, stop) || w.Rows() < 71 || w.Rows() > 1000 {
		s.Errorf("a cancelled sampling ends with %v and %d rows", err, w.Rows())
	}
	rows := w.Rows() + 64
	if err := w.Close(); err != nil {
		s.Fatal(err)
	}
	filestest.Same(s.T, filestest.Folder(s.T, s.sample("stopped", 100, rows, 64).Source),
		filestest.Folder(s.T, s.sample("at once", 100, rows, 64).Source))

	// A set that fails to be written stops the device.
	w = s.writer("broken", 100, 64)
	if err := w.Close(); err != nil {
		s.Fatal(err)
	}
	if err := Pairs(s.Context(), s.networks, w, 1_000_000, nil); err == nil ||
		!strings.Contains(err.Error(), "writer is closed") {
		s.Errorf("a set that cannot be written: %v", err)
	}
	meta := Meta(s.networks, "tiny", 100, s.mode, "test")
	meta.DType = "float16"
	if w, err = pairs.OpenWriter(filepath.Join(s.dir, "float16"), meta, 64); err != nil {
		s.Fatal(err)
	}
	if err := errors.Join(Pairs(s.Context(), s.networks, w, 1, nil), w.Close()); err == nil ||
		!strings.Contains(err.Error(), `dtype: precision "float16" is unknown`) {
		s.Errorf("a precision that networks don't have: %v", err)
	}
}

// narrow samples in bfloat16: the set says so, a continuation gives the same bytes, and another precision is refused.
func (s sampling) narrow(float32s []float32) {
	if testing.Short() {
		return // compiles a program more
	}
	s.networks.Precision = pipeline.BFloat16
	all := s.sample("narrow", 100, 70, 50)
	_, _, embeds := readAll(s.T, all)
	s.sample("narrow, grown", 100, 33, 50)
	grown := s.sample("narrow, grown", 100, 70, 50)
	filestest.Same(s.T, filestest.Folder(s.T, grown.Source), filestest.Folder(s.T, all.Source))
	if all.Meta.DType != "bfloat16" || slices.Equal(embeds, float32s) {
		s.Errorf("%s; the embeddings are those of float32: %v", all.Meta.DType, slices.Equal(embeds, float32s))
	}
	s.networks.Precision = pipeline.Float32
	_, err := pairs.OpenWriter(all.Source, Meta(s.networks, "tiny", 100, s.mode, "test"), 50)
	if err == nil || !strings.Contains(err.Error(), "dtype is bfloat16 there, float32 here") {
		s.Errorf("sampling continues in another precision: %v", err)
	}
	// The set's precision is sampled in, whatever the networks draw in otherwise.
	meta := Meta(s.networks, "tiny", 100, s.mode, "test")
	meta.DType = "bfloat16"
	w, err := pairs.OpenWriter(filepath.Join(s.dir, "by its set"), meta, 50)
	if err == nil {
		err = errors.Join(Pairs(s.Context(), s.networks, w, 70, nil), w.Close())
	}
	if err != nil {
		s.Fatal(err)
	}
	filestest.Same(s.T, filestest.Folder(s.T, filepath.Join(s.dir, "by its set")), filestest.Folder(s.T, all.Source))
	if s.networks.Precision != pipeline.Float32 {
		s.Error("the networks keep the set's precision")
	}
}
