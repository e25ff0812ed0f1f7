package report

import (
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
	for _, view := range []struct {
		name          string
		width, height int64
		scheme        browser.Scheme
	}{
		{"report-light", 1280, 800, browser.Light},
		{"report-dark", 1280, 800, browser.Dark},
		{"report-phone", 390, 844, browser.Light},
		{"report-phone-dark", 390, 844, browser.Dark},
	} {
		p.View(view.width, view.height, view.scheme)
		p.Check()
		p.Screenshot(view.name)
	}
	p.PDF("report")
	if requests := p.Requests(); len(requests) != 1 {
		t.Errorf("the page asked for %q", requests)
	}
}
