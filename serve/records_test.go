package serve_test

import (
	"errors"
	"image"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"illustrator/internal/files"
	"illustrator/serve"
)

// Whatever the server draws is in the gallery after the next start: its own records are valid. A folder has one server.
func TestGalleryOutlivesTheServer(t *testing.T) {
	folder := t.TempDir()
	in := func(o *serve.Options) {
		o.Folder = folder
		o.Limits.Gallery.Pictures, o.Limits.Gallery.Bytes = 1000, 1<<30
	}
	r := tiny.serve(t, in)
	text := object{"text": "a toy"}
	with := func(fields object) object {
		all := object{}
		for _, some := range []object{text, fields} {
			for name, value := range some {
				all[name] = value
			}
		}
		return all
	}
	for _, request := range []object{
		text, with(object{"count": 2}), with(object{"diversity": "style", "truncation_psi": -0.5, "seed": uint64(9e15)}),
		with(object{"inject_index": 0}), with(object{"no_projection": true, "cartoon": "ink"}), with(object{"alpha": 10}),
		with(object{"count": 2, "best_of": 2, "refine": 2}), with(object{"score": true, "spread": 1}),
	} {
		r.draw(t, "/api/v1/generate", request)
	}
	one := r.draw(t, "/api/v1/generate", with(object{"diversity": "style"})).Pictures[0].ID
	mine := decode[picture](t, r.upload(t, "image/png", encodedPNG(t, image.NewGray(image.Rect(0, 0, 99, 50))))).ID
	for _, id := range []string{one, mine} {
		r.draw(t, "/api/v1/manipulate", object{"picture": id, "to": "a ball", "alphas": []float64{-10, 0, 1}})
		r.draw(t, "/api/v1/interpolate", object{"from": object{"picture": id}, "to": text, "steps": 3, "fps": 0.1})
	}
	r.draw(t, "/api/v1/story", object{"story": "One.\n\nTwo.", "own_seeds": true, "seed": uint64(9e15)})
	before := decode[drawing](t, get(t, r.URL+"/api/v1/pictures?limit=200"))
	o := serve.Options{Folder: folder, Limits: testLimits(), Log: slog.New(slog.DiscardHandler)}
	o.Domains = tiny.once.Domains
	if _, err := serve.New(o); !errors.Is(err, files.ErrInUse) {
		t.Errorf("a second server: %v", err)
	}
	r = tiny.serve(t, in)
	after := decode[drawing](t, get(t, r.URL+"/api/v1/pictures?limit=200"))
	if len(after.Pictures) != len(before.Pictures) || len(after.Pictures) != 22 ||
		strings.Contains(r.log.String(), "left out") {
		t.Errorf("%d pictures were %d\n%s", len(after.Pictures), len(before.Pictures), r.log)
	}
	r.draw(t, "/api/v1/manipulate", object{"picture": mine, "to": "a ball", "alphas": []float64{1}})
}

// A record that no request could have made is left out, by field; one of another domain cannot make a request fail.
func TestRecordsOfOthers(t *testing.T) {
	s := fuzzed(t, testLimits().Connections)
	begin := `{"id": "` + fuzzID + `", "kind": "generated", "text": "a toy", "noise_mode": "random", "width": 4, ` +
		`"height": 4, "run": "first", "image_embed": "AACAPwAAgD8AAIA/AACAPwAAgD8AAIA/AACAPwAAgD8=", `
	for record, known := range map[string]bool{
		`"domain": "toys", "alpha": 1, "truncation_psi": 1}`:                                        true,
		`"domain": "toys", "alpha": 1, "truncation_psi": 1, "inject_index": 1000000000}`:            false,
		`"domain": "toys", "alpha": 1, "truncation_psi": 1, "inject_index": -1}`:                    false,
		`"domain": "toys", "alpha": 1, "truncation_psi": 1e308}`:                                    false,
		`"domain": "toys", "alpha": 1e308, "truncation_psi": 1}`:                                    false,
		`"domain": "toys", "alpha": -1, "truncation_psi": 1}`:                                       false,
		`"domain": "toys", "alpha": 1, "truncation_psi": 1, "kind": "manipulated", "alpha": -1}`:    true,
		`"domain": "toys", "alpha": 1, "truncation_psi": 1, "seed": 18446744073709551615}`:          false,
		`"domain": "toys", "alpha": 1, "truncation_psi": 1, "diversity": "w"}`:                      false,
		`"domain": "toys", "alpha": 1, "truncation_psi": 1, "diversity": "z", "spread": 7}`:         false,
		`"domain": "toys", "alpha": 1, "truncation_psi": 1, "noise_mode": "const"}`:                 false,
		`"domain": "others", "alpha": 1, "truncation_psi": 1, "inject_index": 18}`:                  true,
		`"domain": "others", "alpha": 1, "truncation_psi": 1, "inject_index": 1000000000}`:          false,
		`"domain": "others", "alpha": 1, "truncation_psi": 1, "run": "none"}`:                       true,
		`"domain": "others", "kind": "uploaded", "alpha": null, "truncation_psi": 1, "seen": ""}`:   false,
		`"domain": "others", "kind": "uploaded", "alpha": null, "inject_index": 18, "seed": 3}`:     true,
		`"domain": "others", "kind": "interpolated", "alpha": 1, "frames": 2, "fps": 8, "seed": 3}`: false,
	} {
		folder := t.TempDir()
		if err := writeFuzzed(folder, begin+record, false); err != nil {
			t.Fatal(err)
		}
		if err := s.OpenGallery(folder); err != nil {
			t.Fatal(err)
		}
		askAbout(t, s, fuzzID)
		request := httptest.NewRequestWithContext(t.Context(), "GET", "/api/v1/pictures/"+fuzzID, nil)
		request.Host = "localhost"
		a := httptest.NewRecorder()
		if s.ServeHTTP(a, request); (a.Code == http.StatusOK) != known {
			t.Errorf("%s: %d %s", record, a.Code, a.Body)
		}
		if _, err := os.Stat(filepath.Join(folder, fuzzID+".png")); err != nil {
			t.Errorf("%s: %v", record, err)
		}
	}
}

// Requests for other forms of animations are bounded: each takes much work.
func TestConversionsAreBounded(t *testing.T) {
	s, folder := fuzzed(t, testLimits().Connections), t.TempDir()
	record := `{"id": "` + fuzzID + `", "kind": "interpolated", "text": "a", "domain": "toys", "alpha": 1, ` +
		`"truncation_psi": 1, "frames": 2, "fps": 8}`
	if err := errors.Join(writeFuzzed(folder, record, true), s.OpenGallery(folder)); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"gif", "strip"} {
		ask := func() *httptest.ResponseRecorder {
			request := httptest.NewRequestWithContext(t.Context(), "GET", "/api/v1/pictures/"+fuzzID+"/"+form, nil)
			request.Host = "localhost"
			a := httptest.NewRecorder()
			s.ServeHTTP(a, request)
			return a
		}
		release := s.HoldConversions()
		if a := ask(); a.Code != http.StatusTooManyRequests || a.Header().Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", form, a.Code, a.Body)
		}
		release()
		if a := ask(); a.Code != http.StatusOK {
			t.Errorf("%s: %d %s", form, a.Code, a.Body)
		}
	}
}

// A sheet holds pictures of a bounded number of pixels.
func TestSheetIsBounded(t *testing.T) {
	s, folder := fuzzed(t, testLimits().Connections), t.TempDir()
	file := bomb(t, 1<<13, 1<<13, 1<<20)
	record := `{"id": "` + fuzzID + `", "kind": "generated", "text": "a", "domain": "toys", "alpha": 1, ` +
		`"truncation_psi": 1, "width": 8192, "height": 8192}`
	text := chunk("tEXt", []byte("Illustrator\x00"+record))
	file = slices.Concat(file[:33], text, file[33:]) // behind the signature and IHDR
	if err := errors.Join(os.WriteFile(filepath.Join(folder, fuzzID+".png"), file, 0o666),
		s.OpenGallery(folder)); err != nil {
		t.Fatal(err)
	}
	body := `{"pictures": ["` + fuzzID + `", "` + fuzzID + `"]}`
	request := httptest.NewRequestWithContext(t.Context(), "POST", "/api/v1/sheet", strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	request.Host = "localhost"
	a := httptest.NewRecorder()
	if s.ServeHTTP(a, request); a.Code != http.StatusBadRequest || !strings.Contains(a.Body.String(), "134217728 pixels") {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}
