package serve_test

import (
	"bytes"
	"fmt"
	"image"
	_ "image/gif"
	"net/http"
	"strings"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"illustrator/internal/browser"
)

// The best of several candidates, refined: the page says what that gained, and what it cost.
func improvePictures(u user) {
	u.write("#draw-text", "a wizard with round glasses")
	u.set("#view-draw [name=count]", "2")
	u.click("#view-draw summary")
	u.set("#view-draw [name=best_of]", "3")
	u.set("#view-draw [name=refine]", "5")
	u.hear("#view-draw .status")
	u.click("#view-draw .ask .main")
	u.until(`document.querySelector("#view-draw .status").textContent.includes("Refined by 5 steps")`)
	u.images("#view-draw .pictures", 2)
	for _, want := range []string{"Drawing 6 candidates", " of 6 candidates drawn", "Refining: 10 of 10 steps",
		"2 pictures in ", "Best of 3: match 0.", "6 drawn", "semantic loss 0.", "14 drawn in "} {
		if said := u.heard(); !strings.Contains(said, want) {
			u.Errorf("the progress %q does not say %q", said, want)
		}
	}
	u.look("improve")
	u.click("#view-draw .pictures li:nth-child(1) button")
	u.until(`document.querySelector("#viewer").open && document.querySelector("#viewer-picture")?.naturalWidth`)
	if facts := u.text("#viewer dl"); !strings.Contains(facts, "6 candidates, match 0.") ||
		!strings.Contains(facts, "5 steps: match 0.") {
		u.Errorf("the viewer says %q", facts)
	}
	u.look("improved")
}

// From the picture in the viewer to a text.
func goBetween(u user) {
	u.click("#viewer .way summary")
	u.click("#viewer [data-end=from]")
	u.until(`!document.querySelector("#viewer").open && !document.querySelector("#view-morph").hidden`)
	u.until(
		`document.querySelector("#view-morph .from .chosen img").naturalWidth &&
			document.querySelector("#morph-from").hidden && document.activeElement.id === "morph-to"`)
	u.write("#morph-to", "a girl with long red hair")
	u.write("#view-morph [name=steps]", "6")
	for range 2 { // texts, settings and the picture outlive reloads
		u.until(`location.hash.includes("from_picture=")`)
		u.Do(chromedp.Reload())
		u.until(`document.querySelector("#view-morph .from .chosen img")?.naturalWidth &&
			document.querySelector("#morph-to").value === "a girl with long red hair" &&
			document.querySelector("#view-morph [name=steps]").value === "6"`)
	}
	u.hear("#view-morph .status")
	u.click("#view-morph .ask .main")
	u.until(`document.querySelector("#view-morph .result img")?.naturalWidth`)
	u.images("#view-morph .frames", 6)
	if said := u.heard(); !strings.Contains(said, "Drawing 6 frames") || !strings.Contains(said, "6 frames in ") {
		u.Errorf("the progress is %q", said)
	}
	u.look("between")
	for name, want := range map[string]string{"APNG": "image/png", "GIF": "image/gif", "Strip": "image/png"} {
		a := get(u,
			browser.Eval[string](u.Page,
				fmt.Sprintf(`document.querySelector("#view-morph .result a[aria-label='Download as %s']").href`, name)))
		if a.status != http.StatusOK || a.header.Get("Content-Type") != want ||
			!strings.HasPrefix(a.header.Get("Content-Disposition"), `attachment; filename="a-wizard-with-round-glasses`) {
			u.Errorf("%s: %d, %v", name, a.status, a.header)
		}
	}
	// By the keyboard alone: the way is played.
	u.Do(chromedp.Focus(chromedp.CSS("#view-morph .result button.picture")), chromedp.KeyEvent(kb.Tab),
		chromedp.KeyEvent(kb.Enter))
	u.until(
		`document.activeElement.matches(".play[aria-pressed=true]") &&
			document.querySelector("#view-morph .result img").src.endsWith("/png")`)
	u.Do(chromedp.KeyEvent(kb.Enter))
	u.until(
		`document.activeElement.matches(".play[aria-pressed=false]") &&
			document.querySelector("#view-morph .result img").src.endsWith("?still")`)
	u.click("#view-morph .from .chosen button")
	u.until(`document.activeElement.id === "morph-from" && document.querySelector("#view-morph .chosen").hidden`)
	u.Do(chromedp.KeyEvent("a wizard with a white beard"),
		chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	u.until(
		`document.querySelector("#view-morph .result .picture")?.ariaLabel.includes(
			"a wizard with a white beard → a girl with long red hair")`)
	u.images("#view-morph .frames", 6)
}

// The gallery keeps animations, and moves them only when somebody wants it.
func playAnimation(u user) {
	u.view("gallery")
	u.write("#gallery-search", "white beard interpolated")
	u.until(`document.querySelector("#view-gallery .status").textContent === "1 picture"`)
	u.images("#view-gallery .pictures", 1)
	u.click("#view-gallery .card button")
	u.until(
		`document.querySelector("#viewer").open && document.querySelector("#viewer-picture").naturalWidth &&
			document.querySelector("#viewer-picture").src.endsWith("?still")`)
	if facts := u.text("#viewer dl"); !strings.Contains(facts, "6, 8 a second") {
		u.Errorf("the viewer says %q", facts)
	}
	u.until(`document.querySelector("#viewer .change").hidden && document.querySelector("#viewer .way").hidden`)
	u.click("#viewer .play")
	u.until(`document.querySelector("#viewer-picture").src.endsWith("/png")`)
	browser.Eval[bool](u.Page, `{const size = document.querySelector("#viewer .film .size"); size.value = "2";
		size.dispatchEvent(new Event("change")); true}`)
	for name, want := range map[string]string{"APNG": "apng", "GIF": "gif"} {
		a := get(u, u.eval(fmt.Sprintf(`document.querySelector("#viewer .film [aria-label='Download as %s']").href`, name)))
		c, kind, err := image.DecodeConfig(bytes.NewReader(a.body))
		if err != nil || kind != want || c.Width != 128 {
			u.Errorf("%s enlarged: a %s %d wide, %v", name, kind, c.Width, err)
		}
	}
	u.look("animation")
	u.Do(chromedp.KeyEvent(kb.Escape))
	u.until(`!document.querySelector("#viewer").open`)
	u.write("#gallery-search", "")
}

// A network that the server was started with is a look as the others are.
func chooseNetwork(u user) {
	u.view("draw")
	u.set("#view-draw [name=cartoon]", "faststyle")
	u.set("#view-draw [name=best_of]", "1")
	u.set("#view-draw [name=refine]", "0")
	u.click("#view-draw .ask .main")
	u.until(`document.querySelector("#view-draw .pictures .note")?.textContent.includes("faststyle")`)
	u.images("#view-draw .pictures", 2)
	u.look("network")
	u.set("#view-draw [name=cartoon]", "")
	u.set("#view-draw [name=count]", "4")
	u.click("#view-draw summary")
}
