package queue

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/stylegan2"
	"illustrator/refine"
)

// scored are pictures that can be chosen from: z around the predicted one, of their seeds.
func scored(n int, text string) []Picture {
	p := pictures(n, text)
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

// told are a job's pictures in their order.
func told(t *testing.T, j *Job) []Drawn {
	t.Helper()
	drawn := make([]Drawn, j.Pictures())
	for left := len(drawn); left > 0; {
		e, err := j.Next(nil)
		if err != nil {
			t.Fatal(err)
		}
		if e.Drawn != nil {
			drawn[e.Drawn.Index] = *e.Drawn
			left--
		}
	}
	return drawn
}

func add(t *testing.T, q *Queue, ctx context.Context, pictures []Picture, choice Choice) *Job {
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
	plain := add(t, q, t.Context(), candidates, Choice{})
	chosen := add(t, q, t.Context(), candidates, Choice{Of: 5, Keep: 2})
	run(t, q)
	drawn := [][]Drawn{told(t, plain), told(t, chosen)}
	for place, got := range drawn[1] {
		group := drawn[0][place/2*5 : place/2*5+5]
		ranked := slices.Clone(group)
		slices.SortFunc(ranked, func(a, b Drawn) int {
			if a.Similarity > b.Similarity {
				return -1
			}
			return 1
		})
		// Other batches differ in float32's last digits.
		if want := ranked[place%2]; got.Picture != want.Picture || nntest.MaxAbs(t, got.Pixels, want.Pixels) > 1e-4 {
			t.Errorf("place %d has picture %d, want %d", place, got.Picture, want.Picture)
		}
		for i, c := range got.Candidates {
			if c.Seed != uint64(i) || c.CLIPSimilarity-group[i].Similarity > 1e-4 || group[i].Similarity-c.CLIPSimilarity > 1e-4 {
				t.Errorf("place %d: candidate %d is %+v, drawn with %g", place, i, c, group[i].Similarity)
			}
		}
		if len(got.Candidates) != 5 {
			t.Errorf("%d candidates", len(got.Candidates))
		}
	}
}

// A refinement does what package refine does, between the batches of others: to 1e-3 in [-1,1], as steps carry float32's
// last digits on. What comes from a refined picture by its offset is that picture.
func TestRefinement(t *testing.T) {
	const steps = 6
	var log []string
	q := newQueue(t, 24, func(pictures, _ int, _ time.Duration) { log = append(log, "batch") })
	q.limits.Refine = true
	var late *Job
	q.limits.Stepped = func(int, time.Duration) {
		if log = append(log, "step"); late == nil {
			late = add(t, q, t.Context(), pictures(2, "a clown"), Choice{}) // another client, meanwhile
			if late.Ahead != 2 {
				t.Errorf("%d ahead", late.Ahead)
			}
		}
	}
	wanted := scored(2, "a wizard")
	for i := range wanted {
		wanted[i].Refine = steps
	}
	j := add(t, q, t.Context(), wanted, Choice{})
	run(t, q)
	drawn := [][]Drawn{told(t, j), told(t, late)}
	if got := strings.Join(log, " "); !strings.HasPrefix(strings.TrimPrefix(got, "batch "), "step batch step") || strings.Contains(got, "batch batch") {
		t.Errorf("the device did %s", got)
	}
	if len(drawn[1]) != 2 || drawn[1][1].Pixels == nil {
		t.Errorf("what came between: %d pictures", len(drawn[1]))
	}
	checkRefined(t, q, wanted, drawn[0], steps)
}

func checkRefined(t *testing.T, q *Queue, wanted []Picture, drawn []Drawn, steps int) {
	t.Helper()
	ctx, m := t.Context(), q.models[0]
	plain, err := draw(ctx, q.models, []*Picture{&wanted[0], &wanted[1]})
	if err != nil {
		t.Fatal(err)
	}
	r := refine.Request{Options: options, Steps: steps, Keys: []uint64{0, 1}}
	for _, d := range plain {
		r.Z, r.ImageEmbeds = append(r.Z, d.z...), append(r.ImageEmbeds, d.ImageEmbed...)
	}
	result, err := refine.Refine(ctx, m.Networks, r)
	if err != nil {
		t.Fatal(err)
	}
	styles, err := m.Styles(ctx, result.Z, 1)
	if err != nil {
		t.Fatal(err)
	}
	want, err := m.Render(ctx, styles, pipeline.Synthesis{NoiseMode: stylegan2.NoiseRandom, Keys: r.Keys})
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range drawn {
		if worst := nntest.MaxAbs(t, d.Pixels, row(want, len(d.Pixels), i)); worst > 1e-3 || nntest.MaxAbs(t, d.Pixels, plain[i].Pixels) < 0.01 {
			t.Errorf("picture %d differs by %g from the refined one, and by %g from the one before", i, worst, nntest.MaxAbs(t, d.Pixels, plain[i].Pixels))
		}
		got := d.Refined
		if got.Steps != steps || got.Drawn != steps+2 || !(got.After.Total < got.Before.Total) || got.Before.Semantic-result.Before[i].Semantic > 1e-4 ||
			got.SimilarityBefore-plain[i].Similarity > 1e-4 || d.Similarity == got.SimilarityBefore || !(got.Seconds > 0) {
			t.Errorf("picture %d: %+v, similarity %g; want %+v", i, got, d.Similarity, result.Before[i])
		}
		again := wanted[i]
		again.Offset = d.Offset
		same, err := draw(ctx, q.models, []*Picture{&again})
		if err != nil {
			t.Fatal(err)
		}
		if worst := nntest.MaxAbs(t, same[0].Pixels, d.Pixels); worst > 1e-4 {
			t.Errorf("picture %d by its offset differs by %g", i, worst)
		}
	}
}

// A client that leaves, and one whose refinement fails, hold nothing up: their places are free and no more steps are taken.
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
			if _, err := q.Add(t.Context(), pictures(2, "too many"), Choice{}); !errors.As(err, &busy) || busy.RetryAfter < 60*time.Second {
				t.Errorf("a queue that is full of refinements: %v", err)
			}
			leave(boom)
			add(t, q, t.Context(), pictures(1, "a clown"), Choice{}) // there is room again
			q.Close()
		}
	}
	j := add(t, q, ctx, wanted, Choice{Of: 4, Keep: 3})
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
		if err != nil || e.Drawn != nil {
			t.Fatalf("%+v, %v", e, err)
		}
	}
	q = newQueue(t, 4, nil)
	bad := add(t, q, t.Context(), wanted[:2], Choice{})
	q.limits.Stepped = func(int, time.Duration) { panic("a broken device") }
	q.Close()
	if err := q.Run(t.Context(), func() {}); err != nil {
		t.Fatal(err)
	}
	if _, err := bad.Next(nil); err == nil || !strings.Contains(err.Error(), "a broken device") || q.held != 0 {
		t.Errorf("a step that fails: %v; %d are held", err, q.held)
	}
}
