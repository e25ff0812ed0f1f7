package queue

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"illustrator/checkpoints"
	"illustrator/data/seeds"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/models/stylegan2"
	"illustrator/models/xla/programs"
)

// tiny are two models of random weights. All tests share them, and the shapes that their programs are compiled for.
var tiny = sync.OnceValue(func() []Model {
	dir, err := os.MkdirTemp("", "queue-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	models, err := openTiny(dir)
	if err != nil {
		panic(err)
	}
	return models
})

var shapes = []int{1, 8}

func openTiny(dir string) ([]Model, error) {
	if _, err := pipelinetest.Write(dir, 1); err != nil {
		return nil, err
	}
	n, err := pipeline.Open(nil, pipeline.Locations{Generator: filepath.Join(dir, "generator"), CLIP: filepath.Join(dir, "clip")})
	if err != nil {
		return nil, err
	}
	models := []Model{{Name: "first", Networks: n}, {Name: "second", Networks: n.Sharing(1)}}
	cfg := mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: pipelinetest.EmbedDim, ZDim: pipelinetest.ZDim, Width: 16, Blocks: 1, Layers: 2}
	for i := range models {
		models[i].Prompts = pipeline.Prompts{Text: seeds.Z(1, pipelinetest.EmbedDim), Image: seeds.Z(2, pipelinetest.EmbedDim)}
		folder := filepath.Join(dir, models[i].Name)
		if err := checkpoints.Write(folder, checkpoints.Contents{Config: cfg, Weights: mapper.Init(cfg, uint64(i))}); err != nil {
			return nil, err
		}
		if err := models[i].LoadMapper(folder); err != nil {
			return nil, err
		}
	}
	return models, n.NeedFrozen()
}

// newQueue returns a queue in front of the tiny models.
func newQueue(t *testing.T, waiting int, batched func(pictures, requests int, took time.Duration)) *Queue {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles networks; run without -short")
	}
	models := tiny()
	models[0].Backend = nntest.Backend(t) // the runner, which they share
	return New(models, Limits{Waiting: waiting, Shapes: shapes, Batched: batched})
}

// The batch of many requests holds the pictures that the pipeline draws for each of them alone: to 1e-4 in [-1,1], as batches
// of other sizes differ in float32's last digits.
func TestDrawEqualsThePipeline(t *testing.T) {
	ctx := t.Context()
	m := newQueue(t, 1, nil).models[0]
	m.Shapes = shapes
	wizard, clown := "a wizard with a hat", "a clown"
	alone := func(text string, r pipeline.Request) pipeline.Generated {
		embeds, _, err := m.EmbedTexts(ctx, []string{text})
		if err != nil {
			t.Fatal(err)
		}
		r.TextEmbeds, r.Prompts, r.NoiseMode = embeds, &m.Prompts, stylegan2.NoiseRandom
		for _, seed := range r.Seeds {
			r.RandomZ = append(r.RandomZ, seeds.Z(seed, m.Generator.StyleDim)...)
		}
		g, err := m.Generate(ctx, r)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	plain := alone(wizard, pipeline.Request{Alpha: 1.5, Seeds: []uint64{3}, Synthesis: pipeline.Synthesis{TruncationPsi: 1}})
	spread := alone(wizard, pipeline.Request{Alpha: 0.5, Seeds: []uint64{4}, Spread: 0.6, Synthesis: pipeline.Synthesis{TruncationPsi: 1}})
	styled := alone(clown, pipeline.Request{Alpha: 1, Seeds: []uint64{5}, InjectIndex: 2, Synthesis: pipeline.Synthesis{TruncationPsi: 0.7}})
	targets, _, err := m.EmbedTexts(ctx, []string{wizard, clown})
	if err != nil {
		t.Fatal(err)
	}
	dim := m.CLIP.ProjectionDim
	moved := manipulated(t, m, pipeline.Origin{ImageEmbed: spread.ImageEmbeds, TextEmbed: targets[:dim], Key: 4}, targets[dim:], []float64{0, 0.8}, 0.6)
	pixels := len(plain.Images)
	origin := &Origin{Text: wizard, ImageEmbed: spread.ImageEmbeds}
	way := &Way{From: Picture{Text: wizard, Alpha: 1.5, Seed: 3, TruncationPsi: 1}, To: Picture{Text: clown, Alpha: 1, Seed: 5, InjectIndex: 2, TruncationPsi: 0.7}}
	drawn, err := draw(ctx, tiny(), []*Picture{
		{Text: wizard, Alpha: 1.5, Seed: 3, TruncationPsi: 1},
		{Text: clown, Alpha: 0, Seed: 4, Spread: 0.6, TruncationPsi: 1, Origin: origin},
		{Text: wizard, Alpha: 0.5, Seed: 4, Spread: 0.6, TruncationPsi: 1},
		{Text: clown, Alpha: 1, Seed: 5, InjectIndex: 2, TruncationPsi: 0.7, Score: true},
		{Text: clown, Alpha: 0.8, Seed: 4, Spread: 0.6, TruncationPsi: 1, Origin: origin},
		{Text: clown, Alpha: 0.8, Seed: 4, TruncationPsi: 1, Origin: &Origin{Text: wizard, Pixels: plain.Images}},
		{Way: way, At: 0, Seed: 3}, {Way: way, At: 0.25, Seed: 6}, {Way: way, At: 1, Seed: 5},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]float32{plain.Images, moved[:pixels], spread.Images, styled.Images, moved[pixels:]} {
		if worst := nntest.MaxAbs(t, drawn[i].Pixels, want); worst > 1e-4 {
			t.Errorf("picture %d differs by %g", i, worst)
		}
	}
	if worst := nntest.MaxAbs(t, drawn[1].Pixels, drawn[2].Pixels); worst > 1e-4 {
		t.Errorf("α 0 moves the origin by %g", worst)
	}
	if nntest.MaxAbs(t, drawn[4].Pixels, drawn[1].Pixels) < 1e-3 || nntest.MaxAbs(t, drawn[5].Pixels, drawn[4].Pixels) < 1e-3 {
		t.Error("α, or the origin, changes nothing")
	}
	between := interpolated(t, m, plain.PictureZ, styled.PictureZ)
	for i, want := range [][]float32{plain.Images, between, styled.Images} {
		if worst := nntest.MaxAbs(t, drawn[6+i].Pixels, want); worst > 1e-4 {
			t.Errorf("picture %d of the way differs by %g", i, worst)
		}
	}
	embeds, err := m.EmbedImages(ctx, styled.Images, m.Generator.Size, m.Generator.Size)
	if err != nil {
		t.Fatal(err)
	}
	cosine := 0.0 // both have length √E
	for i, v := range embeds {
		cosine += float64(v) * float64(targets[dim+i]) / float64(dim)
	}
	if math.Abs(cosine-drawn[3].Similarity) > 1e-4 || drawn[2].Similarity != 0 {
		t.Errorf("similarity %g, want %g; %g where none was asked for", drawn[3].Similarity, cosine, drawn[2].Similarity)
	}
}

// manipulated are the pictures of eq. 11 whose z are spread as the origin's was.
func manipulated(t *testing.T, m Model, from pipeline.Origin, target []float32, alphas []float64, spread float64) []float32 {
	t.Helper()
	ctx := t.Context()
	embeds, err := m.Move(ctx, from, target, alphas)
	if err != nil {
		t.Fatal(err)
	}
	z, err := m.MapToZ(ctx, embeds)
	if err != nil {
		t.Fatal(err)
	}
	dim := m.Generator.StyleDim
	styles, err := m.Styles(ctx, pipeline.SpreadZ(z, seeds.Z(from.Key, dim), dim, spread), 1)
	if err != nil {
		t.Fatal(err)
	}
	keys := make([]uint64, len(alphas))
	for i := range keys {
		keys[i] = from.Key
	}
	images, err := m.Render(ctx, styles, pipeline.Synthesis{NoiseMode: stylegan2.NoiseRandom, Keys: keys, TruncationPsi: 1})
	if err != nil {
		t.Fatal(err)
	}
	return images
}

// interpolated is the second of five pictures from one z to another, whose style is that of seed 5 in the first two layers.
func interpolated(t *testing.T, m Model, from, to []float32) []float32 {
	t.Helper()
	ctx, dim := t.Context(), m.Generator.StyleDim
	first, err := m.Styles(ctx, from, 1)
	if err != nil {
		t.Fatal(err)
	}
	last, err := m.Styles(ctx, append(slices.Clone(to), seeds.Z(5, dim)...), 0.7)
	if err != nil {
		t.Fatal(err)
	}
	width := len(first)
	copy(last[:2*dim], last[width:])
	styles, err := m.Interpolate(first, last[:width], 5)
	if err != nil {
		t.Fatal(err)
	}
	images, err := m.Render(ctx, styles[width:2*width], pipeline.Synthesis{NoiseMode: stylegan2.NoiseRandom, Keys: []uint64{6}})
	if err != nil {
		t.Fatal(err)
	}
	return images
}

func pictures(n int, text string) []Picture {
	p := make([]Picture, n)
	for i := range p {
		p[i] = Picture{Text: text, Alpha: 1, Seed: uint64(i), TruncationPsi: 1}
	}
	return p
}

// Requests that wait together are drawn together, in turns; those whose client left are not drawn.
func TestBatches(t *testing.T) {
	var batches [][2]int
	q := newQueue(t, 12, func(pictures, requests int, _ time.Duration) {
		batches = append(batches, [2]int{pictures, requests})
	})
	add := func(ctx context.Context, p []Picture) *Job {
		t.Helper()
		j, err := q.Add(ctx, p, Choice{})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	left, leave := context.WithCancelCause(t.Context())
	gone := add(left, pictures(6, "gone"))
	large := add(t.Context(), pictures(6, "a wizard"))
	busy := &BusyError{}
	if _, err := q.Add(t.Context(), pictures(4, "too many"), Choice{}); !errors.As(err, &busy) || busy.RetryAfter < time.Second {
		t.Errorf("a full queue: %v", err)
	}
	boom := errors.New("the client left")
	leave(boom)
	other := pictures(3, "a clown")
	for i := range other {
		other[i].Model = i % 2
	}
	small := add(t.Context(), other)
	if small.Ahead != 6 || q.Waiting() != 9 {
		t.Errorf("%d ahead, %d wait", small.Ahead, q.Waiting())
	}
	q.Close()
	if _, err := q.Add(t.Context(), pictures(1, "late"), Choice{}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed queue: %v", err)
	}
	if err := q.Run(t.Context(), func() { t.Error("nothing is left to be ready for") }); err != nil {
		t.Fatal(err)
	}
	// One after the smallest programs were compiled, then as many as a batch holds.
	if fmt.Sprint(batches) != "[[1 1] [8 2]]" {
		t.Errorf("batches (pictures, requests): %v", batches)
	}
	if _, err := gone.Next(nil); !errors.Is(err, boom) {
		t.Errorf("the job of a client that left: %v", err)
	}
	var first []float32
	for j, n := range map[*Job]int{large: 6, small: 3} {
		seen := map[int][]float32{}
		for range n {
			e, err := j.Next(nil)
			if err != nil {
				t.Fatal(err)
			}
			seen[e.Drawn.Index] = e.Drawn.Pixels
		}
		if len(seen) != n {
			t.Errorf("%d different pictures of %d", len(seen), n)
		}
		first = append(first, seen[0][:1]...)
		if j == small && nntest.MaxAbs(t, seen[1], seen[2]) == 0 {
			t.Error("two models draw the same")
		}
	}
	if len(first) != 2 || first[0] == first[1] {
		t.Errorf("two texts give the same picture: %v", first)
	}
}

// Once the queue is ready nothing is compiled, whatever is asked for.
func TestNothingIsCompiledOnceReady(t *testing.T) {
	q := newQueue(t, 100, nil)
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- q.Run(t.Context(), func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	compiled, _ := programs.Count()
	embed := seeds.Z(3, pipelinetest.EmbedDim)
	blank := make([]float32, 3*pipelinetest.Size*pipelinetest.Size)
	var jobs []*Job
	for _, n := range []int{1, 2, 7, 8, 13} {
		p := pictures(n, fmt.Sprintf("a wizard of %d", n))
		for i := range p {
			switch i % 6 {
			case 1:
				p[i].Model, p[i].Score = 1, true
			case 2:
				p[i].InjectIndex, p[i].TruncationPsi = 2, 0.5
			case 3:
				p[i].Spread, p[i].Alpha = 0.4, 2
			case 4:
				p[i].Origin = &Origin{Text: "a clown", ImageEmbed: embed}
			case 5:
				p[i].Origin = &Origin{Text: "a clown", Pixels: blank}
			}
		}
		j, err := q.Add(t.Context(), p, Choice{})
		if err != nil {
			t.Fatal(err)
		}
		jobs = append(jobs, j)
	}
	q.Close()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	for i, n := range []int{1, 2, 7, 8, 13} {
		for range n {
			if _, err := jobs[i].Next(nil); err != nil {
				t.Error(err)
			}
		}
	}
	if now, _ := programs.Count(); now != compiled || compiled == 0 {
		t.Errorf("%d programs were compiled until it was ready, and %d more after that", compiled, now-compiled)
	}
}

// A batch that fails is drawn one by one, and fails those jobs only that are to blame.
func TestFailureIsOneRequests(t *testing.T) {
	q := newQueue(t, 12, nil)
	good, err := q.Add(t.Context(), pictures(2, "a wizard"), Choice{})
	if err != nil {
		t.Fatal(err)
	}
	broken := pictures(1, "a clown")
	broken[0].Origin = &Origin{Text: "a clown", ImageEmbed: []float32{1}} // too short
	bad, err := q.Add(t.Context(), broken, Choice{})
	if err != nil {
		t.Fatal(err)
	}
	q.Close()
	if err := q.Run(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	if _, err := bad.Next(nil); err == nil {
		t.Error("no error for a broken origin")
	}
	for range 2 {
		if _, err := good.Next(nil); err != nil {
			t.Error(err)
		}
	}
}

// A worker that is stopped fails what waits.
func TestStop(t *testing.T) {
	stopped, stop := context.WithCancel(t.Context())
	stop()
	q := newQueue(t, 12, nil)
	waits, err := q.Add(t.Context(), pictures(1, "a wizard"), Choice{})
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Run(stopped, stop); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	if _, err := waits.Next(nil); !errors.Is(err, context.Canceled) {
		t.Errorf("what waited: %v", err)
	}
}
