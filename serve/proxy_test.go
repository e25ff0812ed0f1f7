package serve_test

import (
	"encoding/json"
	"image"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"illustrator/internal/browser"
	"illustrator/serve"
)

// behindProxy starts a reverse proxy in front of a server whose base path is /other. It serves it below three paths:
// that one, unchanged; stripped, with X-Forwarded-Prefix; and stripped without a header.
func behindProxy(t *testing.T, r *running) string {
	t.Helper()
	target, err := url.Parse(r.URL)
	if err != nil {
		t.Fatal(err)
	}
	forward := func(prefix, header string) http.Handler {
		return http.StripPrefix(prefix, &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(target)
			p.SetXForwarded()
			if header != "" {
				p.Out.Header.Set("X-Forwarded-Prefix", header)
			}
		}})
	}
	mux := http.NewServeMux()
	mux.Handle("/other/", forward("", ""))
	mux.Handle("/other", forward("", ""))
	mux.Handle("/tools/illustrator/", forward("/tools/illustrator", ""))
	mux.Handle("/a/b/", forward("/a/b", "/a/b/"))
	proxy := httptest.NewServer(mux)
	t.Cleanup(proxy.Close)
	return proxy.URL
}

func proxied(o *serve.Options) {
	o.BasePath = "/other"
	o.Limits.Connections.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// Below a path of a proxy the API answers with addresses that lead back to it: events, downloads, gallery and uploads.
func TestAPIBehindProxy(t *testing.T) {
	r := tiny.serve(t, proxied)
	at := behindProxy(t, r)
	for _, prefix := range []string{"/other", "/a/b"} {
		p := &running{URL: at + prefix, log: r.log}
		events := p.events(t, "POST", "/api/v1/generate?keep", `{"text": "a toy", "count": 2}`, "", never)
		var last picture
		for _, e := range events {
			if e.name == "picture" {
				if err := json.Unmarshal([]byte(e.data), &last); err != nil {
					t.Fatal(err)
				}
			}
		}
		whole := p.draw(t, "/api/v1/generate", object{"text": "a toy"}).Pictures[0]
		way := p.draw(t, "/api/v1/interpolate", object{"from": object{"picture": whole.ID},
			"to": object{"text": "a ball"}}).Pictures[0]
		upload := decode[picture](t, p.upload(t, "image/png", encodedPNG(t, image.NewGray(image.Rect(0, 0, 9, 9)))))
		list := decode[drawing](t, get(t, p.URL+"/api/v1/pictures?limit=1")).Pictures[0]
		one := decode[picture](t, get(t, p.URL+"/api/v1/pictures/"+whole.ID))
		for what, got := range map[string]picture{"event": last, "answer": whole, "animation": way, "upload": upload,
			"list": list, "record": one} {
			if got.PNG != prefix+"/api/v1/pictures/"+got.ID+"/png" {
				t.Errorf("%s: %s has %q", prefix, what, got.PNG)
			}
			if a := get(t, at+got.PNG+"?download"); a.status != http.StatusOK || a.header.Get("Content-Disposition") == "" {
				t.Errorf("%s: %s: %v", prefix, what, a)
			}
		}
		if a := do(t, "DELETE", p.URL+"/api/v1/pictures/"+whole.ID, nil, nil); a.status != http.StatusNoContent {
			t.Errorf("%s: %v", prefix, a)
		}
	}
}

// The page works below any path, whether the server knows it or not.
func TestPageBehindProxy(t *testing.T) {
	r := tiny.serve(t, proxied)
	at := behindProxy(t, r)
	page := browser.Open(t, at+"/other") // it leads to /other/
	for _, prefix := range []string{"/other/", "/a/b/", "/tools/illustrator/"} {
		if page.Goto(at + prefix); prefix == "/other/" {
			page.Goto(at + "/other")
		}
		u := user{t, page}
		u.until(`document.title === "Toys · illustrator"`)
		u.write("#draw-text", "a toy")
		u.click("#view-draw .ask .main")
		u.images("#view-draw .pictures", 4)
		u.view("gallery")
		u.until(`document.querySelector("#view-gallery .pictures img")?.naturalWidth`)
		u.click("#view-gallery .pictures li:nth-child(1) button.picture")
		u.until(`document.querySelector("#viewer").open && document.querySelector("#viewer .stage img")?.naturalWidth`)
		link := browser.Eval[string](page, `document.querySelector("#viewer .download").href`)
		if !strings.HasPrefix(link, at+prefix+"api/v1/pictures/") || get(t, link).status != http.StatusOK {
			t.Errorf("%s: the download is %q", prefix, link)
		}
		if api := browser.Eval[string](page, `document.querySelector("footer a").href`); api != at+prefix+"openapi.json" {
			t.Errorf("%s: the API is %q", prefix, api)
		}
	}
	for _, request := range page.Requests() {
		for _, prefix := range []string{"/other", "/a/b/", "/tools/illustrator/"} {
			request = strings.TrimPrefix(request, at+prefix)
		}
		if strings.HasPrefix(request, "http") {
			t.Errorf("the page asked for %s", request)
		}
	}
}

// The base path without its slash leads to the page; other paths are known with and without it, in any spelling.
func TestBasePath(t *testing.T) {
	r := deaf(t, proxied)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, want := range map[string]int{
		"/other": 308, "/other/": 200, "/": 200, "/other/healthz": 200, "/healthz": 200, "/other//healthz": 200,
		"//healthz": 200, "/other/api/v1/domain": 200, "/other/./api/../healthz": 200, "/otherhealthz": 404,
		"/other/other/healthz": 404, "/other/assets/page.js": 200, "/other/api/v1/pictures/a%2Fb": 404,
		"/other/api/v1/pictures/..%2F..%2F..%2Fhealthz": 404,
	} {
		request, err := http.NewRequestWithContext(t.Context(), "GET", r.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		a.Body.Close()
		if a.StatusCode != want {
			t.Errorf("%s: %s", path, a.Status)
		}
		if to := a.Header.Get("Location"); want == 308 && to != "/other/" {
			t.Errorf("%s leads to %q", path, to)
		}
	}
}

// Headers of clients that are not proxies are ignored; a proxy's that cannot be right are refused.
func TestForwardedHeaders(t *testing.T) {
	body := []byte(`{"text": ""}`)
	headers := map[string]string{"Content-Type": "application/json", "X-Forwarded-Prefix": "/evil",
		"X-Forwarded-Host": "pictures.example", "Origin": "http://pictures.example"}
	r := deaf(t)
	if a := do(t, "POST", r.URL+"/api/v1/generate", body, headers); a.status != http.StatusForbidden {
		t.Errorf("another's host is believed: %v", a)
	}
	a := r.upload(t, "image/png", encodedPNG(t, image.NewGray(image.Rect(0, 0, 9, 9))))
	one := decode[picture](t, do(t, "GET", r.URL+"/api/v1/pictures/"+decode[picture](t, a).ID, nil, headers))
	if !strings.HasPrefix(one.PNG, "/api/") {
		t.Errorf("another's prefix is believed: %q", one.PNG)
	}
	r = deaf(t, proxied)
	if a := do(t, "POST", r.URL+"/api/v1/generate", body, headers); a.status != http.StatusBadRequest {
		t.Errorf("the proxy's host is not believed: %v", a)
	}
	for _, bad := range []string{"evil.example", "//evil.example", "/a b", "/../x", "/x\"y", "https://evil.example/",
		"/a,/b", "/" + strings.Repeat("x", 300)} {
		if a := do(t, "GET", r.URL+"/api/v1/domain", nil,
			map[string]string{"X-Forwarded-Prefix": bad}); a.status != http.StatusBadRequest {
			t.Errorf("%q: %v", bad, a)
		}
	}
}

func TestBasePathsAndProxies(t *testing.T) {
	for given, want := range map[string]string{"": "", "/": "", "/tools/illustrator/": "/tools/illustrator", "/x": "/x"} {
		if got, err := serve.CheckBasePath(given); got != want || err != nil {
			t.Errorf("%q: %q, %v", given, got, err)
		}
	}
	for _, bad := range []string{"tools", "/a//b", "/a/../b", "/.", "//", "/a b", "/a?b", "/api", "/api/x", "/metrics/",
		"/ä"} {
		if got, err := serve.CheckBasePath(bad); err == nil || !strings.Contains(err.Error(), "--base-path") {
			t.Errorf("%q: %q, %v", bad, got, err)
		}
	}
	got, err := serve.ParseProxies([]string{"10.0.0.7", "10.1.2.3/8", "::1", "::ffff:10.0.0.8"})
	if err != nil || len(got) != 4 || got[0].String() != "10.0.0.7/32" || got[1].String() != "10.0.0.0/8" ||
		got[3].String() != "10.0.0.8/32" {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "proxy", "10.0.0.0/99", "10.0.0"} {
		if _, err := serve.ParseProxies([]string{bad}); err == nil || !strings.Contains(err.Error(), "--proxy") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
