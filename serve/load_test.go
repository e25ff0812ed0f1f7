//go:build unix

package serve_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"illustrator/internal/pytools"
	"illustrator/serve"
)

// requests is the number of requests of a load test: few, or as many as LOAD says (`make load`).
func requests(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(os.Getenv("LOAD"))
	if err != nil || n < 100 {
		return 300
	}
	return n
}

// load holds the results of several clients, each with one request after the other.
type load struct {
	ok, busy int
	took     time.Duration
	cpu      time.Duration   // of all cores, the clients' part included
	latency  []time.Duration // of those that were drawn
}

func (l load) perSecond() float64 { return float64(l.ok) / l.took.Seconds() }

func (l load) String() string {
	slices.Sort(l.latency)
	return fmt.Sprintf("%d drawn, %d refused in %.1f s: %.1f pictures/s, %.1f ms of CPU a picture, latency %.0f ms in "+
		"the middle, %.0f ms for 99 %%",
		l.ok, l.busy, l.took.Seconds(), l.perSecond(), 1000*l.cpu.Seconds()/float64(l.ok),
		1000*l.latency[len(l.latency)/2].Seconds(), 1000*l.latency[len(l.latency)*99/100].Seconds())
}

// attack has clients draw n pictures, one per request, each of another text and seed. Any other answer than a
// picture or a 429 with Retry-After fails the test.
func attack(t *testing.T, url string, clients, n int) load {
	t.Helper()
	var sent atomic.Int64
	target := func(target *vegeta.Target) error {
		i := sent.Add(1)
		if i > int64(n) {
			return vegeta.ErrNoTargets
		}
		body, err := json.Marshal(object{"text": fmt.Sprintf("toy number %d", i%97), "seed": i, "alpha": float64(i%7) / 4,
			"diversity": "z"})
		*target = vegeta.Target{Method: http.MethodPost, URL: url + "/api/v1/generate", Body: body,
			Header: http.Header{"Content-Type": {"application/json"}}}
		return err
	}
	attacker := vegeta.NewAttacker(vegeta.Workers(uint64(clients)), vegeta.MaxWorkers(uint64(clients)),
		vegeta.Connections(clients), vegeta.Timeout(10*time.Minute))
	var l load
	began, cpu := time.Now(), cpuTime(t)
	for r := range attacker.Attack(target, vegeta.Rate{}, 0, "load") {
		switch {
		case r.Code == http.StatusOK && strings.Contains(string(r.Body), `"count":1`):
			l.ok++
			l.latency = append(l.latency, r.Latency)
		case r.Code == http.StatusTooManyRequests && r.Headers.Get("Retry-After") >= "1":
			l.busy++
		case r.Error == vegeta.ErrNoTargets.Error():
		default:
			t.Errorf("answer %d, %s: %s", r.Code, r.Error, r.Body)
		}
	}
	l.took, l.cpu = time.Since(began), cpuTime(t)-cpu
	if l.ok+l.busy != n || l.ok == 0 {
		t.Errorf("%d pictures and %d refusals of %d requests", l.ok, l.busy, n)
	}
	return l
}

// cpuTime returns the time of all cores for this process so far.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// memory returns the memory of the process: Go's heap after a collection, and all of it, XLA's part too.
func memory(t *testing.T) (heap, resident int) {
	t.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(rest, &resident); err != nil {
		t.Fatal(err)
	}
	return int(m.HeapAlloc >> 10), resident
}

// Many clients, none of whom is left without an answer; memory stays as it is. The queue holds 20 pictures, so that 64
// clients are refused now and then and 8 never.
func TestLoad(t *testing.T) {
	r, n := tiny.serve(t), requests(t)
	attack(t, r.URL, 8, n/3) // until all pools and caches are as full as they get
	heapBefore, before := memory(t)
	for _, clients := range []int{1, 8, 64} {
		l := attack(t, r.URL, clients, n/3)
		t.Logf("%d clients: %v", clients, l)
		if l.busy > 0 && clients < 20 {
			t.Errorf("%d clients: %d were refused", clients, l.busy)
		}
	}
	heap, resident := memory(t)
	t.Logf("after %d requests: heap %d KB, before %d KB; in all %d MB, before %d MB", n, heap, heapBefore, resident>>10,
		before>>10)
	if heap > heapBefore+8<<10 || resident > before+100<<10 {
		t.Error("the memory grows")
	}
}

// Batches against one picture at a time, by 16 clients on Lorelei. It is measured on request only. The
// ratio of the CPU's time says what batches save where other programs share the cores.
func TestLoadBatches(t *testing.T) {
	if os.Getenv("LOAD") == "" {
		t.Skip("measures; run by make load")
	}
	var loads []load
	for _, shapes := range [][]int{{1}, serve.DefaultLimits().Shapes} {
		r := lorelei.serve(t, func(o *serve.Options) { o.Limits.Shapes = shapes })
		attack(t, r.URL, 16, 160)
		l := attack(t, r.URL, 16, min(requests(t), 1600))
		t.Logf("batches of up to %d: %v", slices.Max(shapes), l)
		loads = append(loads, l)
	}
	t.Logf("batches give %.2f times the pictures a second, and take 1/%.2f of the CPU's time",
		loads[1].perSecond()/loads[0].perSecond(), loads[0].cpu.Seconds()/loads[1].cpu.Seconds())
}

// The API as strangers use it: whatever fits the document, or nearly, is answered as the document says, and never by a
// 5xx. LOAD takes longer.
func TestFuzz(t *testing.T) {
	// A schema cannot say that all candidates must fit into the queue.
	r := tiny.serve(t, func(o *serve.Options) { o.Limits.Waiting = 9 * 4 * 2 })
	examples, seconds := "3", "8"
	if os.Getenv("LOAD") != "" {
		examples, seconds = "50", "300"
	}
	pytools.Run(t, []string{"schemathesis"}, "testdata/fuzz.py", r.URL, examples, seconds)
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "status=5") &&
			!strings.Contains(line, "path=/readyz") {
			t.Error(line)
		}
	}
}
