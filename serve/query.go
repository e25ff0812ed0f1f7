package serve

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// parameters are an operation's query parameters: the values that each may have, or nil for any.
type parameters map[string][]string

// queryParameters returns the query parameters of all operations in the API's document, keyed as the patterns of
// http.ServeMux: "GET /api/v1/pictures".
func queryParameters(api []byte) (map[string]parameters, error) {
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(api, &doc); err != nil {
		return nil, err
	}
	all := map[string]parameters{}
	for path, operations := range doc.Paths {
		for method, text := range operations {
			if method == "parameters" { // of the path
				continue
			}
			var operation struct {
				Parameters []struct {
					Name, In string
					Schema   struct{ Enum []string }
				}
			}
			if err := json.Unmarshal(text, &operation); err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			named := parameters{}
			for _, p := range operation.Parameters {
				if p.In == "query" {
					named[p.Name] = p.Schema.Enum
				}
			}
			all[strings.ToUpper(method)+" "+path] = named
		}
	}
	return all, nil
}

// checkQuery refuses requests with parameters or values that the document does not list, before next answers.
func (s *Server) checkQuery(p parameters, next http.HandlerFunc) http.HandlerFunc {
	hint := "this path has no parameters"
	if len(p) > 0 {
		hint = "choose among " + strings.Join(slices.Sorted(maps.Keys(p)), ", ")
	}
	return func(w http.ResponseWriter, r *http.Request) {
		given := r.URL.Query()
		for _, name := range slices.Sorted(maps.Keys(given)) {
			values, ok := p[name]
			if !ok {
				s.fail(w, r, badField(name, "the parameter is unknown", hint))
				return
			}
			if v := given.Get(name); values != nil && !slices.Contains(values, v) {
				s.fail(w, r, badField(name, fmt.Sprintf("it is %q", v), "give the name alone, or "+values[len(values)-1]))
				return
			}
		}
		next(w, r)
	}
}
