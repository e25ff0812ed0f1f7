package serve_test

import (
	"fmt"
	"image"
	"log/slog"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"illustrator/data/pictures"
	"illustrator/internal/browser"
	"illustrator/serve"
)

// eval returns a text that a JavaScript expression gives.
func (u user) eval(expression string) string {
	u.Helper()
	return browser.Eval[string](u.Page, "String("+expression+")")
}

// draw draws a text on the page's first view, and returns the notes below the pictures.
func (u user) drawText(text string, n int) string {
	u.Helper()
	u.view("draw")
	u.write("#draw-text", text)
	u.set("#view-draw [name=count]", fmt.Sprint(n))
	u.press(n)
	return u.notes()
}

// press presses Draw and waits for the pictures.
func (u user) press(n int) {
	u.Helper()
	u.hear("#view-draw .status")
	u.click("#view-draw .ask .main")
	u.until(fmt.Sprintf(`said.join("|").includes("%d picture")`, n))
	u.until(`/ in [0-9.]+ s/.test(document.querySelector("#view-draw .status").textContent)`)
	u.images("#view-draw .pictures", n)
}

// notes are the captions of the drawn pictures.
func (u user) notes() string {
	return u.eval(`[...document.querySelectorAll("#view-draw .pictures .note")]
		.map(n => n.textContent.split(" ·")[0]).join(", ")`)
}

func (u user) open(selector string) {
	u.Helper()
	u.click(selector + " button.picture")
	u.until(`document.querySelector("#viewer").open && document.querySelector("#viewer-picture")?.naturalWidth`)
}

func (u user) close() {
	u.Helper()
	u.Do(chromedp.KeyEvent(kb.Escape))
	u.until(`!document.querySelector("#viewer").open && !location.hash.startsWith("#picture")`)
}

// What the viewer shows is what its buttons act on: a picture that was kept is deleted, and the original stays.
func actOnWhatIsShown(u user) {
	u.drawText("a wizard with round glasses", 2)
	u.open("#view-draw .pictures li:nth-child(1)")
	original := u.eval(`location.hash`)
	u.write("#viewer [name=to]", "a girl with red hair")
	u.click("#viewer .change .main")
	u.until(`document.querySelector("#viewer .change .status").textContent === "Ready: move the slider"`)
	u.Do(chromedp.KeyEvent(kb.ArrowRight))
	if heading, facts := u.text("#viewer-text"), u.text("#viewer dl"); heading != "a girl with red hair" ||
		!strings.Contains(facts, "a wizard with round glasses") || !strings.Contains(facts, "1.25") ||
		!strings.Contains(facts, "Strength of the change") {
		u.Errorf("a change is headed %q, with %q", heading, facts)
	}
	u.until(`document.querySelector("#viewer .delete").hidden && document.querySelector("#viewer .settings-of").hidden`)
	u.click("#viewer .keep")
	u.until(`document.querySelector("#viewer .change .status").textContent === "It is in the gallery."`)
	kept := u.eval(`location.hash`)
	if kept == original || !strings.HasPrefix(kept, "#picture/") {
		u.Errorf("the kept picture has the address %q, the original %q", kept, original)
	}
	u.look("kept")
	u.click("#viewer .delete")
	u.until(`document.querySelector("#toast .message").textContent.startsWith("1 picture deleted.") &&
		location.hash !== "` + kept + `"`)
	u.look("deleted")
	id := strings.TrimPrefix(kept, "#picture/")
	if a := get(u, u.eval(`new URL("api/v1/pictures/`+id+`", document.baseURI)`)); a.status != 404 {
		u.Errorf("the kept picture is still there: %v", a)
	}
	if n := u.eval(`document.querySelectorAll("#view-draw .card").length`); n != "2" {
		u.Errorf("%s pictures are left", n)
	}
	u.Do(chromedp.Focus(chromedp.CSS("#toast .undo")), chromedp.KeyEvent(kb.Enter)) // inside the dialog, by the keyboard
	u.until(`document.querySelector("#toast .message").textContent === "It is back."`)
	if a := get(u, u.eval(`new URL("api/v1/pictures/`+id+`", document.baseURI)`)); a.status != 200 {
		u.Errorf("the picture is not back: %v", a)
	}
	u.close()

	// A deleted picture leaves the list, and comes back to its place.
	u.open("#view-draw .pictures li:nth-child(1)")
	u.click("#viewer .delete")
	u.until(`document.querySelectorAll("#view-draw .card").length === 1`)
	u.close()
	u.until(`document.activeElement.matches("#view-draw .card button")`)
	u.click("#toast .undo")
	u.until(`"#picture/" + document.querySelector("#view-draw .card").dataset.id === "` + original + `"`)
}

// A change of a picture outlives a reload: its text, its previews, the slider's position, and what was kept. A text
// that the domain does not know is named while one types.
func reloadChange(u user) {
	u.drawText("a wizard", 1)
	u.open("#view-draw .pictures li:nth-child(1)")
	u.write("#viewer [name=to]", "a red sports car on the moon")
	u.until(`/unknown to Lorelei: .*sports.*car.*moon/.test(document.querySelector("#viewer .change").innerText)`)
	u.write("#viewer [name=to]", "a girl with red hair")
	u.until(`!/unknown to Lorelei/.test(document.querySelector("#viewer .change").innerText)`)
	u.click("#viewer .change .main")
	ready := `document.querySelector("#viewer .change .status")?.textContent === "Ready: move the slider"`
	u.until(ready)
	u.Do(chromedp.KeyEvent(kb.ArrowRight))
	preview := u.eval(`document.querySelector("#viewer-picture").src`)
	u.look("change")
	u.Do(chromedp.Reload())
	u.until(ready)
	u.until(`document.querySelector("#viewer-picture").src === "` + preview + `"`)
	if now := u.eval(`[document.querySelector("#viewer [name=to]").value,
		document.querySelector("#viewer .slide output").textContent]`); now != "a girl with red hair,1.25" {
		u.Errorf("after the reload the change is %q", now)
	}
	u.click("#viewer .keep")
	u.until(`document.querySelector("#viewer .change .status").textContent === "It is in the gallery." &&
		document.activeElement.id === "viewer-alpha"`) // the button that had the focus cannot be used now
	kept := u.eval(`location.hash`)
	u.Do(chromedp.Reload())
	u.until(ready + ` && document.querySelector("#viewer .keep").disabled`)
	u.Do(chromedp.Focus(chromedp.CSS("#viewer-alpha")), chromedp.KeyEvent(kb.ArrowRight))
	u.until(`!document.querySelector("#viewer .keep").disabled && location.hash === "` + kept + `"`)
	u.click("#viewer .original")
	u.until(`document.querySelector("#viewer-text").textContent === "a wizard" &&
		document.activeElement.id === "viewer-to"`)
	u.close()
	u.view("gallery")
	u.open(`#view-gallery [data-id="` + strings.TrimPrefix(kept, "#picture/") + `"]`)
	u.until(`document.querySelector("#viewer .slide").hidden`) // a change ends with the viewer
	u.close()
	u.view("draw")
}

// Draw takes other seeds each time, unless the seed is kept; a picture's settings draw it again.
func drawVariations(u user) {
	u.set("#view-draw [name=seed]", "40")
	u.click("#view-draw [name=locked]")
	if first := u.drawText("an elf", 2); first != "seed 40, seed 41" {
		u.Errorf("drawn %q", first)
	}
	u.press(2)
	if next := u.notes(); next != "seed 42, seed 43" {
		u.Errorf("then drawn %q", next)
	}
	u.click("#view-draw [name=locked]")
	u.press(2)
	if again := u.notes(); again != "seed 42, seed 43" {
		u.Errorf("with the seed kept, drawn %q", again)
	}
	u.set("#view-draw [name=alpha]", "1.3")
	u.set("#view-draw [name=run]", "untrained")
	u.set("#view-draw [name=cartoon]", "ink")
	u.set("#view-draw [name=diversity]", "style")
	u.press(2)
	u.open("#view-draw .pictures li:nth-child(2)")
	picture := u.eval(`location.hash`)
	u.close()
	u.Page.Goto(u.eval(`location.href.split("#")[0]`) + picture)
	u.until(`document.querySelector("#viewer").open && document.querySelector("#viewer-picture")?.naturalWidth`)
	pixels := pixelsOf(u, &running{URL: strings.TrimSuffix(u.eval(`location.href.split("#")[0]`), "/")},
		picturePath(picture))
	u.click("#viewer .settings-of")
	u.until(`document.activeElement.id === "draw-text"`)
	now := u.eval(`["seed", "locked", "alpha", "cartoon", "diversity", "count", "run"]
		.map(n => document.querySelector("#view-draw [name=" + n + "]").value)`)
	if now != "43,on,1.3,ink,style,1,untrained" {
		u.Errorf("the settings are %s", now)
	}
	u.press(1)
	again := u.eval(`"#picture/" + document.querySelector("#view-draw .card").dataset.id`)
	if string(pixels) != string(pixelsOf(u, &running{URL: strings.TrimSuffix(u.eval(`location.href.split("#")[0]`),
		"/")}, picturePath(again))) {
		u.Error("the same settings draw another picture")
	}
}

func picturePath(hash string) picture {
	return picture{PNG: "/api/v1/pictures/" + strings.TrimPrefix(hash, "#picture/") + "/png"}
}

// Text, settings and results outlive a reload; addresses hold them; Back closes the viewer.
func reloadPage(u user) {
	base := u.eval(`location.href.split("#")[0]`)
	u.Page.Goto(base + "#draw?text=a+punk+%26+a+poet&count=3&seed=7&alpha=1.1&truncation_psi=0.9")
	u.Do(chromedp.Reload())
	u.until(`document.querySelector("#draw-text")?.value === "a punk & a poet"`)
	if now := u.eval(`["seed", "alpha", "truncation_psi",
		"count"].map(n => document.querySelector("#view-draw [name=" + n + "]").value)`); now != "7,1.1,0.9,3" {
		u.Errorf("the address sets %s", now)
	}
	u.until(`document.querySelector("#view-draw [name=refine]").closest(".field").hidden &&
		!document.querySelector("#view-draw .unrefined").hidden`)
	u.press(3)
	first := u.notes()
	u.set("#view-draw [name=spread]", "0.25")
	address := u.eval(`location.hash`)
	if !strings.Contains(address, "text=a+punk+%26+a+poet") || !strings.Contains(address, "spread=0.25") {
		u.Errorf("the address is %s", address)
	}
	u.Do(chromedp.Reload())
	u.until(`document.querySelector("#draw-text")?.value === "a punk & a poet"`)
	u.images("#view-draw .pictures", 3)
	if again := u.notes(); again != first ||
		u.eval(`document.querySelector("#view-draw [name=spread]").value`) != "0.25" {
		u.Errorf("after the reload %q, before %q", again, first)
	}
	u.open("#view-draw .pictures li:nth-child(3)")
	u.Do(chromedp.NavigateBack())
	u.until(`!document.querySelector("#viewer").open && !document.querySelector("#view-draw").hidden`)
	if now := u.eval(`location.hash`); now != address {
		u.Errorf("Back leads to %s, not %s", now, address)
	}
	u.Page.Goto(base + "#picture/0000000000000000")
	u.Do(chromedp.Reload())
	u.until(`document.querySelector("main > .alert")?.innerText.includes("does not have this picture")`)
	u.Page.Goto(base + "#draw") // a missing picture is not a problem of the page here
	u.Do(chromedp.Reload())
	u.until(`document.querySelector("#draw-text")?.value`)
}

// On a phone the page scrolls to what it draws, and a finger leads from picture to picture. Texts may run to the left.
func usePhone(u user) {
	u.Page.View(390, 844, browser.Light)
	browser.Eval[bool](u.Page, `document.querySelector("#view-draw details").open = true; scrollTo(0, 0); true`)
	u.write("#draw-text", "ساحر عجوز يضع نظارة")
	u.press(3)
	u.until(`scrollY > 200`)
	u.open("#view-draw .pictures li:nth-child(1)")
	if way := u.eval(`["#viewer-text", "#draw-text"].map(s =>
		getComputedStyle(document.querySelector(s)).direction)`); way != "rtl,rtl" {
		u.Errorf("an Arabic text runs %s", way)
	}
	u.look("right-to-left")
	u.Page.View(390, 844, browser.Light)
	first := u.eval(`location.hash`)
	browser.Eval[bool](u.Page, `for (const [name, x] of [["pointerdown", 300], ["pointerup", 180]])
		document.querySelector(".stage").dispatchEvent(new PointerEvent(name, {pointerType: "touch", clientX: x,
			clientY: 200, bubbles: true})); true`)
	u.until(`location.hash !== "` + first + `"`)
	u.close()
	u.Page.View(1280, 800, browser.Light)
}

// The page offers no more candidates than the server takes.
func seeLimits(u user) {
	u.view("draw")
	u.set("#view-draw [name=count]", "9")
	if most := u.eval(`document.querySelector("#view-draw [name=best_of]").max`); most != "2" {
		u.Errorf("9 pictures of %s candidates, with 20 places", most)
	}
	u.set("#view-draw [name=best_of]", "2")
	says := u.eval(`document.querySelector("#view-draw [name=best_of]").closest(".field").textContent`)
	if !strings.Contains(says, "18 pictures drawn in all") {
		u.Errorf("the candidates say %q", says)
	}
	u.set("#view-draw [name=count]", "4")
	u.set("#view-draw [name=best_of]", "1")
}

// A job that runs outlives a reload, and a server that was killed is waited for.
func TestPageOfAKilledServer(t *testing.T) {
	r := deaf(t, func(o *serve.Options) { o.Limits.Waiting = 9 })
	u := user{t, browser.Open(t, r.URL)}
	u.until(`document.querySelector("nav a[aria-current]")`)
	u.write("#draw-text", "a toy")
	u.set("#view-draw [name=count]", "9")
	u.click("#view-draw .ask .main")
	waits := `document.querySelectorAll("#view-draw .waiting").length === 9 &&
		/^(Drawing 9 pictures|The server was just)/.test(document.querySelector("#view-draw .status").textContent)`
	u.until(waits)
	u.Do(chromedp.Reload())
	u.until(waits) // the same job: another would find the queue full

	host := strings.TrimPrefix(r.URL, "http://")
	r.kill()
	u.until(`/The server does not answer\. Trying again/.test(document.querySelector("#view-draw .alert").innerText)`)
	u.Show("killed")
	deafOn(t, host)
	u.until(`!document.querySelector("#view-draw .alert").innerText && ` + waits)
	u.click("#view-draw .stop")
	u.until(`document.querySelector("#view-draw .status").textContent === "Stopped: 0 of 9 pictures ready"`)

	// An address sets what lies between a slider's steps and beyond its ends, within what the server takes.
	values := `["alpha", "spread", "truncation_psi"].map(n => document.querySelector("#view-draw [name=" + n + "]").value)`
	for address, want := range map[string]string{
		"#draw?alpha=5.5&spread=0.123&truncation_psi=-0.33": "5.5,0.123,-0.33",
		"#draw?alpha=40&spread=0.2&truncation_psi=x":        "10,0.2,1",
	} {
		u.Page.Goto(r.URL + "/" + address)
		u.until(`String(` + values + `) === "` + want + `"`)
	}
}

// The page asks a server that was killed again when it answers: for an upload, a deletion, a ZIP file.
func TestPageOfARestartedServer(t *testing.T) {
	folder := t.TempDir()
	of := func(o *serve.Options) { o.Folder = folder }
	r := deaf(t, of)
	host := strings.TrimPrefix(r.URL, "http://")
	u := user{t, browser.Open(t, r.URL)}
	u.until(`document.querySelector("nav a[aria-current]")`)
	through := func(alert string, ask func()) { // a restart
		t.Helper()
		r.kill()
		ask()
		u.until(`/The server does not answer\. Trying again/.test(document.querySelector("` + alert + `").innerText)`)
		r = deafOn(t, host, of)
		u.until(`!document.querySelector("` + alert + `").innerText`)
	}
	u.view("gallery")
	path := filepath.Join(t.TempDir(), "mine.png")
	if err := pictures.WritePNG(path, image.NewGray(image.Rect(0, 0, 20, 20)), nil); err != nil {
		t.Fatal(err)
	}
	for n := range 2 {
		u.Do(chromedp.SetUploadFiles(chromedp.CSS("#view-gallery input[type=file]"), []string{path}))
		u.until(`document.querySelectorAll("#upload canvas").length === 2`)
		through("#upload .alert", func() { u.click("#upload .main") })
		u.until(`document.querySelector("#viewer").open`)
		u.close()
		u.until(fmt.Sprintf(`document.querySelectorAll("#view-gallery .card").length === %d`, n+1))
	}
	u.click("#view-gallery .card:nth-child(1) .pick")
	u.watchSaves()
	through("#view-gallery .alert", func() { u.click("#view-gallery .zip") })
	u.until(`saves.some(s => s.startsWith("application/zip"))`)
	u.open("#view-gallery .card:nth-child(2)")
	through("#viewer .alert", func() { u.click("#viewer .delete") })
	u.until(`document.querySelector("#toast .message").innerText.startsWith("1 picture deleted.")`)
	u.close()
	u.until(`document.querySelector("#view-gallery .status").textContent === "1 picture"`)

	// A picture that the view does not list gives the focus back to where it was.
	u.view("draw")
	u.Do(chromedp.Focus(chromedp.CSS("#view-draw .upload input")),
		chromedp.SetUploadFiles(chromedp.CSS("#view-draw .upload input"), []string{path}))
	u.until(`document.querySelectorAll("#upload canvas").length === 2`)
	u.click("#upload .main")
	u.until(`document.querySelector("#viewer").open`)
	u.close()
	u.until(`document.activeElement.matches("#view-draw .upload input")`)
}

// deafOn is deaf on an address.
func deafOn(t *testing.T, host string, changes ...func(*serve.Options)) *running {
	t.Helper()
	o, err := tinyOptions()
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		change(&o)
	}
	return serveDeaf(t, o, host)
}

// serveDeaf serves without a worker, on an address of its own where host is "".
func serveDeaf(t *testing.T, o serve.Options, host string) *running {
	t.Helper()
	o.Log = slog.New(slog.DiscardHandler)
	s, err := serve.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(s)
	if host != "" {
		server.Listener.Close()
		if server.Listener, err = net.Listen("tcp", host); err != nil {
			t.Fatal(err)
		}
	}
	server.Start()
	kill := func() {
		server.CloseClientConnections()
		server.Close()
		s.Close()
	}
	t.Cleanup(kill)
	return &running{URL: server.URL, server: s, kill: kill}
}
