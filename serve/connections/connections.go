// Package connections bounds the connections of an HTTP server, in all and by address, and the time that clients take
// to send and to read. At a bound it closes a connection that waits for its client; if none does, it refuses the new
// one.
package connections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Limits bound connections and the time that they wait for their clients.
type Limits struct {
	All int // connections at once
	// PerAddress bounds those of one IPv4 address, or of an IPv6 network of 64 bits; 0 sets no bound. It does not apply to
	// loopback addresses and to Proxies, which connect for many clients.
	PerAddress int
	Proxies    []netip.Prefix

	Header time.Duration // from a request's first byte to the end of its header
	Idle   time.Duration // between two requests
	// Slack and Rate limit bodies and answers: n bytes may take Slack and n / Rate seconds.
	Slack time.Duration
	Rate  int
	// Unread is the time that a client has to send the rest of a body that no handler reads. The answer is sent before.
	Unread time.Duration
}

// DefaultLimits are those of `illustrator serve`.
func DefaultLimits() Limits {
	return Limits{
		All: 512, PerAddress: 128, Header: 10 * time.Second, Idle: 2 * time.Minute,
		Slack: 15 * time.Second, Rate: 32 << 10, Unread: time.Second,
	}
}

// Allowed returns the time in which a client must send or read n bytes.
func (l Limits) Allowed(n int64) time.Duration {
	return l.Slack + time.Duration(float64(n)/float64(l.Rate)*float64(time.Second))
}

// Phase says what a connection waits for.
type Phase int

// The phases. Listener closes connections of the first four: idle ones first, those that do not read last.
const (
	Idle    Phase = iota // between two requests
	New                  // its first header is not complete
	Reading              // waits for a body
	Writing              // waits for its client to read
	Working              // its request is being answered
)

// rank orders phases by how much is lost when a connection is closed. One that has just come is not closed before one
// that has waited for a body: its header is on its way.
func (p Phase) rank() int {
	if p == Reading {
		return int(New)
	}
	return int(p)
}

// stalled is the time after which a write counts as waiting for the client.
const stalled = time.Second

// Listener accepts connections within limits. Its methods may be called by any goroutine.
type Listener struct {
	net.Listener
	limits Limits
	log    *slog.Logger

	refused, closed atomic.Uint64
	farewells       chan struct{} // bounds the answers to refused clients that wait to be read

	mu       sync.Mutex
	open     map[*Conn]bool
	count    map[netip.Addr]int
	draining bool
	warned   time.Time
}

// Limit returns a listener that holds a server's connections to limits. The server must call Track.
func Limit(inner net.Listener, limits Limits, log *slog.Logger) *Listener {
	return &Listener{Listener: inner, limits: limits, log: log, farewells: make(chan struct{}, 16),
		open: map[*Conn]bool{}, count: map[netip.Addr]int{}}
}

// Conn is a connection of a Listener.
type Conn struct {
	net.Conn
	of      *Listener
	address netip.Addr // of its client, as it is counted; invalid if no bound holds for it

	phase Phase // with the listener's lock
	since time.Time
}

type key struct{}

// Context is http.Server.ConnContext.
func (l *Listener) Context(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, key{}, c)
}

// From returns the connection of a request's context, nil where the server has no Listener.
func From(ctx context.Context) *Conn {
	c, _ := ctx.Value(key{}).(*Conn)
	return c
}

// Track is http.Server.ConnState.
func (l *Listener) Track(c net.Conn, state http.ConnState) {
	own, ok := c.(*Conn)
	switch {
	case !ok:
	case state == http.StateActive:
		own.Enter(Working)
	case state == http.StateIdle:
		own.Enter(Idle)
	case state == http.StateClosed:
		l.forget(own)
	}
}

// Accept returns the next connection that the limits allow. If the process has too many open files, it closes a
// connection that waits for its client.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if (errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)) && l.evictAny() {
			time.Sleep(10 * time.Millisecond) // until its file is closed
			continue
		} else if err != nil {
			return nil, err
		}
		if c, r := l.admit(inner); r == nil {
			return c, nil
		} else {
			l.refuse(inner, r)
		}
	}
}

// admit counts a connection, for which it may close others, or returns the reason to refuse it.
func (l *Listener) admit(inner net.Conn) (c *Conn, r *refusal) {
	c = &Conn{Conn: inner, of: l, address: l.counted(inner.RemoteAddr()), phase: New, since: time.Now()}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.draining {
		return nil, closing
	}
	if c.address.IsValid() && l.count[c.address] >= l.limits.PerAddress &&
		!l.evict(func(other *Conn) bool { return other.address == c.address }) {
		return nil, tooManyOfOne
	}
	if len(l.open) >= l.limits.All && !l.evict(func(*Conn) bool { return true }) {
		return nil, tooMany
	}
	l.open[c] = true
	l.count[c.address]++
	return c, nil
}

// counted returns the address that a client's connections are counted by, an invalid one if they are not bounded.
func (l *Listener) counted(a net.Addr) netip.Addr {
	address := Address(a)
	if l.limits.PerAddress <= 0 || address.IsLoopback() ||
		slices.ContainsFunc(l.limits.Proxies, func(p netip.Prefix) bool { return p.Contains(address) }) {
		return netip.Addr{}
	}
	if address.Is6() {
		network, _ := address.Prefix(64) // it has as many bits
		return network.Addr()
	}
	return address
}

// Address returns the IP address of a network address, invalid where it has none. An IPv4 address in an IPv6 one is an
// IPv4 address.
func Address(a net.Addr) netip.Addr {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// evict closes the connection that has waited longest for its client, of the address that has the most, and reports
// whether there is one. The lock is held.
func (l *Listener) evict(among func(*Conn) bool) bool {
	var victim *Conn
	now := time.Now()
	for c := range l.open {
		if c.phase == Working || c.phase == Writing && now.Sub(c.since) < stalled || !among(c) {
			continue
		}
		if victim == nil || l.before(c, victim) {
			victim = c
		}
	}
	if victim == nil {
		return false
	}
	l.closed.Add(1)
	l.remove(victim)
	go victim.Conn.Close() // the lock must not wait for it
	return true
}

// evictAny closes the connection that evict chooses of all.
func (l *Listener) evictAny() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.evict(func(*Conn) bool { return true })
}

// before reports whether a is closed before b.
func (l *Listener) before(a, b *Conn) bool {
	switch {
	case a.phase.rank() != b.phase.rank():
		return a.phase.rank() < b.phase.rank()
	case l.count[a.address] != l.count[b.address]:
		return l.count[a.address] > l.count[b.address]
	}
	return a.since.Before(b.since)
}

// remove forgets a connection. The lock is held.
func (l *Listener) remove(c *Conn) {
	if !l.open[c] {
		return
	}
	delete(l.open, c)
	if l.count[c.address]--; l.count[c.address] == 0 {
		delete(l.count, c.address)
	}
}

func (l *Listener) forget(c *Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(c)
}

// Enter says that a connection is in a phase from now on. A listener that drains closes it if it waits for a request.
func (c *Conn) Enter(p Phase) {
	if c == nil {
		return
	}
	c.of.mu.Lock()
	c.phase, c.since = p, time.Now()
	leave := c.of.draining && p <= Reading
	c.of.mu.Unlock()
	if leave {
		c.Close()
	}
}

// Close closes a connection.
func (c *Conn) Close() error {
	c.of.forget(c)
	return c.Conn.Close()
}

// CloseWrite ends what is sent: net/http calls it so that a client reads the answer before the connection is closed.
func (c *Conn) CloseWrite() error { return closeWrite(c.Conn) }

func closeWrite(c net.Conn) error {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Drain closes each connection that waits for a request or its body, now and from now on. Answers are finished.
func (l *Listener) Drain() {
	l.mu.Lock()
	l.draining = true
	var waiting []*Conn
	for c := range l.open {
		if c.phase <= Reading {
			waiting = append(waiting, c)
		}
	}
	l.mu.Unlock()
	for _, c := range waiting {
		c.Close()
	}
}

// Counts are the connections that are open, and those that were refused, or closed for others, since the start.
func (l *Listener) Counts() (open int, refused, closed uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.open), l.refused.Load(), l.closed.Load()
}

// refusal is the answer to a connection that is refused.
type refusal struct{ status, message, hint string }

var (
	closing = &refusal{"503 Service Unavailable", "the server shuts down", "try again a little later"}
	tooMany = &refusal{"503 Service Unavailable", "the server has as many connections as it may",
		"try again a little later"}
	tooManyOfOne = &refusal{"429 Too Many Requests", "your address has as many connections as it may",
		"close some, or use them again"}
)

// refuse answers with the reason and closes the connection.
func (l *Listener) refuse(c net.Conn, r *refusal) {
	l.refused.Add(1)
	l.warn(c, r)
	select {
	case l.farewells <- struct{}{}:
	default:
		c.Close()
		return
	}
	go func() {
		defer func() { <-l.farewells }()
		defer c.Close()
		body := fmt.Sprintf(`{"error":%q,"hint":%q}`+"\n", r.message, r.hint)
		_ = c.SetDeadline(time.Now().Add(l.limits.Unread)) // of a connection that may be closed already
		_, _ = fmt.Fprintf(c, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nRetry-After: 1\r\n"+
			"Cache-Control: no-store\r\nConnection: close\r\n\r\n%s", r.status, len(body), body)
		_ = closeWrite(c)
		skip(c) // closed with a request unread, the connection would lose the answer
	}()
}

// warnEvery is the least time between two warnings of refused connections.
const warnEvery = time.Minute

func (l *Listener) warn(c net.Conn, r *refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r == closing || time.Since(l.warned) < warnEvery {
		return
	}
	l.warned = time.Now()
	l.log.Warn("connections are refused", "reason", r.message, "from", c.RemoteAddr(), "open", len(l.open))
}
