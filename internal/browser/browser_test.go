package browser

import (
	"bytes"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const head = `<!DOCTYPE html><meta name="viewport" content="width=device-width">` +
	`<link rel="icon" href="data:,"><title>page</title>`

// pages holds each page's body and its problem.
var pages = map[string]struct{ body, problem string }{
	"/good":      {`<style>@media (prefers-color-scheme: dark) { body { background: #000 } }</style><p>good`, ""},
	"/console":   {`<script>console.log("fine"); console.error("bad", 7)</script>`, "console: bad 7"},
	"/exception": {`<script>nothing()</script>`, "exception: Uncaught ReferenceError: nothing is not defined"},
	"/late":      {`<script>Promise.reject(new Error("late"))</script>`, "exception: Uncaught (in promise) Error: late"},
	"/missing":   {`<img src="nowhere.png" alt="a cat">`, "nowhere.png: status 404"},
	"/image":     {`<img src="data:image/png;base64,AAAA" alt="a dog">`, "no image: a dog"},
	"/elsewhere": {`<img src="http://127.0.0.1:1/x.png" alt="">`, "request elsewhere: http://127.0.0.1:1/x.png"},
	"/wide":      {`<div style="width: 2000px">wide</div>`, "the page is 2008 pixels wide, the window 390"},
}

// Actions reach elements that the page keeps replacing, and fail the subtest that they belong to.
func TestReplacedElements(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(head + `<div></div><script>
			const again = () => {
				document.querySelector("div").innerHTML = "<button onmousedown='document.title = 1'>go</button><input>";
				setTimeout(again, 30);
			};
			again();</script>`))
	}))
	defer server.Close()
	p := Open(t, server.URL)
	for range 10 {
		p.Do(chromedp.Click(chromedp.CSS("button")), chromedp.Focus(chromedp.CSS("input")))
	}
	if title := Eval[string](p, "document.title"); title != "1" {
		t.Error("no click reached the button")
	}
	failed := &failing{TB: t}
	Eval[bool](p, `document.body.style.width = "9999px"; true`)
	if p.In(failed).Check(); failed.errors != 1 {
		t.Errorf("the subtest has %d errors for a page that is too wide", failed.errors)
	}
}

// failing is a test that is expected to fail.
type failing struct {
	testing.TB
	errors int
}

func (f *failing) Errorf(string, ...any) { f.errors++ }

func TestPagesProblems(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page, ok := pages[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		w.Write([]byte(head + page.body))
	}))
	defer server.Close()
	p := Open(t, server.URL+"/good")
	p.View(390, 844, Light)
	for path, page := range pages {
		p.Goto(server.URL + path)
		problems := strings.Join(p.Problems(), "\n")
		if page.problem == "" && problems != "" || !strings.Contains(problems, page.problem) {
			t.Errorf("%s: problems %q, want %q", path, problems, page.problem)
		}
	}

	p.Goto(server.URL + "/good")
	if got := p.Requests(); !slices.Equal(got, []string{server.URL + "/good"}) {
		t.Errorf("requests %q", got)
	}
	p.View(500, 300, Dark)
	file, err := os.ReadFile(p.Screenshot("dark"))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if r, _, _, _ := picture.At(0, 0).RGBA(); r != 0 || picture.Bounds().Dx() != 1000 {
		t.Errorf("in the dark, of 500 pixels at scale 2, the picture is %v wide and %d red", picture.Bounds(), r)
	}
	if file, err = os.ReadFile(p.PDF("good")); err != nil || !bytes.HasPrefix(file, []byte("%PDF-")) {
		t.Errorf("a PDF that begins with %.8q, %v", file, err)
	}

	path := filepath.Join(t.TempDir(), "a b#c.html")
	if err := os.WriteFile(path, []byte(head+pages["/good"].body), 0o666); err != nil {
		t.Fatal(err)
	}
	p.Goto(File(t, path))
	p.Check()
	if title := Eval[string](p, "document.title"); title != "page" {
		t.Errorf("the file's title is %q", title)
	}
}
