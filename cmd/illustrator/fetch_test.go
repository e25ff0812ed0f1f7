package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"illustrator/checkpoints"
	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/configs/published"
	"illustrator/internal/fault"
	"illustrator/models/pipeline/pipelinetest"
)

// runLine executes a command line in this process and returns what it prints and what it says besides.
func runLine(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, log bytes.Buffer
	opts := terminal.NewOptions("illustrator", &out, &log)
	err = opts.Execute(t.Context(), func() *cobra.Command { return newRootCommand(opts) }, args)
	return out.String(), log.String(), err
}

// publication is a domain whose networks lie on a server: a generator in rosinality's layout, a CLIP in Hugging Face's.
type publication struct {
	domain   string // the path of its YAML file
	files    string // the server's folder
	weights  string // where they belong
	requests []string
	gone     map[string]bool // paths that the server has no more
}

const publishedYAML = `name: tiny
generator: weights:tiny-generator
clip: weights:tiny-clip
text_prompt: A picture.
alpha: 1
size: 16
z_dim: 5
embed_dim: %d
sources:
  generator:
    - about: the first form
      licence: free for tests
      color_order: BGR
      files: [{url: "%[2]s/a/first.pt", sha256: %[3]s}]
    - about: the second form
      licence: free for tests
      files: [{url: "%[2]s/b/rosinality.pt", sha256: %[4]s, size: %[5]d}]
  clip:
    - about: tiny CLIP
      licence: free as well
      files: [%s]
`

func publish(t *testing.T) *publication {
	t.Helper()
	p := &publication{files: t.TempDir(), weights: filepath.Join(t.TempDir(), "weights"), gone: map[string]bool{}}
	t.Setenv(configs.WeightsEnv, p.weights)
	if _, err := pipelinetest.Write(p.files, 1); err != nil {
		t.Fatal(err)
	}
	generator, err := os.ReadFile("../../models/convert/testdata/rosinality.pt")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a/first.pt", "b/rosinality.pt"} {
		path := filepath.Join(p.files, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, generator, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests = append(p.requests, r.URL.Path)
		if p.gone[r.URL.Path] {
			http.NotFound(w, r)
			return
		}
		http.ServeFile(w, r, filepath.Join(p.files, strings.TrimPrefix(r.URL.Path, "/mirrored")))
	}))
	t.Cleanup(server.Close)
	var clip []string
	for _, name := range []string{"config.json", "vocab.json", "merges.txt", "model.safetensors"} {
		sum, err := checkpoints.SHA256OfFile(filepath.Join(p.files, "clip", name))
		if err != nil {
			t.Fatal(err)
		}
		clip = append(clip, fmt.Sprintf(`{url: "%s/clip/%s", size: %d, sha256: %s}`, server.URL, name, sum.Size, sum.SHA256))
	}
	sum := checkpoints.SHA256(generator)
	p.domain = filepath.Join(t.TempDir(), "tiny.yaml")
	text := fmt.Sprintf(publishedYAML, pipelinetest.EmbedDim, server.URL, sum[:8], sum, len(generator),
		strings.Join(clip, ", "))
	if err := os.WriteFile(p.domain, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFetch(t *testing.T) {
	p := publish(t)
	_, _, err := runLine(t, "pairs", "--domain", p.domain, "--rows", "1", "--out", t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "its generator is not here yet") ||
		!strings.Contains(fault.HintOf(err), "illustrator fetch "+p.domain) {
		t.Errorf("before: %v, hint %q", err, fault.HintOf(err))
	}
	_, said, err := runLine(t, "fetch", p.domain)
	if !fault.IsUsage(err) || !strings.Contains(fault.HintOf(err), "--accept-license") || len(p.requests) > 0 ||
		!strings.Contains(said, "licence of the generator: free for tests\nlicence of the clip: free as well\n") {
		t.Errorf("licences not accepted: %v, said %q, asked for %q", err, said, p.requests)
	}
	p.gone["/a/first.pt"] = true
	printed, said, err := runLine(t, "fetch", p.domain, "--accept-license")
	if err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(p.weights, "tiny-generator") + "\n" + filepath.Join(p.weights, "tiny-clip") + "\n"
	if printed != want {
		t.Errorf("printed %q, want %q", printed, want)
	}
	if !strings.Contains(said, "404 Not Found; taking the second form instead") ||
		!strings.Contains(said, "Downloading rosinality.pt (MB): 1 in") {
		t.Errorf("said %q", said)
	}
	folder, err := checkpoints.Open(filepath.Join(p.weights, "tiny-generator"))
	if err != nil {
		t.Fatal(err)
	}
	if config, err := folder.ReadFile(checkpoints.ConfigFile); err != nil ||
		!strings.Contains(string(config), `"color_order": "RGB"`) {
		t.Errorf("the second form's own order is RGB: %s, %v", config, err)
	}
	if left, _ := os.ReadDir(filepath.Join(p.weights, "downloads")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	before := len(p.requests)
	if printedAgain, said, err := runLine(t, "fetch", p.domain); err != nil || printedAgain != printed ||
		!strings.Contains(said, "is there already") || len(p.requests) > before {
		t.Errorf("again: %v, %q, said %q, asked for %q", err, printedAgain, said, p.requests[before:])
	}
}

// A download that no hash tells from a wrong answer is not kept if it does not convert: the next call asks again.
func TestFetchWithoutHash(t *testing.T) {
	p := publish(t)
	text, err := os.ReadFile(p.domain)
	if err != nil {
		t.Fatal(err)
	}
	first := filepath.Join(p.files, "a", "first.pt")
	good, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	unknown := strings.Replace(string(text), ", sha256: "+checkpoints.SHA256(good)[:8], "", 1)
	for path, content := range map[string]string{p.domain: unknown, first: "Please log in."} {
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, _, err = runLine(t, "fetch", p.domain, "--accept-license")
	if err == nil || !strings.Contains(err.Error(), "it was thrown away") ||
		!strings.Contains(fault.HintOf(err), "asks for it again") {
		t.Errorf("a wrong answer: %v, hint %q", err, fault.HintOf(err))
	}
	if err := os.WriteFile(first, good, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := runLine(t, "fetch", p.domain, "--accept-license"); err != nil {
		t.Errorf("the right answer: %v", err)
	}
}

func TestFetchFromMirrorAndKeep(t *testing.T) {
	p := publish(t)
	server := httptest.NewServer(http.StripPrefix("/mirrored", http.FileServer(http.Dir(p.files))))
	t.Cleanup(server.Close)
	printed, _, err := runLine(t, "fetch", p.domain, "--accept-license", "--keep", "--json", "--mirror",
		server.URL+"/mirrored")
	if err != nil || len(p.requests) > 0 {
		t.Fatalf("%v, asked the server itself for %q", err, p.requests)
	}
	var results []published.Network
	if err := json.Unmarshal([]byte(printed), &results); err != nil || len(results) != 2 ||
		!strings.Contains(results[0].Verified, "no more is known") {
		t.Errorf("%v, %+v", err, results)
	}
	folder, err := checkpoints.Open(filepath.Join(p.weights, "tiny-generator"))
	if err != nil {
		t.Fatal(err)
	}
	if config, err := folder.ReadFile(checkpoints.ConfigFile); err != nil ||
		!strings.Contains(string(config), `"color_order": "BGR"`) {
		t.Errorf("the first form is BGR: %s, %v", config, err)
	}
	for _, name := range []string{"tiny-generator/first.pt", "tiny-clip/vocab.json"} {
		if _, err := os.Stat(filepath.Join(p.weights, "downloads", name)); err != nil {
			t.Error(err)
		}
	}
}

// Without a network the error says what to bring, and what is brought is verified and kept where it was.
func TestFetchByHand(t *testing.T) {
	p := publish(t)
	for _, path := range []string{"/a/first.pt", "/b/rosinality.pt", "/clip/config.json"} {
		p.gone[path] = true
	}
	_, _, err := runLine(t, "fetch", p.domain, "--accept-license")
	hint := fault.HintOf(err)
	for _, part := range []string{"/a/first.pt (SHA-256 beginning with ", ", or ", "/b/rosinality.pt (",
		" bytes, SHA-256 ", "; and config.json, vocab.json, merges.txt and model.safetensors of http://",
		", into " + filepath.Join(p.weights, "downloads", "tiny-generator"), "--accept-license --from FILE --from FOLDER"} {
		if err == nil || !strings.Contains(hint, part) {
			t.Errorf("%v, hint %q lacks %q", err, hint, part)
		}
	}
	file, folder := filepath.Join(p.files, "b/rosinality.pt"), filepath.Join(p.files, "clip")
	for wrong, want := range map[string]string{
		"../../models/convert/testdata/rosinality_half.pt": "it is not the first form: ",
		"../../models/convert/testdata/clip":               "it is not tiny CLIP: ",
		"../../models/convert/testdata/projector.pth":      "is mapper/dense, which this domain does not fetch",
	} {
		if _, _, err := runLine(t, "fetch", p.domain, "--accept-license", "--from", wrong); err == nil ||
			!strings.Contains(err.Error(), want) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	if _, _, err := runLine(t, "fetch", p.domain, "--accept-license", "--from", file, "--from", folder); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, folder} {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("what was brought is gone: %v", err)
		}
	}
	// Put where it would have been downloaded to, it is found as well.
	if err := os.RemoveAll(filepath.Join(p.weights, "tiny-generator")); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	place := filepath.Join(p.weights, "downloads", "tiny-generator")
	if err := os.MkdirAll(place, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(place, "first.pt"), data, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := runLine(t, "fetch", p.domain, "--accept-license"); err != nil {
		t.Error(err)
	}
}

func TestFetchMistakes(t *testing.T) {
	p := publish(t)
	if _, _, err := runLine(t, "fetch", "lorelei"); !fault.IsUsage(err) ||
		!strings.Contains(err.Error(), "has no sources") {
		t.Errorf("embedded: %v", err)
	}
	if _, _, err := runLine(t, "fetch", p.domain, "--accept-license", "--mirror", "example.org"); !fault.IsUsage(err) ||
		!strings.Contains(err.Error(), `"example.org" is not an address`) {
		t.Errorf("mirror: %v", err)
	}
	if err := os.MkdirAll(p.weights, 0o777); err != nil {
		t.Fatal(err)
	}
	// Networks of other sizes than the domain's are refused.
	text, err := os.ReadFile(p.domain)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.domain, bytes.Replace(text, []byte("size: 16"), []byte("size: 32"), 1), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, err := runLine(t, "fetch", p.domain, "--accept-license"); err == nil ||
		!strings.Contains(err.Error(), "size is 32, but its networks have 16") {
		t.Errorf("other size: %v", err)
	}
}
