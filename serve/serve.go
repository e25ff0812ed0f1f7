// Package serve is the toolkit as a page in the browser and a JSON API: a server in front of one device.
//
// A request that draws is answered on its own connection, as JSON when all is done or as server-sent events while it
// continues. A client that leaves takes its work with it. With ?keep the work is a job: it has an address, and lasts
// for a minute without a reader, so that a page finds it again after a reload or a lost connection.
package serve

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"illustrator/data/texts"
	"illustrator/serve/connections"
	"illustrator/serve/gallery"
	"illustrator/serve/queue"
)

// Options holds a server's settings.
type Options struct {
	// Domains are drawn by one server, each below /domains/NAME/ and the first at the root too.
	Domains []Domain
	// Styles are networks that redraw pictures, beside the classical styles.
	Styles   []Style
	Limits   Limits
	Folder   string // of the gallery; "" keeps it in memory
	BasePath string // below which a proxy serves it, as ParseBasePath returns it
	Token    string // that requests must bear; "" lets all in
	Software string // this program's name and version, for the pictures' metadata
	Grace    time.Duration
	Log      *slog.Logger
}

// Server is the HTTP server: what all domains share.
type Server struct {
	Options
	studios    []*studio // of the domains, in their order
	gallery    *gallery.Gallery
	previews   *gallery.Gallery // in memory: what sliders pass by
	metrics    *metrics
	held       atomic.Pointer[connections.Listener] // nil before Serve
	handler    http.Handler
	token      [sha256.Size]byte
	anyHost    bool // requests may name any host: set where the server listens to others than this machine
	draining   atomic.Bool
	others     chan struct{} // closed by firstDraws: domains other than the first may compile
	firstDraws func()        // says that the first domain has programs to draw with
	answering  atomic.Int64  // requests that draw and are not answered
	drawing    chan struct{} // bounds pictures that are stylised and encoded at once
	converting chan struct{} // bounds requests for other forms of pictures
	uploads    chan struct{} // bounds uploads that are held in memory
	decoding   chan struct{} // bounds those that are decoded at once
}

// New returns a server that draws nothing before Serve. It locks the gallery's folder until Serve or Close returns.
func New(o Options) (*Server, error) {
	if err := checkConnections(o.Limits.Connections); err != nil {
		return nil, err
	}
	s := &Server{
		Options: o, drawing: make(chan struct{}, runtime.GOMAXPROCS(0)), uploads: make(chan struct{}, maxUploads),
		converting: make(chan struct{}, maxConversions),
		decoding:   make(chan struct{}, 1),
		others:     make(chan struct{}),
	}
	s.firstDraws = sync.OnceFunc(func() { close(s.others) })
	var err error
	if s.previews, err = gallery.Open("", previewLimits, nil, o.Log); err != nil {
		return nil, err
	}
	s.metrics = newMetrics(s)
	s.token = sha256.Sum256([]byte(o.Token))
	for _, domain := range o.Domains {
		if err := s.addStudio(domain); err != nil {
			return nil, err
		}
	}
	s.handler = s.guard()
	s.gallery, err = gallery.Open(o.Folder, o.Limits.Gallery, s.checkRecord, o.Log)
	return s, err
}

// Close ends a server that was not served.
func (s *Server) Close() error { return s.gallery.Close() }

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

const (
	maxUploads     = 4 // bounds the memory of uploads
	maxConversions = 16
)

// previewLimits are those of pictures that are looked at once.
var previewLimits = gallery.Limits{Pictures: 500, Bytes: 64 << 20}

// Serve answers on a listener until ctx ends. Then what comes is refused with 503, what was accepted is finished, and
// nil is returned; what takes longer than the grace period is given up, which is an error.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	address, isTCP := listener.Addr().(*net.TCPAddr)
	s.anyHost = isTCP && !address.IP.IsLoopback()
	server, held := s.httpServer(listener)
	defer s.gallery.Close()
	worker, stopWorker := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopWorker(nil)
	worked, served := make(chan error, 1), make(chan error, 1)
	go func() { worked <- s.work(worker) }()
	go func() { served <- server.Serve(held) }()
	select {
	case err := <-worked: // it cannot draw
		server.Close()
		return err
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.draining.Store(true)
	waiting := 0
	for _, of := range s.studios {
		of.queue.Close()
		waiting += of.queue.Waiting()
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Grace)
	defer cancel()
	var err error
	if warm := func(of *studio) bool { return of.warm.Load() }; waiting > 0 || slices.ContainsFunc(s.studios, warm) {
		s.Log.Info("finishing what was accepted", "pictures", waiting)
		err = s.drain(grace, worked, stopWorker)
	} // else it compiles, which takes seconds, cannot be stopped, and has no use
	for _, of := range s.studios {
		of.jobs.running.Wait() // they keep the last pictures
	}
	held.Drain()
	if e := server.Shutdown(grace); e != nil && err == nil {
		if s.answering.Load() > 0 {
			err = fmt.Errorf("some answers were not read within %v", s.Grace)
		}
		s.Log.Warn("connections are closed whose clients did not read their answers", "grace", s.Grace)
	}
	server.Close()
	return err
}

// drain waits until the worker has drawn what was accepted.
func (s *Server) drain(grace context.Context, worked <-chan error, stopWorker context.CancelCauseFunc) error {
	select {
	case err := <-worked:
		return err
	case <-grace.Done():
	}
	err := fmt.Errorf("some pictures were not finished within %v", s.Grace)
	stopWorker(err)
	<-worked // the batch, or the program, that the device is at
	return err
}

// httpServer returns the server of a listener, and the listener that it must serve.
func (s *Server) httpServer(listener net.Listener) (*http.Server, *connections.Listener) {
	limits := s.Limits.Connections
	held := connections.Limit(listener, limits, s.Log)
	s.held.Store(held)
	return &http.Server{
		Handler: s, MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		ConnContext: held.Context, ConnState: held.Track, DisableGeneralOptionsHandler: true,
		// The guard sets these for each request. They hold for what net/http answers without it.
		ReadHeaderTimeout: limits.Header, ReadTimeout: limits.Header + limits.Slack, WriteTimeout: limits.Slack,
		IdleTimeout: limits.Idle,
	}, held
}

// work is the workers of all domains. The first that cannot draw ends the others.
func (s *Server) work(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, len(s.studios))
	var workers sync.WaitGroup
	for i, of := range s.studios {
		workers.Go(func() {
			if errs[i] = of.work(ctx); errs[i] != nil {
				stop()
			}
		})
	}
	workers.Wait()
	return errors.Join(errs...)
}

// health says that the process answers.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	writeBytes(w, "text/plain; charset=utf-8", []byte("ok\n"))
}

// ready says whether work that comes now is taken and begun at once.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	switch {
	case s.draining.Load():
		writeProblem(w, &problem{status: http.StatusServiceUnavailable, Message: queue.ErrClosed.Error(),
			retry: drainRetry})
	case slices.ContainsFunc(s.studios, func(of *studio) bool { return !of.warm.Load() }):
		writeProblem(w, &problem{status: http.StatusServiceUnavailable, Message: "the programs are being compiled",
			retry: time.Second})
	default:
		writeBytes(w, "text/plain; charset=utf-8", []byte("ready\n"))
	}
}

// checkText returns a description without the white space around it.
func (s *Server) checkText(field, text string) (texts.Text, *problem) {
	if n := len([]rune(text)); n > s.Limits.Text {
		return texts.Text{}, badField(field, fmt.Sprintf("it has %d characters", n),
			fmt.Sprintf("write at most %d", s.Limits.Text))
	}
	t, err := texts.New(text)
	if err != nil {
		return texts.Text{}, problemOf(err).at(field)
	}
	return t, nil
}
