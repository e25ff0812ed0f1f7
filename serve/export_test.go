package serve

import (
	"net"

	"illustrator/serve/gallery"
)

// OpenGallery replaces a server's gallery by that of a folder.
func (s *Server) OpenGallery(folder string) error {
	if err := s.gallery.Close(); err != nil {
		return err
	}
	g, err := gallery.Open(folder, gallery.Limits{Pictures: 9, Bytes: 1 << 30}, s.checkRecord, s.Log)
	if err == nil {
		s.gallery = g
	}
	return err
}

// HoldConversions takes the places of all conversions until release.
func (s *Server) HoldConversions() (release func()) {
	for range cap(s.converting) {
		s.converting <- struct{}{}
	}
	return func() {
		for range cap(s.converting) {
			<-s.converting
		}
	}
}

// Listen answers on a listener without a worker. End with stop.
func (s *Server) Listen(listener net.Listener) (stop func()) {
	server, held := s.httpServer(listener)
	go server.Serve(held)
	return func() { server.Close() }
}

// Patterns lists the routes of a server.
func (s *Server) Patterns() []string {
	var patterns []string
	for _, r := range s.studios[0].routes(nil) {
		patterns = append(patterns, r.pattern)
	}
	return patterns
}
