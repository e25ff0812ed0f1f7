package serve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"illustrator/data/pictures"
	"illustrator/serve"
)

// textsOf are the texts of a PNG file.
func textsOf(t testing.TB, file []byte) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "picture.png")
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	meta, err := pictures.ReadPNGMeta(path)
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for _, m := range meta {
		texts[m.Key] = m.Value
	}
	return texts
}

// metaOf are those of a picture's file.
func metaOf(t testing.TB, r *running, p picture) map[string]string {
	t.Helper()
	return textsOf(t, get(t, r.URL+p.PNG).body)
}

// The best candidates are kept; each can be drawn again by its seed.
func TestBestOf(t *testing.T) {
	r := tiny.serve(t)
	candidates := r.draw(t, "/api/v1/generate", object{"text": "a toy", "count": 8, "seed": 5, "diversity": "z",
		"score": true}).Pictures
	got := r.draw(t, "/api/v1/generate", object{"text": "a toy", "count": 2, "seed": 5, "best_of": 4})
	ranked := slices.Clone(candidates)
	slices.SortFunc(ranked, func(a, b picture) int {
		if a.Score.Similarity > b.Score.Similarity {
			return -1
		}
		return 1
	})
	if len(got.Pictures) != 2 || got.Count != 2 {
		t.Fatalf("%d pictures", len(got.Pictures))
	}
	mean := 0.0
	for _, c := range candidates {
		mean += c.Score.Similarity / 8
	}
	for i, p := range got.Pictures {
		if p.Index != i || p.Seed != ranked[i].Seed || math.Abs(p.Score.Similarity-ranked[i].Score.Similarity) > 1e-4 ||
			!near(t, r, p, ranked[i]) || len(p.Candidates) != 8 || p.Diversity != "z" {
			t.Errorf("place %d: %+v; want seed %d", i, p, ranked[i].Seed)
		}
		for k, c := range p.Candidates {
			if c.Seed != candidates[k].Seed || math.Abs(c.Similarity-candidates[k].Score.Similarity) > 1e-4 {
				t.Errorf("candidate %d is %+v, want %+v", k, c, candidates[k])
			}
		}
	}
	if g := got.BestOf; g == nil || g.Of != 4 || g.Drawn != 8 || math.Abs(g.Before.Similarity-mean) > 1e-4 ||
		math.Abs(g.After.Similarity-(ranked[0].Score.Similarity+ranked[1].Score.Similarity)/2) > 1e-4 || got.Refined != nil {
		t.Errorf("gain %+v; the candidates' mean is %g", got.BestOf, mean)
	}
	if texts := metaOf(t, r, got.Pictures[0]); texts["Best-Of"] != "8" ||
		!strings.Contains(texts["Illustrator"], `"candidates":[{"seed":5`) {
		t.Errorf("the file's texts: %v", texts)
	}
	one := decode[picture](t, get(t, r.URL+"/api/v1/pictures/"+got.Pictures[1].ID))
	if len(one.Candidates) != 8 {
		t.Errorf("the gallery has %+v", one)
	}
	both := r.draw(t, "/api/v1/generate", object{"text": "a toy", "runs": []string{"second", "first"}, "best_of": 2})
	if len(both.Pictures) != 2 || both.Pictures[0].Run != "second" || both.Pictures[1].Run != "first" ||
		both.BestOf.Drawn != 4 {
		t.Errorf("of two runs: %+v", both)
	}
}

// A refinement says what it gained and cost, and what is refined is what a manipulation begins with: α 0 is the picture
// itself.
func TestRefine(t *testing.T) {
	r := tiny.serve(t)
	_, next := stream(t, t.Context(), r.URL+"/api/v1/generate",
		`{"text": "a toy", "count": 2, "best_of": 2, "refine": 6, "seed": 3}`)
	var pictures []picture
	stages := map[string]int{}
	var end drawing
	for e := next(); e.name != ""; e = next() {
		switch e.name {
		case "progress":
			var p struct {
				Stage    string
				Done, Of int
			}
			if err := json.Unmarshal([]byte(e.data), &p); err != nil ||
				p.Of != map[string]int{"candidates": 4, "refine": 12}[p.Stage] || p.Done > p.Of {
				t.Errorf("progress %s: %v", e.data, err)
			}
			stages[p.Stage]++
		case "picture":
			pictures = append(pictures, decode[picture](t, answer{body: []byte(e.data)}))
		case "done":
			end = decode[drawing](t, answer{body: []byte(e.data)})
		case "accepted":
			if e.data != `{"pictures":2,"candidates":4,"ahead":0}` {
				t.Errorf("accepted %s", e.data)
			}
		default:
			t.Errorf("event %+v", e)
		}
	}
	if len(pictures) != 2 || stages["candidates"] == 0 || stages["refine"] == 0 {
		t.Fatalf("%d pictures, progress %v", len(pictures), stages)
	}
	for _, p := range pictures {
		f := p.Refined
		if f == nil || f.Steps != 6 || f.Drawn != 8 || !(f.After.Total < f.Before.Total) ||
			f.SimilarityBefore == p.Score.Similarity || len(p.Candidates) != 4 {
			t.Errorf("refined: %+v of %+v", f, p)
		}
	}
	if g := end.Refined; g == nil || g.Of != 6 || g.Drawn != 16 || !(*g.After.Semantic < *g.Before.Semantic) ||
		g.Before.Similarity == g.After.Similarity || !(g.Seconds > 0) || end.BestOf == nil ||
		math.Abs(end.BestOf.After.Similarity-g.Before.Similarity) > 1e-9 {
		t.Errorf("gains %+v and %+v", end.BestOf, end.Refined)
	}
	if texts := metaOf(t, r, pictures[0]); texts["Refine"] != "6" {
		t.Errorf("the file's texts: %v", texts)
	}
	origin := pictures[1]
	unrefined := r.draw(t, "/api/v1/generate", object{"text": "a toy", "seed": origin.Seed, "diversity": "z"}).Pictures[0]
	moved := r.draw(t, "/api/v1/manipulate", object{"picture": origin.ID, "to": "a ball",
		"alphas": []float64{0, 0.5}}).Pictures
	again := r.draw(t, "/api/v1/manipulate", object{"picture": moved[1].ID, "to": "a wagon",
		"alphas": []float64{0}}).Pictures[0]
	if !near(t, r, moved[0], origin) || near(t, r, origin, unrefined) || !near(t, r, again, moved[1]) ||
		moved[0].Refined != nil || moved[0].Candidates != nil {
		t.Errorf("a refined picture is the one before %v, α 0 is itself %v, and of what came from it %v: %+v",
			near(t, r, origin, unrefined), near(t, r, moved[0], origin), near(t, r, again, moved[1]), moved[0])
	}
}

// Others are served during a refinement of hours, and it ends when its client leaves.
func TestRefineForHours(t *testing.T) {
	r := tiny.serve(t, func(o *serve.Options) { o.Limits.Refine = 1 << 30 })
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	_, next := stream(t, ctx, r.URL+"/api/v1/generate", `{"text": "a toy", "count": 9, "refine": 1073741824}`)
	for e := next(); e.name != "progress"; e = next() {
		if e.name != "accepted" {
			t.Fatalf("event %+v", e)
		}
	}
	if got := r.draw(t, "/api/v1/generate", object{"text": "a ball", "count": 3, "refine": 3}); len(got.Pictures) != 3 ||
		got.Refined == nil {
		t.Errorf("another client gets %+v", got)
	}
	const queued = `illustrator_queue_pictures{domain="toys"} `
	if text := string(get(t, r.URL+"/metrics").body); !strings.Contains(text, queued+"9\n") {
		t.Errorf("metrics:\n%s", text)
	}
	leave()
	for end := time.Now().Add(time.Minute); !bytes.Contains(get(t, r.URL+"/metrics").body,
		[]byte(queued+"0\n")); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the refinement of a client that left continues")
		}
	}
	if r.stop(); <-r.ended == struct{}{} && r.err != nil {
		t.Errorf("the server ended with %v", r.err)
	}
}

// A server without refinements says so.
func TestNoRefinement(t *testing.T) {
	r := deaf(t, func(o *serve.Options) { o.Limits.Refine = 0 })
	a := post(t, r.URL+"/api/v1/generate", object{"text": "a toy", "refine": 1})
	if p := decode[problem](t, a); a.status != http.StatusBadRequest || p.Field != "refine" ||
		!strings.Contains(p.Hint, "refines no pictures") {
		t.Errorf("%v", a)
	}
}
