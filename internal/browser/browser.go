// Package browser opens pages in headless Chromium, in tests: it looks at them in light and dark and at any width, and
// collects what goes wrong in them.
package browser

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// programs are the names that Chromium's program goes by. ILLUSTRATOR_CHROMIUM names another.
var programs = []string{"chromium", "chromium-browser", "google-chrome"}

// patience limits the time of an action before the test fails. The first page waits for Chromium to start too.
const patience = time.Minute

// Scheme is the colour scheme that the browser reports to a page.
type Scheme string

// The colour schemes.
const (
	Light Scheme = "light"
	Dark  Scheme = "dark"
	// Paper lays the page out as for print.
	Paper Scheme = "paper"
)

// Page is a page in a Chromium of its own, which ends with the test.
type Page struct {
	t   testing.TB
	ctx context.Context
	log *record
}

// Open starts Chromium and opens an address: that of a server, or of a File. Without Chromium the test is skipped, but
// under CI it fails.
func Open(t testing.TB, address string) *Page {
	t.Helper()
	if testing.Short() {
		t.Skip("starts Chromium; run without -short")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(find(t)),
		chromedp.UserDataDir(t.TempDir()))
	if os.Geteuid() == 0 { // Chromium has no sandbox for root
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	p := &Page{t: t, log: &record{}}
	p.log.begin("about:blank")
	p.ctx, stop = chromedp.NewContext(ctx, chromedp.WithListener(p.log.add))
	t.Cleanup(stop)
	if err := chromedp.Do(p.ctx); err != nil { // a first call with a limit would end Chromium at that limit
		t.Fatalf("start Chromium: %v", err)
	}
	p.View(1280, 800, Light)
	p.Goto(address)
	return p
}

// In returns the page for a subtest, which fails in place of the test that opened it.
func (p *Page) In(t testing.TB) *Page { return &Page{t: t, ctx: p.ctx, log: p.log} }

// find returns the path of Chromium's program.
func find(t testing.TB) string {
	t.Helper()
	names := programs
	if other := os.Getenv("ILLUSTRATOR_CHROMIUM"); other != "" {
		names = []string{other}
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "needs Chromium, none of %v is on the PATH (on Debian or Ubuntu: apt install chromium; or name its " +
		"program in ILLUSTRATOR_CHROMIUM)"
	if os.Getenv("CI") != "" {
		t.Fatalf(missing, names)
	}
	t.Skipf(missing, names)
	return ""
}

// File is the address of a file.
func File(t testing.TB, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(full)}).String()
}

// Goto opens another address, and forgets what was wrong with the one before.
func (p *Page) Goto(address string) {
	p.t.Helper()
	p.log.begin(address)
	p.Do(chromedp.Navigate(address))
}

// Do runs actions of chromedp in the page, such as clicks and waits. An action on an element looks it up by its
// selector and then acts; where the page replaces the element in between, the action does nothing, and is repeated.
func (p *Page) Do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	for _, action := range actions {
		err := chromedp.Do(ctx, action)
		for replaced(err) && ctx.Err() == nil {
			err = chromedp.Do(ctx, action)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// replaced reports whether an error is DevTools' about an element that left the page.
func replaced(err error) bool {
	var e *cdproto.Error
	return errors.As(err, &e) && e.Code == -32000 && slices.ContainsFunc([]string{
		"Could not find node with given id", "No node with given id found", "Node is detached from document",
		"Could not compute content quads", "Could not compute box model",
	}, func(message string) bool { return strings.Contains(e.Message, message) })
}

// left reports whether an error is DevTools' about a page that another one took the place of.
func left(err error) bool {
	var e *cdproto.Error
	return errors.As(err, &e) && e.Code == -32000 && strings.Contains(e.Message, "Inspected target navigated or closed")
}

// get runs an action that returns a value, such as chromedp.Text. Where the browser goes to another page meanwhile, it
// is repeated there.
func get[T any](p *Page, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	for left(err) && ctx.Err() == nil {
		value, err = chromedp.Run(ctx, action)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return value
}

// Eval returns the value of a JavaScript expression in the page.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	return get(p, chromedp.Evaluate[T](expression))
}

// View gives the page a size in CSS pixels and a colour scheme. A page narrower than 600 is a phone's, with a finger.
func (p *Page) View(width, height int64, scheme Scheme) {
	p.t.Helper()
	var options []chromedp.EmulateViewportOption
	if width < 600 {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateScale(2))
	}
	p.Do(chromedp.EmulateViewport(width, height, options...),
		func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
			media := emulation.SetEmulatedMediaParams{Media: "print"}
			if scheme != Paper {
				media = emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme",
					Value: string(scheme)}}}
			}
			_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media)
			return chromedp.Void{}, err
		})
}

// Screenshot writes a picture of the whole page, NAME.png, to the folder that ILLUSTRATOR_SCREENSHOTS names, else to
// the test's artifacts, and returns its path.
func (p *Page) Screenshot(name string) string {
	p.t.Helper()
	return p.keep(name+".png", get(p, chromedp.FullScreenshot(100)))
}

// Show is Screenshot where ILLUSTRATOR_SCREENSHOTS asks for one: to render a whole page takes as long as a test of it.
func (p *Page) Show(name string) {
	p.t.Helper()
	if os.Getenv(screenshots) != "" {
		p.Screenshot(name)
	}
}

// screenshots names the environment variable with the folder of all screenshots.
const screenshots = "ILLUSTRATOR_SCREENSHOTS"

// PDF prints the page on A4, as its styles for print say, to NAME.pdf beside the screenshots, and returns its path.
func (p *Page) PDF(name string) string {
	p.t.Helper()
	return p.keep(name+".pdf", get(p, chromedp.PrintToPDF(
		chromedp.PDFPaper(chromedp.PaperA4), chromedp.PDFPreferCSSPageSize(), chromedp.PDFPrintBackground())))
}

func (p *Page) keep(name string, content []byte) string {
	p.t.Helper()
	folder := cmp.Or(os.Getenv(screenshots), p.t.ArtifactDir())
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o666); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// Check fails the test if anything is wrong with the page at its present size: see Problems.
func (p *Page) Check() {
	p.t.Helper()
	if problems := p.Problems(); len(problems) > 0 {
		p.t.Errorf("%s:\n%s", p.log.page(), strings.Join(problems, "\n"))
	}
}

// Problems lists what is wrong with the page: errors in its console, requests that failed or went to another place than
// the page came from, images that did not load, and a page wider than the window.
func (p *Page) Problems() []string {
	p.t.Helper()
	// Events come in order: once the expression has its answer, those before it are known.
	seen := Eval[[]string](p, `[
		...[...document.images].filter(i => !i.complete || !i.naturalWidth).map(i =>
			"no image: " + (i.alt || i.src.slice(0, 80))),
		...(document.documentElement.scrollWidth > document.documentElement.clientWidth ?
			["the page is " + document.documentElement.scrollWidth + " pixels wide, the window " +
				document.documentElement.clientWidth] : [])]`)
	return append(p.log.problems(), seen...)
}

// Requests lists the addresses that the page asked for, itself first, without those that hold their own data.
func (p *Page) Requests() []string {
	p.t.Helper()
	Eval[bool](p, "true") // as in Problems
	return p.log.addresses()
}
