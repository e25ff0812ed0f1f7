package serve

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"illustrator/data/texts"
	"illustrator/draw"
	"illustrator/internal/fault"
	"illustrator/serve/queue"
)

// Domain is a domain that the server draws, and its description in the page and the API.
type Domain struct {
	Name, About string
	TextPrompt  string // what any of its pictures shows
	Examples    []string
	Alpha       float64 // eq. 3's, where a request gives none
	// Known are descriptions, which texts are compared with.
	Known []texts.Text
	// Models draw: those of the runs that are compared, or the domain's own. They share domain and backend, and the
	// server owns them from now on. Their domain and alpha are those of Domain.
	Models []draw.Model
}

// studio draws one domain. It has a queue and a worker of its own, because no batch holds pictures of two domains:
// their programs differ. Gallery, connections and limits are the server's.
type studio struct {
	*Server
	Domain
	queue *queue.Queue
	// knowledge is nil where the domain has too few descriptions.
	knowledge *draw.Knowledge
	device    *deviceMetrics
	mux       *http.ServeMux
	warm      atomic.Bool
	jobs      jobs
}

// addStudio prepares to draw a domain.
func (s *Server) addStudio(d Domain) error {
	if slices.ContainsFunc(s.studios, func(of *studio) bool { return of.Name == d.Name }) {
		return fault.Usage(fmt.Errorf("two domains are called %q", d.Name), "give each a name of its own in its file")
	}
	if strings.Contains(d.Name, "/") && len(s.Domains) > 1 {
		return fault.Field("name", d.Name, "without /, because it is part of the domain's address")
	}
	d.Models = slices.Clone(d.Models)
	for i := range d.Models {
		d.Models[i].Domain, d.Models[i].Alpha = d.Name, d.Alpha
	}
	of := &studio{Server: s, Domain: d, mux: http.NewServeMux()}
	var err error
	if of.knowledge, err = draw.NewKnowledge(d.Models[0].Networks, d.Known); err != nil {
		return err
	}
	of.device = s.metrics.ofDomain(of)
	of.queue = queue.New(d.Models, queue.Limits{
		Waiting: s.Limits.Waiting, Shapes: s.Limits.Shapes, Compiled: of.compiled, Batched: of.device.batched,
		Refine: s.Limits.Refine > 0, Stepped: of.device.stepped,
	})
	s.studios = append(s.studios, of)
	return of.route()
}

// route fills the domain's mux.
func (s *studio) route() error {
	api, err := s.openAPI()
	if err != nil {
		return err
	}
	queries, err := queryParameters(api)
	if err != nil {
		return err
	}
	for _, r := range s.routes(api) {
		if named, ok := queries[r.pattern]; ok {
			r.handler = s.checkQuery(named, r.handler)
		}
		if r.open {
			s.mux.Handle(r.pattern, r.handler)
		} else {
			s.mux.Handle(r.pattern, s.authorized(r.handler))
		}
	}
	return nil
}

// route is a pattern of http.ServeMux with its handler. An open one asks for no token.
type route struct {
	pattern string
	handler http.HandlerFunc
	open    bool
}

func (s *studio) routes(api []byte) []route {
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

// work is the domain's worker. Few cores compile the programs of several domains slowly, so those of the first domain
// draw before others are compiled.
func (s *studio) work(ctx context.Context) error {
	if s == s.studios[0] {
		defer s.firstDraws() // or never will: others must not wait
	} else {
		select {
		case <-s.others:
		case <-ctx.Done():
			return nil
		}
	}
	s.Log.Debug("compiles its programs", "domain", s.Name)
	began := time.Now()
	if err := s.warmUpStyles(ctx); err != nil {
		return err
	}
	err := s.queue.Run(ctx, func() {
		s.warm.Store(true)
		s.Log.Info("ready to draw", "domain", s.Name, "compiled in", time.Since(began).Round(100*time.Millisecond))
	})
	if err != nil && ctx.Err() != nil {
		return nil // it was stopped
	}
	return err
}

// compiled says that the domain draws, when its smallest programs are compiled.
func (s *studio) compiled(pictures int) {
	if pictures != s.Limits.Shapes[0] {
		return
	}
	s.Log.Info("draws the first pictures, and compiles for more at once", "domain", s.Name)
	if s == s.studios[0] {
		s.firstDraws()
	}
}

// domain tells a client what it may ask for.
func (s *studio) domain(w http.ResponseWriter, _ *http.Request) {
	first := s.Models[0]
	var runs []string
	hashes := map[string]map[string]string{}
	for _, m := range s.Models {
		runs = append(runs, m.Name)
		hashes[m.Name] = m.Hashes
	}
	var domains []string
	for _, of := range s.studios {
		domains = append(domains, of.Name)
	}
	styles := []map[string]string{}
	for _, style := range s.cartoons() {
		styles = append(styles, map[string]string{"name": style.Name, "description": style.Description})
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"name": s.Domain.Name, "domains": domains, "about": s.Domain.About, "text_prompt": s.Domain.TextPrompt,
		"examples": s.Domain.Examples,
		"alpha":    s.Domain.Alpha, "size": first.Generator.Size, "layers": first.Generator.NumLayers(), "runs": runs,
		"networks_sha256": hashes,
		"diversities":     draw.Diversities(), "inject_index": draw.DefaultInject, "spread": draw.DefaultSpread,
		"steps": s.defaultSteps(), "fps": defaultFPS,
		"cartoons": styles, "knows": s.knows(), "padded": first.Preprocessor.Pad,
		"limits": map[string]any{
			"text": s.Limits.Text, "story": s.Limits.Story, "pictures": s.Limits.Pictures, "best_of": s.Limits.BestOf,
			"refine": s.Limits.Refine, "frames": s.mostSteps(), "waiting": s.Limits.Waiting,
			"files": maxFiles, "scale": s.mostScale(),
			"upload_bytes": s.Limits.UploadBytes, "upload_pixels": s.Limits.UploadPixels, "seed": maxSeed,
			"alpha": draw.MaxAlpha,
		},
		"gallery_kept": s.Folder != "",
	})
}
