package serve

import (
	"embed"
	"net/http"
	"path"
)

// assets are the page: written by hand, and as the browser reads them.
//
//go:embed page
var assets embed.FS

var assetTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

func (s *Server) page(w http.ResponseWriter, r *http.Request) { s.file(w, r, "index.html") }

func (s *Server) asset(w http.ResponseWriter, r *http.Request) { s.file(w, r, r.PathValue("name")) }

func (s *Server) file(w http.ResponseWriter, r *http.Request, name string) {
	content, err := assets.ReadFile(path.Join("page", path.Base(name)))
	if err != nil {
		writeProblem(w, &problem{status: http.StatusNotFound, Message: "this page does not exist"})
		return
	}
	writeBytes(w, assetTypes[path.Ext(name)], content)
}
