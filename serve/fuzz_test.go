package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"image"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"illustrator/data/pictures"
	"illustrator/serve"
	"illustrator/serve/connections"
)

// fuzzed returns a server without a worker, for all executions of a fuzz test.
func fuzzed(f testing.TB, limits connections.Limits) *serve.Server {
	f.Helper()
	o, err := tinyOptions()
	if err != nil {
		f.Fatal(err)
	}
	o.Limits.Connections, o.Log = limits, slog.New(slog.DiscardHandler)
	s, err := serve.New(o)
	if err != nil {
		f.Fatal(err)
	}
	return s
}

const fuzzID = "00000vg000000000"

// writeFuzzed writes a file of the gallery whose record is any text, as a single picture or an animation of two.
func writeFuzzed(folder, record string, animated bool) error {
	frames := []image.Image{image.NewGray(image.Rect(0, 0, 4, 4)), image.NewGray(image.Rect(0, 0, 4, 4))}
	meta := []pictures.Meta{{Key: "Illustrator", Value: record}}
	file, err := pictures.EncodePNG(frames[0], meta)
	if animated {
		file, err = pictures.EncodeAnimation(".apng", frames, time.Second, meta)
	}
	return errors.Join(err, os.WriteFile(filepath.Join(folder, fuzzID+".png"), file, 0o666))
}

// askAbout sends all requests that a picture of the gallery can be named in, and fails the test for an answer 500.
func askAbout(t *testing.T, s *serve.Server, id string) {
	t.Helper()
	at := "/api/v1/pictures/" + id
	picture := `{"picture": "` + id + `"}`
	for _, r := range []struct{ method, path, body string }{
		{"GET", at, ""}, {"GET", at + "/png?download", ""}, {"GET", at + "/png?still", ""}, {"GET", at + "/gif", ""},
		{"GET", at + "/strip", ""}, {"GET", "/api/v1/pictures?query=toy", ""},
		{"POST", "/api/v1/manipulate", `{"picture": "` + id + `", "to": "a ball", "alphas": [0, 1]}`},
		{"POST", "/api/v1/interpolate", `{"from": ` + picture + `, "to": {"text": "a ball"}}`},
		{"POST", "/api/v1/interpolate", `{"from": {"text": "a ball"}, "to": ` + picture + `}`},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		request := httptest.NewRequestWithContext(ctx, r.method, r.path, strings.NewReader(r.body))
		request.Header.Set("Content-Type", "application/json")
		request.Host = "localhost"
		if r.method == "POST" { // without a worker it would wait for ever
			cancel()
		}
		a := httptest.NewRecorder()
		s.ServeHTTP(a, request)
		cancel()
		if a.Code >= 500 {
			t.Errorf("%s %s: %d %s", r.method, r.path, a.Code, a.Body)
		}
	}
}

// Whatever a record in a file says, the picture is left out or requests about it are answered.
func FuzzRecord(f *testing.F) {
	s := fuzzed(f, connections.DefaultLimits())
	begin := `{"id": "` + fuzzID + `", "text": "a toy", "noise_mode": "random", "domain": "toys", "width": 4, ` +
		`"height": 4, "truncation_psi": 1, `
	for _, rest := range []string{
		`"kind": "generated", "alpha": 1.5, "seed": 3, "run": "first", "diversity": "style", "inject_index": 2}`,
		`"kind": "manipulated", "alpha": -1, "run": "second", "origin": "x", "origin_text": "a ball", ` +
			`"image_embed": "AACAPwAAgD8AAIA/AACAPwAAgD8AAIA/AACAPwAAgD8=", "diversity": "z", "spread": 0.4}`,
		`"kind": "uploaded", "alpha": null, "seen": "iVBORw0KGgo="}`,
		`"kind": "interpolated", "alpha": 1, "frames": 2, "fps": 8, "target": "y", "target_text": "a"}`,
		`"kind": "generated", "inject_index": 1000000000}`, `"kind": "generated", "truncation_psi": 1e308}`,
		`"kind": "story", "frames": 5, "fps": 1e-300}`, `"kind": "generated", "text": "a\u0000b", "candidates": [{}]}`,
		`"kind": "generated", "refined": {"steps": 1}, "w_offset": "AACAPw==", "networks_sha256": {"clip": "a"}}`,
	} {
		f.Add(begin+rest, strings.Contains(rest, "frames"))
	}
	f.Fuzz(func(t *testing.T, record string, animated bool) {
		folder := t.TempDir()
		if err := writeFuzzed(folder, record, animated); err != nil {
			return // PNG files cannot hold this text
		}
		if err := s.OpenGallery(folder); err != nil {
			t.Fatal(err)
		}
		askAbout(t, s, fuzzID)
	})
}

// Whatever a client sends, in two pieces, its connection ends, no answer is 500, and the server answers others.
func FuzzConnection(f *testing.F) {
	limits := connections.Limits{All: 20, PerAddress: 20, Header: 40 * time.Millisecond, Idle: 40 * time.Millisecond,
		Slack: 40 * time.Millisecond, Rate: 1 << 20, Unread: 20 * time.Millisecond}
	s := fuzzed(f, limits)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(s.Listen(listener))
	for _, c := range begun {
		f.Add([]byte(c.request), 20, false)
		f.Add([]byte(c.request), len(c.request)/2, true)
	}
	whole := `{"text": ""}`
	for _, r := range []string{
		request("GET /healthz", "", "") + request("GET /", "", ""),
		request("POST /api/v1/generate", "Content-Type: application/json\r\nContent-Length: 12", whole),
		request("POST /api/v1/pictures", "Content-Type: image/png\r\nTransfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"),
		request("GET /healthz", "Content-Length: 3\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
		request("GET /healthz", "Connection: upgrade\r\nUpgrade: h2c", ""), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		request("HEAD /openapi.json", "Range: bytes=0-1", ""), request("CONNECT localhost:1", "", ""),
		request("TRACE /%2e%2e//api/v1/pictures/x", "Expect: nothing", ""), "GET / HTTP/1.0\r\n\r\n",
	} {
		f.Add([]byte(r), 10, true)
	}
	f.Fuzz(func(t *testing.T, sent []byte, at int, finish bool) {
		c, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
			t.Fatal(err)
		}
		at = min(max(at, 0), len(sent))
		for _, part := range [][]byte{sent[:at], sent[at:]} {
			if _, err := c.Write(part); err != nil {
				break // the server has closed it
			}
		}
		if finish {
			_ = c.(*net.TCPConn).CloseWrite() // of a connection that may be closed
		}
		got, err := io.ReadAll(c)
		if failed, ok := err.(net.Error); ok && failed.Timeout() {
			t.Fatalf("the connection does not end; the server sent %q", got)
		}
		for from := bufio.NewReader(bytes.NewReader(got)); ; {
			a, err := http.ReadResponse(from, nil)
			if err != nil {
				break // at the end, or in an answer to another method than GET
			}
			if a.StatusCode == http.StatusInternalServerError {
				t.Errorf("%s", got)
			}
			_, _ = io.Copy(io.Discard, a.Body) // what was cut ends the loop
		}
		if r := httptest.NewRecorder(); true {
			other := httptest.NewRequest("GET", "/healthz", nil)
			other.Host = "localhost"
			if s.ServeHTTP(r, other); r.Code != http.StatusOK {
				t.Errorf("%d %s", r.Code, r.Body)
			}
		}
	})
}
