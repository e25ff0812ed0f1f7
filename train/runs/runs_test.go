package runs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/configs"
	"illustrator/losses"
	"illustrator/train"
)

func TestLossNoteShowsLossesWithAWeight(t *testing.T) {
	v := losses.Values{L1: 0.8, Semantic: 0.5, Regularization: 0.25}
	for want, w := range map[string]losses.Weights{
		"l1 0.800":       {L1: 1},
		"semantic 0.500": {Semantic: 2},
		"l1 0.800 semantic 0.500 regularization 0.250": {L1: 0.3, Semantic: 1, Regularization: 0.3},
	} {
		if got := LossNote(w, v); got != want {
			t.Errorf("%+v: %q, want %q", w, got, want)
		}
	}
}

func TestClaimFolder(t *testing.T) {
	dir, run := filepath.Join(t.TempDir(), "run"), configs.Paper()
	for range 2 {
		if err := claim(train.Folder(dir), run); err != nil {
			t.Fatal(err)
		}
	}
	run.Mapper.Width = 16
	if err := claim(train.Folder(dir), run); err == nil ||
		!strings.Contains(err.Error(), "mapper.width is 512 there, 16 here") {
		t.Errorf("other settings: %v", err)
	}
	if info, err := train.Folder(dir).ReadInfo(); info != nil || err != nil {
		t.Errorf("an unfinished run: %+v, %v", info, err)
	}
	for text, want := range map[string]string{"{": "unexpected end",
		`{"pid": "x"}`: "pid is a string; it must be a whole number"} {
		if err := os.WriteFile(train.Folder(dir).Info(), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := train.Folder(dir).ReadInfo(); err == nil || !strings.Contains(err.Error(), "run.json: "+want) {
			t.Errorf("a damaged run.json: %v; want %q", err, want)
		}
	}
}

// A run's folder stores its domain relative to itself, and takes the path that older versions stored for the same.
func TestClaimStoresPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	folder, run := train.Folder("runs/a"), configs.Paper()
	run.Domain = "mine.yaml"
	if err := os.WriteFile(run.Domain, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := claim(folder, run); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(folder.Config())
	if err != nil || !strings.HasPrefix(string(text), "domain: ../../mine.yaml\n") {
		t.Fatalf("%s, %v", text, err)
	}
	if err := os.WriteFile(folder.Config(), []byte(strings.Replace(string(text), "../../", "", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := claim(folder, run); err != nil {
		t.Errorf("the path of an older version: %v", err)
	}
	run.Mapper.Width = 16
	if err := claim(folder, run); err == nil || strings.Contains(err.Error(), "domain") ||
		!strings.Contains(err.Error(), "mapper.width is 512 there, 16 here") {
		t.Errorf("other settings: %v", err)
	}
	if ref, err := DomainOf("runs/a"); err != nil || ref != "mine.yaml" {
		t.Errorf("domain %q, %v", ref, err)
	}
}

// A run is shown with the paths that open from the working directory.
func TestShowResolvesPaths(t *testing.T) {
	t.Chdir(t.TempDir())
	folder, run := train.Folder("runs/a"), configs.Paper()
	run.Domain, run.Init = "mine.yaml", "mapper"
	if err := os.WriteFile(run.Domain, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := claim(folder, run); err != nil {
		t.Fatal(err)
	}
	d, err := Run{Folder: folder}.details()
	if want := "domain mine.yaml (paper: lorelei), init mapper"; err != nil || strings.Join(d.settings, ", ") != want {
		t.Errorf("settings %q, %v, want %s", d.settings, err, want)
	}
	t.Chdir("runs")
	if d, err = (Run{Folder: "a"}).details(); err != nil || d.settings[0] != "domain ../mine.yaml (paper: lorelei)" {
		t.Errorf("settings within runs %q, %v", d.settings, err)
	}
}

// A training that fails before it has read its checkpoint leaves run.json the best validation of an earlier process.
func TestFailureKeepsTheBest(t *testing.T) {
	folder, best := train.Folder(t.TempDir()), &train.Best{Step: 200}
	k := keeper{folder: folder, info: train.Info{Step: 300, Best: best}}
	if err := k.end(t.Context(), train.State{}, errors.New("no memory")); err != nil {
		t.Fatal(err)
	}
	info, err := folder.ReadInfo()
	if err != nil || info.Status != train.Failed || info.Step != 300 || info.Best == nil || info.Best.Step != best.Step {
		t.Errorf("%+v, %v", info, err)
	}
}
