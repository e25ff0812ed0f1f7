package queue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"illustrator/checkpoints"
	"illustrator/data/seeds"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
)

// tiny are two models of random weights. All tests share them, and the shapes that their programs are compiled for.
var tiny = sync.OnceValue(func() []draw.Model {
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

func openTiny(dir string) ([]draw.Model, error) {
	if _, err := pipelinetest.Write(dir, 1); err != nil {
		return nil, err
	}
	n, err := pipeline.Open(nil, pipeline.Locations{Generator: filepath.Join(dir, "generator"),
		CLIP: filepath.Join(dir, "clip")})
	if err != nil {
		return nil, err
	}
	models := []draw.Model{{Name: "first", Networks: n}, {Name: "second", Networks: n.Sharing(1)}}
	cfg := mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: pipelinetest.EmbedDim,
		ZDim: pipelinetest.ZDim, Width: 16, Blocks: 1, Layers: 2}
	for i := range models {
		models[i].Prompts = pipeline.Prompts{Text: seeds.Z(1, pipelinetest.EmbedDim),
			Image: seeds.Z(2, pipelinetest.EmbedDim)}
		folder := filepath.Join(dir, models[i].Name)
		if err := checkpoints.Write(folder, checkpoints.Contents{Config: cfg,
			Weights: mapper.Init(cfg, uint64(i))}); err != nil {
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

func recipes(n int, text string) []draw.Recipe {
	r := make([]draw.Recipe, n)
	for i := range r {
		r[i] = draw.Recipe{Text: texts.Text{Text: text}, Seed: uint64(i), Manner: draw.Manner{Alpha: 1, TruncationPsi: 1}}
	}
	return r
}

// Requests that wait together are drawn together, in turns; those whose client left are not drawn.
func TestBatches(t *testing.T) {
	var batches [][2]int
	q := newQueue(t, 12, func(pictures, requests int, _ time.Duration) {
		batches = append(batches, [2]int{pictures, requests})
	})
	add := func(ctx context.Context, p []draw.Recipe) *Job {
		t.Helper()
		j, err := q.Add(ctx, p, draw.Choice{})
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	left, leave := context.WithCancelCause(t.Context())
	gone := add(left, recipes(6, "gone"))
	large := add(t.Context(), recipes(6, "a wizard"))
	busy := &BusyError{}
	if _, err := q.Add(t.Context(), recipes(4, "too many"), draw.Choice{}); !errors.As(err, &busy) ||
		busy.RetryAfter < time.Second {
		t.Errorf("a full queue: %v", err)
	}
	boom := errors.New("the client left")
	leave(boom)
	other := recipes(3, "a clown")
	for i := range other {
		other[i].Model = i % 2
	}
	small := add(t.Context(), other)
	if small.Ahead != 6 || q.Waiting() != 9 {
		t.Errorf("%d ahead, %d wait", small.Ahead, q.Waiting())
	}
	q.Close()
	if _, err := q.Add(t.Context(), recipes(1, "late"), draw.Choice{}); !errors.Is(err, ErrClosed) {
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
			seen[e.Picture.Index] = e.Picture.Pixels
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
	made := nntest.Programs()
	embed := seeds.Z(3, pipelinetest.EmbedDim)
	blank := make([]float32, 3*pipelinetest.Size*pipelinetest.Size)
	var jobs []*Job
	for _, n := range []int{1, 2, 7, 8, 13} {
		p := recipes(n, fmt.Sprintf("a wizard of %d", n))
		for i := range p {
			switch i % 6 {
			case 1:
				p[i].Model, p[i].Score = 1, true
			case 2:
				p[i].InjectIndex, p[i].TruncationPsi = 2, 0.5
			case 3:
				p[i].Spread, p[i].Alpha = 0.4, 2
				p[i].Text.Text = strings.Repeat("a wizard ", 20)
			case 4:
				p[i].Origin = &draw.Origin{Text: "a clown", ImageEmbed: embed}
			case 5:
				p[i].Origin = &draw.Origin{Text: "a clown", Pixels: blank}
			}
		}
		j, err := q.Add(t.Context(), p, draw.Choice{})
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
	if now := nntest.Programs(); now != made || made == 0 {
		t.Errorf("%d programs were made until it was ready, and %d more after that", made, now-made)
	}
}

// A batch that fails is drawn one by one, and fails those jobs only that are to blame.
func TestFailureIsOneRequests(t *testing.T) {
	q := newQueue(t, 12, nil)
	good, err := q.Add(t.Context(), recipes(2, "a wizard"), draw.Choice{})
	if err != nil {
		t.Fatal(err)
	}
	broken := recipes(1, "a clown")
	broken[0].Origin = &draw.Origin{Text: "a clown", ImageEmbed: []float32{1}} // too short
	bad, err := q.Add(t.Context(), broken, draw.Choice{})
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
	waits, err := q.Add(t.Context(), recipes(1, "a wizard"), draw.Choice{})
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
