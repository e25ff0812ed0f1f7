package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"illustrator/serve/connections"
)

// contentPolicy lets the page load its own files and nothing else. Pictures are shown from blobs where they need a
// token.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for " +
	"'script'; trusted-types 'none'"

// guard answers every request by the domain that it names: headers, the check of its host and origin, the log, and
// recovery of a panic.
func (s *Server) guard() http.Handler {
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := connections.NewBody(w, r, s.Limits.Connections)
		r = r.WithContext(r.Context()) // a copy: net/http looks at the body of its own
		if body != nil {
			r.Body = body
		}
		began := time.Now()
		seen := &recorder{ResponseWriter: w, conn: connections.From(r.Context()), body: body, limits: s.Limits.Connections}
		defer func() {
			if p := recover(); p != nil {
				s.Log.Error("request failed", "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				if seen.status == 0 {
					writeProblem(seen, problemOf(fmt.Errorf("%v", p)))
				}
			}
			s.logRequest(r, seen, time.Since(began))
			seen.end()
		}()
		h := seen.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		placed, at, p := s.place(r)
		r, seen.domain = placed, at.domain()
		switch {
		case p != nil:
			writeProblem(seen, p)
		case !s.anyHost && s.Token == "" && !isLoopback(r.Host):
			// A page of another site whose name was made to lead here would otherwise be of the same origin. It has no token.
			writeProblem(seen, &problem{status: http.StatusForbidden, Message: "this server answers to localhost only",
				Hint: "start it with a token, or with --listen, to serve others"})
		case origins.Check(s.requested(r)) != nil:
			writeProblem(seen, &problem{status: http.StatusForbidden, Message: "the request comes from a page of another site"})
		case at.folder != "":
			redirect(seen, r, at.folder)
		default:
			at.of.mux.ServeHTTP(seen, r)
		}
	})
}

// isLoopback reports whether the Host header names this machine to itself.
func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// authorized lets requests in that bear the token. Hashes are compared, in a time that tells nothing of the token.
func (s *Server) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Token != "" {
			given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			hash := sha256.Sum256([]byte(given))
			if !ok || subtle.ConstantTimeCompare(hash[:], s.token[:]) != 1 {
				w.Header().Set("WWW-Authenticate", `Bearer realm="illustrator"`)
				writeProblem(w, &problem{status: http.StatusUnauthorized, Message: "the token is missing or wrong",
					Hint: "send Authorization: Bearer TOKEN"})
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// logRequest logs and counts a request. What people write is not logged.
func (s *Server) logRequest(r *http.Request, seen *recorder, took time.Duration) {
	status := seen.status
	if status == 0 {
		status = statusClientLeft
	}
	s.metrics.request(r, seen.domain, status, took)
	level := slog.LevelInfo
	if !strings.HasPrefix(r.URL.Path, "/api/") && status < 400 {
		level = slog.LevelDebug
	}
	s.Log.Log(r.Context(), level, "request", "method", r.Method, "domain", seen.domain, "path", r.URL.Path,
		"status", status, "bytes", seen.bytes, "took", took.Round(time.Millisecond), "from", s.client(r))
}

// statusClientLeft stands in the log where there was nobody to answer; nginx uses the same number.
const statusClientLeft = 499

// recorder remembers what was answered, and limits the time in which the client reads it.
type recorder struct {
	http.ResponseWriter
	conn          *connections.Conn
	body          *connections.Body
	limits        connections.Limits
	status, bytes int
	domain        string
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		if r.body.Unread() { // else net/http would wait for the rest before it answers
			r.Header().Set("Connection", "close")
		}
	}
	r.extend(0)
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.WriteHeader(http.StatusOK)
	}
	r.extend(len(p))
	r.conn.Enter(connections.Writing)
	defer r.conn.Enter(connections.Working)
	n, err := r.ResponseWriter.Write(p)
	r.bytes += n
	return n, err
}

// FlushError implements http.ResponseController's Flush.
func (r *recorder) FlushError() error {
	r.conn.Enter(connections.Writing)
	defer r.conn.Enter(connections.Working)
	return http.NewResponseController(r.ResponseWriter).Flush()
}

// extend gives the client time to read n more bytes. Tests' recorders have no deadlines.
func (r *recorder) extend(n int) {
	deadline := time.Now().Add(r.limits.Allowed(int64(n)))
	_ = http.NewResponseController(r.ResponseWriter).SetWriteDeadline(deadline)
}

// end leaves the connection to net/http, which sends the rest of the answer. What waits for a body has sent all of it.
func (r *recorder) end() {
	if r.body.Unread() {
		_ = r.FlushError() // an error shows when net/http writes
		r.body.Abandon()
	} else {
		r.conn.Enter(connections.Writing)
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
