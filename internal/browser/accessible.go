package browser

import (
	"context"
	_ "embed"
	"encoding/json"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

//go:embed axe.min.js
var axe string

// until waits until a JavaScript expression is true.
func (p *Page) until(expression string) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if Eval[bool](p, "!!("+expression+")") {
			return
		}
	}
	p.t.Fatalf("waited in vain until %s", expression)
}

// Accessible fails the test for each serious fault that axe-core finds, once animations have ended. what names the
// state of the page.
func (p *Page) Accessible(what string) {
	p.t.Helper()
	p.until(
		`document.getAnimations().every(a => a.effect.getTiming().iterations === Infinity || a.playState === "finished")`)
	if !Eval[bool](p, "!!window.axe") {
		Eval[bool](p, axe+"\n;true")
	}
	Eval[bool](p,
		`window.faults = null; axe.run(document, {resultTypes: ["violations"]})
			.then(r => { window.faults = JSON.stringify(r); }, e => { window.faults = String(e); }); true`)
	p.until("window.faults !== null")
	var report struct {
		Violations []struct {
			ID, Impact, Help string
			Nodes            []struct{ HTML, FailureSummary string }
		}
		Passes []any
	}
	if err := json.Unmarshal([]byte(Eval[string](p, "window.faults")), &report); err != nil || len(report.Passes) < 10 {
		p.t.Fatalf("axe-core: %v, %d rules passed", err, len(report.Passes))
	}
	for _, v := range report.Violations {
		if v.Impact == "serious" || v.Impact == "critical" {
			p.t.Errorf("%s: %s (%s): %s", what, v.Help, v.ID, v.Nodes)
		}
	}
}

// Downloads has the page save downloads into a folder of the test, which it returns.
func (p *Page) Downloads() string {
	p.t.Helper()
	folder := p.t.TempDir()
	p.Do(func(ctx context.Context, _ *chromedp.Target) (chromedp.Void, error) {
		_, err := chromedp.Call(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
			Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder})
		return chromedp.Void{}, err
	})
	return folder
}
