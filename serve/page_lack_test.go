package serve_test

import (
	"net/url"
	"strings"
	"testing"

	"illustrator/internal/browser"
	"illustrator/serve"
)

// fuzzRecord begins the record of a picture; the names of its domain, run and networks follow.
const fuzzRecord = `{"id": "` + fuzzID + `", "kind": "generated", "text": "a toy", "noise_mode": "random", ` +
	`"width": 4, "height": 4, "alpha": 1, "truncation_psi": 1, ` +
	`"image_embed": "AACAPwAAgD8AAIA/AACAPwAAgD8AAIA/AACAPwAAgD8=", `

// showFuzzed shows the only picture of a gallery, with a record that ends so, and returns what it says beside it.
func (u user) showFuzzed(end string) (says string, r *running) {
	u.Helper()
	folder := u.TempDir()
	if err := writeFuzzed(folder, fuzzRecord+end, false); err != nil {
		u.Fatal(err)
	}
	r = deaf(u.T, func(o *serve.Options) { o.Folder = folder })
	u.Page.Goto(r.URL + "/#picture/" + fuzzID)
	u.until(`document.querySelector("#viewer").open && document.querySelector("#viewer-picture")?.naturalWidth`)
	return u.eval(`document.querySelector("#viewer .elsewhere:not([hidden])")?.textContent ?? ""`), r
}

// A picture says that the networks of its run have changed since they drew it.
func TestPageOfChangedRun(t *testing.T) {
	u := user{t, browser.Open(t, deaf(t).URL)}
	_, r := u.showFuzzed(`"domain": "toys", "run": "first"}`)
	now := r.networks(t)["first"]
	other := strings.Repeat("0", 64)
	for _, c := range []struct{ mapper, clip, want string }{
		{now["mapper"], now["clip"], ""},
		{other, now["clip"], "The run “first” was trained again since it was drawn"},
		{other, other, "The networks of this domain have changed since it was drawn"},
	} {
		says, _ := u.showFuzzed(`"domain": "toys", "run": "first", "networks_sha256": {"mapper": "` + c.mapper +
			`", "clip": "` + c.clip + `"}}`)
		if !strings.HasPrefix(says, c.want) || (says == "") != (c.want == "") {
			t.Errorf("mapper %.4s and CLIP %.4s, which are %.4s and %.4s now: %q", c.mapper, c.clip, now["mapper"],
				now["clip"], says)
		}
		if hidden := u.eval(`document.querySelector("#viewer .settings-of").hidden`); hidden != "false" {
			t.Errorf("%q: the settings can't be used", says)
		}
		u.look("changed-run")
	}
}

// networks are the hashes of the networks of each run.
func (r *running) networks(t *testing.T) map[string]map[string]string {
	t.Helper()
	return decode[struct {
		Hashes map[string]map[string]string `json:"networks_sha256"`
	}](t, get(t, r.URL+"/api/v1/domain")).Hashes
}

// A run is known by its mapper: pictures and addresses of one that was renamed find it, and those of another mapper
// under its name say so.
func TestPageKnowsRunsByTheirMappers(t *testing.T) {
	u := user{t, browser.Open(t, deaf(t).URL)}
	_, r := u.showFuzzed(`"domain": "toys", "run": "first"}`)
	second := r.networks(t)["second"]["mapper"]
	says, r := u.showFuzzed(`"domain": "toys", "run": "renamed", "networks_sha256": {"mapper": "` + second + `"}}`)
	if says != "" {
		t.Errorf("a picture of a renamed run: %q", says)
	}
	run := `document.querySelector("#view-draw [name=run]").value`
	u.eval(`document.querySelector("#viewer .settings-of").click()`)
	u.until(run + ` === "second"`)
	alert := `document.querySelector("#view-draw .alert").innerText`
	for _, c := range []struct{ run, says string }{
		{"second@" + second[:8], ""}, {"renamed@" + second[:8], ""}, {"second", ""},
		{"second@00000000", "The run “second” has another mapper here than that of the address"},
	} {
		u.Page.Goto(r.URL + "/#draw?text=a+toy&run=" + c.run)
		u.until(run + ` === "second" && location.hash.endsWith("run=second%40` + second[:8] + `")`)
		if says := u.eval(alert); !strings.HasPrefix(says, c.says) || (says == "") != (c.says == "") {
			t.Errorf("the address of run %s: %q", c.run, says)
		}
	}
}

// The revision of a run of the hub is not taken for a mapper's hash, though it may look like one.
func TestPageKnowsRevisions(t *testing.T) {
	const name = "org/toys@12345678"
	r := deaf(t, func(o *serve.Options) { o.Domains[0].Models[1].Name = name })
	u := user{t, browser.Open(t, r.URL+"/#draw?text=a+toy&run="+url.QueryEscape(name))}
	u.until(`document.querySelector("#view-draw [name=run]")?.value === "` + name + `"`)
	if says := u.eval(`document.querySelector("#view-draw .alert").innerText`); says != "" {
		t.Errorf("%q", says)
	}
}

// A picture or an address of a run, domain or look that the server lacks says so, and how to serve it.
func TestPageOfWhatTheServerLacks(t *testing.T) {
	u := user{t, browser.Open(t, deaf(t).URL)}
	var r *running
	for _, c := range []struct{ of, want string }{
		{`"domain": "toys", "run": "first"}`, ""},
		{`"domain": "toys", "run": "toys"}`,
			"the run “toys”, which this server does not have. Start the server without --run"},
		{`"domain": "dolls", "run": "dolls"}`,
			"the domain “dolls”, which this server does not have. Start the server with --domain"},
		{`"domain": "toys", "run": "third"}`,
			"the run “third”, which this server does not have. Start the server with --run and the folder of that run"},
	} {
		var says string
		says, r = u.showFuzzed(c.of)
		hidden := u.eval(`[".settings-of", ".change", ".way"].map(s => document.querySelector("#viewer " + s).hidden)`)
		if want := strings.TrimSuffix(strings.Repeat("true,", 3), ","); (c.want == "") != (says == "") ||
			!strings.Contains(says, c.want) || (hidden == want) != (c.want != "") {
			t.Errorf("a picture of %s: %q, hidden %s", c.of, says, hidden)
		}
	}
	if flag := u.eval(`document.querySelector("#viewer .elsewhere code").textContent`); flag != "--run" {
		t.Errorf("the flag that is code: %q", flag)
	}
	u.look("lacking")
	body := object{"picture": fuzzID, "to": "a ball", "alphas": []float64{1}}
	if a := post(t, r.URL+"/api/v1/manipulate", body); a.status != 400 || !strings.Contains(string(a.body), "--run") {
		t.Errorf("the API says %v", a)
	}

	alert := `document.querySelector("#view-draw .alert").innerText`
	u.Page.Goto(r.URL + "/#draw?text=a+toy&run=third&cartoon=anime")
	u.until(alert + `.includes("This server does not have the run “third”, and takes “first”.")`)
	if says := u.eval(alert); !strings.Contains(says, "the look “anime”, and takes “as drawn”") ||
		!strings.Contains(says, "--cartoon-style") || !strings.Contains(says, "--run and the folder of that run") {
		t.Errorf("an address of a run and a look that are not there: %q", says)
	}
	u.Page.Goto(r.URL + "/#draw?text=a+toy&run=second")
	u.until(`document.querySelector("#view-draw [name=run]").value === "second" && !` + alert)
}
