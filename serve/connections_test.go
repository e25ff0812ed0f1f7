package serve_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"illustrator/serve"
	"illustrator/serve/connections"
)

// impatient are limits under which slow clients are cut off within a test.
func impatient() connections.Limits {
	return connections.Limits{All: 8, PerAddress: 8, Header: 200 * time.Millisecond, Idle: time.Minute,
		Slack: 200 * time.Millisecond, Rate: 1 << 20, Unread: 100 * time.Millisecond}
}

// listening is a server without a worker whose connections have limits.
func listening(t *testing.T, changes ...func(*serve.Options)) *running {
	t.Helper()
	o, err := tinyOptions()
	if err != nil {
		t.Fatal(err)
	}
	o.Limits.Connections = impatient()
	for _, change := range changes {
		change(&o)
	}
	r := &running{log: &lockedBuffer{}}
	o.Log = slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if r.server, err = serve.New(o); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.server.Listen(listener))
	r.URL = "http://" + listener.Addr().String()
	return r
}

// dial opens a connection that sends what it is given. It gives up after a minute.
func (r *running) dial(t testing.TB, send string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(r.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, send); err != nil {
		t.Fatal(err)
	}
	return c
}

// ends fails the test if the server does not close a connection. It returns what the server sent.
func ends(t testing.TB, what string, c net.Conn) string {
	t.Helper()
	got, err := io.ReadAll(c)
	if failed, ok := err.(net.Error); ok && failed.Timeout() {
		t.Errorf("%s: the connection stays open after %q", what, got)
	}
	return string(got)
}

// healthy fails the test if the server does not answer a new client.
func (r *running) healthy(t testing.TB) {
	t.Helper()
	if a := get(t, r.URL+"/healthz"); a.status != http.StatusOK {
		t.Errorf("%v\n%s", a, r.log)
	}
}

// request is the header of a request, and the beginning of its body.
func request(line, headers, body string) string {
	if headers != "" {
		headers += "\r\n"
	}
	return line + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + body
}

// begun are requests that are not complete. Each is answered, or not, and closed.
var begun = map[string]struct{ request, want string }{
	"a body for health": {request("GET /healthz", "Content-Length: 9", ""), "200 OK"},
	"a chunked one":     {request("GET /healthz", "Transfer-Encoding: chunked", "9\r\nab"), "200 OK"},
	"a large one":       {request("GET /", "Content-Length: 99999999", ""), "200 OK"},
	"no such page":      {request("POST /none", "Content-Length: 9", "abc"), "404 Not Found"},
	"deletes":           {request("DELETE /api/v1/pictures/x", "Content-Length: 9", ""), "404 Not Found"},
	"all options":       {request("OPTIONS *", "Content-Length: 9", ""), "400 Bad Request"},
	"another site":      {request("GET /healthz", "Content-Length: 9\r\nSec-Fetch-Site: cross-site", ""), "200 OK"},
	"asks to continue":  {request("GET /healthz", "Content-Length: 9\r\nExpect: 100-continue", ""), "200 OK"},
	"another type":      {request("POST /api/v1/generate", "Content-Length: 9", ""), "415 Unsupported"},
	"JSON that stops": {request("POST /api/v1/generate", "Content-Type: application/json\r\nContent-Length: 9", "{"),
		"400 Bad Request"},
	"an upload that stops": {request("POST /api/v1/pictures", "Content-Type: image/png\r\nContent-Length: 999", "\x89P"),
		"400 Bad Request"},
	"too large": {request("POST /api/v1/generate", "Content-Type: application/json\r\nContent-Length: 999999",
		strings.Repeat(" ", 300_000)), "413 Request Entity"},
	"no header's end": {"GET /healthz HTTP/1.1\r\nHost: localhost\r\n", ""},
	"half a line":     {"GET /heal", ""},
	"nothing":         {"", ""},
}

// A request that announces more than it sends is answered, and its connection closed, whatever it asks for.
func TestUnreadBodies(t *testing.T) {
	r := listening(t, func(o *serve.Options) { o.Limits.Connections.All = 100 })
	opened := map[string]net.Conn{}
	for name, c := range begun {
		opened[name] = r.dial(t, c.request)
	}
	for name, c := range opened {
		got := ends(t, name, c)
		if want := begun[name].want; !strings.HasPrefix(got, "HTTP/1.1 "+want) && got != want {
			t.Errorf("%s: %q", name, got)
		} else if want != "" && !strings.Contains(got, "\r\nConnection: close\r\n") {
			t.Errorf("%s: the answer does not say that it is the last: %q", name, got)
		}
	}
	r.healthy(t)
}

// Clients that send a byte now and then are cut off, in the header as in the body.
func TestDrips(t *testing.T) {
	r := listening(t)
	for name, begin := range map[string]string{
		"header":        "GET /healthz HTTP/1.1\r\nX-Slow: ",
		"second header": request("GET /healthz", "", "GET /healthz HTTP/1.1\r\nX-Slow: "),
		"unread body":   request("GET /healthz", "Content-Length: 99999", ""),
		"JSON": request("POST /api/v1/story", "Content-Type: application/json\r\nContent-Length: 99999",
			""),
		"upload": request("POST /api/v1/pictures", "Content-Type: image/png\r\nContent-Length: 999999", ""),
		"chunks": request("POST /api/v1/pictures", "Content-Type: image/png\r\nTransfer-Encoding: chunked",
			"fffff\r\n"),
	} {
		c := r.dial(t, begin)
		go func() {
			for {
				if _, err := c.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}()
		ends(t, name, c)
	}
	r.healthy(t)
}

// A client that asks and asks but reads nothing is cut off.
func TestClientThatDoesNotRead(t *testing.T) {
	r := listening(t)
	c := r.dial(t, "")
	requests := strings.Repeat(request("GET /openapi.json", "", ""), 100)
	for {
		if _, err := io.WriteString(c, requests); err != nil {
			if failed, ok := err.(net.Error); ok && failed.Timeout() {
				t.Error("the connection stays open")
			}
			break
		}
	}
	r.healthy(t)
}

// Requests that come at once on one connection are answered in their order.
func TestPipeline(t *testing.T) {
	r := listening(t)
	body := `{"text": ""}`
	one := request("GET /healthz", "", "") + request("POST /api/v1/generate",
		fmt.Sprintf("Content-Type: application/json\r\nContent-Length: %d", len(body)), body)
	c := r.dial(t, strings.Repeat(one, 20))
	from := bufio.NewReader(c)
	for i := range 40 {
		a, err := http.ReadResponse(from, nil)
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		if _, err := io.Copy(io.Discard, a.Body); err != nil || a.StatusCode != []int{200, 400}[i%2] {
			t.Errorf("answer %d: %s, %v", i, a.Status, err)
		}
		a.Body.Close()
	}
}

// Connections that wait for their clients make room for new ones: idle ones and those whose requests are not complete.
func TestHoarding(t *testing.T) {
	r := listening(t, func(o *serve.Options) {
		o.Limits.Connections = connections.DefaultLimits() // no deadline passes during the test
		o.Limits.Connections.All = 8
	})
	for name, send := range map[string]string{
		"idle":   request("GET /healthz", "", ""),
		"silent": "",
		"header": "GET /healthz HTTP/1.1\r\n",
		"unread": request("GET /healthz", "Content-Length: 9", ""),
		"body":   request("POST /api/v1/generate", "Content-Type: application/json\r\nContent-Length: 9", ""),
	} {
		first := r.dial(t, send)
		if name == "idle" || name == "unread" {
			if _, err := http.ReadResponse(bufio.NewReader(first), nil); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for range 20 {
			r.dial(t, send)
			time.Sleep(5 * time.Millisecond) // for the server to read it
			r.healthy(t)
		}
		ends(t, name, first)
	}
	for _, want := range []string{"illustrator_connections ", "illustrator_connections_closed_total ",
		"illustrator_connections_refused_total 0\n"} {
		if text := string(get(t, r.URL+"/metrics").body); !strings.Contains(text, want) {
			t.Errorf("the metrics have no %q", want)
		}
	}
}

// Requests that are at work are not closed for new connections, which are refused with an answer.
func TestFull(t *testing.T) {
	r := listening(t, func(o *serve.Options) { o.Limits.Connections.All = 2 })
	body := `{"text": "a toy"}`
	ask := request("POST /api/v1/generate", fmt.Sprintf("Content-Type: application/json\r\n"+
		"Accept: text/event-stream\r\nContent-Length: %d", len(body)), body)
	var busy []*bufio.Reader
	for range 2 {
		c := r.dial(t, ask)
		from := bufio.NewReader(c)
		a, err := http.ReadResponse(from, nil)
		if err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("%v, %v", a, err)
		}
		line, err := bufio.NewReader(a.Body).ReadString('\n')
		if err != nil || line != "event: accepted\n" {
			t.Fatalf("%q, %v", line, err)
		}
		if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil { // longer than the slack
			t.Fatal(err)
		}
		busy = append(busy, from)
	}
	third := r.dial(t, request("GET /healthz", "", ""))
	if got := ends(t, "a third", third); !strings.HasPrefix(got, "HTTP/1.1 503 ") || !strings.Contains(got, `"hint"`) ||
		!strings.Contains(got, "Retry-After: 1\r\n") {
		t.Errorf("a third: %q", got)
	}
	for i, from := range busy {
		rest, err := io.ReadAll(from)
		if failed, ok := err.(net.Error); !ok || !failed.Timeout() {
			t.Errorf("stream %d ends with %q, %v", i, rest, err)
		}
	}
	if text := r.log.String(); !strings.Contains(text, "connections are refused") {
		t.Errorf("the log has no word of it:\n%s", text)
	}
}

// A shutdown finishes within its grace period whatever connections are open, and no work is lost.
func TestShutdownWithOpenConnections(t *testing.T) {
	r := tiny.serve(t, func(o *serve.Options) {
		o.Limits.Connections.All, o.Limits.Connections.Slack = 100, 2*time.Second
	})
	for name, c := range begun {
		if !strings.HasPrefix(name, "too large") {
			r.dial(t, c.request)
		}
	}
	r.dial(t, request("GET /healthz", "", ""))
	r.dial(t, strings.Repeat(request("GET /openapi.json", "", ""), 1000))
	if a := r.draw(t, "/api/v1/generate", object{"text": "a toy"}); len(a.Pictures) != 1 {
		t.Errorf("%+v", a)
	}
	r.stop()
	<-r.ended
	if r.err != nil {
		t.Errorf("%v\n%s", r.err, r.log)
	}
}
