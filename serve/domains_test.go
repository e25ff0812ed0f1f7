package serve_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/data/seeds"
	"illustrator/draw"
	"illustrator/internal/browser"
	"illustrator/models/pipeline"
	"illustrator/models/pipeline/pipelinetest"
	"illustrator/serve"
)

// both is a server of two domains: the toys, and balls of other random networks with one mapper.
var both = &world{options: bothOptions}

func bothOptions() (serve.Options, error) {
	o, err := tinyOptions()
	if err != nil {
		return o, err
	}
	o.Limits.Shapes, o.Limits.Refine = []int{4}, 0 // fewer programs: those of two domains are compiled at once
	o.Domains[0].Models = o.Domains[0].Models[:1]
	dir, n, err := tinyNetworks(2)
	if err != nil {
		return o, err
	}
	o.Domains = append(o.Domains, serve.Domain{Name: "balls", About: "Random balls.", TextPrompt: "A ball.",
		Examples: []string{"a round ball", "a flat ball"}, Alpha: 1, Models: []draw.Model{{Name: "balls", Networks: n,
			Prompts: pipeline.Prompts{Text: seeds.Z(1, pipelinetest.EmbedDim), Image: seeds.Z(2, pipelinetest.EmbedDim)}}}})
	return o, loadRandom(n, filepath.Join(dir, "balls"), 3)
}

// The first domain draws before programs of others are compiled: on few cores its first picture would come late.
func TestFirstDomainDrawsFirst(t *testing.T) {
	r := both.serve(t, func(*serve.Options) {})
	rest := r.log.String()
	for _, step := range []string{"compiles its programs\" domain=toys", "at once\" domain=toys",
		"compiles its programs\" domain=balls", "at once\" domain=balls"} {
		_, after, ok := strings.Cut(rest, step)
		if !ok {
			t.Fatalf("not in this order: %q\n%s", step, r.log)
		}
		rest = after
	}
}

// Each domain has an address and a queue of its own; the first is the root's too. The gallery is one for all.
func TestDomains(t *testing.T) {
	folder := t.TempDir()
	in := func(o *serve.Options) { o.Folder, o.BasePath = folder, "/tools" }
	r := both.serve(t, in)
	type domain struct {
		Name    string
		Domains []string
		Runs    []string
		Alpha   float64
	}
	for path, want := range map[string]string{
		"":                     "{toys [toys balls] [first] 1.5}",
		"/tools":               "{toys [toys balls] [first] 1.5}",
		"/domains/toys":        "{toys [toys balls] [first] 1.5}",
		"/domains/balls":       "{balls [toys balls] [balls] 1}",
		"/tools/domains/balls": "{balls [toys balls] [balls] 1}",
	} {
		if got := fmt.Sprint(decode[domain](t, get(t, r.URL+path+"/api/v1/domain"))); got != want {
			t.Errorf("domain at %q: %s, want %s", path, got, want)
		}
	}
	for path, want := range map[string]int{"/domains/balls/": 200, "/domains/balls/assets/page.js": 200,
		"/domains/balls/readyz": 200, "/domains/dolls/": 404, "/domains/": 404, "/domains/balls/api/v1/jobs/none": 404} {
		if got := get(t, r.URL+path); got.status != want {
			t.Errorf("%s: %v, want %d", path, got, want)
		}
	}
	samples := map[string]picture{}
	for _, name := range []string{"toys", "balls"} {
		p := r.draw(t, "/domains/"+name+"/api/v1/generate", object{"text": "a toy"}).Pictures[0]
		if p.Domain != name || p.PNG != "/tools/domains/"+name+"/api/v1/pictures/"+p.ID+"/png" ||
			get(t, r.URL+p.PNG).status != http.StatusOK {
			t.Errorf("picture of %s: %+v", name, p)
		}
		samples[name] = p
	}
	for query, want := range map[string]int{"": 2, "?domain=toys": 1, "?domain=balls": 1, "?domain=dolls": 0} {
		list := decode[struct{ Total int }](t, get(t, r.URL+"/domains/balls/api/v1/pictures"+query))
		if list.Total != want {
			t.Errorf("%s lists %d pictures, want %d", query, list.Total, want)
		}
	}
	change := object{"picture": samples["balls"].ID, "to": "a toy", "alphas": []float64{1}}
	if a := post(t, r.URL+"/api/v1/manipulate", change); a.status != http.StatusBadRequest ||
		!strings.Contains(string(a.body), `picture: it is a picture of domain \"balls\"`) {
		t.Errorf("a picture of the other domain: %v", a)
	}
	r.draw(t, "/domains/balls/api/v1/manipulate", change)
	metrics := string(get(t, r.URL+"/metrics").body)
	for _, want := range []string{`illustrator_pictures_total{domain="balls"} 2`,
		`illustrator_pictures_total{domain="toys"} 1`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in\n%s", want, metrics)
		}
	}
	r = both.serve(t, in)
	if list := decode[drawing](t, get(t, r.URL+"/api/v1/pictures")); len(list.Pictures) != 3 ||
		strings.Contains(r.log.String(), "left out") {
		t.Errorf("after a restart: %+v\n%s", list, r.log)
	}
}

// An address without its slash leads to the page, and a domain's name must be one, and be fit for an address.
func TestAddressesOfDomains(t *testing.T) {
	r := deaf(t)
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	a, err := client.Get(r.URL + "/domains/toys?x=1")
	if err != nil {
		t.Fatal(err)
	}
	a.Body.Close()
	if got := a.Header.Get("Location"); a.StatusCode != http.StatusPermanentRedirect || got != "toys/?x=1" {
		t.Errorf("%s leads to %q", a.Status, got)
	}
	for name, want := range map[string]string{"toys": `two domains are called "toys"`, "a/b": `name is "a/b"`} {
		o, err := tinyOptions()
		if err != nil {
			t.Fatal(err)
		}
		second := o.Domains[0]
		second.Name = name
		o.Domains = append(o.Domains, second)
		if _, err := serve.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("domain %q: %v", name, err)
		}
	}
}

// The page switches between domains, which share no text; the gallery can show both.
func TestPageOfDomains(t *testing.T) {
	u := user{t, browser.Open(t, both.serve(t, func(*serve.Options) {}).URL)}
	ready := func(name string) {
		u.Helper()
		u.until(`document.querySelector("#domains [aria-current]")?.textContent === "` + name + `" &&
			document.title === "` + name + ` · illustrator" && document.querySelector("#views [aria-current]")`)
	}
	ready("Toys")
	const ordered = `(x => x[0] < x[1])([...document.querySelectorAll(".top nav")].map(n => n.getBoundingClientRect().x))`
	if u.eval(ordered) != "true" {
		t.Error("Tab goes through the navigation from right to left")
	}
	u.drawText("a red toy", 4)
	u.look("domains")
	u.click("#domains a:nth-child(2)")
	ready("Balls")
	if at := u.eval("location.pathname + location.hash.split('?')[0]"); at != "/domains/balls/#draw" {
		t.Errorf("Balls are at %s", at)
	}
	if text := u.eval(`document.querySelector("#draw-text").value`); text != "" {
		t.Errorf("the text of Toys in Balls: %q", text)
	}
	u.drawText("a flat ball", 4)
	u.view("gallery")
	u.until(`document.querySelector("#view-gallery .status").textContent === "4 pictures"`)
	u.set("#view-gallery [name=domain]", "any")
	u.eval(`document.querySelector("#view-gallery [name=domain]").dispatchEvent(new Event("change", {bubbles: true}))`)
	u.until(`document.querySelector("#view-gallery .status").textContent === "8 pictures"`)
	if at := u.eval("location.hash"); at != "#gallery?domain=any" {
		t.Errorf("all pictures are at %s", at)
	}
	u.look("domains-gallery")
	u.open("#view-gallery .card:nth-child(5)")
	u.until(`document.querySelector("#viewer .elsewhere a")?.textContent === "Change it in Toys" &&
		document.querySelector("#viewer .change").hidden && document.querySelector("#viewer dl").innerText.includes("Toys")`)
	u.look("domains-viewer")
	id := strings.TrimPrefix(u.eval("location.hash"), "#picture/")
	u.click("#viewer .elsewhere a")
	ready("Toys")
	u.until(`document.querySelector("#viewer[open] .change:not([hidden])") &&
		location.href.endsWith("/domains/toys/#picture/` + id + `")`)
	u.close()
	u.view("draw")
	if text := u.eval(`document.querySelector("#draw-text").value`); text != "a red toy" {
		t.Errorf("the text of Toys is %q after a visit to Balls", text)
	}
}
