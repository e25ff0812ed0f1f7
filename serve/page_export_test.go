package serve_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"illustrator/internal/browser"
	"illustrator/serve"
)

// watchSaves notes the type and size of each file that the page saves.
func (u user) watchSaves() {
	browser.Eval[bool](u.Page, `if (!window.saves) {
		window.saves = [];
		const create = URL.createObjectURL;
		URL.createObjectURL = (blob) => { saves.push(blob.type + " " + (blob.size > 500)); return create(blob); };
	}
	saves.length = 0; true`)
}

func (u user) saved(want string) {
	u.Helper()
	u.until(`saves.includes("` + want + ` true")`)
}

// A picture is dropped or pasted where one draws, and shown as it is cropped before it is sent.
func dropAndPaste(u user) {
	u.view("draw")
	for _, way := range []string{
		`new DragEvent("drop", {dataTransfer: files, bubbles: true, cancelable: true})`,
		`new ClipboardEvent("paste", {clipboardData: files, bubbles: true, cancelable: true})`,
	} {
		browser.Eval[bool](u.Page, `{const canvas = Object.assign(document.createElement("canvas"), {width: 90, height: 60});
			canvas.getContext("2d").fillRect(0, 0, 40, 40);
			canvas.toBlob((blob) => {
				const files = new DataTransfer();
				files.items.add(new File([blob], "mine.png", {type: "image/png"}));
				document.querySelector("#draw-text").dispatchEvent(`+way+`);
			}); true}`)
		u.until(`document.querySelector("#upload").open && document.querySelectorAll("#upload canvas").length === 2`)
		u.click("#upload .cancel")
		u.until(`!document.querySelector("#upload").open`)
	}
	u.until(`document.querySelector("#view-draw .upload input")`)
}

// A sheet of strength by seed, as a table and as a file.
func drawSheet(u user) {
	u.view("draw")
	u.write("#draw-text", "a person with curly red hair")
	u.set("#view-draw [name=count]", "3")
	browser.Eval[bool](u.Page, `document.querySelector("#view-draw details").open = true`)
	u.set("#view-draw [name=alphas]", "0, 1, 1, 2")
	if says := u.eval(`document.querySelector("#view-draw .sheet-note").textContent`); says != "Give each number once." {
		u.Errorf("the sheet says %q", says)
	}
	u.set("#view-draw [name=alphas]", "0, 1, 2, 3")
	if says := u.eval(`document.querySelector("#view-draw .sheet-note").textContent`); !strings.Contains(says,
		"at most 3 numbers") {
		u.Errorf("the sheet says %q", says)
	}
	u.set("#view-draw [name=alphas]", "0 0.9 2")
	u.click("#view-draw .ask .main")
	u.images("#view-draw .sheet", 9)
	u.until(`document.querySelector("#view-draw .sheet-file")`)
	if head := u.text("#view-draw .sheet"); !strings.Contains(head, "strength 0.9") || strings.Count(head, "seed") < 3 {
		u.Errorf("the sheet has %q", head)
	}
	u.look("sheet")
	u.watchSaves()
	u.click("#view-draw .sheet-file")
	u.saved("image/png")
	u.set("#view-draw [name=alphas]", "")
	browser.Eval[bool](u.Page, `document.querySelector("#view-draw details").open = false; true`)
}

// A story with a character: one paragraph is edited and drawn again by itself; the story leaves the page.
func editStory(u user) {
	u.view("story")
	u.write("#story-text", "# The visit\n\nA girl smiles.\n\nAn old man with glasses.")
	u.write("#story-character", "a person with red hair")
	u.click("#view-story .ask .main")
	u.images("#view-story .scenes", 2)
	u.until(`!document.querySelector("#view-story .exports").hidden`)
	first := `document.querySelectorAll("#view-story .scene")[0].querySelector("li").dataset.id`
	second := `document.querySelectorAll("#view-story .scene")[1].querySelector("li").dataset.id`
	before := [2]string{u.eval(first), u.eval(second)}
	alt := u.eval(`document.querySelector("#view-story .scene img").alt`)
	if alt != "a person with red hair. A girl smiles." {
		u.Errorf("the first picture shows %q", alt)
	}
	u.click("#view-story .scene .edit")
	u.until(`document.activeElement.matches(".told textarea")`)
	u.Do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)),
		chromedp.KeyEvent("A girl with an afro frowns."))
	u.click("#view-story .redraw")
	u.until(`document.querySelector("#view-story .told p")?.textContent === "A girl with an afro frowns."`)
	u.images("#view-story .scenes", 2)
	if now := [2]string{u.eval(first), u.eval(second)}; now[0] == before[0] || now[1] != before[1] {
		u.Errorf("pictures %q, before %q", now, before)
	}
	if text := u.eval(`document.querySelector("#story-text").value`); !strings.Contains(text, "afro frowns") {
		u.Errorf("the story is %q", text)
	}
	edited := u.eval(first)
	u.watchSaves()
	for _, format := range [][2]string{{"html", "text/html"}, {"pdf", "application/pdf"}, {"zip", "application/zip"}} {
		u.click(`#view-story [data-format=` + format[0] + `]`)
		u.until(fmt.Sprintf(`saves.some(s => s.startsWith(%q) && s.endsWith("true"))`, format[1]))
	}
	u.look("edited")
	u.Do(chromedp.Reload())
	u.until(`document.querySelector("#view-story .told p")?.textContent === "A girl with an afro frowns." &&
		` + first + ` === "` + edited + `"`)

	// What the page says of a text that runs to the left does not run there itself.
	u.write("#story-character", "")
	u.write("#story-text", "ساحر عجوز يضع نظارة")
	u.click("#view-story .ask .main")
	u.images("#view-story .scenes", 1)
	u.until(`/unknown to Lorelei/.test(document.querySelector("#view-story .alert").innerText)`)
	if way := u.eval(`[".alert .advice", ".told p"].map(s =>
		getComputedStyle(document.querySelector("#view-story " + s)).direction)`); way != "ltr,rtl" {
		u.Errorf("the advice and the story run %s", way)
	}
}

// Several pictures of the gallery are chosen at once: saved, marked, filtered, deleted, and brought back.
func chooseSeveral(u user) {
	base := u.eval(`location.href.split("#")[0]`)
	if a := post(u, base+"api/v1/generate", object{"text": "an elf", "cartoon": "comic", "count": 2}); a.status != 200 {
		u.Fatal(a)
	}
	u.view("gallery")
	u.write("#gallery-search", "")
	u.until(`document.querySelectorAll("#view-gallery .card img").length > 9`)
	all := u.eval(`document.querySelector("#view-gallery .status").textContent`)
	for i := range 2 {
		u.click(fmt.Sprintf("#view-gallery .card:nth-child(%d) .pick", i+1))
	}
	u.until(`document.querySelector("#view-gallery .chosen-count").textContent === "2 chosen"`)
	u.look("chosen")
	// Without a mouse: from the last box on to the next, and back to none.
	u.Do(chromedp.Focus(chromedp.CSS("#view-gallery .card:nth-child(3) .pick input")), chromedp.KeyEvent(" "))
	u.until(`document.querySelector("#view-gallery .chosen-count").textContent === "3 chosen"`)
	u.Do(chromedp.KeyEvent(" "))
	u.until(`document.querySelector("#view-gallery .chosen-count").textContent === "2 chosen"`)
	u.watchSaves()
	u.click("#view-gallery .zip")
	u.saved("application/zip")
	u.click("#view-gallery .mark")
	u.until(`document.querySelectorAll("#view-gallery .note").length &&
		[...document.querySelectorAll("#view-gallery .note")].filter(n => n.textContent.startsWith("★")).length === 2`)
	u.click("#view-gallery [name=favourites]")
	u.until(`document.querySelector("#view-gallery .status").textContent === "2 pictures" &&
		location.hash.includes("favourites=true")`)
	u.images("#view-gallery .pictures", 2)
	u.click("#view-gallery .all")
	u.click("#view-gallery .remove")
	u.until(`document.querySelector("#view-gallery .status").textContent === "No picture matches." &&
		document.activeElement.matches("#toast .undo")`)
	u.Do(chromedp.KeyEvent(kb.Enter))
	u.until(`document.querySelector("#view-gallery .status").textContent === "2 pictures" &&
		document.activeElement.matches("#view-gallery .card button")`)
	u.click("#view-gallery [name=favourites]")
	u.until(`document.querySelector("#view-gallery .status").textContent === "` + all + `"`)
	browser.Eval[bool](u.Page, `{const look = document.querySelector("#view-gallery [name=look]"); look.value = "comic";
		look.dispatchEvent(new Event("change", {bubbles: true})); true}`)
	u.until(`location.hash.includes("look=comic") &&
		[...document.querySelectorAll("#view-gallery .note")].every(n => n.textContent.includes("comic"))`)
	browser.Eval[bool](u.Page, `{const any = document.querySelector("#view-gallery [name=look]"); any.value = "";
		any.dispatchEvent(new Event("change", {bubbles: true})); true}`)
	u.until(`document.querySelector("#view-gallery .status").textContent === "` + all + `"`)
}

// A picture is saved in a size of one's choice, whose filter is named.
func chooseSize(u user) {
	u.drawText("an elf", 1)
	u.open("#view-draw .pictures li:nth-child(1)")
	if sizes := u.text("#viewer .size"); !strings.Contains(sizes, "64 px, as drawn") || !strings.Contains(sizes,
		"256 px, 4× (Lanczos)") {
		u.Errorf("sizes %q", sizes)
	}
	browser.Eval[bool](u.Page, `{const size = document.querySelector("#viewer .size"); size.value = "4";
		size.dispatchEvent(new Event("change")); true}`)
	u.until(`document.querySelector("#viewer .download").href.includes("scale=4")`)
	a := get(u, u.eval(`document.querySelector("#viewer .download").href`))
	if c, err := png.DecodeConfig(bytes.NewReader(a.body)); err != nil || c.Width != 256 {
		u.Errorf("saved a picture %d wide, %v", c.Width, err)
	}
	if texts := textsOf(u, a.body); texts["Enlarged"] != "4 × (Lanczos)" || texts["Description"] != "an elf" {
		u.Errorf("the file's texts: %v", texts)
	}
	u.click("#viewer .favourite")
	u.until(`document.querySelector("#viewer .favourite").getAttribute("aria-pressed") === "true"`)
	u.Do(chromedp.KeyEvent(kb.Escape))
	u.until(`!document.querySelector("#viewer").open`)
}

// The page says what the domain can draw, and where a text lies far from that.
func seeKnowledge(u user) {
	u.view("draw")
	u.write("#draw-text", "a red sports car on the moon")
	u.until(`/^[0-9]+ % of this text is unknown to Lorelei: .*sports.*car.*moon/
		.test(document.querySelector("#view-draw .advice").textContent)`)
	u.click("#view-draw .knows summary")
	if says := u.text("#view-draw .knows"); !strings.Contains(says, "space buns") || !strings.Contains(says,
		"sunglasses") ||
		!strings.Contains(says, "of 140 descriptions") {
		u.Errorf("the page knows %q", says)
	}
	if words := u.eval(`[...document.querySelectorAll("#view-draw .knows .chip")].map(c => c.textContent)
		.filter(w => ["in", "on", "an", "the", "very", "against"].includes(w))`); words != "" {
		u.Errorf("the page offers the words %q", words)
	}
	u.look("knowledge")
	u.set("#draw-text", "a person with")
	u.click("#view-draw .knows .chip")
	u.until(`document.querySelector("#draw-text").value === "a person with bald hair" ||
		document.querySelector("#draw-text").value === "a person with bald"`)
	u.until(`document.querySelector("#view-draw .advice").textContent === ""`)
	u.click("#view-draw .knows summary")
}

// A picture and its enlargement are saved under two names.
func TestNamesOfDownloads(t *testing.T) {
	folder := t.TempDir()
	if err := writeFuzzed(folder, fuzzRecord+`"domain": "toys"}`, false); err != nil {
		t.Fatal(err)
	}
	r := deaf(t, func(o *serve.Options) { o.Folder = folder })
	for query, want := range map[string]string{"": "", "?scale=4": "", "?download": "", "?download&scale=1": "",
		"?download&scale=4": "-4x", "?download&still&scale=16": "-16x"} {
		name := ""
		if strings.Contains(query, "download") {
			name = `attachment; filename="a-toy-seed0-` + fuzzID[len(fuzzID)-4:] + want + `.png"`
		}
		a := get(t, r.URL+"/api/v1/pictures/"+fuzzID+"/png"+query)
		if got := a.header.Get("Content-Disposition"); a.status != http.StatusOK || got != name {
			t.Errorf("png%s: %d, saved as %q, want %q", query, a.status, got, name)
		}
	}
}

// A story's ZIP file opens, with its pages and pictures.
func TestZipOfAStory(t *testing.T) {
	folder := t.TempDir()
	if err := writeFuzzed(folder, fuzzRecord+`"domain": "toys"}`, false); err != nil {
		t.Fatal(err)
	}
	r := deaf(t, func(o *serve.Options) { o.Folder = folder })
	a := post(t, r.URL+"/api/v1/book", object{"format": "zip", "title": "Toys",
		"paragraphs": []object{{"text": "A toy.", "picture": fuzzID}}})
	file, err := zip.NewReader(bytes.NewReader(a.body), int64(len(a.body)))
	if err != nil {
		t.Fatalf("%d, %d bytes: %v", a.status, len(a.body), err)
	}
	var names []string
	for _, f := range file.File {
		names = append(names, f.Name)
	}
	if want := "01-a-toy-seed0-0000.png story.html story.pdf"; strings.Join(names, " ") != want {
		t.Errorf("it holds %q, want %s", names, want)
	}
}
