package report

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"illustrator/internal/browser"
)

// TestPageInChromium opens a document with everything in it as a file: in light and dark, on a desk, a phone and paper.
func TestPageInChromium(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.html")
	if err := sample(t).WriteHTML(path); err != nil {
		t.Fatal(err)
	}
	p := browser.Open(t, browser.File(t, path))
	backgrounds := map[browser.Scheme]string{}
	for _, view := range []struct {
		name          string
		width, height int64
		scheme        browser.Scheme
	}{
		{"report-light", 1280, 800, browser.Light},
		{"report-dark", 1280, 800, browser.Dark},
		{"", 820, 1180, browser.Light},
		{"report-phone", 390, 844, browser.Light},
		{"", 320, 640, browser.Dark},
		{"", 665, 940, browser.Paper}, // A4 without the margins of @page
	} {
		p.View(view.width, view.height, view.scheme)
		p.Check()
		if view.name != "" { // pictures take longer than all the rest
			p.Show(view.name)
		}
		backgrounds[view.scheme] = browser.Eval[string](p, "getComputedStyle(document.body).backgroundColor")
	}
	if backgrounds[browser.Light] == backgrounds[browser.Dark] || backgrounds[browser.Paper] != "rgb(255, 255, 255)" {
		t.Errorf("backgrounds %v", backgrounds)
	}
	for what, wrong := range map[string]string{
		"headers without scope":     `th:not([scope])`,
		"pictures without a text":   `img:not([alt]), img[alt=""]`,
		"regions without a name":    `[role=region]:not([aria-label])`,
		"figures without a caption": `figure:not(:has(figcaption))`,
		"scripts":                   `script, [onclick], [onload]`,
	} {
		if n := browser.Eval[int](p, "document.querySelectorAll(`"+wrong+"`).length"); n > 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	if lost := browser.Eval[[]string](p,
		`[...document.links].map(a => a.getAttribute("href")).filter(to => !document.querySelector(to))`); len(lost) > 0 {
		t.Errorf("links to %q lead nowhere", lost)
	}
	if n := browser.Eval[int](p, `document.images.length`); n != 2+30+3*3*4 {
		t.Errorf("%d pictures", n)
	}
	if requests := p.Requests(); len(requests) != 1 {
		t.Errorf("the page asked for %q", requests)
	}
	pdf, err := os.ReadFile(p.PDF("report"))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(pdf, []byte("/Type /Page\n")); n < 3 || n > 8 {
		t.Errorf("the print has %d pages", n)
	}
}
