package raters

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"illustrator/internal/browser"
)

// person is a rater at a page.
type person struct {
	*testing.T
	*browser.Page
}

func (p person) until(expression string) {
	p.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if browser.Eval[bool](p.Page, "!!("+expression+")") {
			return
		}
	}
	p.Fatalf("waited in vain until %s; the page says %q", expression,
		browser.Eval[string](p.Page, "document.body.innerText"))
}

func (p person) text(selector string) string {
	p.Helper()
	return browser.Eval[string](p.Page, fmt.Sprintf("document.querySelector(%q).innerText", selector))
}

func (p person) click(selector string) {
	p.Helper()
	p.Do(chromedp.Click(chromedp.CSS(selector)))
}

func (p person) key(k string) {
	p.Helper()
	p.Do(chromedp.KeyEvent(k))
}

// at waits until n questions are answered and the next one, or its part, can be seen.
func (p person) at(n int) {
	p.Helper()
	p.until(fmt.Sprintf(`document.querySelector("#count").textContent.startsWith("%d of ")`, n))
}

// result returns the answers as the page would save them.
func (p person) result() (a Answers) {
	p.Helper()
	file := browser.Eval[string](p.Page, `document.querySelector("#copy").value`)
	if err := json.Unmarshal([]byte(file), &a); err != nil {
		p.Fatal(err)
	}
	return a
}

// look holds what is shown to what must be right of a page, in light, in dark and on a phone, and takes screenshots.
func (p person) look(name string) {
	p.Helper()
	for _, v := range []struct {
		name          string
		width, height int64
		scheme        browser.Scheme
	}{{"dark", 1280, 800, browser.Dark}, {"phone", 390, 844, browser.Light}, {"light", 1280, 800, browser.Light}} {
		p.View(v.width, v.height, v.scheme)
		p.Accessible(name + " " + v.name)
		p.Check()
		p.Show("raters-" + name + "-" + v.name)
	}
}

// TestPairsInChromium answers a study with keys and clicks, in two sittings, as a file without a server.
func TestPairsInChromium(t *testing.T) {
	o := options()
	o.Items, o.Controls, o.Repeats = 6, 2, 2
	s, _, out := export(t, 9, o)
	address := browser.File(t, filepath.Join(out, pageFolder, pageName(2)))
	p := person{t, browser.Open(t, address)}
	p.until(`!document.querySelector("#start").hidden`)
	p.look("start")
	p.Do(chromedp.SendKeys(chromedp.CSS("#name"), "A < B"+kb.Enter))
	p.until(`!document.querySelector("#part").hidden`)
	p.look("part")
	p.key(kb.ArrowRight)
	p.until(`document.querySelector("#text").textContent`)
	list := s.Lists[1]
	if got, want := p.text("#text"), s.Texts[s.Items[list[0].Item].Text]; got != want {
		t.Errorf("the first text is %q, want %q", got, want)
	}
	p.look("pairs")

	var want []Choice
	answer := func(choice Choice, act func()) {
		act()
		want = append(want, choice)
		p.at(len(want))
	}
	answer(Left, func() { p.key("1") })
	answer(Right, func() { p.key(kb.ArrowRight) })
	answer(Tie, func() { p.key("0") })
	p.key(kb.Backspace)
	p.until(`document.querySelector("#answers [aria-pressed=true]")`)
	p.key("2")
	want[2] = Right
	p.until(`!document.querySelector("[aria-pressed=true]")`)

	p.Goto(address) // the browser was closed in between
	p.until(`document.querySelector("#start button").textContent === "Continue"`)
	p.click("#start button")
	p.until(`!document.querySelector("#ask").hidden`)
	answer(Tie, func() { p.click("#answers button") })
	answer(Right, func() { p.click("#pictures button:last-child") })
	answer(Left, func() { p.key(kb.ArrowLeft) })
	p.click("#stop")
	p.until(`!document.querySelector("#end").hidden`)
	if got := p.result(); len(got.Answers) != len(want) {
		t.Errorf("%d answers, want %d", len(got.Answers), len(want))
	}
	p.click("#resume")
	p.until(`!document.querySelector("#ask").hidden`)
	for len(want) < len(list) {
		if browser.Eval[bool](p.Page, `!document.querySelector("#part").hidden`) {
			p.key(kb.ArrowRight)
			p.until(`!document.querySelector("#ask").hidden`)
			if p.text("#text") != "" {
				t.Error("quality is judged with a text")
			}
			p.look("quality")
		}
		answer(Left, func() { p.key("1") })
		p.until(`!document.querySelector("#ask").hidden || !document.querySelector("#part").hidden ||
			!document.querySelector("#end").hidden`)
		p.until(`!document.querySelector("#ask [aria-pressed=true]") || document.querySelector("#ask").hidden`)
	}
	p.until(`!document.querySelector("#end").hidden`)
	p.look("end")
	a := p.result()
	for i, given := range a.Answers {
		if given.Question != i+1 || given.Choice != want[i] || given.Seconds <= 0 {
			t.Errorf("answer %d is %+v, want %s", i, given, want[i])
		}
	}
	if a.Name != "A < B" || a.Rater != 2 || len(a.Answers) != len(list) {
		t.Errorf("answers of %q, rater %d: %d", a.Name, a.Rater, len(a.Answers))
	}
	saveAndRead(p, s)
}

// saveAndRead downloads the file and reads it as an analysis does.
func saveAndRead(p person, s *Study) {
	p.Helper()
	folder := p.Downloads()
	p.click("#save")
	var saved []string
	for end := time.Now().Add(time.Minute); len(saved) == 0 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		saved, _ = filepath.Glob(filepath.Join(folder, "answers-*.json"))
	}
	if len(saved) != 1 {
		p.Fatalf("saved %q", saved)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if info, err := os.Stat(saved[0]); err == nil && info.Size() > 0 {
			break
		}
	}
	answers, err := ReadAnswers(s, saved...)
	if err != nil {
		p.Fatal(err)
	}
	if len(answers[0].Answers) != len(s.Lists[answers[0].Rater-1]) {
		p.Errorf("the file has %d answers", len(answers[0].Answers))
	}
}

// TestRatingsInChromium rates pictures that the page holds, with a text from right to left.
func TestRatingsInChromium(t *testing.T) {
	o := options()
	o.Ask, o.Aspects, o.Items, o.Controls, o.Repeats, o.Embed = Ratings, []Aspect{Match}, 6, 1, 1, true
	o.Title = "דיוקנאות"
	s, _, out := export(t, 5, o)
	if err := os.RemoveAll(filepath.Join(out, pageFolder, pictureFolder)); err != nil {
		t.Fatal(err)
	}
	p := person{t, browser.Open(t, browser.File(t, filepath.Join(out, pageFolder, pageName(1))))}
	p.Do(chromedp.SendKeys(chromedp.CSS("#name"), "x"+kb.Enter))
	p.until(`!document.querySelector("#ask").hidden`)
	p.look("ratings")
	for i := range s.Lists[0] {
		p.key(fmt.Sprint(1 + i%5))
		p.at(i + 1)
		p.until(`!document.querySelector("#ask [aria-pressed=true]") || document.querySelector("#ask").hidden`)
	}
	p.until(`!document.querySelector("#end").hidden`)
	for i, given := range p.result().Answers {
		if given.Rating != 1+i%5 {
			t.Errorf("answer %d is %+v", i, given)
		}
	}
	saveAndRead(p, s)
	if requests := p.Requests(); len(requests) != 1 {
		t.Errorf("the page asked for %q", requests)
	}
}

// TestReportInChromium opens the report of simulated raters.
func TestReportInChromium(t *testing.T) {
	o := options()
	o.Raters, o.Items = 6, 40
	s, _, _ := export(t, 30, o)
	r := rand.New(rand.NewPCG(3, 0))
	var answers []Answers
	for rater := range o.Raters {
		answers = append(answers, simulated{strengths: known, tie: 0.1}.answer(s, rater+1, r))
	}
	answers[4] = simulated{strengths: known, left: true}.answer(s, 5, r)
	a, err := Analyse(s, answers, DefaultRule())
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if err := a.Write(out, nil); err != nil {
		t.Fatal(err)
	}
	p := person{t, browser.Open(t, browser.File(t, filepath.Join(out, "report.html")))}
	p.look("report")
	for _, want := range []string{"rejected: ", "Krippendorff", "retrieval"} {
		if !strings.Contains(p.text("main"), want) {
			t.Errorf("the report lacks %q", want)
		}
	}
	csv, err := os.ReadFile(filepath.Join(out, "systems-match.csv"))
	if err != nil || !strings.HasPrefix(string(csv), "system,win_rate,win_rate_low,win_rate_high,strength,") {
		t.Errorf("%s %v", csv, err)
	}
}
