package queue

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"illustrator/draw"
	"illustrator/models/nn/nntest"
)

// scored are pictures that can be chosen from: z around the predicted one, of their seeds.
func scored(n int, text string) []draw.Recipe {
	p := recipes(n, text)
	for i := range p {
		p[i].Score, p[i].Spread = true, 0.6
	}
	return p
}

// run lets the queue draw what it has, and what it gets meanwhile.
func run(t *testing.T, q *Queue) {
	t.Helper()
	if err := q.Run(t.Context(), q.Close); err != nil {
		t.Fatal(err)
	}
	if q.waiting != 0 || q.held != 0 {
		t.Errorf("%d wait and %d are held at the end", q.waiting, q.held)
	}
}

// collect returns a job's pictures in their order.
func collect(t *testing.T, j *Job) []*draw.Picture {
	t.Helper()
	results := make([]*draw.Picture, j.Pictures())
	for left := len(results); left > 0; {
		e, err := j.Next(nil)
		if err != nil {
			t.Fatal(err)
		}
		if e.Picture != nil {
			results[e.Picture.Index] = e.Picture
			left--
		}
	}
	return results
}

func add(t *testing.T, q *Queue, ctx context.Context, pictures []draw.Recipe, choice draw.Choice) *Job {
	t.Helper()
	j, err := q.Add(ctx, pictures, choice)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// Of each group those are kept that are closest to the text, as they are drawn without a choice.
func TestChoice(t *testing.T) {
	q := newQueue(t, 24, nil)
	candidates := append(scored(5, "a wizard"), scored(5, "a clown")...)
	plain := add(t, q, t.Context(), candidates, draw.Choice{})
	chosen := add(t, q, t.Context(), candidates, draw.Choice{Of: 5, Keep: 2})
	run(t, q)
	results := [][]*draw.Picture{collect(t, plain), collect(t, chosen)}
	for place, got := range results[1] {
		group := results[0][place/2*5 : place/2*5+5]
		ranked := slices.Clone(group)
		slices.SortFunc(ranked, func(a, b *draw.Picture) int {
			if a.Score.CLIPSimilarity > b.Score.CLIPSimilarity {
				return -1
			}
			return 1
		})
		// Other batches differ in float32's last digits.
		if want := ranked[place%2]; got.Place != want.Place || nntest.MaxAbs(t, got.Pixels, want.Pixels) > 1e-4 {
			t.Errorf("place %d has picture %d, want %d", place, got.Place, want.Place)
		}
		for i, c := range got.Candidates {
			if c.Seed != uint64(i) || c.CLIPSimilarity-group[i].Score.CLIPSimilarity > 1e-4 ||
				group[i].Score.CLIPSimilarity-c.CLIPSimilarity > 1e-4 {
				t.Errorf("place %d: candidate %d is %+v, drawn with %g", place, i, c, group[i].Score.CLIPSimilarity)
			}
		}
		if len(got.Candidates) != 5 {
			t.Errorf("%d candidates", len(got.Candidates))
		}
	}
}

// A refinement does what package refine does, between the batches of others: to 1e-3 in [-1,1], as steps carry
// float32's last digits on. What comes from a refined picture by its offset is that picture.
func TestRefinement(t *testing.T) {
	const steps = 6
	var log []string
	q := newQueue(t, 24, func(pictures, _ int, _ time.Duration) { log = append(log, "batch") })
	q.limits.Refine = true
	var late *Job
	q.limits.Stepped = func(int, time.Duration) {
		if log = append(log, "step"); late == nil {
			late = add(t, q, t.Context(), recipes(2, "a clown"), draw.Choice{}) // another client, meanwhile
			if late.Ahead != 2 {
				t.Errorf("%d ahead", late.Ahead)
			}
		}
	}
	wanted := scored(2, "a wizard")
	for i := range wanted {
		wanted[i].Refine = steps
	}
	j := add(t, q, t.Context(), wanted, draw.Choice{})
	run(t, q)
	results := [][]*draw.Picture{collect(t, j), collect(t, late)}
	if got := strings.Join(log, " "); !strings.HasPrefix(strings.TrimPrefix(got, "batch "), "step batch step") ||
		strings.Contains(got, "batch batch") {
		t.Errorf("the device did %s", got)
	}
	if len(results[1]) != 2 || results[1][1].Pixels == nil {
		t.Errorf("%d pictures came between", len(results[1]))
	}
	checkRefined(t, q, wanted, results[0], steps)
}

func checkRefined(t *testing.T, q *Queue, wanted []draw.Recipe, results []*draw.Picture, steps int) {
	t.Helper()
	ctx, n := t.Context(), q.models[0].Networks
	plain, err := draw.Batch(ctx, q.models, []*draw.Recipe{&wanted[0], &wanted[1]})
	if err != nil {
		t.Fatal(err)
	}
	work := draw.NewWork(wanted, draw.Choice{})
	var begin []*draw.Refinement
	for range wanted {
		task := work.Take()
		p, err := draw.Batch(ctx, q.models, []*draw.Recipe{task.Recipe})
		if err != nil {
			t.Fatal(err)
		}
		_, r := work.Put(task, p[0])
		begin = append(begin, r...)
	}
	for range steps + 1 {
		if err := draw.Step(ctx, n, begin); err != nil {
			t.Fatal(err)
		}
	}
	for i, d := range results {
		want, err := draw.Batch(ctx, q.models, []*draw.Recipe{begin[i].Redraw().Recipe})
		if err != nil {
			t.Fatal(err)
		}
		if worst := nntest.MaxAbs(t, d.Pixels, want[0].Pixels); worst > 1e-3 ||
			nntest.MaxAbs(t, d.Pixels, plain[i].Pixels) < 0.01 {
			t.Errorf("picture %d differs by %g from the refined one, and by %g from the one before", i, worst,
				nntest.MaxAbs(t, d.Pixels, plain[i].Pixels))
		}
		got := d.Refined
		if got.Steps != steps || got.Drawn != steps+2 || !(got.After.Total < got.Before.Total) ||
			math.Abs(got.SimilarityBefore-plain[i].Score.CLIPSimilarity) > 1e-4 ||
			d.Score.CLIPSimilarity == got.SimilarityBefore {
			t.Errorf("picture %d: %+v, score %+v", i, got, d.Score)
		}
		again := wanted[i]
		again.Offset = d.Offset
		same, err := draw.Batch(ctx, q.models, []*draw.Recipe{&again})
		if err != nil {
			t.Fatal(err)
		}
		if worst := nntest.MaxAbs(t, same[0].Pixels, d.Pixels); worst > 1e-4 {
			t.Errorf("picture %d by its offset differs by %g", i, worst)
		}
	}
}

// A client that leaves, and one whose refinement fails, hold nothing up: their places are free and no more steps are
// taken.
func TestRefinementEnds(t *testing.T) {
	q := newQueue(t, 4, nil)
	q.limits.Refine = true
	wanted := scored(4, "a wizard")
	for i := range wanted {
		wanted[i].Refine = 1000
	}
	ctx, leave := context.WithCancelCause(t.Context())
	boom, steps := errors.New("the client left"), 0
	q.limits.Stepped = func(int, time.Duration) {
		if steps++; steps == 3 {
			busy := &BusyError{}
			if _, err := q.Add(t.Context(), recipes(2, "too many"), draw.Choice{}); !errors.As(err, &busy) ||
				busy.RetryAfter < 60*time.Second {
				t.Errorf("a queue that is full of refinements: %v", err)
			}
			leave(boom)
			add(t, q, t.Context(), recipes(1, "a clown"), draw.Choice{}) // there is room again
			q.Close()
		}
	}
	j := add(t, q, ctx, wanted, draw.Choice{Of: 4, Keep: 3})
	if err := q.Run(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	if steps != 3 || q.held != 0 {
		t.Errorf("%d steps, %d are held", steps, q.held)
	}
	for {
		e, err := j.Next(nil)
		if errors.Is(err, boom) {
			break
		}
		if err != nil || e.Picture != nil {
			t.Fatalf("%+v, %v", e, err)
		}
	}
	q = newQueue(t, 4, nil)
	bad := add(t, q, t.Context(), wanted[:2], draw.Choice{})
	q.limits.Stepped = func(int, time.Duration) { panic("a broken device") }
	q.Close()
	if err := q.Run(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	if _, err := bad.Next(nil); err == nil || !strings.Contains(err.Error(), "a broken device") || q.held != 0 {
		t.Errorf("a step that fails: %v; %d are held", err, q.held)
	}
}
