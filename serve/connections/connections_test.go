package connections

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

// fakeConn is a connection from an address.
type fakeConn struct {
	net.Conn
	from   string
	closed chan struct{}
	buffer bytes.Buffer
}

func (c *fakeConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(c.from), 1234))
}
func (c *fakeConn) Close() error                { close(c.closed); return nil }
func (c *fakeConn) SetDeadline(time.Time) error { return nil }
func (c *fakeConn) Write(p []byte) (int, error) { return c.buffer.Write(p) }
func (c *fakeConn) Read([]byte) (int, error)    { return 0, io.EOF }

// gone waits until a connection is closed. Without it the test does not end.
func (c *fakeConn) gone() { <-c.closed }

func (c *fakeConn) open() bool {
	select {
	case <-c.closed:
		return false
	default:
		return true
	}
}

// fakeListener accepts what comes through a channel.
type fakeListener chan net.Conn

func (l fakeListener) Accept() (net.Conn, error) {
	c, ok := <-l
	if !ok {
		return nil, net.ErrClosed
	} else if c == nil {
		return nil, os.NewSyscallError("accept4", syscall.EMFILE)
	}
	return c, nil
}
func (l fakeListener) Close() error   { return nil }
func (l fakeListener) Addr() net.Addr { return nil }

// tester lets connections come in.
type tester struct {
	*testing.T
	*Listener
	come fakeListener
}

func newTester(t *testing.T, limits Limits) tester {
	come := make(fakeListener, 1)
	return tester{t, Limit(come, limits, slog.New(slog.DiscardHandler)), come}
}

// accepts lets a connection come in, which the listener must accept.
func (t tester) accepts(from string) (*Conn, *fakeConn) {
	t.Helper()
	inner := &fakeConn{from: from, closed: make(chan struct{})}
	t.come <- inner
	c, err := t.Accept()
	if err != nil || c.(*Conn).Conn != inner {
		t.Fatalf("%s is not accepted: %v", from, err)
	}
	return c.(*Conn), inner
}

// refuses lets a connection come in, which the listener must not accept.
func (t tester) refuses(from, status string) {
	t.Helper()
	inner := &fakeConn{from: from, closed: make(chan struct{})}
	t.come <- inner
	after := &fakeConn{from: "127.0.0.1", closed: make(chan struct{})}
	go func() { t.come <- after }()
	c, err := t.Accept()
	if err != nil || c.(*Conn).Conn != after {
		t.Fatalf("%s is accepted: %v", from, err)
	}
	c.Close()
	if inner.gone(); !bytes.HasPrefix(inner.buffer.Bytes(), []byte("HTTP/1.1 "+status)) {
		t.Errorf("%s: %q", from, inner.buffer.String())
	}
}

// An address has a bound; another, this machine's own and proxies are not held to it. An IPv6 network counts as one.
func TestPerAddress(t *testing.T) {
	for _, c := range []struct{ first, same, other string }{
		{"192.0.2.1", "192.0.2.1", "192.0.2.2"},
		{"192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1"},
		{"2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"},
	} {
		l := newTester(t, Limits{All: 100, PerAddress: 2, Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
		one, _ := l.accepts(c.first)
		two, _ := l.accepts(c.same)
		one.Enter(Working)
		two.Enter(Working)
		l.refuses(c.same, "429 Too Many Requests")
		l.accepts(c.other)
		for _, unbounded := range []string{"127.0.0.1", "::1", "10.1.2.3", "::ffff:10.1.2.3"} {
			for range 5 {
				free, _ := l.accepts(unbounded)
				free.Enter(Working)
			}
		}
		one.Close()
		l.accepts(c.same)
		if open, refused, closed := l.Counts(); open != 23 || refused != 1 || closed != 0 {
			t.Errorf("%d open, %d refused, %d closed", open, refused, closed)
		}
	}
}

// At its bound an address loses what waits for it, not what others have.
func TestAddressLosesItsOwn(t *testing.T) {
	l := newTester(t, Limits{All: 100, PerAddress: 2})
	other, others := l.accepts("192.0.2.9")
	other.Enter(Idle)
	_, first := l.accepts("192.0.2.1")
	_, second := l.accepts("192.0.2.1")
	l.accepts("192.0.2.1")
	if first.gone(); !second.open() || !others.open() {
		t.Error("another connection was closed")
	}
}

// Idle connections are closed first, then new ones and those that wait for bodies, then those that read no answers.
// Of equal ones those of the address that has most are closed first, and never those at work.
func TestOrder(t *testing.T) {
	l := newTester(t, Limits{All: 7})
	l.limits.PerAddress = 100
	working, atWork := l.accepts("192.0.2.1")
	working.Enter(Working)
	var order []*fakeConn
	add := func(p Phase, from string) *Conn {
		c, inner := l.accepts(from)
		c.Enter(p)
		order = append(order, inner)
		return c
	}
	add(Idle, "192.0.2.2")
	add(New, "192.0.2.3")
	add(New, "192.0.2.3")
	add(New, "192.0.2.4")
	add(Reading, "192.0.2.5")
	slow := add(Writing, "192.0.2.6")
	l.mu.Lock()
	slow.since = time.Now().Add(-2 * stalled)
	l.mu.Unlock()
	for i, next := range order {
		c, _ := l.accepts("192.0.2.7")
		c.Enter(Working)
		next.gone()
		for _, later := range append(order[i+1:], atWork) {
			if !later.open() {
				t.Fatalf("after %d: one was closed too early", i)
			}
		}
	}
	inner := &fakeConn{from: "192.0.2.8", closed: make(chan struct{})}
	if _, r := l.admit(inner); r != tooMany {
		t.Errorf("refused for %v", r)
	}
}

// A new connection is not closed before one that has waited longer for a body.
func TestNewcomer(t *testing.T) {
	l := newTester(t, Limits{All: 2})
	body, waits := l.accepts("127.0.0.1")
	body.Enter(Reading)
	_, fresh := l.accepts("127.0.0.1")
	l.accepts("127.0.0.1")
	if waits.gone(); !fresh.open() {
		t.Error("the newer connection was closed")
	}
}

// A listener that drains closes what waits for a request, now and later, and accepts no more.
func TestDrain(t *testing.T) {
	l := newTester(t, Limits{All: 10})
	working, atWork := l.accepts("127.0.0.1")
	working.Enter(Working)
	idle, waits := l.accepts("127.0.0.1")
	idle.Enter(Idle)
	_, begun := l.accepts("127.0.0.1")
	l.Drain()
	waits.gone()
	begun.gone()
	working.Enter(Writing)
	if !atWork.open() {
		t.Error("an answer was cut")
	}
	working.Enter(Idle)
	atWork.gone()
	if _, r := l.admit(&fakeConn{from: "127.0.0.1"}); r != closing {
		t.Errorf("refused for %v", r)
	}
}

// Without a free file a connection that waits is closed; if all are at work, the error is net/http's.
func TestTooManyFiles(t *testing.T) {
	l := newTester(t, Limits{All: 10})
	_, first := l.accepts("127.0.0.1")
	second, _ := l.accepts("127.0.0.1")
	second.Enter(Working)
	go func() { l.come <- nil; l.come <- &fakeConn{from: "127.0.0.1", closed: make(chan struct{})} }()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	first.gone()
	c.(*Conn).Enter(Working)
	l.come <- nil
	if _, err := l.Accept(); !errors.Is(err, syscall.EMFILE) {
		t.Errorf("%v", err)
	}
}

// deadlines is a ResponseWriter that keeps the deadlines that are set.
type deadlines struct {
	http.ResponseWriter
	read []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.read = append(d.read, t); return nil }

// A client earns time by what it sends; at the end of the body it has as much as it likes.
func TestPace(t *testing.T) {
	w := &deadlines{}
	r := httptest.NewRequest(http.MethodPost, "/", iotest.OneByteReader(bytes.NewReader(make([]byte, 3))))
	b := NewBody(w, r, Limits{Slack: time.Second, Rate: 2})
	if !b.Unread() {
		t.Error("it is read")
	}
	if _, err := io.ReadAll(b); err != nil || b.Unread() {
		t.Errorf("unread: %v, %v", b.Unread(), err)
	}
	last := len(w.read) - 1
	for i, want := range []time.Duration{0, 0, time.Second / 2, time.Second, 3 * time.Second / 2} {
		if got := w.read[i].Sub(w.read[0]); i < last && got != want {
			t.Errorf("deadline %d: %v after the first, want %v", i, got, want)
		}
	}
	if last != 5 || !w.read[last].IsZero() {
		t.Errorf("deadlines %v", w.read)
	}
	if NewBody(w, httptest.NewRequest(http.MethodGet, "/", nil), Limits{}).Unread() || !w.read[last+1].IsZero() {
		t.Error("a request without a body")
	}
	if allowed := DefaultLimits().Allowed(8 << 20); allowed < 4*time.Minute {
		t.Errorf("the largest upload may take %v", allowed)
	}
}

// A body that fails is unread.
func TestFailingBody(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", iotest.ErrReader(errors.New("lost")))
	b := NewBody(&deadlines{}, r, DefaultLimits())
	if _, err := io.ReadAll(b); err == nil || !b.Unread() {
		t.Errorf("unread: %v, %v", b.Unread(), err)
	}
}
