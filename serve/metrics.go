package serve

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics holds the metrics of /metrics.
type metrics struct {
	http.Handler
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	gone     prometheus.Counter
}

// deviceMetrics count what the device does for a domain.
type deviceMetrics struct {
	batches  prometheus.Histogram
	joined   prometheus.Histogram
	device   prometheus.Counter
	pictures prometheus.Counter
	steps    prometheus.Counter
}

func newMetrics(s *Server) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "illustrator_http_requests_total",
			Help: "Requests answered."}, []string{"domain", "route", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "illustrator_http_request_seconds", Help: "Time from a request to the end of its answer.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2.5, 10),
		}, []string{"domain", "route"}),
		gone: prometheus.NewCounter(prometheus.CounterOpts{Name: "illustrator_requests_cancelled_total",
			Help: "Requests whose client left before its pictures were done."}),
	}
	counter := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, value)
	}
	m.registry.MustRegister(m.requests, m.seconds, m.gone,
		gauge("illustrator_gallery_pictures", "Pictures in the gallery.",
			func() float64 { n, _ := s.gallery.Size(); return float64(n) }),
		gauge("illustrator_gallery_bytes", "Bytes of the gallery's pictures.",
			func() float64 { _, n := s.gallery.Size(); return float64(n) }),
		gauge("illustrator_connections", "Open connections.",
			func() float64 { n, _, _ := s.connections(); return float64(n) }),
		counter("illustrator_connections_refused_total", "Connections refused at a bound.",
			func() float64 { _, n, _ := s.connections(); return float64(n) }),
		counter("illustrator_connections_closed_total", "Waiting connections closed at a bound to accept others.",
			func() float64 { _, _, n := s.connections(); return float64(n) }),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.Handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
	return m
}

func gauge(name, help string, value func() float64) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

// ofDomain adds the metrics of a domain, which have its name as a label.
func (m *metrics) ofDomain(s *studio) *deviceMetrics {
	sizes := []float64{1, 2, 4, 8, 16, 32}
	d := &deviceMetrics{
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "illustrator_batch_pictures",
			Help: "Pictures of a batch.", Buckets: sizes}),
		joined: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "illustrator_batch_requests",
			Help: "Requests that a batch's pictures are of.", Buckets: sizes}),
		device: prometheus.NewCounter(prometheus.CounterOpts{Name: "illustrator_device_seconds_total",
			Help: "Time that the device was busy with batches and steps."}),
		pictures: prometheus.NewCounter(prometheus.CounterOpts{Name: "illustrator_pictures_total", Help: "Pictures drawn."}),
		steps: prometheus.NewCounter(prometheus.CounterOpts{Name: "illustrator_refine_steps_total",
			Help: "Steps that refinements took, each picture's by itself."}),
	}
	prometheus.WrapRegistererWith(prometheus.Labels{"domain": s.Name}, m.registry).MustRegister(
		d.batches, d.joined, d.device, d.pictures, d.steps,
		gauge("illustrator_queue_pictures", "Pictures that wait for the device.",
			func() float64 { return float64(s.queue.Waiting()) }))
	return d
}

func (s *Server) connections() (open int, refused, closed uint64) {
	if held := s.held.Load(); held != nil {
		return held.Counts()
	}
	return 0, 0, 0
}

// request counts a request under its route, of which there are few.
func (m *metrics) request(r *http.Request, domain string, code int, took time.Duration) {
	route := r.Pattern
	if route == "" {
		route = "none"
	}
	m.requests.WithLabelValues(domain, route, strconv.Itoa(code)).Inc()
	m.seconds.WithLabelValues(domain, route).Observe(took.Seconds())
}

func (m *deviceMetrics) batched(pictures, requests int, took time.Duration) {
	m.batches.Observe(float64(pictures))
	m.joined.Observe(float64(requests))
	m.pictures.Add(float64(pictures))
	m.device.Add(took.Seconds())
}

func (m *deviceMetrics) stepped(pictures int, took time.Duration) {
	m.steps.Add(float64(pictures))
	m.device.Add(took.Seconds())
}

func (m *metrics) left() { m.gone.Inc() }
