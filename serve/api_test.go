package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"illustrator/draw"
	"illustrator/serve"
)

type picture struct {
	ID, Text, Domain, Run, Kind, PNG, Cut, Cartoon string
	Seed                                           uint64
	Alpha                                          float64
	Index, Width, Height                           int
	Origin                                         string
	OriginText                                     string `json:"origin_text"`
	Score                                          *struct {
		Similarity float64 `json:"clip_similarity"`
	}
	Diversity, Target string
	TargetText        string `json:"target_text"`
	Frames            int
	FPS               float64
	Candidates        []struct {
		Seed       uint64
		Similarity float64 `json:"clip_similarity"`
	}
	Refined *struct {
		Steps            int
		SimilarityBefore float64   `json:"clip_similarity_before"`
		Before           draw.Loss `json:"losses_before"`
		After            draw.Loss `json:"losses_after"`
		Drawn            int       `json:"pictures_drawn"`
	}
}

type drawing struct {
	Pictures []picture
	Count    int
	BestOf   *gain `json:"best_of"`
	Refined  *gain
}

type gain struct {
	Of            int
	Before, After struct {
		Similarity float64  `json:"clip_similarity"`
		Semantic   *float64 `json:"semantic_loss"`
	}
	Drawn   int `json:"pictures_drawn"`
	Seconds float64
}

type problem struct{ Error, Hint, Field string }

type object = map[string]any

func (r *running) draw(t testing.TB, path string, request object) drawing {
	t.Helper()
	a := post(t, r.URL+path, request)
	if a.status != http.StatusOK {
		t.Fatalf("%s %v: %v", path, request, a)
	}
	return decode[drawing](t, a)
}

func TestGenerate(t *testing.T) {
	r := tiny.serve(t)
	request := object{"text": " a toy\n", "count": 2, "seed": 7, "runs": []string{"second", "first"}, "diversity": "z",
		"alpha": 0.5, "score": true}
	got := r.draw(t, "/api/v1/generate", request)
	if len(got.Pictures) != 4 || got.Count != 4 {
		t.Fatalf("%d pictures", len(got.Pictures))
	}
	files := map[string]bool{}
	for i, p := range got.Pictures {
		if p.Index != i || p.Seed != 7+uint64(i%2) || p.Run != []string{"second", "first"}[i/2] || p.Text != "a toy" ||
			p.Alpha != 0.5 || p.Width != 16 || p.Score == nil {
			t.Errorf("picture %d: %+v", i, p)
		}
		files[string(pixelsOf(t, r, p))] = true
	}
	if len(files) != 4 {
		t.Errorf("%d different pictures of 4", len(files))
	}
	again := r.draw(t, "/api/v1/generate", request)
	if !bytes.Equal(pixelsOf(t, r, again.Pictures[3]), pixelsOf(t, r, got.Pictures[3])) {
		t.Error("the same request draws another picture")
	}
	cartoon := r.draw(t, "/api/v1/generate", object{"text": "a toy", "cartoon": "comic", "diversity": "style",
		"inject_index": 1}).Pictures[0]
	if cartoon.Cartoon != "comic" || cartoon.Width != 256 {
		t.Errorf("a cartoon: %+v", cartoon)
	}
	if long := r.draw(t, "/api/v1/generate", object{"text": strings.Repeat("toy ", 24)}).Pictures[0]; !strings.HasPrefix(
		long.Cut, "toy") {
		t.Errorf("what was cut off is %q", long.Cut)
	}
}

// pixelsOf is the part of a picture's file behind its texts, which hold its id and time.
func pixelsOf(t testing.TB, r *running, p picture) []byte {
	t.Helper()
	a := get(t, r.URL+p.PNG)
	at := bytes.Index(a.body, []byte("IDAT"))
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "image/png" || at < 0 {
		t.Fatalf("%s: %d, %d bytes", p.PNG, a.status, len(a.body))
	}
	return a.body[at:]
}

// α 0 is the picture itself; what was manipulated can be manipulated again; a preview is in no list.
func TestManipulate(t *testing.T) {
	r := tiny.serve(t)
	for _, settings := range []object{{}, {"diversity": "z"}, {"diversity": "style", "truncation_psi": 0.7}} {
		settings["text"], settings["seed"] = "a toy", 3
		origin := r.draw(t, "/api/v1/generate", settings).Pictures[0]
		moved := r.draw(t, "/api/v1/manipulate", object{"picture": origin.ID, "to": "a red wagon", "alphas": []float64{0, 1}})
		zero, one := moved.Pictures[0], moved.Pictures[1]
		if one.Kind != "manipulated" || one.Origin != origin.ID || one.OriginText != "a toy" || one.Text != "a red wagon" ||
			one.Alpha != 1 || one.Seed != 3 {
			t.Errorf("manipulated: %+v", one)
		}
		if !near(t, r, zero, origin) || near(t, r, one, origin) {
			t.Errorf("%v: α 0 is the origin %v, α 1 is the origin %v", settings, near(t, r, zero, origin),
				near(t, r, one, origin))
		}
		next := r.draw(t, "/api/v1/manipulate", object{"picture": one.ID, "to": "a blue ball", "alphas": []float64{0},
			"preview": true}).Pictures[0]
		if !near(t, r, next, one) || next.OriginText != "a red wagon" {
			t.Errorf("from there on: %+v", next)
		}
		if list := decode[drawing](t, get(t, r.URL+"/api/v1/pictures?query=blue+ball")); len(list.Pictures) != 0 {
			t.Errorf("the preview is listed: %+v", list)
		}
	}
}

// near reports whether two pictures differ by 1 of 255 at most: batches differ in float32's last digits.
func near(t testing.TB, r *running, a, b picture) bool {
	t.Helper()
	one, two := decodePNG(t, get(t, r.URL+a.PNG).body), decodePNG(t, get(t, r.URL+b.PNG).body)
	for i := range one.Pix {
		if d := int(one.Pix[i]) - int(two.Pix[i]); d < -1 || d > 1 {
			return false
		}
	}
	return true
}

func TestStory(t *testing.T) {
	r := tiny.serve(t)
	story := "# Toys\n\nThe toy wakes.\n\nIt meets\na *ball*.\n\n\nThey play."
	got := r.draw(t, "/api/v1/story", object{"story": story, "run": "second"})
	if len(got.Pictures) != 3 || got.Pictures[1].Text != "It meets a ball." || got.Pictures[2].Seed != 0 ||
		got.Pictures[0].Kind != "story" || got.Pictures[0].Run != "second" {
		t.Errorf("%+v", got)
	}
	if got = r.draw(t, "/api/v1/story", object{"story": story, "own_seeds": true, "seed": 5}); got.Pictures[2].Seed != 7 {
		t.Errorf("own seeds: %+v", got)
	}
}

// event is a server-sent event.
type event struct{ name, data string }

// stream posts a request and returns its events one by one; the last has no name.
func stream(t testing.TB, ctx context.Context, url string, body string) (*http.Response, func() event) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	lines := bufio.NewReader(response.Body)
	return response, func() (e event) {
		for {
			line, err := lines.ReadString('\n')
			if err == io.EOF || line == "\n" && e.name != "" {
				return e
			}
			if err != nil {
				t.Fatal(err)
			}
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			switch name {
			case "event":
				e.name = value
			case "data":
				e.data = value
			}
		}
	}
}

func TestEvents(t *testing.T) {
	r := tiny.serve(t)
	response, next := stream(t, t.Context(), r.URL+"/api/v1/generate", `{"text": "a toy", "count": 3}`)
	if kind := response.Header.Get("Content-Type"); kind != "text/event-stream" {
		t.Errorf("the type is %q", kind)
	}
	var names []string
	for e := next(); e.name != ""; e = next() {
		names = append(names, e.name)
	}
	if got := strings.Join(names, " "); got != "accepted picture picture picture done" {
		t.Errorf("events: %s", got)
	}
	// A mistake is answered as usual.
	response, _ = stream(t, t.Context(), r.URL+"/api/v1/generate", `{"text": ""}`)
	if response.StatusCode != http.StatusBadRequest || response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("an empty text: %s, %s", response.Status, response.Header)
	}
}

// Mistakes name the field, and say what would be right.
func TestMistakes(t *testing.T) {
	r := deaf(t)
	for _, c := range []struct {
		path, body, field, want string
		status                  int
	}{
		{"generate", `{"text": "  "}`, "text", "the text is empty", 400},
		{"generate", `{"text": "` + strings.Repeat("ü", 101) + `"}`, "text", "101 characters", 400},
		{"generate", `{"text": "a\u0000b"}`, "text", "NUL", 400},
		{"generate", `{"text": 7}`, "text", "JSON number", 400},
		{"generate", `{"text": "x", "count": 0}`, "count", "it is 0", 400},
		{"generate", `{"text": "x", "count": 10}`, "count", "it is 10", 400},
		{"generate", `{"text": "x", "count": 1.5}`, "count", "JSON number 1.5", 400},
		{"generate", `{"text": "x", "runs": ["third"]}`, "runs", `"third" is unknown`, 400},
		{"generate", `{"text": "x", "runs": ["first", "first"]}`, "runs", "given twice", 400},
		{"generate", `{"text": "x", "alpha": -1}`, "alpha", "it is -1", 400},
		{"generate", `{"text": "x", "alpha": 1e400}`, "alpha", "JSON number", 400},
		{"generate", `{"text": "x", "seed": -1}`, "seed", "JSON number -1", 400},
		{"generate", `{"text": "x", "seed": 9000000000000001}`, "seed", "9000000000000001", 400},
		{"generate", `{"text": "x", "diversity": "w"}`, "diversity", `"w" is unknown`, 400},
		{"generate", `{"text": "x", "noise_mode": "loud"}`, "noise_mode", `"loud" is unknown`, 400},
		{"generate", `{"text": "x", "diversity": "style", "inject_index": 99}`, "inject_index", "it is 99", 400},
		{"generate", `{"text": "x", "diversity": "z", "spread": 2}`, "spread", "it is 2", 400},
		{"generate", `{"text": "x", "truncation_psi": 3}`, "truncation_psi", "it is 3", 400},
		{"generate", `{"text": "x", "cartoon": "comik"}`, "cartoon", `"comik" is unknown`, 400},
		{"generate", `{"text": "x", "cartoon": "../network.yaml"}`, "cartoon", "is unknown", 400},
		{"generate", `{"text": "x", "best_of": 0}`, "best_of", "it is 0", 400},
		{"generate", `{"text": "x", "best_of": 5}`, "best_of", "it is 5", 400},
		{"generate", `{"text": "x", "count": 6, "best_of": 4}`, "best_of", "24 candidates", 400},
		{"generate", `{"text": "x", "refine": 9}`, "refine", "it is 9", 400},
		{"generate", `{"text": "x", "refine": -1}`, "refine", "it is -1", 400},
		{"generate", `{"text": "x", "refine": 1, "diversity": "style"}`, "refine", "inject_index 1", 400},
		{"generate", `{"text": "x", "refine": 1, "truncation_psi": 0.7}`, "refine", "truncation_psi 0.7", 400},
		{"interpolate", `{"from": {"text": "x"}}`, "to", "a text or a picture", 400},
		{"interpolate", `{"from": {"text": "x", "picture": "y"}, "to": {"text": "x"}}`, "from", "a text or a picture", 400},
		{"interpolate", `{"from": {"text": "x"}, "to": {"picture": "none"}}`, "", "does not have this picture", 404},
		{"interpolate", `{"from": {"text": "x"}, "to": {"text": " "}}`, "to", "the text is empty", 400},
		{"interpolate", `{"from": "x", "to": {"text": "x"}}`, "from", "JSON string", 400},
		{"interpolate", `{"from": {"text": 7}, "to": {"text": "x"}}`, "from.text", "JSON number", 400},
		{"interpolate", `{"from": {"text": "x"}, "to": {"text": "y"}, "steps": 1}`, "steps", "it is 1", 400},
		{"interpolate", `{"from": {"text": "x"}, "to": {"text": "y"}, "steps": 10}`, "steps", "it is 10", 400},
		{"interpolate", `{"from": {"text": "x"}, "to": {"text": "y"}, "fps": 0}`, "fps", "it is 0", 400},
		{"interpolate", `{"from": {"text": "x"}, "to": {"text": "y"}, "run": "third"}`, "run", `"third" is unknown`, 400},
		{"generate", `{"text": "x", "seed": null}`, "seed", "null", 400},
		{"manipulate", `{"picture": "none", "to": "x", "alphas": [1, null]}`, "alphas", "null", 400},
		{"generate", `null`, "text", "the text is empty", 400},
		{"generate", `[]`, "", "JSON array", 400},
		{"generate", `{"texts": ["x"]}`, "", `unknown field "texts"`, 400},
		{"generate", `{"text": "x", "Text": "y"}`, "", `unknown field "Text"`, 400},
		{"generate", `{"text": "x", "ſeed": 1}`, "", `unknown field "ſeed"`, 400},
		{"interpolate", `{"from": {"TEXT": "x"}, "to": {"text": "y"}}`, "", `unknown field "TEXT"`, 400},
		{"generate", `{"text": "x"} {}`, "", "more follows the value", 400},
		{"generate", `{"text": `, "", "the JSON ends too early", 400},
		{"generate", `{"text": "` + strings.Repeat("x", 300_000) + `"}`, "", "larger than 262144 bytes", 413},
		{"manipulate", `{"picture": "none", "to": "x", "alphas": [1]}`, "", "does not have this picture", 404},
		{"manipulate", `{"picture": "none", "to": "x", "alphas": []}`, "alphas", "it has 0 numbers", 400},
		{"manipulate", `{"picture": "none", "to": "", "alphas": [1]}`, "to", "the text is empty", 400},
		{"story", `{"story": " \n\n "}`, "story", "story: ", 400},
		{"story", `{"story": "` + strings.Repeat("x\\n\\n", 10) + `"}`, "story", "10 paragraphs", 400},
		{"story", `{"story": "` + strings.Repeat("x", 401) + `"}`, "story", "401 characters", 400},
		{"story", `{"story": "x", "run": "third"}`, "run", `"third" is unknown`, 400},
	} {
		a := do(t, http.MethodPost, r.URL+"/api/v1/"+c.path, []byte(c.body),
			map[string]string{"Content-Type": "application/json"})
		p := decode[problem](t, a)
		if a.status != c.status || p.Field != c.field || !strings.Contains(p.Error, c.want) || p.Hint == "" {
			t.Errorf("%s %.80s: %v", c.path, c.body, a)
		}
	}
	for path, status := range map[string]int{
		"/api/v1/pictures?limit=0": 400, "/api/v1/pictures?limit=x": 400, "/api/v1/pictures?limits=3": 400,
		"/api/v1/pictures?favourites=no": 400, "/api/v1/pictures?favourites=true": 200, "/api/v1/domain?x": 400,
		"/api/v1/pictures?query=" + strings.Repeat("x", 51): 400,
		"/api/v1/pictures/none":                             404, "/api/v1/pictures/none/png": 404, "/assets/none.js": 404,
		"/assets/..%2fserve.go": 404, "/api/v1/none": 404, "/api/v1/generate": 405,
	} {
		if a := get(t, r.URL+path); a.status != status {
			t.Errorf("%s: %v", path, a)
		}
	}
	if a := do(t, http.MethodPost, r.URL+"/api/v1/generate", []byte(`{"text": "x"}`),
		map[string]string{"Content-Type": "text/plain"}); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("plain text: %v", a)
	}
}

// What the queue has no room for is refused with Retry-After; the places of a client that left are free again.
func TestBusy(t *testing.T) {
	r := deaf(t) // 20 pictures may wait
	leave := make([]context.CancelFunc, 2)
	for i := range leave {
		var ctx context.Context
		ctx, leave[i] = context.WithCancel(t.Context())
		_, next := stream(t, ctx, r.URL+"/api/v1/generate", `{"text": "a toy", "count": 9}`)
		if e := next(); e.name != "accepted" || e.data != fmt.Sprintf(`{"pictures":9,"ahead":%d}`, 9*i) {
			t.Fatalf("event %+v", e)
		}
	}
	a := post(t, r.URL+"/api/v1/generate", object{"text": "a toy", "count": 3})
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if a.status != http.StatusTooManyRequests || err != nil || seconds < 1 || seconds > 60 {
		t.Errorf("a full queue: %v, Retry-After %q", a, a.header.Get("Retry-After"))
	}
	queued := `illustrator_queue_pictures{domain="toys"} 18`
	if text := string(get(t, r.URL+"/metrics").body); !strings.Contains(text, queued) || !strings.Contains(text,
		`illustrator_http_requests_total{code="429",domain="toys",route="POST /api/v1/generate"} 1`) {
		t.Errorf("metrics:\n%s", text)
	}
	leave[0]()
	for end := time.Now().Add(time.Minute); !strings.Contains(string(get(t, r.URL+"/metrics").body),
		"illustrator_requests_cancelled_total 1"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the server does not see that the client left")
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, next := stream(t, ctx, r.URL+"/api/v1/generate",
		`{"text": "a toy", "count": 3}`); next().data != `{"pictures":3,"ahead":9}` {
		t.Error("the places of a client that left are not free")
	}
	leave[1]()
	if a := get(t, r.URL+"/readyz"); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") != "1" {
		t.Errorf("a server that compiles is ready: %v", a)
	}
	if a := get(t, r.URL+"/healthz"); a.status != http.StatusOK {
		t.Errorf("not healthy: %v", a)
	}
}

// A server that is told to stop refuses new work and finishes what it accepted.
func TestShutdown(t *testing.T) {
	r := tiny.serve(t, func(o *serve.Options) { o.Limits.Waiting, o.Limits.Pictures = 2000, 1000 })
	_, next := stream(t, t.Context(), r.URL+"/api/v1/generate", `{"text": "a toy", "count": 900}`)
	if e := next(); e.name != "accepted" {
		t.Fatalf("event %+v", e)
	}
	r.stop()
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		a := get(t, r.URL+"/readyz")
		if a.status == http.StatusServiceUnavailable {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the server does not stop")
		}
	}
	if a := post(t, r.URL+"/api/v1/generate", object{"text": "late"}); a.status != http.StatusServiceUnavailable ||
		a.header.Get("Retry-After") == "" {
		t.Errorf("new work: %v", a)
	}
	last, seen := event{}, 0
	for e := next(); e.name != ""; e = next() {
		if last = e; e.name == "picture" {
			seen++
		}
	}
	if last.name != "done" || seen != 900 {
		t.Errorf("%d of 900 pictures, then %+v", seen, last)
	}
	if <-r.ended; r.err != nil {
		t.Errorf("the server ended with %v", r.err)
	}
	if strings.Contains(r.log.String(), "a toy") {
		t.Error("the log holds what people wrote")
	}
}

// Work that is not finished within the grace period is dropped, and the server says so.
func TestShutdownGivesUp(t *testing.T) {
	r := tiny.serve(t, func(o *serve.Options) {
		o.Limits.Waiting, o.Limits.Pictures, o.Grace = 200_000, 200_000, time.Millisecond
	})
	_, next := stream(t, t.Context(), r.URL+"/api/v1/generate", `{"text": "a toy", "count": 200000}`)
	if e := next(); e.name != "accepted" {
		t.Fatalf("event %+v", e)
	}
	r.stop()
	if <-r.ended; r.err == nil || !strings.Contains(r.err.Error(), "not finished within 1ms") {
		t.Errorf("the server ended with %v", r.err)
	}
}
