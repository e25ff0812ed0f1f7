package serve_test

import (
	"context"
	"fmt"
	"image"
	"math"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"illustrator/data/pictures"
	"illustrator/internal/browser"
	"illustrator/serve"
)

// user does what a person does on the page.
type user struct {
	*testing.T
	*browser.Page
}

// until waits until a JavaScript expression is true.
func (u user) until(expression string) {
	u.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(30 * time.Millisecond) {
		if browser.Eval[bool](u.Page, "!!("+expression+")") {
			return
		}
	}
	u.Screenshot(u.Name() + "-late")
	u.Fatalf("waited in vain until %s; the page says %q", expression,
		browser.Eval[string](u.Page, "document.body.innerText"))
}

// view opens one of the page's views.
func (u user) view(name string) {
	u.Helper()
	u.click(`nav a[href="#` + name + `"]`)
	u.until(`!document.querySelector("#view-` + name + `").hidden`)
}

func (u user) click(selector string) {
	u.Helper()
	u.Do(chromedp.Click(chromedp.CSS(selector)))
}

func (u user) write(selector, text string) {
	u.Helper()
	// A dialog that closes gives the focus back a moment later, and may take it from the field.
	value := fmt.Sprintf("document.querySelector(%q).value", selector)
	for try := 0; try < 3 && browser.Eval[string](u.Page, value) != text; try++ {
		u.set(selector, "")
		u.Do(chromedp.SendKeys(chromedp.CSS(selector), text))
	}
}

// set gives a field a value, as a choice of the mouse does.
func (u user) set(selector, value string) {
	u.Helper()
	browser.Eval[bool](u.Page,
		fmt.Sprintf(
			`{const field = document.querySelector(%q); field.value = %q;
			field.dispatchEvent(new Event("input", {bubbles: true})); true}`, selector, value))
}

func (u user) text(selector string) string {
	u.Helper()
	return browser.Eval[string](u.Page, fmt.Sprintf("document.querySelector(%q).innerText", selector))
}

// hear keeps what an element says: a status is announced as it changes.
func (u user) hear(selector string) {
	u.Helper()
	browser.Eval[bool](u.Page, fmt.Sprintf(`window.said = []; window.hearing?.disconnect();
		window.hearing = new MutationObserver(() => said.push(document.querySelector(%[1]q).textContent));
		hearing.observe(document.querySelector(%[1]q), {childList: true}); true`, selector))
}

func (u user) heard() string { return browser.Eval[string](u.Page, `said.join("|")`) }

// images waits until n pictures of a list are shown and none is pending.
func (u user) images(list string, n int) {
	u.Helper()
	u.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].filter(i => i.complete && i.naturalWidth).length === %d &&
		!document.querySelector("main > section:not([hidden])").matches("[aria-busy]")`, list+" img", n))
}

// look takes a screenshot in light and dark, and holds both to what must be right of a page.
func (u user) look(name string) {
	u.Helper()
	for _, scheme := range []browser.Scheme{browser.Dark, browser.Light} {
		u.Page.View(1280, 800, scheme)
		u.Accessible(name + " " + string(scheme))
		u.Show(name + "-" + string(scheme))
	}
	u.Page.View(390, 844, browser.Light)
	u.Accessible(name + " on a phone")
	u.Show(name + "-phone")
	u.Check()
	u.Page.View(1280, 800, browser.Light)
}

// Everything that a person does on the page, in one Chromium. Screenshots are kept where ILLUSTRATOR_SCREENSHOTS says.
func TestPage(t *testing.T) {
	server := lorelei.serve(t, addFaststyle(t))
	page := browser.Open(t, server.URL)
	run := func(name string, f func(u user)) {
		if !t.Run(name, func(t *testing.T) { f(user{t, page.In(t)}) }) {
			t.FailNow() // what follows begins where this ended
		}
	}
	run("generate", generatePictures)
	run("manipulate", manipulatePicture)
	run("improve", improvePictures)
	run("between", goBetween)
	run("animation", playAnimation)
	run("network", chooseNetwork)
	run("compare", compareRuns)
	run("story", tellStory)
	run("gallery", searchGallery)
	run("upload", uploadPicture)
	run("ways in", dropAndPaste)
	run("sheet", drawSheet)
	run("edited story", editStory)
	run("chosen", chooseSeveral)
	run("sizes", chooseSize)
	run("knowledge", seeKnowledge)
	run("shown", actOnWhatIsShown)
	run("change", reloadChange)
	run("variations", drawVariations)
	run("reload", reloadPage)
	run("phone", usePhone)
	run("limits", seeLimits)
	run("keyboard", useKeyboardOnly)
	run("errors", seeErrors)
	for _, request := range page.Requests() {
		if !strings.HasPrefix(request, server.URL) && !strings.HasPrefix(request, "blob:") {
			t.Errorf("the page asked for %s", request)
		}
	}
}

func generatePictures(u user) {
	u.until(`document.title === "Lorelei · illustrator"`)
	u.look("empty")
	u.click("#view-draw .chip")
	if example := browser.Eval[string](u.Page, `document.querySelector("#draw-text").value`); example == "" {
		u.Error("an example writes nothing")
	}
	u.write("#draw-text", "a punk with a pink mohawk and sunglasses")
	u.write("#view-draw [name=count]", "8")
	u.hear("#view-draw .status")
	u.click("#view-draw .ask .main")
	u.images("#view-draw .pictures", 8)
	said := u.heard()
	for _, want := range []string{"Drawing 8 pictures", " of 8 pictures ready", "8 pictures in "} {
		if !strings.Contains(said, want) {
			u.Errorf("the progress %q does not say %q", said, want)
		}
	}
	if first := browser.Eval[string](u.Page,
		`[...document.querySelectorAll("#view-draw .pictures .note")].map(n => n.textContent).join("|")`); !strings.HasPrefix(
		first, "seed 0 · match 0.") || !strings.Contains(first, "seed 4") {
		u.Errorf("captions %q", first)
	}
	u.look("generate")
	u.set("#view-draw [name=count]", "2")
	u.set("#view-draw [name=cartoon]", "comic")
	u.click("#view-draw summary")
	u.set("#view-draw [name=diversity]", "style")
	u.until(`!document.querySelector("#view-draw [name=inject_index]").closest(".field").hidden`)
	u.click("#view-draw .ask .main")
	u.until(`document.querySelector("#view-draw .pictures .note")?.textContent.includes("comic")`)
	u.images("#view-draw .pictures", 2)
	u.look("settings")
	u.set("#view-draw [name=count]", "4")
	u.set("#view-draw [name=cartoon]", "")
	u.set("#view-draw [name=diversity]", "z")
	u.click("#view-draw summary")
	u.click("#view-draw .ask .main")
	u.images("#view-draw .pictures", 4)
}

func manipulatePicture(u user) {
	u.click("#view-draw .pictures li:nth-child(2) button")
	u.until(`document.querySelector("#viewer").open && document.querySelector("#viewer-picture")?.naturalWidth`)
	before := browser.Eval[string](u.Page, `document.querySelector("#viewer-picture").src`)
	u.write("#viewer [name=to]", "a woman with long pink hair")
	u.click("#viewer .change .main")
	u.until(
		`document.querySelector("#viewer .change .status").textContent === "Ready: move the slider" &&
			document.activeElement.id === "viewer-alpha"`)
	if at := u.text("#viewer .slide output"); at != "1" {
		u.Errorf("the slider begins at %s", at)
	}
	seen := map[string]bool{before: true}
	for range 3 {
		u.Do(chromedp.KeyEvent(kb.ArrowRight))
		seen[browser.Eval[string](u.Page, `document.querySelector("#viewer-picture").src`)] = true
	}
	if len(seen) != 4 || u.text("#viewer .slide output") != "1.75" {
		u.Errorf("the slider showed %d pictures and is at %s", len(seen), u.text("#viewer .slide output"))
	}
	u.look("manipulate")
	u.click("#viewer .keep")
	u.until(`document.querySelector("#viewer .change .status").textContent === "It is in the gallery."`)
	u.Do(chromedp.KeyEvent(kb.Escape))
	u.until(`!document.querySelector("#viewer").open`)
}

func compareRuns(u user) {
	u.view("compare")
	u.write("#compare-text", "a pirate with an eye patch and a red shirt")
	u.click("#view-compare .ask .main")
	u.images("#view-compare .side:nth-child(1)", 4)
	u.images("#view-compare .side:nth-child(2)", 4)
	if sides := u.text("#view-compare .sides"); !strings.Contains(sides, "lorelei") ||
		!strings.Contains(sides, "untrained") || strings.Count(sides, "mean match") != 2 {
		u.Errorf("the sides say %q", sides)
	}
	u.look("compare")
}

func tellStory(u user) {
	u.view("story")
	u.write("#story-text", "# The visit\n\nA young woman with long blond hair wears a flower.\n\nHer father is an old "+
		"man with a gray beard and glasses.\n\nA clown with green hair makes them laugh.")
	u.click("#view-story .ask .main")
	u.images("#view-story .scenes", 3)
	if text := u.text("#view-story .scenes"); strings.Count(text, "seed 0") != 3 ||
		!strings.HasPrefix(text, "The visit") ||
		!strings.Contains(text, "makes them laugh.") {
		u.Errorf("the story shows %q", text)
	}
	u.look("story")
}

func searchGallery(u user) {
	u.view("gallery")
	u.until(`document.querySelectorAll("#view-gallery .card img").length > 20`)
	u.look("gallery")
	u.write("#gallery-search", "pink manipulated")
	u.until(`document.querySelector("#view-gallery .status").textContent === "1 picture"`)
	u.images("#view-gallery .pictures", 1)
	if note := u.text("#view-gallery .card .note"); !strings.Contains(note, "strength 1.75") {
		u.Errorf("found %q", note)
	}
	u.click("#view-gallery .card button")
	u.until(`document.querySelector("#viewer .download").href.includes("/png?download")`)
	if facts := u.text("#viewer dl"); !strings.Contains(facts, "a punk with a pink mohawk") {
		u.Errorf("the viewer says %q", facts)
	}
	u.download()
	u.click("#viewer .delete")
	u.until(
		`!document.querySelector("#viewer").open &&
			document.querySelector("#view-gallery .status").textContent.startsWith("No picture")`)
	u.write("#gallery-search", "")
}

// download saves the picture that the viewer shows, as a browser does, and looks into the file.
func (u user) download() {
	u.Helper()
	address := browser.Eval[string](u.Page, `document.querySelector("#viewer .download").href`)
	a := get(u, address)
	if name := a.header.Get("Content-Disposition"); !strings.HasPrefix(name,
		`attachment; filename="a-woman-with-long-pink-hair-seed1`) {
		u.Errorf("the file is called %q", name)
	}
	if texts := textsOf(u, a.body); texts["Description"] != "a woman with long pink hair" || texts["Seed"] != "11" ||
		texts["Alpha"] != "1.75" || texts["Domain"] != "lorelei" || len(texts["generator-SHA256"]) != 64 {
		u.Errorf("the file's texts: %v", texts)
	}
}

func uploadPicture(u user) {
	const kept = `document.querySelectorAll("#upload canvas")[1].getContext("2d").getImageData(60, 60, 1, 1).data`
	img := image.NewNRGBA(image.Rect(0, 0, 90, 60)) // from dark to bright
	for i := range img.Pix {
		img.Pix[i] = byte(40 + i/4%90*2)
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	path := filepath.Join(u.TempDir(), "mine.png")
	if err := pictures.WritePNG(path, img, nil); err != nil {
		u.Fatal(err)
	}
	u.Do(chromedp.SetUploadFiles(chromedp.CSS("#view-gallery input[type=file]"), []string{path}))
	u.until(`document.querySelectorAll("#upload canvas").length === 2`)
	if says := u.text("#upload .preview"); !strings.Contains(says,
		"The bright square is kept: drag it, or move it below. It is scaled to 64 × 64 pixels.") {
		u.Errorf("the preview says %q", says)
	}
	// By the keyboard, then with a mouse: what the preview shows is what is kept.
	u.Do(chromedp.Focus(chromedp.CSS("#upload-position")), chromedp.KeyEvent(kb.End))
	u.until(`document.querySelector("#upload-position").value === "1"`)
	end := u.eval(kept)
	u.Do(chromedp.KeyEvent(kb.Home))
	start := u.eval(kept)
	browser.Eval[bool](u.Page, `{const canvas = document.querySelector("#upload canvas");
		const box = canvas.getBoundingClientRect();
		canvas.setPointerCapture = () => {};
		canvas.dispatchEvent(new PointerEvent("pointerdown", {buttons: 1, clientX: box.right - 4, clientY: box.top + 9,
			bubbles: true})); true}`)
	if dragged := u.eval(kept); dragged != end || dragged == start {
		u.Errorf("the square at the right shows %s, dragged there %s, at the left %s", end, dragged, start)
	}
	u.look("preview")
	u.click("#upload .main")
	u.until(`document.querySelector("#viewer").open && document.querySelector("#viewer-picture")?.naturalWidth === 64`)
	at := decodePNG(u, get(u, u.eval(`document.querySelector("#viewer-picture").src`)).body).NRGBAAt(32, 32)
	if want := strings.Split(end, ",")[0]; math.Abs(float64(at.R)-number(u, want)) > 6 {
		u.Errorf("kept is %v in the middle, shown was %s", at, end)
	}
	u.write("#viewer [name=from]", "a person")
	u.write("#viewer [name=to]", "a person with a green afro")
	u.click("#viewer .change .main")
	u.until(`document.querySelector("#viewer .change .status").textContent === "Ready: move the slider"`)
	u.look("upload")
	u.click("#viewer .close")
	u.until(`!document.querySelector("#viewer").open`)
}

func number(t testing.TB, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// Without a mouse: to the view, into the text, draw, to a picture, through its neighbours and back.
func useKeyboardOnly(u user) {
	u.click(`nav a[href="#draw"]`) // focus begins here
	u.until(`!document.querySelector("#view-draw").hidden`)
	u.Do(chromedp.KeyEvent("/"))
	u.until(`document.activeElement.id === "draw-text"`)
	browser.Eval[bool](u.Page, `document.activeElement.value = ""; true`)
	u.Do(chromedp.KeyEvent("an elf"), chromedp.KeyEvent(kb.Enter, chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	u.until(`document.querySelector("#view-draw .pictures img")?.alt === "an elf"`)
	u.images("#view-draw .pictures", 4)
	u.Do(chromedp.Focus(chromedp.CSS("#view-draw .chip.other")), chromedp.KeyEvent(kb.Enter))
	u.until(`document.activeElement.matches("#view-draw .chip.other")`) // the new one
	reached := false
	for range 60 {
		u.Do(chromedp.KeyEvent(kb.Tab))
		if reached = browser.Eval[bool](u.Page, `document.activeElement.matches("#view-draw .pictures button")`); reached {
			break
		}
	}
	if !reached {
		u.Fatal("Tab does not reach the pictures")
	}
	if outline := browser.Eval[string](u.Page,
		`getComputedStyle(document.activeElement).outlineStyle`); outline != "solid" {
		u.Errorf("the focus is %q", outline)
	}
	u.Do(chromedp.KeyEvent(kb.Enter))
	u.until(
		`document.querySelector("#viewer").open &&
			/^seed [0-9]+/.test(document.querySelector("#viewer-caption").textContent)`)
	first := u.text("#viewer-caption")
	u.Do(chromedp.KeyEvent(kb.ArrowRight))
	u.until(fmt.Sprintf(`document.querySelector("#viewer-caption").textContent !== %q`, first))
	u.Do(chromedp.KeyEvent(kb.Escape))
	u.until(`!document.querySelector("#viewer").open && document.activeElement.matches("#view-draw .pictures button")`)
}

// An error of the server is shown with its hint, and announced; what was there before stays.
func seeErrors(u user) {
	u.write("#draw-text", strings.Repeat("long ", 30))
	u.until(`document.querySelector("#draw-text-limit").matches(".over") &&
		!document.querySelector("#draw-text").checkValidity()`)
	browser.Eval[bool](u.Page, `document.querySelector("#view-draw form").noValidate = true; true`)
	u.click("#view-draw .ask .main")
	u.until(`document.querySelector("#view-draw .alert").innerText.includes(
		"Description: it has 150 characters. Write at most 100")`)
	u.Accessible("error")
	u.Show("error")
	u.Page.Goto(browser.Eval[string](u.Page,
		"location.href")) // an answer of status 400 is not a problem of the page here
}

// On the narrowest phones no view is wider than the window.
func TestPageOnANarrowPhone(t *testing.T) {
	u := user{t, browser.Open(t, deaf(t).URL)}
	u.Page.View(320, 640, browser.Light)
	for _, name := range []string{"draw", "story", "morph", "compare", "gallery"} {
		u.view(name)
		u.Show("narrow-" + name)
		u.Check()
	}
}

// A server that asks for a token, and is so busy that nothing is drawn: the page asks, waits, stops, and says when to
// try again.
func TestPageOfABusyServer(t *testing.T) {
	const token = "a-token-that-is-long"
	r := deaf(t, func(o *serve.Options) { o.Token, o.Limits.Waiting, o.Limits.Pictures = token, 9, 9 })
	u := user{t, browser.Open(t, r.URL)}
	u.until(`document.querySelector("#login").open`)
	u.Accessible("login")
	u.Show("login")
	u.write("#login input", "wrong")
	u.click("#login button")
	u.until(`document.querySelector("#login .problem").textContent === "That token is wrong."`)
	u.write("#login input", token)
	u.click("#login button")
	u.until(`document.title === "Toys · illustrator" && document.querySelector("nav a[aria-current]")`)

	u.write("#draw-text", "a toy")
	u.write("#view-draw [name=count]", "9")
	u.click("#view-draw .ask .main")
	u.until(
		`document.querySelectorAll("#view-draw .waiting").length === 9 &&
			document.querySelector("#view-draw .status").textContent === "Drawing 9 pictures …"`)
	u.Accessible("waiting")
	u.until(`document.querySelector("#view-draw .status").textContent.startsWith("The server was just started")`)
	u.Show("waiting")
	u.click("#view-draw .stop")
	u.until(
		`document.querySelector("#view-draw .status").textContent === "Stopped: 0 of 9 pictures ready" &&
			!document.querySelector("#view-draw .waiting") && document.activeElement.matches("#view-draw .main")`)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	another := func() int {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL+"/api/v1/generate",
			strings.NewReader(`{"text": "another's", "count": 9}`))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{"Authorization": "Bearer " + token, "Content-Type": "application/json",
			"Accept": "text/event-stream"} {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { response.Body.Close() })
		return response.StatusCode
	}
	for another() != http.StatusOK { // until the server has noticed that the page's request is gone
		time.Sleep(50 * time.Millisecond)
	}
	u.click("#view-draw .ask .main")
	u.until(`/Too many pictures.*Try again in 1 second/.test(document.querySelector("#view-draw .alert").innerText)`)
	u.Show("busy")

	// Pictures need the token too.
	path := filepath.Join(t.TempDir(), "mine.png")
	if err := pictures.WritePNG(path, image.NewGray(image.Rect(0, 0, 20, 20)), nil); err != nil {
		t.Fatal(err)
	}
	u.view("gallery")
	u.Do(chromedp.SetUploadFiles(chromedp.CSS("#view-gallery input[type=file]"), []string{path}))
	u.until(`document.querySelectorAll("#upload canvas").length === 2`)
	u.click("#upload .main")
	u.until(
		`document.querySelector("#viewer-picture")?.naturalWidth === 16 &&
			document.querySelector("#viewer .download").href.startsWith("blob:")`)
}
