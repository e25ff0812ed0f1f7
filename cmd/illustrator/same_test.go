package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"illustrator/cmd/terminal"
	"illustrator/data/pictures"
	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/models/nn/nntest"
	"illustrator/serve"
)

// The same spec gives the same pictures and records by the command, the API and Go, bit by bit: where all of them draw
// one picture at a time, as a batch's size decides the last digits.
func TestCommandAPIAndGoDrawTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles all programs three times")
	}
	nntest.Backend(t) // or skips
	dir := t.TempDir()
	if err := writeTinyDomain(dir, 1); err != nil {
		t.Fatal(err)
	}
	api := serveTiny(t, dir)
	own := openModel(t, dir)
	for _, spec := range []string{
		`{"count": 3}`,
		`{"count": 2, "best_of": 2, "refine": 2, "seed": 7, "alpha": 0.5}`,
		`{"inject_index": 2, "seed": 5, "truncation_psi": 0.7}`,
		`{"seeds": [4, 2], "no_projection": true, "diversity": "z", "spread": 0.8}`,
	} {
		byCommand := drawByCommand(t, dir, spec)
		for how, shots := range map[string][]shot{"the API": drawByAPI(t, api, spec), "Go": drawByGo(t, own, spec)} {
			if len(shots) != len(byCommand) || len(shots) == 0 {
				t.Fatalf("%s: %d pictures by the command, %d by %s", spec, len(byCommand), len(shots), how)
			}
			for i, d := range shots {
				if !bytes.Equal(d.pixels, byCommand[i].pixels) {
					t.Errorf("%s: picture %d has other pixels by %s", spec, i, how)
				}
				if d.record != byCommand[i].record {
					t.Errorf("%s: picture %d by the command\n%s\nby %s\n%s", spec, i, byCommand[i].record, how, d.record)
				}
			}
		}
	}
}

// shot is a picture with its record as JSON, whose keys are sorted.
type shot struct {
	pixels []byte
	record string
}

// newShot leaves out of the record what only a gallery knows.
func newShot(t *testing.T, img image.Image, record []byte) shot {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(record, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"id", "created", "kind", "run", "width", "height", "index", "png"} {
		delete(fields, name)
	}
	text, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	rgba := image.NewNRGBA(img.Bounds())
	for y := range rgba.Rect.Dy() {
		for x := range rgba.Rect.Dx() {
			rgba.Set(x, y, img.At(x, y))
		}
	}
	return shot{rgba.Pix, string(text)}
}

// drawByCommand turns the spec's fields into flags.
func drawByCommand(t *testing.T, dir, spec string) (shots []shot) {
	t.Helper()
	out := t.TempDir()
	args := []string{"generate", "a toy", "--domain", filepath.Join(dir, "tiny.yaml"), "--mapper",
		filepath.Join(dir, "mapper"), "--batch=1", "--out", out, "-q"}
	var fields map[string]any
	if err := json.Unmarshal([]byte(spec), &fields); err != nil {
		t.Fatal(err)
	}
	for name, value := range fields {
		text := strings.NewReplacer("[", "", "]", "", " ", ",").Replace(fmt.Sprint(value))
		args = append(args, "--"+strings.ReplaceAll(name, "_", "-")+"="+text)
	}
	execute(t, args...)
	records, err := filepath.Glob(filepath.Join(out, "0001-*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range records {
		record, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		shots = append(shots, newShot(t, readPNG(t, strings.TrimSuffix(path, ".json")+".png"), record))
	}
	return sorted(shots)
}

// sorted orders pictures by their records: files and answers have other orders.
func sorted(shots []shot) []shot {
	slices.SortFunc(shots, func(a, b shot) int { return strings.Compare(a.record, b.record) })
	return shots
}

func readPNG(t *testing.T, path string) image.Image {
	t.Helper()
	img, err := pictures.ReadImage(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// openModel opens the tiny domain on a device of its own.
func openModel(t *testing.T, dir string) draw.Model {
	t.Helper()
	o := terminal.NewOptions("illustrator", io.Discard, io.Discard)
	s, err := readDomain(o, filepath.Join(dir, "tiny.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.loadModel(t.Context(), mapperOptions{mapper: filepath.Join(dir, "mapper")}, false)
	if err != nil {
		t.Fatal(err)
	}
	m.Backend = nntest.Backend(t)
	return m
}

func serveTiny(t *testing.T, dir string) *httptest.Server {
	t.Helper()
	limits := serve.DefaultLimits()
	limits.Shapes = []int{1}
	m := openModel(t, dir)
	s, err := serve.New(serve.Options{
		Domains: []serve.Domain{{Name: "tiny", TextPrompt: "A picture.", Alpha: m.Alpha, Models: []draw.Model{m}}},
		Limits:  limits, Log: slog.New(slog.DiscardHandler), Grace: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(s)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, server.Listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	server.URL = "http://" + server.Listener.Addr().String()
	return server
}

func drawByAPI(t *testing.T, api *httptest.Server, spec string) (shots []shot) {
	t.Helper()
	body := `{"text": "a toy", "score": true, ` + strings.TrimPrefix(spec, "{")
	r, err := http.Post(api.URL+"/api/v1/generate", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	raw, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %s, %v", body, r.Status, raw, err)
	}
	var answer struct{ Pictures []json.RawMessage }
	if err := json.Unmarshal(raw, &answer); err != nil {
		t.Fatal(err)
	}
	for i, record := range answer.Pictures {
		var of struct{ PNG string }
		if err := json.Unmarshal(record, &of); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), fmt.Sprintf("%d.png", i))
		download(t, api.URL+of.PNG, path)
		shots = append(shots, newShot(t, readPNG(t, path), record))
	}
	return sorted(shots)
}

func download(t *testing.T, url, path string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	file, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
}

func drawByGo(t *testing.T, m draw.Model, spec string) (shots []shot) {
	t.Helper()
	var s draw.Spec
	if err := json.Unmarshal([]byte(spec), &s); err != nil {
		t.Fatal(err)
	}
	plan, err := m.Plan(s, draw.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	requests := []draw.Request{{Text: texts.Text{Text: "a toy"}, Plan: plan}}
	for p, err := range draw.Run(t.Context(), []draw.Model{m}, requests, draw.Options{AtOnce: 1, Score: true}) {
		if err != nil {
			t.Fatal(err)
		}
		record, err := json.Marshal(m.Record(*p.Recipe).With(p))
		if err != nil {
			t.Fatal(err)
		}
		shots = append(shots, newShot(t, m.Image(p), record))
	}
	return sorted(shots)
}
