package serve_test

import (
	"bytes"
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
	"sync"
	"testing"
	"time"

	"illustrator/checkpoints"
	"illustrator/configs"
	"illustrator/data"
	"illustrator/models/mapper"
	"illustrator/models/nn/nntest"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/serve"
	"illustrator/serve/gallery"
	"illustrator/serve/queue"
)

func TestMain(m *testing.M) {
	code := m.Run()
	for _, stop := range stops {
		stop()
	}
	os.Exit(code)
}

// stops are what the shared servers need at the end of all tests.
var stops []func()

// running is a server on a port of its own.
type running struct {
	URL  string
	stop context.CancelFunc // begins the shutdown
	done chan error         // what Serve returned
	log  *lockedBuffer
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
	r := &running{done: make(chan error, 1), log: &lockedBuffer{}}
	o.Log = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.Software, o.Grace = "illustrator test", time.Minute
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
	r.stop = cancel
	go func() { r.done <- s.Serve(ctx, listener) }()
	return r, nil
}

func (r *running) waitReady(t testing.TB) {
	t.Helper()
	for range 3000 {
		if get(t, r.URL+"/readyz").status == http.StatusOK {
			return
		}
		select {
		case err := <-r.done:
			t.Fatalf("the server ended: %v\n%s", err, r.log)
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatal("the server does not get ready")
}

// tinyModels are two mappers of the domain of random weights.
func tinyModels() ([]queue.Model, error) {
	dir, err := os.MkdirTemp("", "serve-test-")
	if err != nil {
		return nil, err
	}
	stops = append(stops, func() { os.RemoveAll(dir) })
	if _, err := pipelinetest.Write(dir, 1); err != nil {
		return nil, err
	}
	n, err := pipeline.Open(nil, pipeline.Locations{Generator: filepath.Join(dir, "generator"), CLIP: filepath.Join(dir, "clip")})
	if err != nil {
		return nil, err
	}
	prompts := pipeline.Prompts{Text: data.Z(1, pipelinetest.EmbedDim), Image: data.Z(2, pipelinetest.EmbedDim)}
	models := []queue.Model{{Name: "first", Networks: n, Prompts: prompts}, {Name: "second", Networks: n.Sharing(1), Prompts: prompts}}
	for i, m := range models {
		if err := loadRandom(m.Networks, filepath.Join(dir, m.Name), uint64(i)); err != nil {
			return nil, err
		}
	}
	return models, nil
}

// loadRandom loads an untrained mapper.
func loadRandom(n *pipeline.Networks, folder string, seed uint64) error {
	cfg := mapper.Config{ModelType: mapper.ModelType, Arch: mapper.Dense, EmbedDim: n.CLIP.ProjectionDim, ZDim: n.Generator.StyleDim, Width: 16, Blocks: 1, Layers: 2}
	if err := checkpoints.Write(folder, checkpoints.Contents{Config: cfg, Weights: mapper.Init(cfg, seed)}); err != nil {
		return err
	}
	return n.LoadMapper(folder)
}

func testLimits() serve.Limits {
	return serve.Limits{
		Text: 100, Story: 400, Pictures: 9, Waiting: 20, Shapes: []int{9}, UploadBytes: 1 << 20, UploadPixels: 1 << 20,
		Gallery: gallery.Limits{Pictures: 40, Bytes: 1 << 20},
	}
}

func tinyOptions(models []queue.Model) serve.Options {
	return serve.Options{
		Domain: serve.Domain{Name: "toys", About: "Random toys. Nothing is as it seems.", TextPrompt: "A toy.", Examples: []string{"a red toy", "a blue toy"}, Alpha: 1.5},
		Models: models, Limits: testLimits(),
	}
}

// shared are the servers that tests share: to compile their networks takes long.
var shared struct {
	sync.Mutex
	tiny, lorelei *running
}

// tinyServer is the server of the tiny domain.
func tinyServer(t testing.TB) *running {
	t.Helper()
	return share(t, &shared.tiny, func() (serve.Options, error) {
		models, err := tinyModels()
		return tinyOptions(models), err
	})
}

// loreleiServer is the server of the embedded domain, with its own mapper and an untrained one to compare.
func loreleiServer(t testing.TB) *running {
	t.Helper()
	return share(t, &shared.lorelei, func() (serve.Options, error) {
		o := tinyOptions(nil)
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
		prompts, err := data.ParsePrompts(name, raw, n)
		if err != nil {
			return o, err
		}
		o.Domain = serve.Domain{Name: domain.Name, About: domain.About, TextPrompt: domain.TextPrompt, Alpha: domain.Alpha}
		if name, raw, err = domain.ReadDescriptions(); err != nil {
			return o, err
		}
		texts, err := data.ParseTexts(name, raw)
		for _, text := range texts {
			o.Domain.Examples = append(o.Domain.Examples, text.Text)
		}
		o.Models = []queue.Model{{Name: domain.Name, Networks: n, Prompts: prompts.Prompts}, {Name: "untrained", Networks: n.Sharing(1), Prompts: prompts.Prompts}}
		dir, e := os.MkdirTemp("", "serve-test-")
		stops = append(stops, func() { os.RemoveAll(dir) })
		return o, errors.Join(err, e, n.LoadMapper(domain.MapperLocation()), loadRandom(o.Models[1].Networks, filepath.Join(dir, "untrained"), 1))
	})
}

// share starts a server at first, and waits until it is ready.
func share(t testing.TB, server **running, options func() (serve.Options, error)) *running {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles networks; run without -short")
	}
	backend := nntest.Backend(t)
	shared.Lock()
	defer shared.Unlock()
	if *server == nil {
		o, err := options()
		if err != nil {
			t.Fatal(err)
		}
		o.Models[0].Backend = backend
		r, err := start(o)
		if err != nil {
			t.Fatal(err)
		}
		*server, stops = r, append(stops, func() { r.stop(); <-r.done })
	}
	(*server).waitReady(t)
	return *server
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
