package connections

import (
	"io"
	"net/http"
	"time"
)

// Body is a request's body that must keep the pace of Limits.
type Body struct {
	io.ReadCloser
	conn    *Conn
	control *http.ResponseController
	limits  Limits
	began   time.Time
	n       int64
	ended   bool // it was read to its end
}

// NewBody returns the body of a request, nil if it has none, and sets the deadline of its connection.
func NewBody(w http.ResponseWriter, r *http.Request, limits Limits) *Body {
	control := http.NewResponseController(w)
	if r.Body == nil || r.Body == http.NoBody {
		_ = control.SetReadDeadline(time.Time{}) // net/http ends the request's context when a deadline passes
		return nil
	}
	b := &Body{ReadCloser: r.Body, conn: From(r.Context()), control: control, limits: limits, began: time.Now()}
	b.wait(limits.Slack)
	return b
}

// wait lets the client send until the given time after the request came. Tests' recorders have no deadlines.
func (b *Body) wait(allowed time.Duration) { _ = b.control.SetReadDeadline(b.began.Add(allowed)) }

// Read implements io.Reader.
func (b *Body) Read(p []byte) (int, error) {
	if b.ended {
		return 0, io.EOF
	}
	b.conn.Enter(Reading)
	b.wait(b.limits.Allowed(b.n))
	n, err := b.ReadCloser.Read(p)
	b.conn.Enter(Working)
	if b.n += int64(n); err == io.EOF {
		b.ended = true
		_ = b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

// Unread reports whether the client may have to send more of the body. A nil Body is read.
func (b *Body) Unread() bool { return b != nil && !b.ended }

// Abandon gives the client a short time to send the rest of an unread body, which net/http reads. It closes the
// connection then.
func (b *Body) Abandon() {
	if b.Unread() {
		_ = b.control.SetReadDeadline(time.Now().Add(b.limits.Unread))
		b.conn.Enter(Reading)
	}
}

// maxSkip bounds what is read of a refused request.
const maxSkip = 64 << 10

// skip reads what a client still sends.
func skip(r io.Reader) { _, _ = io.CopyN(io.Discard, r, maxSkip) }
