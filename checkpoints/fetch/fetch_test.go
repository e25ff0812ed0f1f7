package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// content is the file that the server has; other is another one of the same size.
var content, other = random(1), random(2)

func random(seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 0))
	data := make([]byte, 300_001)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	return data
}

const etag, otherETag = `"first"`, `"second"`

// serve answers as a good server of data does, ranges included.
func serve(w http.ResponseWriter, r *http.Request, data []byte, etag string) {
	w.Header().Set("ETag", etag)
	http.ServeContent(w, r, "weights.pth", time.Time{}, bytes.NewReader(data))
}

// breakOff sends the first n bytes of what a good server would send and drops the connection.
func breakOff(w http.ResponseWriter, data []byte, etag string, n int) {
	w.Header().Set("ETag", etag)
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	_, _ = w.Write(data[:n])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

// server counts requests from 0 and keeps what they asked for.
type server struct {
	*httptest.Server
	requests atomic.Int32
	ranges   []string
	waits    []time.Duration // that the client would have waited
	log      []string
}

func newServer(t *testing.T, handler func(w http.ResponseWriter, r *http.Request, n int)) *server {
	s := new(server)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ranges = append(s.ranges, r.Header.Get("Range"))
		handler(w, r, int(s.requests.Add(1))-1)
	}))
	t.Cleanup(s.Close)
	return s
}

// client waits for nothing, and gives up on a silent server after a moment.
func (s *server) client() *Client {
	return &Client{
		Tries: 3, Stall: 200 * time.Millisecond,
		Log: func(line string) { s.log = append(s.log, line) },
		backoff: func(least, most time.Duration, try int, resp *http.Response) time.Duration {
			s.waits = append(s.waits, retryablehttp.DefaultBackoff(least, most, try, resp))
			return time.Millisecond
		},
	}
}

func (s *server) file() File {
	return File{URL: s.URL + "/pub/weights.pth", Size: int64(len(content)), SHA256: checkpoints.SHA256(content)}
}

// get downloads the file into dir and checks that it is there whole, or not at all.
func (s *server) get(t *testing.T, file File, dir string) error {
	t.Helper()
	path := filepath.Join(dir, "weights.pth")
	err := s.client().Get(t.Context(), file, path)
	got, readErr := os.ReadFile(path)
	switch {
	case err == nil && !bytes.Equal(got, content):
		t.Errorf("the file has %d bytes, or other ones", len(got))
	case err != nil && readErr == nil:
		t.Errorf("there is a file in spite of %v", err)
	}
	if left, _ := filepath.Glob(path + ".*"); err == nil && len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
	return err
}

// TestGet has servers misbehave. message "" is a download that succeeds; kept is what is left of one that does not.
func TestGet(t *testing.T) {
	for name, c := range map[string]struct {
		handler       func(w http.ResponseWriter, r *http.Request, n int)
		change        func(f *File)
		requests      int
		message, hint string
		kept          int64
	}{
		"good server": {handler: func(w http.ResponseWriter, r *http.Request, _ int) { serve(w, r, content, etag) },
			requests: 1},
		"only the beginning of the hash is known": {
			handler: func(w http.ResponseWriter, r *http.Request, _ int) { serve(w, r, content, etag) },
			change:  func(f *File) { f.Size, f.SHA256 = 0, f.SHA256[:8] }, requests: 1,
		},
		"no length": {
			handler: func(w http.ResponseWriter, _ *http.Request, _ int) {
				_ = http.NewResponseController(w).Flush()
				_, _ = w.Write(content)
			}, requests: 1,
		},
		"connection dropped twice": {
			handler: func(w http.ResponseWriter, r *http.Request, n int) {
				switch n {
				case 0:
					breakOff(w, content, etag, 100_000)
				case 1:
					w.Header().Set("Content-Range", fmt.Sprintf("bytes 100000-%d/%d", len(content)-1, len(content)))
					w.WriteHeader(http.StatusPartialContent)
					breakOff(w, content[100_000:], etag, 50_000)
				}
				serve(w, r, content, etag)
			}, requests: 3,
		},
		"connection dropped each time": {
			handler:  func(w http.ResponseWriter, _ *http.Request, _ int) { breakOff(w, content, etag, 70_000) },
			requests: 3, message: "the connection broke, 3 times without getting further", hint: "resumes from there",
			kept: 70_000,
		},
		"ranges ignored": {
			handler: func(w http.ResponseWriter, r *http.Request, n int) {
				if n == 0 {
					breakOff(w, content, etag, 100_000)
				}
				r.Header.Del("Range")
				serve(w, r, content, etag)
			}, requests: 2,
		},
		"changed file, If-Range understood": {
			handler: func(w http.ResponseWriter, r *http.Request, n int) {
				if n == 0 {
					breakOff(w, other, otherETag, 100_000)
				}
				serve(w, r, content, etag)
			}, requests: 2,
		},
		"changed file, If-Range ignored": {
			handler: func(w http.ResponseWriter, r *http.Request, n int) {
				if n == 0 {
					breakOff(w, other, otherETag, 100_000)
				}
				r.Header.Del("If-Range")
				serve(w, r, content, etag)
			}, requests: 3,
		},
		"changed file, nothing tells": {
			handler: func(w http.ResponseWriter, r *http.Request, n int) {
				if n == 0 {
					breakOff(w, other, "", 100_000)
				}
				serve(w, r, content, "")
			}, requests: 3,
		},
		"wrong range": {
			handler: func(w http.ResponseWriter, r *http.Request, n int) {
				if n == 0 {
					breakOff(w, content, etag, 100_000)
				}
				w.Header().Set("Content-Range", "bytes 5-9/10")
				w.WriteHeader(http.StatusPartialContent)
			}, requests: 2, message: `the server answered with the range "bytes 5-9/10"`, hint: "to begin from byte 0",
			kept: 100_000,
		},
		"a part from the start": {
			handler: func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.Header().Set("Content-Range", "bytes 5-9/10")
				w.WriteHeader(http.StatusPartialContent)
			}, requests: 1, message: "asked for was all from byte 0 on", hint: "does not send whole files",
		},
		"no total": { // bytes a-b/* is legal
			handler: func(w http.ResponseWriter, r *http.Request, n int) {
				if n == 0 {
					breakOff(w, content, etag, 100_000)
				}
				w.Header().Set("Content-Range", fmt.Sprintf("bytes 100000-%d/*", len(content)-1))
				w.WriteHeader(http.StatusPartialContent)
				_, _ = w.Write(content[100_000:])
			}, requests: 2,
		},
		"a part that is called the whole": {
			handler: func(w http.ResponseWriter, r *http.Request, n int) {
				switch n {
				case 0:
					breakOff(w, content, etag, 100_000)
				case 1:
					w.Header().Set("Content-Range", fmt.Sprintf("bytes 100000-%d/%d", len(content)-1, len(content)))
					_, _ = w.Write(content[100_000:])
				default:
					serve(w, r, content, etag)
				}
			}, change: func(f *File) { f.Size, f.SHA256 = 0, "" }, requests: 3,
		},
		"another file each time": {
			handler: func(w http.ResponseWriter, r *http.Request, n int) {
				tag := fmt.Sprintf(`"%d"`, n)
				if r.Header.Get("Range") == "" {
					breakOff(w, content, tag, 100_000)
				}
				r.Header.Del("If-Range")
				serve(w, r, content, tag)
			}, requests: 6, message: "another file at each of 4 requests", hint: "later",
		},
		"a web page": {
			handler: func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_, _ = w.Write([]byte("<html>Log in</html>"))
			}, change: func(f *File) { f.Size, f.SHA256 = 0, "" }, requests: 1, message: "web page", hint: "browser",
		},
		"a drip": {
			handler: func(w http.ResponseWriter, r *http.Request, _ int) {
				w.Header().Set("Content-Length", fmt.Sprint(len(content)))
				for i := range content {
					if _, err := w.Write(content[i : i+1]); err != nil || http.NewResponseController(w).Flush() != nil {
						return
					}
					time.Sleep(20 * time.Millisecond)
				}
			}, requests: 3, message: "sends too slowly: less than 204 bytes in 200ms", hint: "resumes from there", kept: -1,
		},
		"wrong length": {
			handler:  func(w http.ResponseWriter, r *http.Request, _ int) { serve(w, r, content[1:], etag) },
			requests: 1, message: "a file of 300000 bytes; expected 300001", hint: "has changed",
		},
		"too much without a length": {
			handler: func(w http.ResponseWriter, _ *http.Request, _ int) {
				_ = http.NewResponseController(w).Flush()
				_, _ = w.Write(append(content, other...))
			}, requests: 1, message: "more than 300001 bytes",
		},
		"wrong bytes": {
			handler:  func(w http.ResponseWriter, r *http.Request, _ int) { serve(w, r, other, etag) },
			requests: 1, message: "weights.pth has SHA-256 " + checkpoints.SHA256(other) + "; expected " +
				checkpoints.SHA256(content), hint: "thrown away",
		},
		"bytes of another beginning": {
			handler:  func(w http.ResponseWriter, r *http.Request, _ int) { serve(w, r, content, etag) },
			change:   func(f *File) { f.Size, f.SHA256 = 0, "0123abcd" },
			requests: 1, message: "expected 0123abcd…",
		},
		"403": {
			handler:  func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusForbidden) },
			requests: 1, message: "403 Forbidden", hint: "HF_TOKEN",
		},
		"404": {handler: http404, requests: 1, message: "404 Not Found", hint: "not at this address"},
		"404 whose body never comes": {
			handler: func(w http.ResponseWriter, r *http.Request, _ int) { bodiless(w, r, http.StatusNotFound) }, requests: 1,
			message: "404 Not Found", hint: "not at this address",
		},
		"500 whose body never comes": {
			handler: func(w http.ResponseWriter, r *http.Request, _ int) { bodiless(w, r, http.StatusBadGateway) }, requests: 3,
			message: "502 Bad Gateway", hint: "later",
		},
		"redirect whose body never comes": {
			handler: func(w http.ResponseWriter, r *http.Request, n int) {
				if n == 0 {
					w.Header().Set("Location", "/again")
					bodiless(w, r, http.StatusFound)
				}
				serve(w, r, content, etag)
			}, requests: 2,
		},
		"429, then fine": {
			handler: func(w http.ResponseWriter, r *http.Request, n int) {
				if n == 0 {
					w.Header().Set("Retry-After", "7")
					w.WriteHeader(http.StatusTooManyRequests)
					return
				}
				serve(w, r, content, etag)
			}, requests: 2,
		},
		"429 for long": {
			handler: func(w http.ResponseWriter, _ *http.Request, _ int) {
				w.Header().Set("Retry-After", "3600")
				w.WriteHeader(http.StatusTooManyRequests)
			}, requests: 1, message: "429 Too Many Requests", hint: "asks to wait 1h0m0s",
		},
		"500 each time": {
			handler:  func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusInternalServerError) },
			requests: 3, message: "500 Internal Server Error", hint: "later",
		},
		"redirects in a circle": {
			handler:  func(w http.ResponseWriter, r *http.Request, _ int) { http.Redirect(w, r, "/again", http.StatusFound) },
			requests: 10, message: "stopped after 10 redirects",
		},
		"silence in the middle": {
			handler: func(w http.ResponseWriter, r *http.Request, n int) {
				if n == 0 {
					w.Header().Set("ETag", etag)
					w.Header().Set("Content-Length", fmt.Sprint(len(content)))
					_, _ = w.Write(content[:50_000])
					_ = http.NewResponseController(w).Flush()
					<-r.Context().Done()
					return
				}
				serve(w, r, content, etag)
			}, requests: 2,
		},
		"silence from the beginning": {
			handler:  func(_ http.ResponseWriter, r *http.Request, _ int) { <-r.Context().Done() },
			requests: 3, message: "timeout awaiting response headers",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, c.handler)
			file, dir := s.file(), t.TempDir()
			if c.change != nil {
				c.change(&file)
			}
			err := s.get(t, file, dir)
			if (err == nil) != (c.message == "") || err != nil && (!strings.Contains(err.Error(), c.message) ||
				!strings.Contains(fault.HintOf(err), c.hint)) {
				t.Errorf("error %v, hint %q; want %q, hint %q", err, fault.HintOf(err), c.message, c.hint)
			}
			if strings.Contains(strings.Join(s.log, "\n"), "<nil>") {
				t.Errorf("log %q", s.log)
			}
			if got := int(s.requests.Load()); got != c.requests {
				t.Errorf("%d requests, want %d; ranges %q, log %q", got, c.requests, s.ranges, s.log)
			}
			if info, err := os.Stat(filepath.Join(dir, "weights.pth.part")); c.kept >= 0 &&
				(c.message != "" && (err == nil) != (c.kept > 0) || err == nil && info.Size() != c.kept) {
				t.Errorf("kept: %v, %v; want %d bytes", info, err, c.kept)
			}
		})
	}
}

// bodiless announces a body and does not send it.
func bodiless(w http.ResponseWriter, r *http.Request, status int) {
	w.Header().Set("Content-Length", "100")
	w.WriteHeader(status)
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func http404(w http.ResponseWriter, r *http.Request, _ int) { http.NotFound(w, r) }

// A body that breaks off is asked for from where it broke, of the same file alone.
func TestResumeAsksForTheRest(t *testing.T) {
	var ifRange string
	s := newServer(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 0 {
			breakOff(w, content, etag, 123_456)
		}
		ifRange = r.Header.Get("If-Range")
		serve(w, r, content, etag)
	})
	if err := s.get(t, s.file(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if s.ranges[1] != "bytes=123456-" || ifRange != etag {
		t.Errorf("range %q, If-Range %q", s.ranges[1], ifRange)
	}
}

// The waits are those that the server asks for.
func TestRetryAfter(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 0 {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		serve(w, r, content, etag)
	})
	if err := s.get(t, s.file(), t.TempDir()); err != nil || len(s.waits) != 1 || s.waits[0] != 7*time.Second {
		t.Errorf("%v, waits %v", err, s.waits)
	}
}

// An interrupted download keeps what it has, and the next call loads the rest only.
func TestInterrupt(t *testing.T) {
	sent := make(chan struct{})
	s := newServer(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if n > 0 {
			serve(w, r, content, etag)
			return
		}
		w.Header().Set("ETag", etag)
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = w.Write(content[:100_000])
		_ = http.NewResponseController(w).Flush()
		<-sent
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("interrupted")
	client, dir := s.client(), t.TempDir()
	client.Stall = time.Minute
	client.Progress = func(name string, done, total int64) {
		if name != "weights.pth" || total != int64(len(content)) {
			t.Errorf("progress of %q, %d of %d", name, done, total)
		}
		if done == 100_000 {
			cancel(cause)
			close(sent)
		}
	}
	err := client.Get(ctx, s.file(), filepath.Join(dir, "weights.pth"))
	if !errors.Is(err, cause) || !strings.Contains(err.Error(), "100000 bytes are kept") ||
		!strings.Contains(fault.HintOf(err), "resumes") {
		t.Errorf("error %v", err)
	}
	if err := s.get(t, s.file(), dir); err != nil || s.ranges[1] != "bytes=100000-" {
		t.Errorf("%v, ranges %q", err, s.ranges)
	}
}

// A partial file that is complete, and one that is longer than the server's.
func TestRangeBeyondTheEnd(t *testing.T) {
	for kept, requests := range map[int]int{len(content): 1, len(content) + 5: 2} {
		s := newServer(t, func(w http.ResponseWriter, r *http.Request, _ int) { serve(w, r, content, etag) })
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "weights.pth.part"), append(content, other...)[:kept], 0o666); err != nil {
			t.Fatal(err)
		}
		if err := s.get(t, s.file(), dir); err != nil || int(s.requests.Load()) != requests {
			t.Errorf("%d bytes kept: %v, ranges %q", kept, err, s.ranges)
		}
	}
}

// An existing file is verified and not downloaded again.
func TestThereAlready(t *testing.T) {
	s := newServer(t, http404)
	path := filepath.Join(t.TempDir(), "weights.pth")
	for data, good := range map[*[]byte]bool{&content: true, &other: false} {
		if err := os.WriteFile(path, *data, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := s.client().Get(t.Context(), s.file(), path); (err == nil) != good ||
			!good && !strings.Contains(fault.HintOf(err), "remove it") {
			t.Errorf("good %v: %v", good, err)
		}
	}
	if s.requests.Load() != 0 {
		t.Errorf("%d requests", s.requests.Load())
	}
}

// The hub's names, its token, which other origins don't see, and the SHA-256 that it states.
func TestHub(t *testing.T) {
	var leaked string
	storage := newServer(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		leaked += r.Header.Get("Authorization")
		serve(w, r, content, etag)
	})
	// Hosts are told apart by name: both are this machine.
	elsewhere := strings.Replace(storage.URL, "127.0.0.1", "localhost", 1)
	claimed := checkpoints.SHA256(content)
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Path != "/org/repo/resolve/v1/sub/weights.pth" || r.Header.Get("Authorization") != "Bearer secret" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("X-Linked-Etag", `"`+claimed+`"`)
		http.Redirect(w, r, elsewhere+"/blob", http.StatusFound)
	})
	t.Setenv("HF_ENDPOINT", hub.URL)
	t.Setenv("HF_TOKEN", "secret")
	file := File{URL: "hf-hub:org/repo@v1/sub/weights.pth"}
	if err := hub.get(t, file, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if leaked != "" {
		t.Errorf("another host got %q", leaked)
	}
	elsewhere = storage.URL // another port of the same host
	if err := hub.get(t, file, t.TempDir()); err != nil || leaked != "" {
		t.Errorf("another port got %q, %v", leaked, err)
	}
	claimed = checkpoints.SHA256(other)
	if err := hub.get(t, file, t.TempDir()); err == nil || !strings.Contains(err.Error(), "expected "+claimed) {
		t.Errorf("other bytes than the hub states: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	t.Setenv("HF_ENDPOINT", "")
	for _, c := range []struct{ url, mirror, want string }{
		{"https://a.org/x/y.pth?v=1", "", "https://a.org/x/y.pth?v=1"},
		{"https://a.org/x/y.pth", "http://m.org:8080/pub/", "http://m.org:8080/pub/x/y.pth"},
		{"hf-hub:org/repo@v1/y.pt", "", "https://huggingface.co/org/repo/resolve/v1/y.pt"},
		{"hf-hub:org/repo/y.pt", "https://m.org", "https://m.org/org/repo/resolve/main/y.pt"},
		{"hf-hub:org/repo", "", ""}, {"hf-hub:org/repo@/y.pt", "", ""}, {"hf-hub:org/repo/../y.pt", "", ""},
		{"ftp://a.org/y", "", ""}, {"y.pth", "", ""}, {"https://a.org/", "", ""}, {"https://a.org/y.pth", "m.org", ""},
	} {
		got, err := File{URL: c.url}.address(c.mirror)
		if got != c.want || (err == nil) != (c.want != "") || err != nil && !fault.IsUsage(err) {
			t.Errorf("%s by %q: %q, %v; want %q", c.url, c.mirror, got, err, c.want)
		}
	}
	for _, f := range []File{{URL: "https://a.org/y", Size: -1}, {URL: "https://a.org/y", SHA256: "abc"},
		{URL: "https://a.org/y", SHA256: "ABCDEF01"}} {
		if err := f.Validate(); !fault.IsUsage(err) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

func TestNoWayOutOfEncryption(t *testing.T) {
	secure := httptest.NewRequest(http.MethodGet, "https://a.org/x", nil)
	plain := httptest.NewRequest(http.MethodGet, "http://a.org/x", nil)
	if err := checkRedirect(plain, []*http.Request{secure}); !errors.Is(err, errDowngrade) {
		t.Errorf("from https to http: %v", err)
	}
	if again, err := new(Client).checkRetry(t.Context(), nil, errDowngrade); again || err != nil {
		t.Errorf("tried again: %v, %v", again, err)
	}
}

// An unknown name is not retried.
func TestUnknownHost(t *testing.T) {
	unknown := &net.DNSError{Err: "no such host", Name: "a.org", IsNotFound: true}
	if again, err := new(Client).checkRetry(t.Context(), nil,
		&url.Error{Op: "Get", URL: "https://a.org", Err: unknown}); again || err != nil {
		t.Errorf("tried again: %v, %v", again, err)
	}
}

func TestUnreachable(t *testing.T) {
	s := newServer(t, http404)
	file := s.file()
	s.Close()
	if err := s.get(t, file, t.TempDir()); !errors.Is(err, ErrUnreachable) || len(s.waits) != 2 {
		t.Errorf("error %v, waits %v", err, s.waits)
	}
}

// A full disk is said. /dev/full refuses every byte as one does.
func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("needs /dev/full")
	}
	part := filepath.Join(t.TempDir(), "weights.pth.part")
	if err := os.Symlink("/dev/full", part); err != nil {
		t.Fatal(err)
	}
	d := &download{client: new(Client), path: part, total: int64(len(content))}
	err := d.explain(d.receive(bytes.NewReader(content), 0, func(error) {}))
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(fault.HintOf(err),
		"make room (the file has 300001 bytes, 0 of them are here)") {
		t.Errorf("error %v, hint %q", err, fault.HintOf(err))
	}
}
