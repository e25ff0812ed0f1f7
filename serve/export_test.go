package serve

// Patterns lists the routes of a server.
func (s *Server) Patterns() []string {
	var patterns []string
	for _, r := range s.routes(nil) {
		patterns = append(patterns, r.pattern)
	}
	return patterns
}
