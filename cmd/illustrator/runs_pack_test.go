package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"illustrator/cmd/terminal"
	"illustrator/configs"
	"illustrator/internal/files/filestest"
	"illustrator/train/runs"
)

const packedEval = `{"metrics": [{"name": "clip_similarity", "value": 0.31, "interval": {"low": 0.25, "high": 0.37},
"n": 140, "better": "higher", "caveat": "by the CLIP that was trained with: it flatters"}]}`

// TestPackedRun packs a run with its figures, puts it on a hub, and opens it from there.
func TestPackedRun(t *testing.T) {
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	t.Setenv(configs.WeightsEnv, filepath.Join(t.TempDir(), "weights"))
	if err := os.CopyFS("run", os.DirFS(filepath.Join(examples, "runs/first"))); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("run/eval", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("run/eval/eval.json", []byte(packedEval), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, output := illustrator(t, "runs", "pack", "run", "--out", "hub/org/name/resolve/v1"); code != 0 {
		t.Fatalf("exit code %d: %s", code, output)
	}
	card, err := os.ReadFile("hub/org/name/resolve/v1/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"library_name: illustrator", "| clip_similarity | 0.31 | 0.25 to 0.37 | 140 | higher | by the CLIP",
		"mapper.width 24 (paper: 512)", "--run hf-hub:",
	} {
		if !strings.Contains(string(card), want) {
			t.Errorf("the card lacks %q:\n%s", want, card)
		}
	}
	code, output := illustrator(t, "runs", "pack", "run", "--out", "hub/org/name/resolve/v1")
	if code != terminal.ExitUsage {
		t.Errorf("a folder that is there: exit code %d, %s", code, output)
	}

	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		http.FileServer(http.Dir("hub")).ServeHTTP(w, r)
	}))
	defer server.Close()
	t.Setenv("HF_ENDPOINT", server.URL)
	opts := terminal.NewOptions("illustrator", t.Output(), t.Output())
	open := func(ref string) (*session, error) {
		cmd := &cobra.Command{}
		cmd.SetContext(t.Context())
		m := mapperOptions{run: ref}
		domain, err := m.domainOf(cmd, opts, "lorelei")
		if err != nil {
			return nil, err
		}
		s, err := readDomain(opts, domain)
		if err != nil {
			return nil, err
		}
		model, err := s.loadModel(t.Context(), m, false)
		if err == nil && (model.Prompts.Text == nil || s.networks.Mapper == nil || s.networks.Mapper.Width != 24) {
			t.Errorf("opened are %+v", model)
		}
		return s, err
	}
	if _, err := open("hf-hub:org/name@v1"); err != nil {
		t.Fatal(err)
	}
	folder, err := runs.Locate(t.Context(), opts.Env(), "hf-hub:org/name@v1")
	if err != nil {
		t.Fatal(err)
	}
	filestest.Same(t, filestest.Folder(t, filepath.Join(folder, "mapper-best")), filestest.Folder(t, "run/mapper-best"))

	// A file that changed on the way is refused.
	bad := "hub/org/name/resolve/v1/mapper-best/model.safetensors"
	raw, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)-1] ^= 1
	if err := os.WriteFile(bad, raw, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if _, err := open("hf-hub:org/name@v1"); err == nil || !strings.Contains(err.Error(), "SHA-256") {
		t.Errorf("a changed file: %v", err)
	}
	for ref, want := range map[string]string{"hf-hub:org": "names no repository", "hf-hub:org/none@v1": "404"} {
		if _, err := open(ref); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

// TestPackOfOwnNetworks refuses networks that others don't have, unless they are packed too.
func TestPackOfOwnNetworks(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	run := t.TempDir() + "/run"
	if err := os.CopyFS(run, os.DirFS(filepath.Join(root, "examples/runs/first"))); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(run + "/config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(string(config), "domain: lorelei", "domain: "+filepath.Join(root, "examples/tiny/tiny.yaml"), 1)
	if err := os.WriteFile(run+"/config.yaml", []byte(own), 0o666); err != nil {
		t.Fatal(err)
	}
	if code, output := illustrator(t, "runs", "pack", run, "--out", "packed"); code != terminal.ExitUsage ||
		!strings.Contains(output, "add --networks") {
		t.Errorf("exit code %d, %s", code, output)
	}
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
	if code, output := illustrator(t, "runs", "pack", run, "--networks", "--out", "packed"); code != 0 {
		t.Fatalf("exit code %d, %s", code, output)
	}
	if _, _, err := configs.OpenNetworks("packed/domain.yaml"); err != nil {
		t.Error(err)
	}
	if card, err := os.ReadFile("packed/README.md"); err != nil || strings.Contains(string(card), root) {
		t.Errorf("the card has a path of this machine: %s, %v", card, err)
	}
}
