package serve

import "net"

// Listen answers on a listener without a worker. End with stop.
func (s *Server) Listen(listener net.Listener) (stop func()) {
	server, held := s.httpServer(listener)
	go server.Serve(held)
	return func() { server.Close() }
}

// Patterns lists the routes of a server.
func (s *Server) Patterns() []string {
	var patterns []string
	for _, r := range s.routes(nil) {
		patterns = append(patterns, r.pattern)
	}
	return patterns
}
