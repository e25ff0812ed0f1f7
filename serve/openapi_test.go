package serve_test

import (
	"bytes"
	"encoding/json"
	"image"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

func readAPI(t *testing.T, r *running) (*openapi3.T, routers.Router) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(get(t, r.URL+"/openapi.json").body)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(doc.Servers) != 1 || doc.Servers[0].URL != "." { // the router knows no relative address
		t.Errorf("servers: %+v", doc.Servers)
	}
	doc.Servers = nil
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return doc, router
}

// The document describes each route but the page's files and itself, and nothing else; and it has the server's limits.
func TestOpenAPIHasTheRoutes(t *testing.T) {
	r := deaf(t)
	doc, _ := readAPI(t, r)
	var described []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	routes := slices.DeleteFunc(r.server.Patterns(), func(p string) bool {
		return p == "GET /{$}" || p == "GET /assets/{name}" || p == "GET /openapi.json"
	})
	slices.Sort(routes)
	slices.Sort(described)
	if !slices.Equal(routes, described) {
		t.Errorf("routes\n%q\ndescribed\n%q", routes, described)
	}
	text := string(get(t, r.URL+"/openapi.json").body)
	compact := regexp.MustCompile(`\s+`).ReplaceAllString(text, "")
	for _, want := range []string{`"maxLength":100`, `"maximum":9`, `"enum":["first","second"]`, `"popart"`} {
		if !strings.Contains(compact, want) {
			t.Errorf("the document has no %s", want)
		}
	}
}

// What the handlers take and answer is what the document says: of each operation, with its errors.
func TestOpenAPIHoldsForTheHandlers(t *testing.T) {
	r := tiny.serve(t)
	_, router := readAPI(t, r)
	id := r.draw(t, "/api/v1/generate", object{"text": "a toy"}).Pictures[0].ID
	way := r.draw(t, "/api/v1/interpolate", object{"from": object{"picture": id},
		"to": object{"text": "a ball"}}).Pictures[0].ID
	sheet := []string{}
	for _, p := range r.draw(t, "/api/v1/generate", object{"text": "a toy", "alphas": []float64{0.5, 1},
		"count": 2}).Pictures {
		sheet = append(sheet, p.ID)
	}
	book := func(format string) object {
		return object{"format": format, "title": "Toys", "language": "en",
			"paragraphs": []object{{"chapter": "One", "text": "A toy.", "picture": id}}}
	}
	openapi3filter.RegisterBodyDecoder("text/html", openapi3filter.FileBodyDecoder)
	covered := map[string]bool{}
	for _, c := range []struct {
		method, path string
		body         any // an object, or a file
		status       int
	}{
		{"GET", "/api/v1/domain", nil, 200},
		{"POST", "/api/v1/generate", object{"text": "a toy", "count": 2, "runs": []string{"second"}, "diversity": "style",
			"inject_index": 1, "alpha": 1.5, "truncation_psi": 0.9, "seed": 3, "cartoon": "ink", "score": true}, 200},
		{"POST", "/api/v1/generate", object{"text": strings.Repeat("toy ", 24)}, 200},
		{"POST", "/api/v1/generate", object{"text": "a toy", "seeds": []int{5, 3}, "no_projection": true,
			"noise_mode": "random"}, 200},
		{"POST", "/api/v1/generate", object{"text": "a toy", "inject_index": 2}, 200},
		{"POST", "/api/v1/generate", object{"text": "a toy", "count": 2, "best_of": 2, "refine": 2}, 200},
		{"POST", "/api/v1/interpolate", object{"from": object{"text": "a toy"}, "to": object{"picture": id}, "steps": 3,
			"fps": 2.5, "seed": 1, "run": "second", "alpha": 1, "truncation_psi": 0.9}, 200},
		{"POST", "/api/v1/interpolate", object{"from": object{"text": "a toy"}, "to": object{"picture": "none"}}, 404},
		{"GET", "/api/v1/pictures/" + way + "/gif?download", nil, 200},
		{"GET", "/api/v1/pictures/" + way + "/strip", nil, 200},
		{"GET", "/api/v1/pictures/" + way + "/png?still", nil, 200},
		{"GET", "/api/v1/pictures/" + way, nil, 200},
		{"GET", "/api/v1/pictures/" + id + "/gif", nil, 404},
		{"POST", "/api/v1/manipulate", object{"picture": id, "to": "a ball", "alphas": []float64{0.5}, "preview": true},
			200},
		{"POST", "/api/v1/manipulate", object{"picture": "none", "to": "a ball", "alphas": []float64{0.5}}, 404},
		{"POST", "/api/v1/story", object{"story": "One.\n\nTwo.", "run": "second", "own_seeds": true, "diversity": "z",
			"spread": 0.2}, 200},
		{"POST", "/api/v1/pictures?text=a+toy", encodedPNG(t, image.NewGray(image.Rect(0, 0, 9, 9))), 201},
		{"POST", "/api/v1/pictures", []byte("no picture"), 400},
		{"GET", "/api/v1/pictures?query=toy&limit=3", nil, 200},
		{"GET", "/api/v1/pictures/" + id, nil, 200},
		{"GET", "/api/v1/pictures/" + id + "/png?download", nil, 200},
		{"GET", "/healthz", nil, 200},
		{"GET", "/readyz", nil, 200},
		{"GET", "/metrics", nil, 200},
		{"POST", "/api/v1/book", book("html"), 200},
		{"POST", "/api/v1/book", book("pdf"), 200},
		{"POST", "/api/v1/book", book("zip"), 200},
		{"DELETE", "/api/v1/pictures/" + id, nil, 204},
		{"DELETE", "/api/v1/pictures/" + id, nil, 404},
		{"POST", "/api/v1/book", book("html"), 404},
		{"POST", "/api/v1/pictures/" + id + "/restore", nil, 200},
		{"POST", "/api/v1/pictures/" + id + "/restore", nil, 404},
		{"POST", "/api/v1/generate", object{"text": "a toy", "alphas": []float64{0.5, 1.5}, "seeds": []int{5, 3}}, 200},
		{"POST", "/api/v1/story", object{"story": "One.\n\nTwo.", "character": "a doll"}, 200},
		{"PUT", "/api/v1/pictures/" + way + "/favourite", nil, 200},
		{"DELETE", "/api/v1/pictures/" + way + "/favourite", nil, 200},
		{"PUT", "/api/v1/pictures/0000000000000000/favourite", nil, 404},
		{"GET", "/api/v1/pictures?run=first&look=none&favourites", nil, 200},
		{"GET", "/api/v1/pictures/" + way + "/png?scale=2", nil, 200},
		{"GET", "/api/v1/pictures/" + way + "/gif?scale=2", nil, 200},
		{"GET", "/api/v1/pictures/" + way + "/png?scale=16&still", nil, 200},
		{"POST", "/api/v1/pictures?position=1", encodedPNG(t, image.NewGray(image.Rect(0, 0, 19, 9))), 201},
		{"GET", "/api/v1/pictures/" + sheet[0] + "/png?scale=4", nil, 200},
		{"POST", "/api/v1/zip", object{"pictures": []string{way, sheet[0]}}, 200},
		{"POST", "/api/v1/zip", object{"pictures": []string{"none"}}, 404},
		{"POST", "/api/v1/sheet", object{"pictures": sheet}, 200},
		{"POST", "/api/v1/sheet", object{"pictures": sheet[1:]}, 400},
		{"GET", "/api/v1/text?text=a+toy", nil, 200},
		{"GET", "/api/v1/text?text=+", nil, 400},
		{"GET", "/api/v1/jobs/none", nil, 404},
		{"DELETE", "/api/v1/jobs/none", nil, 404},
	} {
		body, kind := []byte(nil), "application/json"
		if file, ok := c.body.([]byte); ok {
			body, kind = file, "image/png"
		} else if c.body != nil {
			var err error
			if body, err = json.Marshal(c.body); err != nil {
				t.Fatal(err)
			}
		}
		request, err := http.NewRequestWithContext(t.Context(), c.method, r.URL+c.path, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", kind)
		route, params, err := router.FindRoute(request)
		if err != nil {
			t.Fatalf("%s %s: %v", c.method, c.path, err)
		}
		covered[c.method+" "+route.Path] = true
		input := &openapi3filter.RequestValidationInput{Request: request, PathParams: params, Route: route,
			Options: &openapi3filter.Options{
				AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true,
				SkipSettingDefaults: true,
			}}
		if err := openapi3filter.ValidateRequest(t.Context(), input); err != nil {
			t.Errorf("%s %s: the document refuses the request: %v", c.method, c.path, err)
		}
		request.Body = io.NopCloser(bytes.NewReader(body))
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != c.status {
			t.Errorf("%s %s: %s %s, %v", c.method, c.path, response.Status, answer, err)
		}
		if response.StatusCode == http.StatusNoContent {
			continue
		}
		output := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: response.StatusCode,
			Header: response.Header, Options: input.Options}
		output.SetBodyBytes(answer)
		if err := openapi3filter.ValidateResponse(t.Context(), output); err != nil {
			t.Errorf("%s %s: the document does not have the answer: %v", c.method, c.path, err)
		}
	}
	if len(covered) < 15 {
		t.Errorf("covered %v", covered)
	}
}

// A request that the document refuses is refused by the handlers too.
func TestOpenAPIRefusesMistakes(t *testing.T) {
	r := deaf(t)
	_, router := readAPI(t, r)
	for _, body := range []string{
		`{}`, `{"text": ""}`, `{"text": "x", "count": 10}`, `{"text": "x", "seed": -1}`, `{"text": "x", "alpha": 11}`,
		`{"text": "x", "cartoon": "none"}`,
		`{"text": "x", "runs": ["third"]}`, `{"text": "x", "diversity": "w"}`, `{"text": "x", "unknown": 1}`,
		`{"text": "x", "best_of": 5}`, `{"text": "x", "refine": 9}`, `{"text": "x", "refine": 1, "diversity": "style"}`,
		`{"text": "x", "refine": 1, "truncation_psi": 0.5}`,
		`{"text": "x", "refine": 1, "inject_index": 1}`, `{"text": "x", "diversity": "z", "inject_index": 1}`,
		`{"text": "x", "diversity": "noise", "spread": 0.5}`,
		`{"text": "x", "diversity": "style", "inject_index": 0}`, `{"text": "x", "inject_index": 1, "spread": 0.5}`,
		`{"text": "x", "diversity": "z", "spread": 0}`,
		`{"text": "x", "alphas": [1, 1]}`, `{"text": "x", "alphas": [1], "alpha": 1}`, `{"text": "x", "alphas": [1],
			"best_of": 2}`,
		`{"text": "x", "alphas": [11]}`, `{"text": "x", "alphas": [1], "no_projection": true}`,
		`{"text": "x", "seeds": [1], "count": 2}`, `{"text": "x", "seeds": [1, 2], "seed": 2}`,
		`{"text": "x", "seeds": [1, 1]}`, `{"text": "x", "noise_mode": "const"}`,
		`{"text": "` + strings.Repeat("x", 101) + `"}`,
	} {
		request, err := http.NewRequestWithContext(t.Context(), "POST", r.URL+"/api/v1/generate", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		route, params, err := router.FindRoute(request)
		if err != nil {
			t.Fatal(err)
		}
		input := &openapi3filter.RequestValidationInput{Request: request, PathParams: params, Route: route,
			Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
		refused := openapi3filter.ValidateRequest(t.Context(), input) != nil
		if a := do(t, "POST", r.URL+"/api/v1/generate", []byte(body),
			map[string]string{"Content-Type": "application/json"}); !refused || a.status != 400 {
			t.Errorf("%s: the document refuses it: %v; the handler: %v", body, refused, a)
		}
	}
}
