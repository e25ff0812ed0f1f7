package serve_test

import (
	"net/http"
	"strings"
	"testing"

	"illustrator/serve"
)

func TestToken(t *testing.T) {
	const token = "a-token-that-is-long"
	r := deaf(t, func(o *serve.Options) { o.Token = token })
	for _, pattern := range r.server.Patterns() {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{$}", "", "{id}", "x", "{name}", "page.css").Replace(path)
		open := !strings.HasPrefix(path, "/api/") && path != "/metrics"
		for header, refused := range map[string]bool{
			"": !open, "Bearer": !open, "Bearer ": !open, "Bearer wrong-token-of-len": !open, "Basic " + token: !open,
			"Bearer " + token + "x": !open, "Bearer " + token: false,
		} {
			a := do(t, method, r.URL+path, nil, map[string]string{"Authorization": header})
			if (a.status == http.StatusUnauthorized) != refused {
				t.Errorf("%s with %q: %v", pattern, header, a)
			}
			if refused && !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s: no WWW-Authenticate", pattern)
			}
		}
	}
	for bad, want := range map[string]string{"short": "5 characters", "with a space inside": "spaces",
		"ein-schönes-zeichen": "ASCII"} {
		if err := serve.CheckToken(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Every answer, mistakes included, has the headers that keep a browser from doing more than the page needs.
func TestHeaders(t *testing.T) {
	r := deaf(t)
	for _, path := range []string{"/", "/assets/page.js", "/assets/page.css", "/assets/icon.svg", "/api/v1/domain",
		"/none", "/openapi.json"} {
		a := get(t, r.URL+path)
		policy := a.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") ||
			strings.Contains(policy, "http") ||
			a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Referrer-Policy") != "no-referrer" ||
			a.header.Get("Cache-Control") == "" {
			t.Errorf("%s: %v", path, a.header)
		}
		if path != "/none" && (a.status != http.StatusOK || a.header.Get("Content-Type") == "") {
			t.Errorf("%s: %d, type %q", path, a.status, a.header.Get("Content-Type"))
		}
	}
	if page := string(get(t, r.URL+"/").body); strings.Contains(page, "://") || strings.Contains(page, "style=") ||
		strings.Contains(page, "onclick") {
		t.Error("the page names another site, or has styles or scripts of its own")
	}
}

// Pages of other sites draw nothing, nor do those whose name was made to lead to this machine.
func TestOtherSites(t *testing.T) {
	r := deaf(t)
	body := []byte(`{"text": ""}`)
	for name, c := range map[string]struct {
		headers map[string]string
		status  int
	}{
		"curl":              {nil, 400},
		"the page":          {map[string]string{"Sec-Fetch-Site": "same-origin"}, 400},
		"another site":      {map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"another origin":    {map[string]string{"Origin": "https://example.com"}, 403},
		"localhost":         {map[string]string{"Host": "localhost:8080"}, 400},
		"IPv6":              {map[string]string{"Host": "[::1]:8080"}, 400},
		"a name that leads": {map[string]string{"Host": "evil.example"}, 403},
	} {
		headers := map[string]string{"Content-Type": "application/json"}
		for k, v := range c.headers {
			headers[k] = v
		}
		if a := do(t, http.MethodPost, r.URL+"/api/v1/generate", body, headers); a.status != c.status {
			t.Errorf("%s: %v", name, a)
		}
	}
	// Behind a proxy the name is another; who has the token may.
	r = deaf(t, func(o *serve.Options) { o.Token = "a-token-that-is-long" })
	if a := do(t, http.MethodGet, r.URL+"/api/v1/domain", nil,
		map[string]string{"Host": "pictures.example",
			"Authorization": "Bearer a-token-that-is-long"}); a.status != http.StatusOK {
		t.Errorf("with a token: %v", a)
	}
}
