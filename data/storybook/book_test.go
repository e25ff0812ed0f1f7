package storybook

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"illustrator/internal/browser"
)

func book(t *testing.T) Book {
	t.Helper()
	picture := func(w, h int, c color.Color) []byte {
		img := image.NewNRGBA(image.Rect(0, 0, w, h))
		for i := range w * h {
			img.Set(i%w, i/w, c)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	long := strings.Repeat("The road led past a well, a mill and a great many sheep. ", 40)
	return Book{Title: `Tom & "the <giant>"`, Language: "en", Note: "Drawn by a test.", Spreads: []Spread{
		{Paragraph{"First", `He said <b>no</b> & "left" — Žluťoučký, κήπος, сад.`},
			picture(64, 64, color.NRGBA{200, 120, 80, 255}), `"a" & <b>`},
		{Paragraph{"", long}, picture(90, 40, color.NRGBA{80, 120, 200, 255}), "a mill"},
		{Paragraph{"Second", "End 🎈"}, picture(10, 70, color.NRGBA{90, 160, 90, 255}), "the end"},
	}}
}

// The page says what the book says, however it is written, and needs nothing but itself.
func TestHTMLInBrowser(t *testing.T) {
	raw, err := book(t).HTML()
	if err != nil {
		t.Fatal(err)
	}
	again, err := book(t).HTML()
	if err != nil || !bytes.Equal(raw, again) {
		t.Errorf("a second page differs: %v", err)
	}
	path := filepath.Join(t.TempDir(), "story.html")
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	p := browser.Open(t, browser.File(t, path))
	backgrounds := map[browser.Scheme]string{}
	for _, view := range []struct {
		name          string
		width, height int64
		scheme        browser.Scheme
		beside        bool // pictures stand beside their texts, not above
	}{
		{"story-light", 1280, 800, browser.Light, true}, {"story-phone", 390, 844, browser.Dark, false},
		{"", 320, 640, browser.Light, false},
		{"", 665, 940, browser.Paper, true},
	} {
		p.View(view.width, view.height, view.scheme)
		p.Check()
		backgrounds[view.scheme] = browser.Eval[string](p, "getComputedStyle(document.body).backgroundColor")
		beside := browser.Eval[bool](p,
			"(() => { const s = document.querySelectorAll('section')[1], f = s.children[0].getBoundingClientRect(), t = "+
				"s.children[1].getBoundingClientRect(); return f.bottom > t.top + 1 })()")
		if beside != view.beside {
			t.Errorf("%d wide: pictures beside their texts: %v", view.width, beside)
		}
		if view.name != "" {
			p.Show(view.name)
		}
	}
	if backgrounds[browser.Light] == backgrounds[browser.Dark] || backgrounds[browser.Paper] != "rgb(255, 255, 255)" {
		t.Errorf("backgrounds %v", backgrounds)
	}
	p.PDF("story-print")
	b := book(t)
	for expression, want := range map[string]string{
		"document.title": b.Title,
		"document.querySelector('h1').textContent":         b.Title,
		"document.querySelector('p').textContent":          b.Spreads[0].Text,
		"document.images[0].alt":                           b.Spreads[0].Alt,
		"document.querySelectorAll('h2')[1].textContent":   "Second",
		"document.querySelector('footer').textContent":     b.Note,
		"document.querySelectorAll('b, script').length+''": "0",
	} {
		if got := browser.Eval[string](p, expression); got != want {
			t.Errorf("%s is %q; want %q", expression, got, want)
		}
	}
	if requests := p.Requests(); len(requests) != 1 {
		t.Errorf("it requested %q", requests)
	}
}

func TestPDF(t *testing.T) {
	raw, err := book(t).PDF()
	if err != nil {
		t.Fatal(err)
	}
	again, err := book(t).PDF()
	if err != nil || !bytes.Equal(raw, again) {
		t.Errorf("a second PDF differs: %v", err)
	}
	if missing, err := book(t).Unprintable(); missing != "🎈" || err != nil {
		t.Errorf("it has no letter for %q, %v", missing, err)
	}
	if !bytes.HasPrefix(raw, []byte("%PDF-")) {
		t.Fatalf("it begins with %q", raw[:8])
	}
	pdftotext, err := exec.LookPath("pdftotext")
	if err != nil {
		t.Skip("no pdftotext (Debian's poppler-utils) to read the PDF with")
	}
	path := filepath.Join(t.TempDir(), "story.pdf")
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
	text, err := exec.Command(pdftotext, "-enc", "UTF-8", path, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	pages := strings.Split(strings.TrimSuffix(string(text), "\f"), "\f")
	if len(pages) != 5 { // cover, first, two of the long one, last
		t.Errorf("%d pages", len(pages))
	}
	flat := strings.Join(strings.Fields(string(text)), " ")
	for _, want := range []string{`Tom & "the <giant>"`, "Drawn by a test.",
		`He said <b>no</b> & "left" — Žluťoučký, κήπος, сад.`, "sheep.", "Second", "End"} {
		if !strings.Contains(flat, want) {
			t.Errorf("the PDF lacks %q: %s", want, flat)
		}
	}
}

func TestCheckLanguage(t *testing.T) {
	for _, tag := range []string{"en", "zh-Hans", "pt-BR", "es-419", "zh-Hant-TW"} {
		if err := CheckLanguage(tag); err != nil {
			t.Error(err)
		}
	}
	for _, tag := range []string{"", "English", "e", "en_GB", "en-", "de\"", "en DE"} {
		if err := CheckLanguage(tag); err == nil || !strings.Contains(err.Error(), "language is "+strconv.Quote(tag)) {
			t.Errorf("%q: %v", tag, err)
		}
	}
}
