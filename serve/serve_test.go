package serve_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"illustrator/checkpoints"
	"illustrator/configs"
	"illustrator/data/seeds"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/serve"
	"illustrator/serve/connections"
	"illustrator/serve/gallery"
)

func TestMain(m *testing.M) {
	code := m.Run()
	for _, stop := range slices.Backward(stops) {
		stop()
	}
	os.Exit(code)
}

// stops holds the functions that stop the shared servers after all tests.
var stops []func()

// running is a server on a port of its own.
type running struct {
	URL    string
	server *serve.Server
	stop   context.CancelFunc // begins the shutdown
	ended  chan struct{}      // closed when Serve has returned err
	err    error
	log    *lockedBuffer
	kill   func() // of a deaf one, cuts all connections
}

// lockedBuffer is a log that several goroutines write and a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// start starts a server. Models that draw belong to one server at a time.
func start(o serve.Options) (*running, error) {
	r := &running{ended: make(chan struct{}), log: &lockedBuffer{}}
	o.Log = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Software, o.Grace = "illustrator test", cmp.Or(o.Grace, time.Minute)
	s, err := serve.New(o)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r.URL = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	r.stop, r.server = cancel, s
	go func() {
		defer close(r.ended)
		r.err = s.Serve(ctx, listener)
	}()
	return r, nil
}

func (r *running) waitReady(t testing.TB) {
	t.Helper()
	for range 3000 {
		if get(t, r.URL+"/readyz").status == http.StatusOK {
			return
		}
		select {
		case <-r.ended:
			t.Fatalf("the server ended: %v\n%s", r.err, r.log)
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatal("the server does not get ready")
}

// tinyOptions are those of the domain of random weights with two mappers.
func tinyOptions() (serve.Options, error) {
	o := serve.Options{
		Domains: []serve.Domain{{Name: "toys", About: "Random toys. Nothing is as it seems.", TextPrompt: "A toy.",
			Examples: []string{"a red toy", "a blue toy"}, Alpha: 1.5}},
		Limits: testLimits(),
	}
	dir, n, err := tinyNetworks(1)
	if err != nil {
		return o, err
	}
	prompts := pipeline.Prompts{Text: seeds.Z(1, pipelinetest.EmbedDim), Image: seeds.Z(2, pipelinetest.EmbedDim)}
	models := []draw.Model{{Name: "first", Networks: n, Prompts: prompts},
		{Name: "second", Networks: n.Sharing(1), Prompts: prompts}}
	o.Domains[0].Models = models
	return o, errors.Join(loadRandom(models[0].Networks, filepath.Join(dir, "first"), 1),
		loadRandom(models[1].Networks, filepath.Join(dir, "second"), 2))
}

// tinyNetworks writes random networks of a seed into a folder.
func tinyNetworks(seed uint64) (dir string, n *pipeline.Networks, err error) {
	if dir, err = scratch(); err != nil {
		return "", nil, err
	}
	if _, err := pipelinetest.Write(dir, seed); err != nil {
		return "", nil, err
	}
	n, err = pipeline.Open(nil, pipeline.Locations{Generator: filepath.Join(dir, "generator"),
		CLIP: filepath.Join(dir, "clip")})
	return dir, n, err
}

// loreleiOptions are those of Lorelei, with its own mapper and an untrained one to compare.
func loreleiOptions() (serve.Options, error) {
	o := serve.Options{Limits: testLimits()}
	domain, err := configs.OpenDomain("lorelei")
	if err != nil {
		return o, err
	}
	n, err := pipeline.Open(nil, domain.Locations())
	if err != nil {
		return o, err
	}
	name, raw, err := domain.ReadPrompts()
	if err != nil {
		return o, err
	}
	prompts, err := pipeline.ParsePrompts(name, raw, n, domain.TextPrompt)
	if err != nil {
		return o, err
	}
	d := serve.Domain{Name: domain.Name, About: domain.About, TextPrompt: domain.TextPrompt, Alpha: domain.Alpha}
	if name, raw, err = domain.ReadDescriptions(); err != nil {
		return o, err
	}
	texts, err := texts.Parse(name, raw)
	d.Known = texts
	for _, text := range texts {
		d.Examples = append(d.Examples, text.Text)
	}
	d.Models = []draw.Model{{Name: domain.Name, Networks: n, Prompts: prompts.Prompts},
		{Name: "untrained", Networks: n.Sharing(1), Prompts: prompts.Prompts}}
	o.Domains = []serve.Domain{d}
	dir, e := scratch()
	return o, errors.Join(err, e, n.LoadMapper(domain.MapperLocation()),
		loadRandom(d.Models[1].Networks, filepath.Join(dir, "untrained"), 1))
}

// scratch is a folder that lasts as long as all tests.
func scratch() (string, error) {
	dir, err := os.MkdirTemp("", "serve-test-")
	stops = append(stops, func() { os.RemoveAll(dir) })
	return dir, err
}

// loadRandom loads an untrained mapper.
func loadRandom(n *pipeline.Networks, folder string, seed uint64) error {
	cfg := mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: n.CLIP.ProjectionDim,
		ZDim: n.Generator.StyleDim, Width: 16, Blocks: 1, Layers: 2}
	if err := checkpoints.Write(folder, checkpoints.Contents{Config: cfg, Weights: mapper.Init(cfg, seed)}); err != nil {
		return err
	}
	return n.LoadMapper(folder)
}

func testLimits() serve.Limits {
	return serve.Limits{
		Text: 100, Story: 400, Pictures: 9, BestOf: 4, Refine: 8, Waiting: 20, Shapes: []int{9}, UploadBytes: 1 << 20,
		UploadPixels: 1 << 20,
		Gallery:      gallery.Limits{Pictures: 40, Bytes: 1 << 20},
		Connections:  connections.DefaultLimits(),
	}
}

// world is a domain whose networks all its tests share: to compile them takes long. It has one server at a time.
type world struct {
	options func() (serve.Options, error)
	once    *serve.Options
	server  *running
}

var tiny, lorelei = &world{options: tinyOptions}, &world{options: loreleiOptions}

// serve returns a server of the world that is ready: one that tests share, or, with changed options, one for this test.
func (w *world) serve(t testing.TB, changes ...func(*serve.Options)) *running {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles networks; run without -short")
	}
	backend := nntest.Backend(t)
	if w.once == nil {
		o, err := w.options()
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range o.Domains {
			d.Models[0].Backend = backend
		}
		w.once = &o
		stops = append(stops, w.stop)
	}
	if len(changes) > 0 {
		w.stop()
	}
	if w.server == nil {
		o := *w.once
		for _, change := range changes {
			change(&o)
		}
		r, err := start(o)
		if err != nil {
			t.Fatal(err)
		}
		w.server = r
	}
	if len(changes) > 0 {
		t.Cleanup(w.stop)
	}
	w.server.waitReady(t)
	return w.server
}

// stop stops the world's server.
func (w *world) stop() {
	if w.server != nil {
		w.server.stop()
		<-w.server.ended
		w.server = nil
	}
}

// deaf is a server whose worker never begins, so that what is queued waits. It needs no device.
func deaf(t *testing.T, changes ...func(*serve.Options)) *running {
	t.Helper()
	o, err := tinyOptions()
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		change(&o)
	}
	return serveDeaf(t, o, "")
}

// answer is an HTTP response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// decode reads a JSON body.
func decode[T any](t testing.TB, a answer) (v T) {
	t.Helper()
	if err := json.Unmarshal(a.body, &v); err != nil {
		t.Fatalf("%v: %v", a, err)
	}
	return v
}

func get(t testing.TB, url string) answer { return do(t, http.MethodGet, url, nil, nil) }

func post(t testing.TB, url string, body any) answer {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return do(t, http.MethodPost, url, text, map[string]string{"Content-Type": "application/json"})
}

func do(t testing.TB, method, url string, body []byte, headers map[string]string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		request.Header.Set(name, value)
		if name == "Host" {
			request.Host = value
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, text}
}

// TestStopWhileItCompiles stops a server that has accepted nothing: it ends without an error, however short its grace.
func TestStopWhileItCompiles(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles")
	}
	o, err := tinyOptions()
	if err != nil {
		t.Fatal(err)
	}
	backend := nntest.Backend(t)
	for _, d := range o.Domains {
		d.Models[0].Backend = backend
	}
	o.Grace = time.Nanosecond
	r, err := start(o)
	if err != nil {
		t.Fatal(err)
	}
	get(t, r.URL+"/healthz")
	r.stop()
	<-r.ended
	if r.err != nil || strings.Contains(r.log.String(), "ready to draw") {
		t.Errorf("stopping: %v\n%s", r.err, r.log.String())
	}
}
