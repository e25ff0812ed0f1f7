package serve_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// numbered is an event of a job.
type numbered struct{ id, name, data string }

// events reads a stream until stop says so, or to its end.
func (r *running) events(t *testing.T, method, path, body, after string, stop func(numbered) bool) (all []numbered) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, r.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Content-Type": "application/json", "Accept": "text/event-stream",
		"Last-Event-ID": after} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s", method, path, response.Status)
	}
	var e numbered
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "id":
			e.id = value
		case "event":
			e.name = value
		case "data":
			e.data = value
			if all = append(all, e); stop(e) {
				return all
			}
		}
	}
	return all
}

func never(numbered) bool { return false }

// A client that was cut off finds its job again, with all pictures, and each event once.
func TestJobOutlivesItsConnection(t *testing.T) {
	r := tiny.serve(t)
	begin := r.events(t, "POST", "/api/v1/generate?keep", `{"text": "a toy", "count": 9}`, "",
		func(e numbered) bool { return e.name == "accepted" })
	var job struct{ ID string }
	if err := json.Unmarshal([]byte(begin[0].data), &job); err != nil || begin[0].name != "job" || len(job.ID) < 20 {
		t.Fatalf("the first event is %v", begin[0])
	}
	path := "/api/v1/jobs/" + job.ID
	rest := r.events(t, "GET", path, "", begin[len(begin)-1].id, never)
	all := r.events(t, "GET", path, "", "", never)
	if len(all) != len(begin)+len(rest) || len(all) != 1+1+9+1 || all[len(all)-1].name != "done" {
		t.Errorf("%d events, then %d, and %d in all: %v", len(begin), len(rest), len(all), all)
	}
	for i, e := range append(begin, rest...) {
		if e != all[i] {
			t.Errorf("event %d is %v, and later %v", i, e, all[i])
		}
	}
}

// A job is stopped by its address, and says so.
func TestStoppedJob(t *testing.T) {
	r := deaf(t)
	var job struct{ ID string }
	last := make(chan []numbered)
	begun := make(chan bool)
	go func() {
		last <- r.events(t, "POST", "/api/v1/generate?keep", `{"text": "a toy"}`, "", func(e numbered) bool {
			if e.name == "job" {
				_ = json.Unmarshal([]byte(e.data), &job)
				close(begun)
			}
			return false
		})
	}()
	<-begun
	if a := do(t, "DELETE", r.URL+"/api/v1/jobs/"+job.ID, nil, nil); a.status != http.StatusNoContent {
		t.Errorf("%v", a)
	}
	select {
	case events := <-last:
		if e := events[len(events)-1]; e.name != "error" || !strings.Contains(e.data, "stopped") {
			t.Errorf("the last event is %v", e)
		}
	case <-time.After(time.Minute):
		t.Error("the stream does not end")
	}
}

// A job has a bounded number of clients, each of which holds a connection.
func TestCrowdedJob(t *testing.T) {
	r := deaf(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ask := func(method, path, body string) *http.Response {
		t.Helper()
		request, err := http.NewRequestWithContext(ctx, method, r.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "text/event-stream")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		return response
	}
	lines := bufio.NewScanner(ask("POST", "/api/v1/generate?keep", `{"text": "a toy"}`).Body)
	var job struct{ ID string }
	for job.ID == "" && lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			if err := json.Unmarshal([]byte(data), &job); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i := range 9 {
		want := map[bool]int{true: http.StatusOK, false: http.StatusTooManyRequests}[i < 7]
		if a := ask("GET", "/api/v1/jobs/"+job.ID, ""); a.StatusCode != want {
			t.Errorf("client %d: %s", i+2, a.Status)
		}
	}
}

// A full queue is a refusal before any event.
func TestJobOfABusyServer(t *testing.T) {
	r := deaf(t)
	for _, want := range []int{200, 200, 429} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, "POST", r.URL+"/api/v1/generate?keep",
			strings.NewReader(`{"text": "a toy", "count": 9}`))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", "text/event-stream")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("status %s, want %d", response.Status, want)
		}
	}
}
