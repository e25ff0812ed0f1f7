package serve

import (
	"math"

	"illustrator/draw"
	"illustrator/serve/gallery"
)

const (
	// maxRecordSeed bounds the seeds of records: a request's first seed is smaller, and JavaScript holds it exactly.
	maxRecordSeed = 1 << 53
	// maxLayers bounds the styles of pictures that another domain's generator drew.
	maxLayers = 64
)

// checkRecord returns the error of a record whose settings no request may have: none of its domain, or of the first
// where the server does not draw its domain.
func (s *Server) checkRecord(r gallery.Record) error {
	if of := s.studio(r.Domain); of != nil {
		return of.checkRecord(r)
	}
	return s.studios[0].checkRecord(r)
}

// checkRecord returns the error of a record whose settings no request of this domain may have.
func (s *studio) checkRecord(r gallery.Record) error {
	m := s.Models[0]
	inject := r.InjectIndex
	if r.Domain != s.Domain.Name && inject <= maxLayers {
		inject = min(inject, m.Generator.NumLayers())
	}
	settings := draw.Settings{
		NoProjection: r.Alpha == nil, Seed: &r.Seed, Diversity: r.Diversity, TruncationPsi: &r.TruncationPsi,
		NoiseMode: r.NoiseMode,
	}
	if r.Alpha != nil {
		alpha := *r.Alpha
		if r.Kind == gallery.Manipulated { // eq. 11 goes both ways
			alpha = math.Abs(alpha)
		}
		settings.Alpha = &alpha
	}
	if inject != 0 {
		settings.InjectIndex = &inject
	}
	if r.Spread != 0 {
		settings.Spread = &r.Spread
	}
	limits := s.limits()
	limits.Seed = maxRecordSeed
	_, err := m.Plan(draw.Spec{Settings: settings}, limits)
	return err
}
