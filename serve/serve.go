// Package serve is the toolkit as a page in the browser and a JSON API: a server in front of one device.
//
// A request that draws is answered on its own connection, as JSON when all is done or as server-sent events while it
// continues. A client that leaves takes its work with it. With ?keep the work is a job: it has an address, and lasts
// for a minute without a reader, so that a page finds it again after a reload or a lost connection.
package serve

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/serve/connections"
	"illustrator/serve/gallery"
	"illustrator/serve/queue"
)

// Domain is the description of the domain in the page and the API.
type Domain struct {
	Name, About string
	TextPrompt  string // what any of its pictures shows
	Examples    []string
	Alpha       float64 // eq. 3's, where a request gives none
	// Known are descriptions, which texts are compared with.
	Known []texts.Text
}

// Options holds a server's settings.
type Options struct {
	Domain Domain
	// Models draw: those of the runs that are compared, or the domain's own. They share domain and backend, and the
	// server owns them from now on. Their domain and alpha are those of Domain.
	Models []draw.Model
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

// Server is the HTTP server.
type Server struct {
	Options
	queue    *queue.Queue
	gallery  *gallery.Gallery
	previews *gallery.Gallery // in memory: what sliders pass by
	metrics  *metrics
	// knowledge is nil where the domain has too few descriptions.
	knowledge  *draw.Knowledge
	held       atomic.Pointer[connections.Listener] // nil before Serve
	handler    http.Handler
	token      [sha256.Size]byte
	anyHost    bool // requests may name any host: set where the server listens to others than this machine
	warm       atomic.Bool
	draining   atomic.Bool
	answering  atomic.Int64 // requests that draw and are not answered
	jobs       jobs
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
	o.Models = slices.Clone(o.Models)
	for i := range o.Models {
		o.Models[i].Domain, o.Models[i].Alpha = o.Domain.Name, o.Domain.Alpha
	}
	s := &Server{
		Options: o, drawing: make(chan struct{}, runtime.GOMAXPROCS(0)), uploads: make(chan struct{}, maxUploads),
		converting: make(chan struct{}, maxConversions),
		decoding:   make(chan struct{}, 1),
	}
	var err error
	if s.previews, err = gallery.Open("", previewLimits, nil, o.Log); err != nil {
		return nil, err
	}
	if s.knowledge, err = draw.NewKnowledge(o.Models[0].Networks, o.Domain.Known); err != nil {
		return nil, err
	}
	s.metrics = newMetrics(s)
	s.queue = queue.New(o.Models, queue.Limits{
		Waiting: o.Limits.Waiting, Shapes: o.Limits.Shapes, Batched: s.metrics.batched, Refine: o.Limits.Refine > 0,
		Stepped: s.metrics.stepped,
	})
	s.token = sha256.Sum256([]byte(o.Token))
	api, err := s.openAPI()
	if err != nil {
		return nil, err
	}
	queries, err := queryParameters(api)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, r := range s.routes(api) {
		if named, ok := queries[r.pattern]; ok {
			r.handler = s.checkQuery(named, r.handler)
		}
		if r.open {
			mux.Handle(r.pattern, r.handler)
		} else {
			mux.Handle(r.pattern, s.authorized(r.handler))
		}
	}
	s.handler = s.guard(mux)
	s.gallery, err = gallery.Open(o.Folder, o.Limits.Gallery, s.checkRecord, o.Log)
	return s, err
}

// route is a pattern of http.ServeMux with its handler. An open one asks for no token.
type route struct {
	pattern string
	handler http.HandlerFunc
	open    bool
}

func (s *Server) routes(api []byte) []route {
	return []route{
		{"GET /{$}", s.page, true},
		{"GET /assets/{name}", s.asset, true},
		{"GET /healthz", s.health, true},
		{"GET /readyz", s.ready, true},
		{"GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) { writeBytes(w, "application/json", api) },
			true},
		{"GET /metrics", s.metrics.ServeHTTP, false},
		{"GET /api/v1/domain", s.domain, false},
		{"GET /api/v1/text", s.describeText, false},
		{"POST /api/v1/generate", planned(s, s.planGenerate), false},
		{"POST /api/v1/manipulate", planned(s, s.planManipulate), false},
		{"POST /api/v1/story", planned(s, s.planStory), false},
		{"POST /api/v1/interpolate", planned(s, s.planInterpolate), false},
		{"GET /api/v1/jobs/{id}", s.getJob, false},
		{"DELETE /api/v1/jobs/{id}", s.stopJob, false},
		{"GET /api/v1/pictures", s.findPictures, false},
		{"POST /api/v1/pictures", s.upload, false},
		{"GET /api/v1/pictures/{id}", s.getPicture, false},
		{"GET /api/v1/pictures/{id}/png", s.getPNG, false},
		{"GET /api/v1/pictures/{id}/gif", s.getGIF, false},
		{"GET /api/v1/pictures/{id}/strip", s.getStrip, false},
		{"DELETE /api/v1/pictures/{id}", s.deletePicture, false},
		{"POST /api/v1/pictures/{id}/restore", s.restorePicture, false},
		{"PUT /api/v1/pictures/{id}/favourite", s.setFavourite(true), false},
		{"DELETE /api/v1/pictures/{id}/favourite", s.setFavourite(false), false},
		{"POST /api/v1/zip", s.zip, false},
		{"POST /api/v1/sheet", s.sheet, false},
		{"POST /api/v1/book", s.book, false},
	}
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
	s.queue.Close()
	s.Log.Info("finishing what was accepted", "pictures", s.queue.Waiting())
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Grace)
	defer cancel()
	var err error
	select {
	case err = <-worked:
	case <-grace.Done():
		err = fmt.Errorf("some pictures were not finished within %v", s.Grace)
		stopWorker(err)
		<-worked // the batch that the device is at
	}
	s.jobs.running.Wait() // they keep the last pictures
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

// work is the worker.
func (s *Server) work(ctx context.Context) error {
	began := time.Now()
	if err := s.warmUpStyles(ctx); err != nil {
		return err
	}
	err := s.queue.Run(ctx, func() {
		s.warm.Store(true)
		s.Log.Info("ready to draw", "compiled in", time.Since(began).Round(100*time.Millisecond))
	})
	if err != nil && ctx.Err() != nil {
		return nil // it was stopped
	}
	return err
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
	case !s.warm.Load():
		writeProblem(w, &problem{status: http.StatusServiceUnavailable, Message: "the programs are being compiled",
			retry: time.Second})
	default:
		writeBytes(w, "text/plain; charset=utf-8", []byte("ready\n"))
	}
}

// domain tells a client what it may ask for.
func (s *Server) domain(w http.ResponseWriter, _ *http.Request) {
	first := s.Models[0]
	var runs []string
	for _, m := range s.Models {
		runs = append(runs, m.Name)
	}
	styles := []map[string]string{}
	for _, style := range s.cartoons() {
		styles = append(styles, map[string]string{"name": style.Name, "description": style.Description})
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"name": s.Domain.Name, "about": s.Domain.About, "text_prompt": s.Domain.TextPrompt, "examples": s.Domain.Examples,
		"alpha": s.Domain.Alpha, "size": first.Generator.Size, "layers": first.Generator.NumLayers(), "runs": runs,
		"diversities": draw.Diversities(), "inject_index": draw.DefaultInject, "spread": draw.DefaultSpread,
		"steps": s.defaultSteps(), "fps": defaultFPS,
		"cartoons": styles, "knows": s.knows(), "padded": first.Preprocessor.Pad,
		"limits": map[string]any{
			"text": s.Limits.Text, "story": s.Limits.Story, "pictures": s.Limits.Pictures, "best_of": s.Limits.BestOf,
			"refine": s.Limits.Refine, "frames": s.mostSteps(), "waiting": s.Limits.Waiting,
			"files": maxFiles, "scale": s.mostScale(),
			"upload_bytes": s.Limits.UploadBytes, "upload_pixels": s.Limits.UploadPixels, "seed": maxSeed,
		},
		"gallery_kept": s.Folder != "",
	})
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
